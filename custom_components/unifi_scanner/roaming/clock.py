"""The controller's clock as seen from ours."""

from collections.abc import Sequence
from statistics import median_low

# Both clocks are normally set by NTP; a smaller difference is a record's age, not a wrong clock.
_SKEW = 30.0
# Departures have been reported up to ten minutes late (protocol.md 3.2); older news is a replay.
_LATE = 900.0


def newest_credible(times: Sequence[float]) -> float | None:
    """Return the newest of these times, but for those far in the future of most; None of none."""
    if not times:
        return None
    credible = median_low(times) + _LATE
    return max(time for time in times if time <= credible)


class ControllerClock:
    """Turns the controller's times into ours, so that a wrong or reset clock there does no harm.

    All times are POSIX seconds.
    """

    def __init__(self) -> None:
        """Start with a clock that is believed to be right."""
        self.offset = 0.0
        self.known = False

    def compare(self, times: Sequence[float], now: float) -> None:
        """Compare the clocks by when clients were last seen, in an answer got at `now`."""
        if (newest := newest_credible(times)) is None:
            return
        self.known = True
        if abs(newest - now) <= _SKEW:
            self.offset = 0.0
        elif abs(newest - now - self.offset) > _SKEW:
            self.offset = newest - now

    def shift(self, seconds: float) -> None:
        """Take note that our clock has been set by that much."""
        self.offset -= seconds

    def local(self, time: float | None, received: float) -> float:
        """Return when something happened by our clock, never later than it was received.

        Without a time, or with one that lies in the future, the order of arrival is all there is.
        """
        if time is None or time - self.offset > received + _SKEW:
            return received
        if not self.known and time - self.offset < received - _LATE:
            return received
        # Nothing is received before it happens: what seems so shows how far the clock is ahead.
        self.offset = max(self.offset, time - received)
        return time - self.offset

    def is_replay(self, time: float | None, received: float) -> bool:
        """Return whether the controller itself dates this so far back that it is no news."""
        return self.known and time is not None and time - self.offset < received - _LATE

    def controller(self, local: float) -> float:
        """Return the controller's time for one of ours."""
        return local + self.offset
