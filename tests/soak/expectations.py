"""The events that a run should have caused on the bus, derived from the true moves."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from math import inf

from .truth import Link, Move, Source

# A shorter absence is no departure: the default of the integration's option "disconnect delay".
DISCONNECT_DELAY = 10.0

NOT_MENTIONED = "not mentioned by any source"

# Sources that say where a client is, but not where it came from.
_PLACES = (Source.CONNECTED, Source.LOG, Source.RADIO, Source.SYNC, Source.SNAPSHOT)


class Kind(StrEnum):
    """Kind of an event; on the bus it follows `unifi_scanner_`."""

    ROAM = "roam"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    RADIO = "roam_radio"


@dataclass(slots=True, kw_only=True, eq=False)
class Expected:
    """An event that should appear once; times in POSIX seconds on the controller's clock.

    For an arrival or a change of radio, `until` is when that stay ended. For a departure, `since`
    is when the stay began that it ended, and `until` when the client came back. `mentioned` tells
    whether the controller mentioned enough of it, to a peer that listened, to know of it.

    `is_false` marks an event that should not appear, but that nobody can avoid who has only the
    controller's word: the departure of a client that is soon back, if its return is mentioned too
    late or never, at `refuted_at`. `departure` is the false departure before an arrival.
    `associations` are the times of all associations during a stay, of which records show the last.
    """

    mac: str
    kind: Kind
    at: float
    since: float
    until: float
    origin: Link | None
    target: Link | None
    mentioned: bool = False
    is_false: bool = False
    refuted_at: float = inf
    departure: Expected | None = None
    associations: tuple[float, ...] = ()

    def __str__(self) -> str:
        """Describe it for a developer."""
        ends = f"{_text(self.origin)} -> {_text(self.target)}"
        seen = "mentioned" if self.mentioned else NOT_MENTIONED
        return f"{self.mac} {self.kind} {ends} at {self.at:.2f} until {self.until:.2f}, {seen}"


def _text(link: Link | None) -> str:
    return "away" if link is None else f"{link.ap}/{link.band}"


@dataclass(slots=True)
class _Stay:
    """A stay at one access point, or an absence (`ap` is None), made up of one or more moves.

    `pauses` are the short absences within it, each with the move by which the client came back.
    """

    ap: str | None
    moves: list[Move]
    pauses: list[tuple[_Stay, Move]] = field(default_factory=list)

    @property
    def at(self) -> float:
        return self.moves[0].at

    @property
    def until(self) -> float:
        return self.moves[-1].until

    def is_mentioned(self, *sources: Source) -> bool:
        return any(source in move.mentioned for move in self.moves for source in sources)


def expected_events(moves: Sequence[Move], delay: float = DISCONNECT_DELAY) -> list[Expected]:
    """Return the events that a client's moves should cause, except for its initial link.

    An absence no longer than `delay` seconds is no event if the client returns to the same access
    point, and part of a roam if it appears at another one.
    """
    stays = _merge(_stays(moves), delay)
    found = [*_moves(stays, delay), *_pauses(stays), *_radios(stays)]
    return sorted(found, key=lambda event: event.at)


def _stays(moves: Iterable[Move]) -> Iterator[_Stay]:
    stay: _Stay | None = None
    for move in moves:
        ap = move.after.ap if move.after else None
        if stay is None or stay.ap != ap:
            if stay is not None:
                yield stay
            stay = _Stay(ap, [])
        stay.moves.append(move)
    if stay is not None:
        yield stay


def _merge(stays: Iterable[_Stay], delay: float) -> list[_Stay]:
    """Join two stays at the same access point that a short absence separates."""
    merged: list[_Stay] = []
    for stay in stays:
        is_back = len(merged) > 1 and merged[-1].ap is None and merged[-2].ap == stay.ap
        if is_back and merged[-1].until - merged[-1].at <= delay:
            absence = merged.pop()
            merged[-1].pauses.append((absence, stay.moves[0]))
            merged[-1].moves += stay.moves
        else:
            merged.append(stay)
    return merged


def _moves(stays: list[_Stay], delay: float) -> Iterator[Expected]:
    """Yield roams, connections and departures.

    A record of a client, or its connection, at the access point where it was last known to be says
    nothing new, unless a source mentioned in the meantime that it had left.
    """
    known = stays[0].ap if stays else None
    for index, stay in enumerate(stays[1:], 1):
        before, first = stays[index - 1], stay.moves[0]
        if stay.ap is None:
            is_long = stay.until - stay.at > delay
            mentioned = stay.is_mentioned(Source.DISCONNECTED, Source.LOG)
            if is_long:
                known = None if mentioned else known
                yield _departure(first, before, mentioned=mentioned)
            continue
        departure: Expected | None = None
        if before.ap is None and before.until - before.at <= delay:
            absence, before = before, stays[index - 2]
            departure = _false_departure(absence.moves[0], first, before.at)
        elif stay.is_mentioned(Source.DISCONNECTED):
            departure = _false_departure(first, first, before.at)
        is_roam = before.ap is not None
        names_both = is_roam and _names_both(first)
        is_new = known != stay.ap and stay.is_mentioned(*_PLACES)
        known = stay.ap if names_both or is_new else known
        yield Expected(
            mac=first.mac,
            kind=Kind.ROAM if is_roam else Kind.CONNECTED,
            at=stay.at,
            since=before.at,
            until=stay.until,
            origin=before.moves[-1].after,
            target=first.after,
            mentioned=names_both or is_new,
            departure=departure,
            associations=tuple(move.at for move in stay.moves if move.after is not None),
        )
        if departure is not None:
            yield departure


def _names_both(roam: Move) -> bool:
    """Return whether the controller mentioned both access points of a roam."""
    mentioned = roam.mentioned.keys()
    as_reconnect = {Source.DISCONNECTED, Source.CONNECTED}
    return bool({Source.ROAM, Source.LOG} & mentioned) or as_reconnect <= mentioned


def _departure(left: Move, stay: _Stay, *, mentioned: bool) -> Expected:
    return Expected(
        mac=left.mac,
        kind=Kind.DISCONNECTED,
        at=left.at,
        since=stay.at,
        until=left.until,
        origin=left.before,
        target=None,
        mentioned=mentioned,
    )


def _false_departure(left: Move, returned: Move, since: float) -> Expected | None:
    """Return the departure that the controller mentioned, if it did, of a client that is back.

    A roam may be mentioned as a departure too; then `left` is the roam itself.
    """
    mentions = {Source.DISCONNECTED, Source.LOG} if left is not returned else {Source.DISCONNECTED}
    if not mentions & left.mentioned.keys():
        return None
    refuting = [at for source, at in returned.mentioned.items() if source != Source.DISCONNECTED]
    return Expected(
        mac=left.mac,
        kind=Kind.DISCONNECTED,
        at=left.at,
        since=since,
        until=returned.at,
        origin=left.before,
        target=None,
        mentioned=True,
        is_false=True,
        refuted_at=min(refuting, default=inf),
    )


def _pauses(stays: Iterable[_Stay]) -> Iterator[Expected]:
    """Yield a false departure and the return for each short absence that was mentioned."""
    for stay in stays:
        for absence, returned in stay.pauses:
            departure = _false_departure(absence.moves[0], returned, stay.at)
            if departure is None:
                continue
            yield departure
            yield Expected(
                mac=returned.mac,
                kind=Kind.CONNECTED,
                at=returned.at,
                since=absence.at,
                until=stay.until,
                origin=None,
                target=returned.after,
                mentioned=bool(returned.mentioned),
                is_false=True,
                departure=departure,
            )


def _radios(stays: Iterable[_Stay]) -> Iterator[Expected]:
    for stay in stays:
        for index, (before, move) in enumerate(pairwise(stay.moves)):
            if before.after and move.after and before.after.band != move.after.band:
                # It uses the radio after short absences too.
                until = move.until
                for later in stay.moves[index + 2 :]:
                    if later.after is None or later.after.band != move.after.band:
                        break
                    until = later.until
                yield Expected(
                    mac=move.mac,
                    kind=Kind.RADIO,
                    at=move.at,
                    since=before.at,
                    until=until,
                    origin=before.after,
                    target=move.after,
                    mentioned=bool(move.mentioned),
                )
