"""What the tracker remembers of one client: where it stays, since when, and how it came there."""

from collections import deque
from dataclasses import dataclass, field

from .models import ClientState, Source

# Two reports of one move may differ by this much: records count in whole seconds.
SLACK = 1.5
# The same for rows of the system log, whose clock is that of the log.
LOG_SLACK = 5.0
# Another report of the same roam is an echo for this long, whatever time it carries.
ECHO = 60.0
# How long records of the old access point may still come after a move (an access point reports to
# its controller every few seconds, at the latest after 27: protocol.md 5, `next_interval`).
STALE = 30.0
# Moves that are remembered for each client, to know a late report of one again.
_MOVES = 16


@dataclass(frozen=True, slots=True)
class Move:
    """A change of access point that has been told: it happened between `earliest` and `latest`.

    None stands for not being connected.
    """

    ap_from: str | None
    ap_to: str | None
    earliest: float
    latest: float


@dataclass(frozen=True, slots=True)
class Held:
    """A departure that is held back, because the client may only be on its way elsewhere.

    `left` is by our clock, `time` by the controller's. With `recheck` it was only missing in a
    snapshot and a second one has to confirm that.
    """

    left: float
    time: float
    due: float
    source: Source
    recheck: bool


@dataclass(slots=True, kw_only=True)
class Track:
    """One client. Times are by our clock.

    The present stay began between `earliest` and `since`; `firm` says that `since` is known, not
    just the time of the first record that showed it. `seen` is the newest proof of presence,
    `station` the time of the newest client record, `arrived` when the arrival was reported. While
    the client is away, `since` is when it left.
    """

    state: ClientState
    first: float
    earliest: float = 0.0
    since: float = 0.0
    firm: bool = False
    seen: float = 0.0
    alias: str | None = None
    station: float = 0.0
    radio_since: float = 0.0
    arrived: float = 0.0
    held: Held | None = None
    moves: deque[Move] = field(default_factory=lambda: deque(maxlen=_MOVES))

    def knows_arrival(self, ap_mac: str, t: float, ap_from: str | None, slack: float) -> bool:
        """Return whether a report of an arrival there and then is an echo."""
        if ap_mac == self.state.ap_mac:
            if self.earliest - slack <= t <= self.since + slack:
                return True
            last = self.moves[-1].ap_from if self.moves else None
            if ap_from == last is not None and self.since <= t <= self.since + ECHO:
                return True
        return t <= self.since and any(
            move.ap_to == ap_mac and move.earliest - slack <= t <= move.latest + slack
            for move in self.moves
        )

    def ap_at(self, t: float) -> str | None:
        """Return the access point where the client was believed to be at that time."""
        place = self.moves[0].ap_from if self.moves else self.state.ap_mac
        for move in self.moves:
            if move.latest <= t:
                place = move.ap_to
        return place

    def remembers(self, t: float) -> bool:
        """Return whether all that happened since then is still in memory."""
        forgotten = self.moves[0].latest if len(self.moves) == self.moves.maxlen else self.first
        return t > max(forgotten, self.first)

    def insert(self, move: Move) -> Move | None:
        """Put a move that came late into its place; return the one that follows it, if any."""
        later = [known for known in self.moves if known.latest > move.latest]
        earlier = [known for known in self.moves if known.latest <= move.latest]
        self.moves = deque([*earlier, move, *later], maxlen=_MOVES)
        return later[0] if later else None
