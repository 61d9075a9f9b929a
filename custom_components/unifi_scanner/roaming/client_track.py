"""What the tracker remembers of one client: where it stays, since when, and how it came there."""

from dataclasses import dataclass, replace

from .models import Band, ClientState, Source

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
class Retune:
    """A change of radio at an access point that has been told, like a Move."""

    ap_mac: str
    band: Band | None
    earliest: float
    latest: float


@dataclass(frozen=True, slots=True)
class HeldDeparture:
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
class ClientTrack:
    """One client. Times are by our clock.

    The present link began at `since`. By the controller's clock that was not before `linked`, None
    when only the time of the first record that showed the link is known. `seen` is the newest proof
    of presence, `station` the time of the newest client record, `arrived` when the arrival was
    reported. While the client is away, `since` and `linked` are when it left; if only snapshots
    have shown that, `absent` is when they did.
    """

    state: ClientState
    first: float
    # Whoever was met before has a smaller one.
    number: int = 0
    since: float = 0.0
    linked: float | None = None
    seen: float = 0.0
    alias: str | None = None
    station: float = 0.0
    radio_since: float = 0.0
    arrived: float = 0.0
    absent: float | None = None
    held: HeldDeparture | None = None
    # Tuples, as there are few of them: an empty list takes more memory than all the rest.
    moves: tuple[Move, ...] = ()
    retunes: tuple[Retune, ...] = ()

    def add_move(self, move: Move) -> None:
        """Remember a move that is the latest one."""
        self.moves = (*self.moves, move)[-_MOVES:]

    def add_retune(self, retune: Retune) -> None:
        """Remember a change of radio."""
        self.retunes = (*self.retunes, retune)[-_MOVES:]

    def knows_arrival(self, ap_mac: str, t: float, ap_from: str | None, slack: float) -> bool:
        """Return whether a report of an arrival there and then is an echo.

        What is new in it is kept: when an arrival really happened that was only inferred.
        """
        last = len(self.moves) - 1
        if self.absent is not None and self.moves[last].ap_to is None:
            # It may have gone a while after it was last seen.
            last -= 1
        place = self.state.ap_mac if self.absent is None else self.state.previous_ap_mac
        for index in range(last, -1, -1):
            move = self.moves[index]
            is_present = index == last and move.ap_to == place
            if move.ap_to != ap_mac or not (is_present or t <= self.since):
                continue
            if move.earliest - slack <= t <= move.latest + slack:
                if move.ap_from is not None:
                    confirmed = replace(move, earliest=t, latest=t)
                    self.moves = (*self.moves[:index], confirmed, *self.moves[index + 1 :])
                return True
            is_repeated = ap_from is not None and ap_from == move.ap_from
            # Unless the client has been seen to stay since: then it has been away and is back.
            has_stayed = move.latest + SLACK < self.seen < t
            is_soon = move.latest <= t <= move.latest + ECHO
            if is_present and is_repeated and is_soon and not has_stayed:
                return True
        return False

    def knows_retune(self, ap_mac: str, band: Band | None, t: float, slack: float) -> bool:
        """Return whether a report of a change to that band there and then is an echo."""
        return any(
            known.ap_mac == ap_mac
            and known.band == band
            and known.earliest - slack <= t <= known.latest + slack
            for known in self.retunes
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
        forgotten = self.moves[0].latest if len(self.moves) == _MOVES else self.first
        return t > max(forgotten, self.first)

    def insert(self, move: Move) -> Move | None:
        """Put a move that came late into its place; return the one that follows it, if any."""
        later = [known for known in self.moves if known.latest > move.latest]
        earlier = [known for known in self.moves if known.latest <= move.latest]
        self.moves = (*earlier, move, *later)[-_MOVES:]
        return later[0] if later else None

    def shift(self, seconds: float) -> None:
        """Move everything that is remembered in time, because our clock has been set."""
        self.first += seconds
        self.since += seconds
        self.seen += seconds
        self.station += seconds
        self.radio_since += seconds
        self.arrived += seconds
        if self.absent is not None:
            self.absent += seconds
        if self.held is not None:
            self.held = replace(
                self.held, left=self.held.left + seconds, due=self.held.due + seconds
            )
        self.moves = _shifted(self.moves, seconds)
        self.retunes = _shifted(self.retunes, seconds)


def _shifted[Told: (Move, Retune)](
    remembered: tuple[Told, ...], seconds: float
) -> tuple[Told, ...]:
    return tuple(
        replace(told, earliest=told.earliest + seconds, latest=told.latest + seconds)
        for told in remembered
    )
