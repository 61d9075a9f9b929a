"""Debounce the area of each client, so that one between two areas does not flicker."""

from collections import OrderedDict

# The id of an area. None stands for all access points without an area.
type AreaId = str | None


class AreaDebouncer:
    """The debounced area of each connected client.

    A move takes effect at once, except back to an area that the client left less than `seconds`
    ago: that one has to last for `seconds`. Times are in seconds on a monotonic clock. Areas that
    clients have left are remembered for `seconds`, so memory is bounded.
    """

    def __init__(self, seconds: float) -> None:
        """Start without clients; with 0 seconds every move takes effect at once."""
        self.seconds = seconds
        # The debounced area of each connected client.
        self.areas: dict[str, AreaId] = {}
        # The actual area of the clients for which it differs.
        self.pending: dict[str, AreaId] = {}
        # When each client left each area, oldest first.
        self._left: OrderedDict[tuple[str, AreaId], float] = OrderedDict()

    def actual_area(self, mac: str) -> AreaId:
        """Return the area that a connected client is in, before debouncing."""
        return self.pending[mac] if mac in self.pending else self.areas[mac]

    def move(self, mac: str, area: AreaId, now: float) -> bool:
        """Set a client's actual area; return whether it has changed.

        If the client is in `pending` afterwards, call `commit` after `seconds`, unless its area
        changes again before.
        """
        if mac not in self.areas:
            self.areas[mac] = area
            return True
        if (origin := self.actual_area(mac)) == area:
            return False
        self.pending.pop(mac, None)
        if area != self.areas[mac]:
            left = self._left.get((mac, area))
            if left is not None and now - left < self.seconds:
                self.pending[mac] = area
            else:
                self.areas[mac] = area
        self._leave(mac, origin, now)
        return True

    def commit(self, mac: str) -> None:
        """Make a client's pending area its debounced one."""
        self.areas[mac] = self.pending.pop(mac)

    def force(self, mac: str, area: AreaId) -> None:
        """Set a client's area without debouncing."""
        self.pending.pop(mac, None)
        self.areas[mac] = area

    def remove(self, mac: str) -> None:
        """Remove a client that is no longer connected."""
        self.pending.pop(mac, None)
        self.areas.pop(mac, None)

    def _leave(self, mac: str, area: AreaId, now: float) -> None:
        self._left.pop((mac, area), None)
        self._left[mac, area] = now
        while self._left and now - next(iter(self._left.values())) >= self.seconds:
            self._left.popitem(last=False)
