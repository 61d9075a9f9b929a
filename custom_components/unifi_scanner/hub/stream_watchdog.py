"""Tells a mute event stream from a quiet night."""

from collections.abc import Iterable

from ..api import StationRecord
from ..roaming import newest_credible

# How long nothing may come before the stream is suspected, and how long at most before a site that
# never tells more than it does is tried again; seconds.
MUTE_AFTER = 60.0
LONGEST_PATIENCE = 3600.0
# What clients' records may differ by without anybody having said a word, in seconds.
_MOVED = 5.0


def newest_activity(stations: Iterable[StationRecord]) -> float | None:
    """Return when one of these clients was last active by radio, None when none says so.

    It is the controller's own time, to be compared with another one only: its clock may be wrong.
    """
    return newest_credible(
        [station.seen_at for station in stations if station.seen_at and not station.is_wired]
    )


def was_active(before: float | None, now: float | None) -> bool:
    """Return whether somebody was active between two looks at the newest activity."""
    return before is not None and now is not None and now - before >= _MOVED


class StreamWatchdog:
    """Compares the stream's silence with snapshots.

    A socket that answers pings can be mute all the same (NRCHKB/node-red-contrib-unifi-os#49).
    """

    def __init__(self) -> None:
        """Start without suspicion."""
        self._patience = MUTE_AFTER
        self._heard: float | None = None
        self._traffic = 0
        self._seen: float | None = None

    def is_silent(
        self,
        stations: Iterable[StationRecord],
        *,
        opened: float,
        heard: float,
        traffic: int,
        now: float,
    ) -> bool:
        """Return whether the stream should be opened anew, having told nothing of these clients.

        `opened` is when that was last done and `heard` when it last told anything, in seconds by
        the clock of `now`; `traffic` is how much regular traffic it has brought in all. Events
        alone are not regular: where nothing else comes (core#72240), opening it anew changes
        nothing and is done ever more rarely.
        """
        if traffic != self._traffic:
            self._traffic = traffic
            # What comes only when a socket is opened says nothing of what comes later.
            if heard - opened > MUTE_AFTER:
                self._patience = MUTE_AFTER
        seen = newest_activity(stations)
        if heard != self._heard or self._seen is None or seen is None:
            self._heard, self._seen = heard, seen
            return False
        if not was_active(self._seen, seen) or now - heard < self._patience:
            return False
        self._patience = min(self._patience * 2, LONGEST_PATIENCE)
        return True
