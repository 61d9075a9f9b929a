"""Detect an event stream that is connected but silent while clients are active."""

from collections.abc import Iterable

from ..api import StationRecord
from ..roaming import newest_credible

# The stream is reopened after this much silence. If that does not help, the timeout doubles.
SILENT_AFTER = 60.0  # seconds
LONGEST_TIMEOUT = 3600.0  # seconds
# Records of idle clients may differ by less than this.
_JITTER = 5.0  # seconds


def newest_activity(stations: Iterable[StationRecord]) -> float | None:
    """Return when any of these clients was last active on WiFi, None if no record says so.

    This is a POSIX time on the controller's clock, which may be wrong: only compare it with others.
    """
    return newest_credible(
        [station.seen_at for station in stations if station.seen_at and not station.is_wired]
    )


def was_active(before: float | None, now: float | None) -> bool:
    """Return whether a client was active between two values of `newest_activity`."""
    return before is not None and now is not None and now - before >= _JITTER


class StreamWatchdog:
    """Compares the stream's silence with the activity that snapshots show.

    A socket that answers pings can still be silent (NRCHKB/node-red-contrib-unifi-os#49).
    """

    def __init__(self) -> None:
        """Start with the shortest timeout."""
        self._timeout = SILENT_AFTER
        self._last_activity: float | None = None
        self._regular_frame_count = 0
        self._newest_client_activity: float | None = None

    def is_silent(
        self,
        stations: Iterable[StationRecord],
        *,
        opened_at: float,
        last_activity: float,
        regular_frame_count: int,
        now: float,
    ) -> bool:
        """Return whether the stream should be reopened, given a snapshot's clients.

        `opened_at` is the time the stream was last opened and `last_activity` the time it last
        received anything, both in seconds on the clock of `now`. `regular_frame_count` is the total
        number of frames that also arrive when no client moves: a controller that sends none of them
        (core#72240) gains nothing from a new stream, so it is reopened less and less often.
        """
        if regular_frame_count != self._regular_frame_count:
            self._regular_frame_count = regular_frame_count
            # Frames sent when a socket is opened do not show that more will follow.
            if last_activity - opened_at > SILENT_AFTER:
                self._timeout = SILENT_AFTER
        newest, before = newest_activity(stations), self._newest_client_activity
        if last_activity != self._last_activity or before is None or newest is None:
            self._last_activity, self._newest_client_activity = last_activity, newest
            return False
        if not was_active(before, newest) or now - last_activity < self._timeout:
            return False
        self._timeout = min(self._timeout * 2, LONGEST_TIMEOUT)
        return True
