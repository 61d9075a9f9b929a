"""What really happened in a run: the movements of the clients, and which source mentioned them."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf


class Source(StrEnum):
    """Where the controller mentioned a move, in a frame or an answer that reached its peer."""

    # An event that names both access points, an arrival, or a departure.
    ROAM = "roam"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    # An event about a change of radio, which names one access point.
    RADIO = "radio"
    # A client record of the stream, or of a snapshot.
    SYNC = "sync"
    SNAPSHOT = "snapshot"
    # A row of the system log.
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Link:
    """A link to one radio of an access point; `band` as in the events on the bus."""

    ap: str
    band: str


@dataclass(slots=True, kw_only=True)
class Move:
    """A client's change of link; `before` or `after` is None while it is away.

    Times are in POSIX seconds on the controller's clock. `until` is when the next move happened.
    `mentioned` holds when each source first mentioned the move.
    """

    mac: str
    at: float
    before: Link | None
    after: Link | None
    until: float = inf
    mentioned: dict[Source, float] = field(default_factory=dict)

    def mention(self, source: Source, now: float) -> None:
        """Note that a source mentioned the move to a peer that listens."""
        self.mentioned.setdefault(source, now)


class Truth:
    """All moves of all clients; the first one of each client is its initial link."""

    def __init__(self) -> None:
        """Start without clients."""
        self.moves: dict[str, list[Move]] = defaultdict(list)
        # By client, access point and association time in whole seconds, as records identify them.
        self._by_record: dict[tuple[str, str, int], Move] = {}

    def add(self, mac: str, at: float, after: Link | None) -> Move:
        """Add a client's move, or its initial link."""
        moves = self.moves[mac]
        before = moves[-1].after if moves else None
        if moves:
            moves[-1].until = at
        move = Move(mac=mac, at=at, before=before, after=after)
        moves.append(move)
        if after is not None:
            self._by_record[mac, after.ap, int(at)] = move
        return move

    def mention_record(
        self, mac: str, ap: str, associated: int, source: Source, now: float
    ) -> None:
        """Note that a client record reached its peer."""
        if (move := self._by_record.get((mac, ap, associated))) is not None:
            move.mention(source, now)

    def latest(self, mac: str, now: float) -> Move:
        """Return a client's latest move at a given time."""
        moves = self.moves[mac]
        return moves[bisect_right(moves, now, key=lambda move: move.at) - 1]
