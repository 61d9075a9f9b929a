"""One client: the evidence about it, its timeline, and what was reported of it."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from math import inf
from operator import attrgetter
from typing import NamedTuple

from ..api.records import EventKind, Link, StationRecord
from .evidence import (
    ASSOCIATION_JITTER,
    LOG_DIFFERENCE,
    REPORT_INTERVAL,
    WHOLE_SECONDS,
    Evidence,
    Proof,
    Reported,
    completed,
    shared,
)
from .models import ClientEvent, ClientState, Source
from .timeline import Stay, build_stays

MAX_EVIDENCE = 32
# An access point that lost a client may go on reporting it for minutes. If snapshots show nothing
# else for so long, it is believed.
LOST_LINK = 300.0

_order = attrgetter("order")
_time = attrgetter("time")


class _Boundary(NamedTuple):
    """The end of one stay and the beginning of the next, None if the client is not connected.

    A client `was_away` in between, or changed to another radio of its access point (`is_retune`),
    or roamed. `departure_due` and `arrival_due` are when to report that, in event-loop time: `inf`
    once the controller's log is known, None for never.
    """

    before: Stay | None
    stay: Stay | None
    was_away: bool
    is_retune: bool
    departure_due: float | None
    arrival_due: float | None


class Client:
    """A wireless client.

    Evidence older than `floor` is out of date, and so are records older than `recorded_at` as to
    everything but where it was. `received_at` is when its latest arrival was received, in
    event-loop time. All other times are on the tracker's timeline.
    """

    __slots__ = (
        "alias",
        "evidence",
        "floor",
        "hostname",
        "latest",
        "number",
        "received_at",
        "recorded_at",
        "state",
        "stays",
    )

    def __init__(
        self,
        mac: str,
        *,
        alias: str | None,
        hostname: str | None,
        floor: float,
        number: int,
        guest: bool,
    ) -> None:
        """Create a client that has not been connected yet."""
        self.number = number
        self.floor = floor
        self.received_at = 0.0
        self.recorded_at = 0.0
        self.alias = alias
        self.hostname = hostname
        # Sorted by `Evidence.order`.
        self.evidence: list[Evidence] = []
        self.stays: list[Stay] = []
        # The newest evidence of the present stay.
        self.latest: Evidence | None = None
        self.state = ClientState(
            mac=mac,
            name=alias or hostname or mac,
            guest=guest,
            link=None,
            connected_since=None,
            previous_ap_mac=None,
            last_roam=None,
            roam_count=None,
            ip=None,
            signal=None,
        )

    @property
    def present(self) -> Stay | None:
        """The latest stay, whether or not it has ended."""
        return self.stays[-1] if self.stays else None

    # Evidence

    def add(self, piece: Evidence) -> bool:
        """Add evidence; return whether it says anything new."""
        first = bisect_left(self.evidence, piece.time - LOG_DIFFERENCE, key=_time)
        last = bisect_right(self.evidence, piece.time + LOG_DIFFERENCE, key=_time)
        if any(piece.repeats(known) for known in self.evidence[first:last]):
            return False
        if piece.link is not None:
            piece.link = shared(piece.link)
        if piece.link_from is not None:
            piece.link_from = shared(piece.link_from)
        insort(self.evidence, piece, key=_order)
        return True

    def confirms_present(self, link: Link, associated_at: float | None, *, is_mlo: bool) -> bool:
        """Return whether a record shows the link that the client is known to have."""
        latest = self.latest
        if latest is None:
            return False
        stay = self.stays[-1]
        return (
            stay.left is None
            and stay.link.ap_mac == link.ap_mac
            and (is_mlo or stay.link.band == link.band)
            and (
                associated_at is None
                or -ASSOCIATION_JITTER <= associated_at - latest.time <= ASSOCIATION_JITTER
            )
        )

    def extend_present(self, seen: float, roam_count: int | None) -> bool:
        """Extend the present stay; return whether the record is the newest one."""
        stay, latest = self.stays[-1], self.latest
        if latest is None or seen < self.recorded_at or seen + WHOLE_SECONDS < latest.time:
            return False
        if roam_count is not None:
            latest.roam_count = roam_count
        if seen > latest.until:
            latest.until = seen
            stay.seen = max(stay.seen, seen)
        return True

    def add_record(
        self,
        link: Link,
        associated_at: float | None,
        seen: float,
        source: Source,
        *,
        is_mlo: bool,
        roam_count: int | None,
        due: float,
    ) -> bool:
        """Add what a client record proves; return whether it says anything new.

        If roams before it are missing, it is reported at `due`, in event-loop time.
        """
        present = self.present
        if is_mlo and present is not None and present.link.ap_mac == link.ap_mac:
            # A multi-link client uses several bands at once; which one is reported is arbitrary.
            link = link._replace(band=present.link.band, channel=present.link.channel)
        time, proof = associated_at, Proof.ASSOCIATION
        if time is None or time > seen + WHOLE_SECONDS:
            time, proof = seen, Proof.SIGHTING
        elif present is not None and _is_found_again(present, link, time, seen, source):
            time = seen
        elif (other := self._find_other_radio(link, time)) is not None:
            # Another radio takes another association, unless the known one is not used any more.
            if seen <= other.until + REPORT_INTERVAL:
                return False
            time = seen
        piece = Evidence(time, proof, link, source, until=seen, due=due, roam_count=roam_count)
        if time < self.floor:
            if self.evidence and time <= self.evidence[-1].time:
                return False
            # The client was there before anything was known.
            piece.reported = Reported.ALL
        known = self._find_same_link(piece)
        if known is None:
            return self.add(piece)
        return known.extend(piece)

    def _find_same_link(self, piece: Evidence) -> Evidence | None:
        """Return known evidence of the same link without anything in between.

        A record of an arrival that the controller reported has its time in whole seconds.
        """
        index = bisect_left(self.evidence, piece.order, key=_order)
        for known in self.evidence[max(0, index - 1) : index + 1]:
            if (
                known.link is not None
                and piece.link is not None
                and known.link.ap_mac == piece.link.ap_mac
                and known.link.band == piece.link.band
                and abs(known.time - piece.time) <= _same_link_within(known.proof, piece.proof)
            ):
                return known
        return None

    def _find_other_radio(self, link: Link, time: float) -> Evidence | None:
        """Return known evidence of the same association on another radio."""
        for known in reversed(self.evidence):
            if (
                known.proof is Proof.ASSOCIATION
                and abs(known.time - time) <= WHOLE_SECONDS
                and known.link is not None
                and known.link.ap_mac == link.ap_mac
                and None not in {known.link.band, link.band}
                and known.link.band != link.band
            ):
                return known
        return None

    def rebuild(self, longest_gap: float) -> None:
        """Derive the stays from the evidence."""
        self.stays = build_stays(self.evidence, longest_gap)
        present = self.present
        self.latest = present.evidence[-1] if present is not None and present.evidence else None

    def forget_before(self, time: float, longest_gap: float) -> None:
        """Drop evidence older than a time, and the oldest beyond `MAX_EVIDENCE`.

        Nothing may be left to report.
        The stay at that time is kept, as the later ones continue from it.
        """
        evidence = self.evidence
        dropped = max(0, len(evidence) - MAX_EVIDENCE)
        while dropped < len(evidence) and evidence[dropped].time < time:
            dropped += 1
        if dropped < 2:  # noqa: PLR2004 - one piece would only be replaced by another
            return
        kept: list[Evidence] = []
        if stays := build_stays(evidence[:dropped], longest_gap):
            stay = stays[-1]
            kept = [
                Evidence(
                    # Before its end, which may be given in whole seconds.
                    min([stay.time, *(piece.time - 0.001 for piece in stay.departures)]),
                    Proof.ARRIVAL if stay.is_exact else Proof.ASSOCIATION,
                    stay.link,
                    stay.basis.source,
                    until=stay.seen,
                    roam_count=stay.roam_count,
                    reported=Reported.ALL,
                ),
                *stay.departures,
            ]
        self.floor = max(self.floor, evidence[dropped - 1].time)
        self.evidence = kept + evidence[dropped:]
        self.rebuild(longest_gap)
        # What seems new now only does so because of what was dropped.
        self.report(inf, longest_gap, None)

    def keep_present_only(self) -> None:
        """Drop all that `rebuild` gives back, apart from the present stay.

        There are many clients, and most of them are seldom looked at.
        """
        del self.stays[:-1]
        for stay in self.stays:
            stay.evidence = stay.ends = ()

    def mark_reported(self) -> None:
        """Mark everything that is known as reported."""
        for stay in self.stays:
            stay.mark_arrival_reported()
            stay.mark_radio_reported()
            for piece in stay.departures:
                piece.reported = Reported.ALL

    # Events

    def next_due(self, longest_gap: float, log_known: float | None) -> float | None:
        """Return when `report` will have something to report, in event-loop time.

        None for never, `inf` for when the controller's log is known any further.
        """
        return min(
            (
                due
                for boundary in self._boundaries(longest_gap, log_known)
                for due in (boundary.departure_due, boundary.arrival_due)
                if due is not None
            ),
            default=None,
        )

    def report(
        self, loop_time: float, longest_gap: float, log_known: float | None
    ) -> list[ClientEvent]:
        """Return an event for each end of a stay that is neither reported nor held back.

        What is only implied to have happened after `log_known` waits for the controller's log, and
        so does what follows it.
        """
        events: list[ClientEvent] = []
        for boundary in self._boundaries(longest_gap, log_known):
            before, stay, _, is_retune, departure_due, arrival_due = boundary
            has_arrived = arrival_due is not None and loop_time >= arrival_due
            if (
                before is not None
                and departure_due is not None
                and (has_arrived or loop_time >= departure_due)
            ):
                events.append(self._report_departure(before))
            if stay is not None and has_arrived:
                events.append(self._arrival_event(before, stay, was_away=boundary.was_away))
                if is_retune:
                    stay.mark_radio_reported()
                else:
                    stay.mark_arrival_reported()
        return events

    def _boundaries(self, longest_gap: float, log_known: float | None) -> Iterator[_Boundary]:
        before: Stay | None = None
        waits_for_log = False
        for index, stay in enumerate(self.stays):
            was_away = before is None or before.was_left_before(stay, longest_gap)
            departure_due: float | None = None
            if before is not None and was_away and not before.is_departure_reported:
                departure_due = before.departure_due
                waits_for_log |= _is_unknown(before.left, longest_gap, log_known)
            is_retune = (
                before is not None and not was_away and before.link.ap_mac == stay.link.ap_mac
            )
            if is_retune:
                is_reported = stay.is_return or stay.is_radio_reported
                # A client that connects once more may have been elsewhere in between.
                must_wait = stay.is_exact and stay.basis.link_from is None
            else:
                # It may have been taken for a change of radio, before more was known.
                is_reported = stay.is_radio_reported or self._is_visit_reported(index, longest_gap)
                must_wait = stay.misses_roams or (stay.implied and not was_away)
            arrival_due: float | None = None
            if not is_reported:
                arrival_due = stay.basis.due if must_wait else 0.0
                waits_for_log |= not stay.is_exact and _is_unknown(stay.time, 0.0, log_known)
            if waits_for_log:
                departure_due = None if departure_due is None else inf
                arrival_due = None if arrival_due is None else inf
            yield _Boundary(before, stay, was_away, is_retune, departure_due, arrival_due)
            before = stay
        if before is not None and before.left is not None and not before.is_departure_reported:
            waits_for_log |= _is_unknown(before.left, longest_gap, log_known)
            departure_due = inf if waits_for_log else before.departure_due
            yield _Boundary(
                before,
                None,
                was_away=True,
                is_retune=False,
                departure_due=departure_due,
                arrival_due=None,
            )

    def _is_visit_reported(self, index: int, longest_gap: float) -> bool:
        """Return whether the arrival at a stay's access point was reported, on whatever radio."""
        before: Stay | None = None
        for stay in self.stays[index:]:
            if before is not None and (
                before.link.ap_mac != stay.link.ap_mac
                or stay.is_return
                or before.was_left_before(stay, longest_gap)
            ):
                break
            if stay.is_arrival_reported:
                return True
            before = stay
        return False

    def _arrival_event(self, before: Stay | None, stay: Stay, *, was_away: bool) -> ClientEvent:
        origin = None if was_away or before is None else before.link
        reported_origin = None if stay.implied else stay.basis.link_from
        if origin is None:
            kind = EventKind.CONNECTED
        elif origin.ap_mac != stay.link.ap_mac:
            kind = EventKind.ROAM
        else:
            kind = EventKind.ROAM_RADIO
        if origin is not None and reported_origin is not None:
            is_same_ap = reported_origin.ap_mac == origin.ap_mac
            origin = completed(reported_origin, origin) if is_same_ap else reported_origin
        return self._event(
            kind,
            link_from=origin,
            link_to=stay.link,
            # It must have been there before the roam that implies it.
            time=stay.time - 0.001 if stay.implied else stay.time,
            source=stay.basis.source,
            inferred=not stay.is_exact
            or (kind is not EventKind.CONNECTED and reported_origin is None),
            signal=None if stay.implied else stay.basis.signal,
            roam_gap=_gap(before, stay) if origin is not None else None,
        )

    def _report_departure(self, stay: Stay) -> ClientEvent:
        piece = min(stay.departures, key=_order)
        piece.reported |= Reported.ITSELF
        return self._event(
            EventKind.DISCONNECTED,
            link_from=stay.link,
            link_to=None,
            time=piece.time if stay.left is None else stay.left,
            source=piece.source,
            inferred=piece.proof is Proof.ABSENCE,
            signal=self.state.signal if stay is self.present else None,
        )

    def _event(
        self,
        kind: EventKind,
        *,
        link_from: Link | None,
        link_to: Link | None,
        time: float,
        source: Source,
        inferred: bool,
        signal: int | None,
        roam_gap: float | None = None,
    ) -> ClientEvent:
        return ClientEvent(
            kind=kind,
            mac=self.state.mac,
            name=self.state.name,
            guest=self.state.guest,
            link_from=link_from,
            link_to=link_to,
            signal=signal,
            time=time,
            source=source,
            inferred=inferred,
            roam_gap=roam_gap,
        )

    # State

    def current_state(self, shift: float) -> ClientState:
        """Return the state that follows from the stays; `shift` is that of the clock."""
        state, stay = self.state, self.present
        if stay is None:
            return state
        previous, last_roam = state.previous_ap_mac, state.last_roam
        for before, after in zip(self.stays, self.stays[1:], strict=False):
            if before.link.ap_mac != after.link.ap_mac:
                previous = before.link.ap_mac
                if not before.is_departure_reported:
                    # The stays are in order, and none is older than those that were dropped.
                    last_roam = after.time - shift
        if stay.is_departure_reported:
            return state._replace(
                link=None,
                signal=None,
                connected_since=None,
                previous_ap_mac=stay.link.ap_mac,
                last_roam=last_roam,
            )
        known = state.link
        is_same_radio = (
            known is not None and known.ap_mac == stay.link.ap_mac and known.band == stay.link.band
        )
        return state._replace(
            link=stay.link,
            signal=state.signal if is_same_radio else stay.basis.signal,
            connected_since=stay.time - shift if known is None else state.connected_since,
            previous_ap_mac=previous,
            last_roam=last_roam,
        )

    def is_shown_by(self, link: Link, seen: float) -> bool:
        """Return whether a record is the newest one of the present stay."""
        stay = self.present
        return (
            stay is not None
            and stay.left is None
            and stay.link.ap_mac == link.ap_mac
            and seen >= max(self.recorded_at, stay.time - WHOLE_SECONDS)
        )

    def apply_record(self, station: StationRecord, link: Link, seen: float) -> ClientState:
        """Return the state with what the newest record of the present stay says."""
        self.recorded_at = seen
        state, stay = self.state, self.stays[-1]
        if not station.is_mlo and link != stay.link and link.band == stay.link.band:
            stay.link = completed(link, stay.link)
            if self.latest is not None:
                self.latest.link = stay.link
        self.alias = station.alias
        self.hostname = station.hostname or self.hostname
        began = station.connected_since
        if began is None or (
            state.connected_since is not None
            and abs(began - state.connected_since) <= ASSOCIATION_JITTER
        ):
            began = state.connected_since
        return ClientState(
            mac=state.mac,
            name=self.alias or self.hostname or state.mac,
            guest=station.guest,
            link=stay.link,
            connected_since=began,
            previous_ap_mac=state.previous_ap_mac,
            last_roam=state.last_roam,
            roam_count=state.roam_count if station.roam_count is None else station.roam_count,
            ip=station.ip or state.ip,
            signal=station.signal,
        )


def _is_found_again(present: Stay, link: Link, time: float, seen: float, source: Source) -> bool:
    """Return whether a link that should have ended is believed, as nothing else was seen."""
    if present.link.ap_mac == link.ap_mac:
        return (
            present.left is not None
            and present.time - ASSOCIATION_JITTER <= time <= present.left + WHOLE_SECONDS
            and seen > present.left + REPORT_INTERVAL
        )
    return source is Source.RESYNC and time < present.time and seen > present.seen + LOST_LINK


def _is_unknown(time: float | None, longest_gap: float, log_known: float | None) -> bool:
    """Return whether the log may still show what happened until `longest_gap` after a time."""
    return time is not None and log_known is not None and time + longest_gap > log_known


def _same_link_within(known: Proof, proof: Proof) -> float:
    """Return by how many seconds the times of two reports of one link may differ."""
    if proof is Proof.ASSOCIATION and known is Proof.ARRIVAL:
        return WHOLE_SECONDS
    if known is not proof:
        return -1.0
    return inf if proof is Proof.SIGHTING else ASSOCIATION_JITTER


def _gap(before: Stay | None, stay: Stay) -> float | None:
    """Return the seconds that a roam took, None if the controller did not report a departure."""
    if before is None or before.left is None:
        return None
    if all(piece.proof is Proof.ABSENCE for piece in before.departures):
        return None
    # In milliseconds, as the controller gives times.
    return round(max(0.0, stay.time - before.left), 3)
