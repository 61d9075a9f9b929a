"""What a client record proves: a place, or nothing when it is out of date."""

from collections import Counter

from ..api.records import StationRecord
from .client_track import SLACK, STALE, ClientTrack
from .clock import ControllerClock
from .models import Arrival, ClientState, Link, RadioChange, Source
from .registry import ClientRegistry


class RecordRules:
    """Takes client records: `sta:sync`, `client:sync` and those of snapshots."""

    def __init__(
        self, registry: ClientRegistry, clock: ControllerClock, counters: Counter[str]
    ) -> None:
        """Write what the records prove into this registry."""
        self._registry = registry
        self._clock = clock
        self._counters = counters

    def process(self, station: StationRecord, t: float, source: Source) -> None:
        """Take a record of time `t` by our clock."""
        if station.is_wired:
            # Phones are shown as wired for moments (core#30029); that says nothing of their WiFi.
            self._counters["wired"] += 1
            return
        if station.link is None:
            self._counters["no_access_point"] += 1
            return
        track = self._registry.tracks.get(station.mac)
        if track is None:
            name = station.alias or station.hostname
            track = self._registry.add(station.mac, name, t, guest=station.guest)
        associated = self._association(station, t)
        if self._is_outdated(track, station, t, associated):
            self._counters["outdated"] += 1
            return
        moved = station.link.ap_mac != track.state.ap_mac
        if associated is not None or moved:
            self._registry.flush_overdue_departure(track, t if associated is None else associated)
        if station.link.ap_mac != track.state.ap_mac:
            self._arrive_by_record(
                track, station, link=station.link, t=t, associated=associated, source=source
            )
        else:
            if track.held and t > track.held.left:
                self._registry.cancel_departure(track)
            if associated is not None and associated > track.since + SLACK:
                track.since, track.linked = associated, station.associated_at
        self._refresh(track, station, shown=station.link, t=t, associated=associated, source=source)

    def _association(self, station: StationRecord, t: float) -> float | None:
        """Return when the record says that the link began, by our clock."""
        if station.associated_at is None:
            return None
        associated = self._clock.local(station.associated_at, station.received)
        return associated if associated <= t + SLACK else None

    def _is_outdated(
        self, track: ClientTrack, station: StationRecord, t: float, associated: float | None
    ) -> bool:
        """Return whether a record describes the time before what is already known."""
        if station.link is not None and station.link.ap_mac == track.state.ap_mac:
            return t < track.station
        if track.linked is not None:
            if station.associated_at is None or station.associated_at < track.linked:
                # An older link: the old access point goes on reporting for a while.
                return t < track.since + STALE
            if associated is not None and associated > track.since:
                return t < track.since
        return t <= max(track.seen, track.since)

    def _arrive_by_record(
        self,
        track: ClientTrack,
        station: StationRecord,
        *,
        link: Link,
        t: float,
        associated: float | None,
        source: Source,
    ) -> None:
        before = max(track.seen, track.since)
        is_link_known = associated is not None and associated >= track.since
        since = associated if associated is not None and is_link_known else t
        time = station.associated_at if is_link_known else station.seen_at
        self._registry.arrive(
            track,
            Arrival(
                link=link,
                # The link may be younger than the stay (protocol.md 3.3, `latest_assoc_time`).
                earliest=min(before, since),
                since=since,
                linked=station.associated_at if is_link_known else None,
                seen=t,
                received=station.received,
                time=self._clock.controller(since) if time is None else time,
                source=source,
                inferred=True,
            ),
        )

    def _refresh(
        self,
        track: ClientTrack,
        station: StationRecord,
        *,
        shown: Link,
        t: float,
        associated: float | None,
        source: Source,
    ) -> None:
        """Take over what a record says of the present link."""
        before, track.station = track.station, t
        track.seen = max(track.seen, t)
        track.alias = station.alias or track.alias
        state = track.state
        known = state.link or shown
        link = Link(
            known.ap_mac,
            shown.band or known.band,
            shown.channel or known.channel,
            shown.ssid or known.ssid,
        )
        if known.band is not None and link.band != known.band:
            is_new_link = associated is not None and associated > track.radio_since + SLACK
            if station.is_mlo:
                # A multi-link client is on several bands at once: which one is shown means nothing.
                link = link._replace(band=known.band, channel=known.channel)
            elif t < track.radio_since + STALE and track.linked is not None and not is_new_link:
                return
            else:
                earliest = max(before, track.radio_since)
                # With a link that is new since then came its radio.
                is_link_known = associated is not None and associated >= earliest
                time = station.associated_at if is_link_known else None
                self._registry.change_radio(
                    track,
                    RadioChange(
                        earliest=earliest,
                        at=t,
                        time=self._clock.controller(t) if time is None else time,
                        source=source,
                        inferred=True,
                        link=link,
                    ),
                )
                state = track.state
        began = state.connected_since
        if station.connected_since is not None and (
            # Kept while it only jitters: it is computed from counters of whole seconds.
            began is None or abs(station.connected_since - began) > SLACK
        ):
            began = station.connected_since
        self._registry.set_state(
            track,
            ClientState(
                mac=state.mac,
                name=track.alias or station.hostname or state.name,
                guest=station.guest,
                link=known if link == known else link,
                connected_since=began,
                previous_ap_mac=state.previous_ap_mac,
                last_roam=state.last_roam,
                roam_count=state.roam_count if station.roam_count is None else station.roam_count,
                ip=station.ip or state.ip,
                signal=station.signal,
            ),
        )
