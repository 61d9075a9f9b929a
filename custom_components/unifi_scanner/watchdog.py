"""Tells a mute event stream from a quiet night."""

from collections.abc import Iterable

from .api import StationRecord
from .roaming import newest_credible

# How long nothing may come before the stream is suspected, and how long at most before a site that
# never tells more than it does is tried again; seconds.
MUTE_AFTER = 60.0
LONGEST_PATIENCE = 3600.0
# What clients' records may differ by without anybody having said a word, in seconds.
_MOVED = 5.0


class Watchdog:
    """Compares the stream's silence with snapshots.

    A socket that answers pings can be mute all the same (NRCHKB/node-red-contrib-unifi-os#49).
    """

    def __init__(self) -> None:
        """Start without suspicion."""
        self._patience = MUTE_AFTER
        self._heard: float | None = None
        self._traffic = 0
        self._seen: float | None = None

    def is_mute(
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
        # The controller's own times are compared with each other: its clock may be wrong.
        seen = newest_credible(
            [station.seen_at for station in stations if station.seen_at and not station.is_wired]
        )
        if heard != self._heard or self._seen is None or seen is None:
            self._heard, self._seen = heard, seen
            return False
        if seen - self._seen < _MOVED or now - heard < self._patience:
            return False
        self._patience = min(self._patience * 2, LONGEST_PATIENCE)
        return True
