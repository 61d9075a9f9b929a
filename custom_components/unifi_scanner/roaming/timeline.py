"""Where one client was: the stays that follow from the evidence about it.

The stays depend on the evidence alone and not on the order in which it was received, so reports
that come late, twice or out of order lead to the same stays, and each end of each is reported once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..api.records import Link
from .evidence import (
    LATEST_DEPARTURE,
    LOG_DIFFERENCE,
    REPORT_INTERVAL,
    WHOLE_SECONDS,
    Evidence,
    Proof,
    Reported,
    completed,
)
from .models import Source


@dataclass(slots=True)
class Stay:
    """A client's time on one radio.

    It began at `time`, which `basis` proves; `seen` is the last proof of it. `left` is when the
    client disconnected, None if it went on to the next stay or is still there. Of an `implied` stay
    only its end was reported. Before an `is_return` stay, the client was somewhere unknown.
    If it `misses_roams`, the controller has counted more roams before it than are known.
    `roam_count` is the controller's count of the client's roams during the stay, None if unknown.
    """

    link: Link
    time: float
    seen: float
    basis: Evidence
    implied: bool = False
    is_return: bool = False
    misses_roams: bool = False
    roam_count: int | None = None
    left: float | None = None
    # Tuples, as most are empty or short, and there are many.
    evidence: tuple[Evidence, ...] = ()
    departures: tuple[Evidence, ...] = ()
    # Roams from there, and departures.
    ends: tuple[Evidence, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether the controller said when it began."""
        return not self.implied and self.basis.proof is Proof.ARRIVAL

    @property
    def is_arrival_reported(self) -> bool:
        """Whether the arrival at the access point was reported on its radio."""
        return any(Reported.ITSELF in piece.reported for piece in self.evidence) or any(
            Reported.ORIGIN in piece.reported for piece in self.ends
        )

    @property
    def is_radio_reported(self) -> bool:
        """Whether its beginning was reported as a change of radio."""
        if self.implied:
            # The report that implies it may itself be of a change of radio.
            return Reported.ORIGIN in self.basis.reported
        return any(Reported.RADIO in piece.reported for piece in self.evidence)

    @property
    def is_departure_reported(self) -> bool:
        """Whether its end was reported as a departure."""
        return any(Reported.ITSELF in piece.reported for piece in self.departures)

    @property
    def departure_due(self) -> float:
        """When its end may be reported as a departure, in event-loop time."""
        return min(piece.due for piece in self.departures)

    def mark_arrival_reported(self) -> None:
        """Mark the arrival at the access point as reported."""
        self.basis.reported |= Reported.ORIGIN if self.implied else Reported.ITSELF

    def mark_radio_reported(self) -> None:
        """Mark its beginning as reported as a change of radio."""
        self.basis.reported |= Reported.ORIGIN if self.implied else Reported.RADIO

    def was_left_before(self, following: Stay, longest_gap: float) -> bool:
        """Return whether the client was away before the following stay.

        A gap of at most `longest_gap` seconds is part of a roam, unless it was already reported as
        a departure.
        """
        return self.left is not None and (
            following.time - self.left > longest_gap or self.is_departure_reported
        )


def build_stays(evidence: Sequence[Evidence], longest_gap: float) -> list[Stay]:
    """Return the stays that follow from sorted evidence.

    A client that returns to its access point within `longest_gap` seconds was not away.
    """
    builder = _Builder(longest_gap)
    postponed: dict[int, list[Evidence]] = {}
    for index, piece in enumerate(evidence):
        is_elsewhere = not builder.is_on(piece.link)
        if (
            piece.proof is Proof.ASSOCIATION or (piece.proof is Proof.DEPARTURE and is_elsewhere)
        ) and (arrival := _arrival_within_second(evidence, index)) is not None:
            postponed.setdefault(arrival, []).append(piece)
            continue
        builder.add(piece, following=_following(evidence, index))
        for later in postponed.get(index, ()):
            builder.add(later)
    return builder.stays


def _following(evidence: Sequence[Evidence], index: int) -> Evidence | None:
    """Return the next piece, or the exact arrival that it belongs to."""
    if index + 1 == len(evidence):
        return None
    arrival = _arrival_within_second(evidence, index + 1)
    return evidence[index + 1 if arrival is None else arrival]


def _arrival_within_second(evidence: Sequence[Evidence], index: int) -> int | None:
    """Return the index of the exact arrival that a time in whole seconds belongs to."""
    piece, found = evidence[index], None
    if piece.link is None:
        return None
    for later in range(index + 1, len(evidence)):
        other = evidence[later]
        if other.time > piece.time + WHOLE_SECONDS:
            break
        if (
            other.proof is Proof.ARRIVAL
            and other.link is not None
            and other.link.ap_mac == piece.link.ap_mac
        ):
            found = later
    return found


class _Builder:
    """Extends the stays by one piece of evidence after the other."""

    def __init__(self, longest_gap: float) -> None:
        self.stays: list[Stay] = []
        self._longest_gap = longest_gap
        # The controller's count of the client's roams, as far as records have shown it.
        self._roam_count: int | None = None

    def is_on(self, link: Link | None) -> bool:
        """Return whether the latest stay is on the access point of a link."""
        return bool(self.stays) and link is not None and self.stays[-1].link.ap_mac == link.ap_mac

    def add(self, piece: Evidence, following: Evidence | None = None) -> None:
        stay = self.stays[-1] if self.stays else None
        link = piece.link
        if piece.proof in {Proof.DEPARTURE, Proof.ABSENCE}:
            if stay is not None:
                self._leave(stay, piece, following)
        elif link is not None:
            if piece.proof is Proof.ARRIVAL:
                self._arrive(stay, piece, link)
            elif piece.proof is Proof.ASSOCIATION:
                self._associate(stay, piece, link)
            else:
                self._sight(stay, piece, link)
            if piece.roam_count is not None:
                self._roam_count = piece.roam_count
        if self.stays:
            self.stays[-1].roam_count = self._roam_count

    def _leave(self, stay: Stay, piece: Evidence, following: Evidence | None) -> None:
        """Apply evidence that a client was not connected any more."""
        if piece.link is None or piece.link.ap_mac == stay.link.ap_mac:
            _end(stay, piece)
        elif self._roamed_before(stay, piece, piece.link, following):
            self._append(piece.link, piece, piece.time, implied=True)
            _end(self.stays[-1], piece)

    def _roamed_before(
        self, stay: Stay, departure: Evidence, link: Link, following: Evidence | None
    ) -> bool:
        """Return whether a departure from elsewhere implies that the client had roamed there."""
        if stay.left is not None:
            return stay.left < departure.time <= stay.left + self._longest_gap
        if stay.seen > departure.time - WHOLE_SECONDS:
            return False
        if (
            following is not None
            and following.proof is Proof.ARRIVAL
            and following.link_from is None
        ):
            # It connects as a client does that was not connected.
            return True
        # The access point that a client roamed from may notice late that it has left.
        before = self.stays[-2] if len(self.stays) > 1 else None
        return (
            before is None
            or before.link.ap_mac != link.ap_mac
            or departure.time > stay.time + LATEST_DEPARTURE
        )

    def _arrive(self, stay: Stay | None, piece: Evidence, link: Link) -> None:
        origin = piece.link_from
        if stay is not None and stay.left is None and stay.link.ap_mac == link.ap_mac:
            is_same_ap = origin is None or origin.ap_mac == link.ap_mac
            is_retune = is_same_ap and _is_other_radio(piece, link, stay.link)
            if piece.time - stay.time <= _tolerance(stay.basis, piece) and not is_retune:
                self._confirm(stay, piece, link)
                return
            if is_same_ap:
                if origin is not None:
                    stay.ends += (piece,)
                self._continue(stay, piece, link)
                return
        if origin is not None:
            if not self._can_roam_from(stay, origin, piece.time):
                self._append(origin, piece, piece.time, implied=True)
            self.stays[-1].ends += (piece,)
        self._begin(piece, link, piece.time)

    def _confirm(self, stay: Stay, piece: Evidence, link: Link) -> None:
        """Apply another report of the arrival that began a stay."""
        is_origin_known = stay.is_exact and stay.basis.link_from is not None
        if not stay.is_exact:
            stay.basis, stay.time, stay.implied = piece, piece.time, False
            stay.link = completed(link, stay.link)
        stay.seen = max(stay.seen, piece.until)
        stay.evidence += (piece,)
        if (origin := piece.link_from) is None or is_origin_known:
            return
        if len(self.stays) == 1:
            # Nothing is known of the time before.
            return
        before = self.stays[-2]
        if not self._can_roam_from(before, origin, stay.time):
            before = Stay(origin, stay.time, stay.time, piece, implied=True)
            self.stays.insert(len(self.stays) - 1, before)
        before.ends += (piece,)

    def _can_roam_from(self, stay: Stay | None, origin: Link, time: float) -> bool:
        """Return whether a stay may be the one that a roam started from."""
        if stay is None or stay.link.ap_mac != origin.ap_mac:
            return False
        return stay.left is None or time - stay.left <= self._longest_gap

    def _associate(self, stay: Stay | None, piece: Evidence, link: Link) -> None:
        if stay is None or stay.link.ap_mac != link.ap_mac:
            self._begin(piece, link, piece.time)
        elif stay.left is None:
            self._continue(stay, piece, link)
        elif piece.time > stay.left + WHOLE_SECONDS or (
            piece.time >= stay.left and not stay.is_departure_reported
        ):
            self._begin(piece, link, piece.time)

    def _sight(self, stay: Stay | None, piece: Evidence, link: Link) -> None:
        if stay is None:
            self._begin(piece, link, piece.time)
            return
        if stay.left is not None:
            since = stay.left
        elif stay.link.ap_mac == link.ap_mac:
            self._continue(stay, piece, link)
            return
        elif stay.basis.proof is Proof.SIGHTING:
            since = stay.time
        else:
            # The previous access point may still count the client.
            since = stay.time + REPORT_INTERVAL
        if piece.until > since:
            self._begin(piece, link, max(piece.time, since))

    def _begin(self, piece: Evidence, link: Link, time: float) -> None:
        """Begin a stay, unless the client came back too soon to have been away."""
        stay = self.stays[-1] if self.stays else None
        if (
            stay is not None
            and stay.left is not None
            and stay.link.ap_mac == link.ap_mac
            and time - stay.left <= self._longest_gap
            and not stay.is_departure_reported
        ):
            stay.left = None
            stay.departures = ()
            self._continue(stay, piece, link)
        else:
            self._append(link, piece, time)

    def _continue(self, stay: Stay, piece: Evidence, link: Link) -> None:
        """Apply evidence of a client on the access point that it is on already."""
        since = stay.time + (0.0 if piece.proof is Proof.ARRIVAL else WHOLE_SECONDS)
        if piece.time >= since and _is_other_radio(piece, link, stay.link):
            before = self._roam_count
            self._append(completed(link, stay.link), piece, piece.time)
            # If the controller has counted a roam, it was to an access point that is unknown.
            if piece.roam_count is not None and before is not None and piece.roam_count > before:
                self.stays[-1].is_return = True
            return
        # A change of channel alone is no roam, but the latest report is right.
        newer = stay.link.band is None or link.band == stay.link.band
        stay.link = completed(link, stay.link) if newer else completed(stay.link, link)
        stay.seen = max(stay.seen, piece.until, piece.time)
        stay.evidence += (piece,)

    def _append(self, link: Link, piece: Evidence, time: float, *, implied: bool = False) -> None:
        if self._roam_count is not None and self.stays:
            self._roam_count += self.stays[-1].link.ap_mac != link.ap_mac
        if self.stays and self.stays[-1].left is None:
            self.stays[-1].seen = min(self.stays[-1].seen, time)
        self.stays.append(
            Stay(
                link=link,
                time=time,
                seen=time if implied else max(time, piece.until),
                basis=piece,
                implied=implied,
                misses_roams=self._misses_roams(piece),
                evidence=() if implied else (piece,),
            )
        )

    def _misses_roams(self, piece: Evidence) -> bool:
        """Return whether the controller has counted more roams before a record than are known."""
        return (
            piece.proof is not Proof.ARRIVAL
            and piece.roam_count is not None
            and self._roam_count is not None
            and piece.roam_count > self._roam_count
        )


def _end(stay: Stay, piece: Evidence) -> None:
    if stay.left is None:
        if piece.proof is Proof.ABSENCE:
            if stay.seen > piece.time and Reported.ITSELF not in piece.reported:
                return
            stay.left = min(stay.seen, piece.time)
        elif piece.time < stay.time - WHOLE_SECONDS:
            return
        else:
            stay.left = max(piece.time, stay.time)
        stay.seen = min(stay.seen, stay.left)
    stay.departures += (piece,)
    stay.ends += (piece,)


def _tolerance(one: Evidence, other: Evidence) -> float:
    """Return by how many seconds two reports of one arrival may differ."""
    return LOG_DIFFERENCE if Source.SYSTEM_LOG in {one.source, other.source} else WHOLE_SECONDS


def _is_other_radio(piece: Evidence, link: Link, known: Link) -> bool:
    if None not in {link.band, known.band} and link.band != known.band:
        return True
    # Records show changes of channel too, but these only count if the controller reports them.
    is_reported = piece.proof is Proof.ARRIVAL and piece.link_from is not None
    return (
        is_reported and None not in {link.channel, known.channel} and link.channel != known.channel
    )
