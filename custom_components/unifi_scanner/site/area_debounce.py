"""Which room each client is shown in, so that one between two of them does not flicker."""

from collections import OrderedDict

type Room = str | None


class AreaDebouncer:
    """Shows a move at once, but one back to where the client has just been only when it lasts.

    A room is the id of an area, None for all places that are in none. `now` is in seconds, by a
    clock that is never set. Memory is kept for who is connected and, for `seconds`, for each room
    that somebody has left.
    """

    def __init__(self, seconds: float) -> None:
        """Know nobody; with a settling time of 0 seconds every move is shown at once."""
        self.seconds = seconds
        # Of everyone who is connected, as it is shown.
        self.areas: dict[str, Room] = {}
        # Where those are who are still shown elsewhere.
        self.pending: dict[str, Room] = {}
        # When each client has left each room, in this order.
        self._left: OrderedDict[tuple[str, Room], float] = OrderedDict()

    def actual_area(self, mac: str) -> Room:
        """Return the room that a connected client is in, whatever is shown."""
        return self.pending[mac] if mac in self.pending else self.areas[mac]

    def move(self, mac: str, room: Room, now: float) -> bool:
        """Take where a client is now; return whether that is news.

        If it is in `held` then, `settle` is to be called after the settling time.
        """
        if mac not in self.areas:
            self.areas[mac] = room
            return True
        if (origin := self.actual_area(mac)) == room:
            return False
        self.pending.pop(mac, None)
        if room != self.areas[mac]:
            left = self._left.get((mac, room))
            if left is not None and now - left < self.seconds:
                self.pending[mac] = room
            else:
                self.areas[mac] = room
        self._leave(mac, origin, now)
        return True

    def commit(self, mac: str) -> None:
        """Show a client that was held where it has stayed."""
        self.areas[mac] = self.pending.pop(mac)

    def force(self, mac: str, room: Room) -> None:
        """Show a client in a room that it has not moved to."""
        self.pending.pop(mac, None)
        self.areas[mac] = room

    def remove(self, mac: str) -> None:
        """Take a client that is not connected any more out of its room."""
        self.pending.pop(mac, None)
        self.areas.pop(mac, None)

    def _leave(self, mac: str, room: Room, now: float) -> None:
        self._left.pop((mac, room), None)
        self._left[mac, room] = now
        while self._left and now - next(iter(self._left.values())) >= self.seconds:
            self._left.popitem(last=False)
