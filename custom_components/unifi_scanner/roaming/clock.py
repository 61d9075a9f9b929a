"""The controller's clock, as far as its reports show it."""

from collections.abc import Sequence
from statistics import median_low

# A clock that differs by more than this from what it showed before was set, in seconds.
STEP = 30.0
# Arrivals are pushed minutes late at most (docs/protocol.md 3.2). One that seems older was sent
# again, or the clock was set back.
MAX_DELAY = 300.0
# For how long a comparison counts: clocks drift.
_WINDOW = 300.0
# Times this far in the future of most others are wrong.
_MAX_LEAD = 900.0


def newest_credible(times: Sequence[float]) -> float | None:
    """Return the newest time, ignoring any far in the future of most; None if there are none."""
    if not times:
        return None
    credible = median_low(times) + _MAX_LEAD
    return max(time for time in times if time <= credible)


class ControllerClock:
    """Converts the controller's times to a timeline that never goes back.

    Reports are received some time after they happened, so the smallest difference between the
    event loop's clock and theirs is the best estimate of the clocks' offset. When the controller's
    clock is set back, `shift` is what to add to its times so that the timeline goes on.
    """

    def __init__(self) -> None:
        """Start without any comparison."""
        self.shift = 0.0
        self._offset: float | None = None
        self._smallest = 0.0
        self._smallest_before: float | None = None
        self._window_start = 0.0
        # The latest difference, if it was far below the offset.
        self._ahead: float | None = None
        # The time on the timeline before the latest jump ahead.
        self._jumped_from: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether the clocks have been compared."""
        return self._offset is not None

    def now(self, loop_time: float) -> float:
        """Return the present on the timeline, the loop's own time before any comparison."""
        return loop_time - (self._offset or 0.0)

    def loop_time(self, time: float) -> float:
        """Return the event loop's time of a time on the timeline."""
        return time + (self._offset or 0.0)

    def compare(self, time: float, loop_time: float) -> None:
        """Compare the clocks by something of a time on the timeline that is received now."""
        difference = loop_time - time
        if self._offset is None:
            self._start(difference, loop_time)
            return
        if difference < self._offset - STEP:
            # The clock was put forward, or the host slept; unless only this report is wrong.
            before, self._ahead = self._ahead, difference
            if before is not None:
                self._jumped_from = self.now(loop_time)
                self._start(max(before, difference), loop_time)
            return
        self._ahead = None
        if loop_time - self._window_start > _WINDOW:
            self._smallest_before = self._smallest
            self._smallest, self._window_start = difference, loop_time
        else:
            self._smallest = min(self._smallest, difference)
        before = self._smallest_before
        self._offset = self._smallest if before is None else min(self._smallest, before)

    def consume_jump(self) -> float | None:
        """Return when the timeline last jumped ahead, by its time before, once; None if never."""
        jumped_from, self._jumped_from = self._jumped_from, None
        return jumped_from

    def set_back(self, time: float, loop_time: float) -> None:
        """Continue the timeline although the controller now shows an earlier time."""
        self.shift += self.now(loop_time) - time

    def export(self) -> tuple[float, float | None, float, float | None, float]:
        """Return the state."""
        return (
            self.shift,
            self._offset,
            self._smallest,
            self._smallest_before,
            self._window_start,
        )

    def restore(self, state: Sequence[float | None]) -> None:
        """Restore an exported state."""
        shift, self._offset, smallest, self._smallest_before, window_start = state
        self.shift, self._smallest, self._window_start = (
            shift or 0.0,
            smallest or 0.0,
            window_start or 0.0,
        )

    def _start(self, difference: float, loop_time: float) -> None:
        self._offset = self._smallest = difference
        self._smallest_before = self._ahead = None
        self._window_start = loop_time
