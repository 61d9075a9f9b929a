"""What an event proves: an arrival, a change of radio, a departure - or nothing new."""

from collections import Counter

from ..api.records import EventKind, EventRecord
from .client_track import LOG_SLACK, SLACK, ClientTrack, HeldDeparture, Move, Retune
from .clock import ControllerClock
from .models import Arrival, Link, RadioChange, Source
from .registry import ClientRegistry

# Records count a client as seen for some seconds after it has left.
_LINGER = 10.0


class EventRules:
    """Takes the controller's client events."""

    def __init__(
        self, registry: ClientRegistry, clock: ControllerClock, counters: Counter[str]
    ) -> None:
        """Write what the events prove into this registry."""
        self._registry = registry
        self._clock = clock
        self._counters = counters

    def process(self, event: EventRecord, t: float, due: float) -> None:
        """Take an event of time `t` by our clock; a departure is held back until `due`."""
        track = self._registry.tracks.get(event.mac)
        if event.kind is EventKind.DISCONNECTED:
            self._hold(track, event, t, due)
            return
        if (link := event.link_to) is None:
            self._counters["no_access_point"] += 1
            return
        if track is None:
            track = self._registry.add(event.mac, event.hostname, t, guest=event.guest)
        elif event.hostname is not None and track.state.name == event.mac:
            self._registry.set_state(track, track.state._replace(name=event.hostname))
        if event.kind is EventKind.ROAM_RADIO or event.ap_from == event.ap_to:
            # A roam to where it came from is a change of radio, if anything (protocol.md 3.2).
            self._radio(track, event, t, link)
        else:
            self._come(track, event, t, link)

    def _hold(self, track: ClientTrack | None, event: EventRecord, t: float, due: float) -> None:
        """Hold a departure back, unless it is of another access point or an earlier stay."""
        if (
            track is None
            or not track.state.connected
            or event.ap_from not in {None, track.state.ap_mac}
            or t < track.since
            or t + _LINGER < track.seen
        ):
            self._counters["outdated"] += 1
        elif track.held is None or track.held.recheck:
            self._registry.hold_departure(
                track,
                HeldDeparture(
                    left=t,
                    time=self._event_time(event, t),
                    due=due,
                    source=_source(event),
                    recheck=False,
                ),
            )

    def _come(self, track: ClientTrack, event: EventRecord, t: float, link: Link) -> None:
        """Take an arrival at an access point, from another one if the controller says so."""
        ap_to, ap_from = link.ap_mac, event.ap_from
        if ap_from is None:
            self._registry.flush_overdue_departure(track, t)
        slack = LOG_SLACK if event.logged else SLACK
        if not track.state.connected:
            if t < track.since:
                self._counters["outdated"] += 1
                return
            if track.absent is not None and t < track.absent:
                # Snapshots have shown its departure already, but not when that was.
                if track.knows_arrival(ap_to, t, ap_from, slack):
                    self._counters["echo"] += 1
                    return
                if ap_from is not None:
                    self._insert(track, event, t, link)
                    track.since = t
                    self._registry.set_state(track, track.state._replace(previous_ap_mac=ap_to))
                    return
            if event.link_from is not None and not self._is_end_of_departure(
                track, t, event.link_from.ap_mac
            ):
                # It had come back unnoticed before it roamed.
                self._arrive_by_event(track, event, t, event.link_from, at_origin=True)
        elif track.knows_arrival(ap_to, t, ap_from, slack) or (
            # Without an origin it is a new link to where the client is anyway.
            ap_from is None and ap_to == track.state.ap_mac
        ):
            self._confirm(track, event, t, link)
            return
        elif t < track.since:
            self._insert(track, event, t, link)
            return
        self._arrive_by_event(track, event, t, link)

    def _is_end_of_departure(self, track: ClientTrack, t: float, ap_from: str) -> bool:
        """Return whether a roam is the one for which a departure would have been held back.

        It was told too late: the departure has been told, and there is only the arrival to tell.
        """
        gap = t - track.since
        return ap_from == track.state.previous_ap_mac and gap <= self._registry.disconnect_delay

    def _arrive_by_event(
        self,
        track: ClientTrack,
        event: EventRecord,
        t: float,
        link: Link,
        *,
        at_origin: bool = False,
    ) -> None:
        """Take an arrival; `at_origin` is the one that an event only implies."""
        link_from = None if at_origin else event.link_from
        said = not at_origin and (link_from is not None or not track.state.connected)
        self._registry.arrive(
            track,
            Arrival(
                link=link,
                # Only implied, it may have happened at any time since the client left.
                earliest=track.since if at_origin else t,
                since=t,
                # Records count in whole seconds.
                linked=self._event_time(event, t) - SLACK,
                seen=t,
                received=event.received,
                time=self._event_time(event, t),
                source=_source(event),
                inferred=not said,
                link_from=link_from,
                signal=None if at_origin else event.signal,
            ),
        )

    def _confirm(self, track: ClientTrack, event: EventRecord, t: float, link: Link) -> None:
        """Take from the second report of an arrival what the first one lacked."""
        self._counters["echo"] += 1
        state = track.state
        if state.link is None or link.ap_mac != state.link.ap_mac:
            return
        if track.held and t > track.held.left:
            self._registry.cancel_departure(track)
        track.seen = max(track.seen, t)
        known = state.link
        band, channel = known.band or link.band, known.channel or link.channel
        if t > track.since:
            # Should it have been elsewhere in between, a late report of that finds its place.
            track.since, track.linked = t, self._event_time(event, t) - SLACK
            if t > track.radio_since:
                band, channel = link.band or band, link.channel or channel
        confirmed = Link(known.ap_mac, band, channel, known.ssid or link.ssid)
        self._registry.set_state(track, state._replace(link=confirmed))

    def _insert(self, track: ClientTrack, event: EventRecord, t: float, link: Link) -> None:
        """Tell a roam of the past that nothing else has told, without moving the client back."""
        ap_to, ap_from = link.ap_mac, event.ap_from
        origin = ap_from or track.ap_at(t)
        if not track.remembers(t) or origin is None or origin == ap_to:
            self._counters["outdated"] += 1
            return
        state = track.state
        follows = track.insert(Move(origin, ap_to, t, t))
        self._registry.emit(
            track,
            EventKind.ROAM,
            time=self._event_time(event, t),
            source=_source(event),
            inferred=ap_from is None,
            link_from=event.link_from or Link(origin),
            link_to=link
            if link.ssid or state.link is None
            else link._replace(ssid=state.link.ssid),
            signal=event.signal,
        )
        if follows is None and state.link is not None and state.link.ap_mac != ap_to:
            # Newer records show it where it is now, so it has come back since.
            track.insert(Move(ap_to, state.link.ap_mac, t, track.since))
            self._registry.emit(
                track,
                EventKind.ROAM,
                time=self._clock.controller(track.since),
                source=Source.SYNC,
                inferred=True,
                link_from=link,
                link_to=state.link,
            )

    def _radio(self, track: ClientTrack, event: EventRecord, t: float, link: Link) -> None:
        """Take a change of radio, which also proves that the client is there (protocol.md 3.2)."""
        ap_mac = link.ap_mac
        if track.knows_retune(ap_mac, link.band, t, LOG_SLACK if event.logged else SLACK):
            self._counters["echo"] += 1
            return
        if track.state.ap_mac != ap_mac:
            if t < max(track.since, track.absent or 0):
                self._insert_radio(track, event, t, link)
                return
            self._arrive_by_event(track, event, t, event.link_from or Link(ap_mac), at_origin=True)
        if track.held and t >= track.held.left:
            self._registry.cancel_departure(track)
        if t < track.radio_since:
            self._insert_radio(track, event, t, link)
            return
        track.seen = max(track.seen, t)
        known = track.state.link
        if known is not None and (link.band, link.channel) == (known.band, known.channel):
            # Should it have been on another one in between, a late report finds its place.
            track.radio_since = t
            self._counters["echo"] += 1
            return
        self._registry.change_radio(
            track,
            RadioChange(
                earliest=t,
                at=t,
                time=self._event_time(event, t),
                source=_source(event),
                inferred=False,
                link=link,
                link_from=event.link_from,
            ),
        )

    def _insert_radio(self, track: ClientTrack, event: EventRecord, t: float, link: Link) -> None:
        """Tell a change of radio of the past, without changing the present one."""
        ap_mac = link.ap_mac
        if not track.remembers(t) or track.ap_at(t) != ap_mac:
            self._counters["outdated"] += 1
            return
        present = track.state.link
        ssid = present and present.ssid
        followed = ap_mac != track.state.ap_mac or any(one.latest > t for one in track.retunes)
        track.add_retune(Retune(ap_mac, link.band, t, t))
        self._registry.emit(
            track,
            EventKind.ROAM_RADIO,
            time=self._event_time(event, t),
            source=_source(event),
            inferred=False,
            link_from=(event.link_from or Link(ap_mac))._replace(ssid=ssid),
            link_to=link._replace(ssid=ssid),
            signal=event.signal,
        )
        if not followed and present is not None and link.band != present.band:
            track.add_retune(Retune(ap_mac, present.band, t, track.radio_since))
            self._registry.emit(
                track,
                EventKind.ROAM_RADIO,
                time=self._clock.controller(track.radio_since),
                source=Source.SYNC,
                inferred=True,
                link_from=link._replace(ssid=ssid),
                link_to=present,
            )

    def _event_time(self, event: EventRecord, t: float) -> float:
        return self._clock.controller(t) if event.time is None else event.time


def _source(event: EventRecord) -> Source:
    return Source.SYSTEM_LOG if event.logged else Source.EVENT
