"""The book of clients: every change of state is made, and told, here."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from itertools import count
from operator import attrgetter

from ..api.records import EventKind
from .client_track import ClientTrack, HeldDeparture, Move, Retune
from .models import Arrival, ClientEvent, ClientState, Link, RadioChange, Source

# Clients that are gone are forgotten after a day, or sooner when there are too many passers-by.
_FORGET_AFTER = 86_400.0
_CLIENT_LIMIT = 20_000


class ClientRegistry:
    """All clients, by MAC, and what there is to tell about them since the last look."""

    def __init__(self, disconnect_delay: float) -> None:
        """Know nobody yet; `disconnect_delay` is the longest gap of a roam, in seconds."""
        self.disconnect_delay = disconnect_delay
        self.tracks: OrderedDict[str, ClientTrack] = OrderedDict()
        self.states: dict[str, ClientState] = {}
        self.per_access_point: Counter[str] = Counter()
        # By the time they are due: the delay is the same for all, so they stay sorted.
        self.held: dict[str, float] = {}
        self.rechecks: dict[str, float] = {}
        self.away: OrderedDict[str, float] = OrderedDict()
        # What clients are called that may not have been met yet; events only tell host names.
        self.names: Mapping[str, str] = {}
        self._told: list[ClientEvent] = []
        self._met = count(1)

    def add(self, mac: str, name: str | None, t: float, *, guest: bool) -> ClientTrack:
        """Open the record of a client that was not known; it is not connected yet."""
        if len(self.tracks) >= _CLIENT_LIMIT:
            self._drop(next(iter(self.away or self.tracks)))
        alias = self.names.get(mac)
        state = ClientState(
            mac=mac,
            name=alias or name or mac,
            guest=guest,
            link=None,
            signal=None,
            connected_since=None,
            previous_ap_mac=None,
            last_roam=None,
            roam_count=None,
            ip=None,
        )
        track = self.tracks[mac] = ClientTrack(
            state=state, first=t, number=next(self._met), alias=alias
        )
        self.states[mac] = state
        self.away[mac] = t
        return track

    def restore(self, tracks: Iterable[ClientTrack]) -> None:
        """Replace all clients by these."""
        for by_mac in (self.tracks, self.states, self.per_access_point, self.away):
            by_mac.clear()
        self.held.clear()
        self.rechecks.clear()
        number = 0
        # The order of the clients is the order in which a snapshot's departures are reported.
        for track in sorted(tracks, key=attrgetter("number")):
            state, number = track.state, track.number
            self.tracks[state.mac] = track
            self.states[state.mac] = state
            if state.ap_mac is None:
                self.away[state.mac] = track.since or track.first
            else:
                self._count(state.ap_mac, 1)
        self._met = count(number + 1)

    def forget(self, now: float) -> None:
        """Drop the clients that have been away for a day."""
        while self.away and next(iter(self.away.values())) < now - _FORGET_AFTER:
            self._drop(next(iter(self.away)))

    def set_state(self, track: ClientTrack, state: ClientState) -> None:
        """Put a new state in the place of the old one."""
        if state == track.state:
            return
        old, new = track.state.ap_mac, state.ap_mac
        if old != new:
            if old is not None:
                self._count(old, -1)
            if new is not None:
                self._count(new, 1)
        track.state = self.states[state.mac] = state

    def arrive(self, track: ClientTrack, arrival: Arrival) -> None:
        """Make and tell a roam, or a connection of a client that was away."""
        old = track.state
        origin = None
        if old.link is not None:
            origin = _completed(arrival.link_from or old.link, old.link)
        held = track.held
        # A client that was only missing in a snapshot has not been heard to leave.
        # In milliseconds, as the controller has it.
        gap = round(max(0.0, arrival.since - held.left), 3) if held and not held.recheck else None
        self.cancel_departure(track)
        self.away.pop(old.mac, None)
        self.set_state(
            track,
            old._replace(
                link=_with_ssid(arrival.link, old.link),
                signal=arrival.signal,
                connected_since=old.connected_since if origin else arrival.time,
                previous_ap_mac=origin.ap_mac if origin else old.previous_ap_mac,
                last_roam=arrival.time if origin else old.last_roam,
            ),
        )
        track.add_move(
            Move(
                origin.ap_mac if origin else None,
                arrival.link.ap_mac,
                arrival.earliest,
                arrival.since,
            )
        )
        track.since, track.linked, track.absent = arrival.since, arrival.linked, None
        track.seen = max(track.seen, arrival.seen) if arrival.inferred else arrival.seen
        track.radio_since = arrival.since
        track.arrived = arrival.received
        self.emit(
            track,
            EventKind.ROAM if origin else EventKind.CONNECTED,
            time=arrival.time,
            source=arrival.source,
            inferred=arrival.inferred,
            link_from=origin,
            link_to=track.state.link,
            signal=arrival.signal,
            roam_gap=gap if origin else None,
        )

    def change_radio(self, track: ClientTrack, change: RadioChange) -> None:
        """Make and tell a change of band or channel at the same access point."""
        old = track.state.link
        if old is None:
            return
        link = _completed(change.link, old)
        self.set_state(track, track.state._replace(link=link, signal=None))
        track.radio_since = change.at
        track.add_retune(Retune(link.ap_mac, link.band, change.earliest, change.at))
        self.emit(
            track,
            EventKind.ROAM_RADIO,
            time=change.time,
            source=change.source,
            inferred=change.inferred,
            link_from=_completed(change.link_from or old, old),
            link_to=link,
        )

    def hold_departure(self, track: ClientTrack, held: HeldDeparture) -> None:
        """Hold a departure back; a real one takes the place of one that is only suspected."""
        self.cancel_departure(track)
        track.held = held
        (self.rechecks if held.recheck else self.held)[track.state.mac] = held.due

    def cancel_departure(self, track: ClientTrack) -> None:
        """Forget a departure that was held back: the client is there."""
        if track.held is not None:
            track.held = None
            self.held.pop(track.state.mac, None)
            self.rechecks.pop(track.state.mac, None)

    def flush_overdue_departure(self, track: ClientTrack, arrived: float) -> None:
        """Tell a departure after all, when the client came back later than it is held back for.

        That is learned late. A client of which the controller says that it roamed never was away.
        """
        held = track.held
        if held and not held.recheck and arrived - held.left > self.disconnect_delay:
            self.confirm_departure(track)

    def confirm_departure(self, track: ClientTrack, absent: float | None = None) -> None:
        """Make and tell the departure that was held back, shown by a snapshot of that time."""
        old, held = track.state, track.held
        if held is None or old.link is None:
            return
        self.cancel_departure(track)
        self.emit(
            track,
            EventKind.DISCONNECTED,
            time=held.time,
            source=held.source,
            inferred=held.recheck,
            link_from=old.link,
            link_to=None,
            signal=old.signal,
        )
        self.set_state(
            track,
            old._replace(
                link=None,
                signal=None,
                connected_since=None,
                previous_ap_mac=old.ap_mac,
            ),
        )
        track.add_move(Move(old.ap_mac, None, held.left, held.left))
        track.since = track.seen = held.left
        track.linked, track.absent = held.time, absent
        self.away[old.mac] = held.left

    def emit(
        self,
        track: ClientTrack,
        kind: EventKind,
        *,
        time: float,
        source: Source,
        inferred: bool,
        link_from: Link | None,
        link_to: Link | None,
        signal: int | None = None,
        roam_gap: float | None = None,
    ) -> None:
        """Add an event to what there is to tell."""
        self._told.append(
            ClientEvent(
                kind=kind,
                mac=track.state.mac,
                name=track.state.name,
                guest=track.state.guest,
                link_from=link_from,
                link_to=link_to,
                signal=signal,
                time=time,
                source=source,
                inferred=inferred,
                roam_gap=roam_gap,
            )
        )

    def drain_events(self) -> list[ClientEvent]:
        """Return what there is to tell, with the signal that the same batch has shown since."""
        told, self._told = self._told, []
        return [self._with_signal(event) for event in told]

    def _with_signal(self, event: ClientEvent) -> ClientEvent:
        state = self.states.get(event.mac)
        if event.ap_to is None or state is None or state.ap_mac != event.ap_to:
            return event
        return event if state.signal is None else event._replace(signal=state.signal)

    def _count(self, ap_mac: str, change: int) -> None:
        self.per_access_point[ap_mac] += change
        if not self.per_access_point[ap_mac]:
            del self.per_access_point[ap_mac]

    def _drop(self, mac: str) -> None:
        track = self.tracks.pop(mac)
        self.cancel_departure(track)
        if track.alias is not None and self.names.get(mac, track.alias) != track.alias:
            self.names = {**self.names, mac: track.alias}
        if track.state.ap_mac is not None:
            self._count(track.state.ap_mac, -1)
        del self.states[mac]
        self.away.pop(mac, None)


def _completed(link: Link, known: Link) -> Link:
    """Return a link with what it lacks taken from another one."""
    return Link(
        link.ap_mac,
        link.band or known.band,
        link.channel or known.channel,
        link.ssid or known.ssid,
    )


def _with_ssid(link: Link, known: Link | None) -> Link:
    if link.ssid is not None or known is None:
        return link
    return link._replace(ssid=known.ssid)
