"""What an event proves: an arrival, a change of radio, a departure - or nothing new."""

from collections import Counter

from ..api.records import EventKind, EventRecord
from .client_track import LOG_SLACK, SLACK, ClientTrack, HeldDeparture, Move, Retune
from .clock import ControllerClock
from .models import Arrival, RadioChange, Source
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
        if event.ap_to is None:
            self._counters["no_access_point"] += 1
            return
        if track is None:
            track = self._registry.add(event.mac, event.hostname, t, guest=event.guest)
        elif event.hostname is not None and track.state.name == event.mac:
            self._registry.set_state(track, track.state._replace(name=event.hostname))
        if event.kind is EventKind.ROAM_RADIO or event.ap_from == event.ap_to:
            # A roam to where it came from is a change of radio, if anything (protocol.md 3.2).
            self._radio(track, event, t, event.ap_to)
        else:
            self._come(track, event, t, event.ap_to, event.ap_from)

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

    def _come(
        self, track: ClientTrack, event: EventRecord, t: float, ap_to: str, ap_from: str | None
    ) -> None:
        """Take an arrival at an access point, from another one if the controller says so."""
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
                    self._insert(track, event, t, ap_to, ap_from)
                    track.since = t
                    self._registry.set_state(track, track.state._replace(previous_ap_mac=ap_to))
                    return
            if ap_from is not None and not self._is_end_of_departure(track, t, ap_from):
                # It had come back unnoticed before it roamed.
                self._arrive_by_event(track, event, t, ap_from, at_origin=True)
        elif track.knows_arrival(ap_to, t, ap_from, slack) or (
            # Without an origin it is a new link to where the client is anyway.
            ap_from is None and ap_to == track.state.ap_mac
        ):
            self._confirm(track, event, t, ap_to)
            return
        elif t < track.since:
            self._insert(track, event, t, ap_to, ap_from)
            return
        self._arrive_by_event(track, event, t, ap_to, ap_from=ap_from)

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
        ap_to: str,
        *,
        ap_from: str | None = None,
        at_origin: bool = False,
    ) -> None:
        """Take an arrival; `at_origin` is the one that an event only implies."""
        said = not at_origin and (ap_from is not None or not track.state.connected)
        self._registry.arrive(
            track,
            Arrival(
                ap_to=ap_to,
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
                ssid=event.ssid,
                band=event.band_from if at_origin else event.band_to,
                channel=event.channel_from if at_origin else event.channel_to,
                ap_from=ap_from,
                band_from=event.band_from,
                channel_from=event.channel_from,
                signal=None if at_origin else event.signal,
            ),
        )

    def _confirm(self, track: ClientTrack, event: EventRecord, t: float, ap_to: str) -> None:
        """Take from the second report of an arrival what the first one lacked."""
        self._counters["echo"] += 1
        if ap_to != track.state.ap_mac:
            return
        if track.held and t > track.held.left:
            self._registry.cancel_departure(track)
        track.seen = max(track.seen, t)
        state = track.state
        band, channel = state.band or event.band_to, state.channel or event.channel_to
        if t > track.since:
            # Should it have been elsewhere in between, a late report of that finds its place.
            track.since, track.linked = t, self._event_time(event, t) - SLACK
            if t > track.radio_since:
                band, channel = event.band_to or band, event.channel_to or channel
        self._registry.set_state(
            track,
            state._replace(
                ssid=state.ssid or event.ssid,
                band=band,
                channel=channel,
            ),
        )

    def _insert(
        self, track: ClientTrack, event: EventRecord, t: float, ap_to: str, ap_from: str | None
    ) -> None:
        """Tell a roam of the past that nothing else has told, without moving the client back."""
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
            ssid=event.ssid or state.ssid,
            ap_from=origin,
            ap_to=ap_to,
            band_from=event.band_from,
            band_to=event.band_to,
            channel_from=event.channel_from,
            channel_to=event.channel_to,
            signal=event.signal,
        )
        if follows is None and state.ap_mac not in {None, ap_to}:
            # Newer records show it where it is now, so it has come back since.
            track.insert(Move(ap_to, state.ap_mac, t, track.since))
            self._registry.emit(
                track,
                EventKind.ROAM,
                time=self._clock.controller(track.since),
                source=Source.SYNC,
                inferred=True,
                ssid=state.ssid,
                ap_from=ap_to,
                ap_to=state.ap_mac,
                band_from=event.band_to,
                band_to=state.band,
                channel_from=event.channel_to,
                channel_to=state.channel,
            )

    def _radio(self, track: ClientTrack, event: EventRecord, t: float, ap_mac: str) -> None:
        """Take a change of radio, which also proves that the client is there (protocol.md 3.2)."""
        if track.knows_retune(ap_mac, event.band_to, t, LOG_SLACK if event.logged else SLACK):
            self._counters["echo"] += 1
            return
        if track.state.ap_mac != ap_mac:
            if t < max(track.since, track.absent or 0):
                self._insert_radio(track, event, t, ap_mac)
                return
            self._arrive_by_event(track, event, t, ap_mac, at_origin=True)
        if track.held and t >= track.held.left:
            self._registry.cancel_departure(track)
        if t < track.radio_since:
            self._insert_radio(track, event, t, ap_mac)
            return
        track.seen = max(track.seen, t)
        state = track.state
        if (event.band_to, event.channel_to) == (state.band, state.channel):
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
                band_to=event.band_to,
                channel_to=event.channel_to,
                band_from=event.band_from,
                channel_from=event.channel_from,
            ),
        )

    def _insert_radio(self, track: ClientTrack, event: EventRecord, t: float, ap_mac: str) -> None:
        """Tell a change of radio of the past, without changing the present one."""
        if not track.remembers(t) or track.ap_at(t) != ap_mac:
            self._counters["outdated"] += 1
            return
        state = track.state
        followed = ap_mac != state.ap_mac or any(known.latest > t for known in track.retunes)
        track.add_retune(Retune(ap_mac, event.band_to, t, t))
        self._registry.emit(
            track,
            EventKind.ROAM_RADIO,
            time=self._event_time(event, t),
            source=_source(event),
            inferred=False,
            ssid=state.ssid,
            ap_from=ap_mac,
            ap_to=ap_mac,
            band_from=event.band_from,
            band_to=event.band_to,
            channel_from=event.channel_from,
            channel_to=event.channel_to,
            signal=event.signal,
        )
        if not followed and event.band_to != state.band:
            track.add_retune(Retune(ap_mac, state.band, t, track.radio_since))
            self._registry.emit(
                track,
                EventKind.ROAM_RADIO,
                time=self._clock.controller(track.radio_since),
                source=Source.SYNC,
                inferred=True,
                ssid=state.ssid,
                ap_from=ap_mac,
                ap_to=ap_mac,
                band_from=event.band_to,
                band_to=state.band,
                channel_from=event.channel_to,
                channel_to=state.channel,
            )

    def _event_time(self, event: EventRecord, t: float) -> float:
        return self._clock.controller(t) if event.time is None else event.time


def _source(event: EventRecord) -> Source:
    return Source.SYSTEM_LOG if event.logged else Source.EVENT
