"""Publish client events on Home Assistant's bus and as dispatcher signals to our own platforms."""

from collections.abc import Container
from datetime import UTC, datetime
from typing import TypedDict

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.signal_type import SignalType

from ..api.records import Band
from ..const import CONF_SITE, CONF_TRACKED_EVENTS_ONLY, DOMAIN, option
from ..roaming import ClientEvent, ClientState, EventKind
from .devices import Location, SiteDevices
from .new_clients import is_randomised

EVENT_TYPES: dict[EventKind, str] = {kind: f"{DOMAIN}_{kind.value}" for kind in EventKind}


class ClientData(TypedDict):
    """The client of a payload.

    `site` is the site's name in the controller. `device_id` is the client's device, None if it is
    not tracked.
    """

    entry_id: str
    site: str
    client_mac: str
    client_name: str
    device_id: str | None
    guest: bool


CLIENT_KEYS = ClientData.__required_keys__


class MovementData(ClientData):
    """The payload of something that a client did.

    `late` is whether it is reported more than a minute after it happened.
    """

    late: bool


class ClientEventData(MovementData):
    """The payload of a client event, flat; every key is present, None if unknown.

    Areas are area ids, bands are in GHz, `signal` is in dBm, `time` is ISO 8601 in UTC on the
    controller's clock, `roam_gap` is in seconds; `late` is True if it is reported
    more than 60 s after it happened.
    """

    ssid: str | None
    ap_from_mac: str | None
    ap_from_name: str | None
    ap_to_mac: str | None
    ap_to_name: str | None
    area_from: str | None
    area_to: str | None
    band_from: Band | None
    band_to: Band | None
    channel_from: int | None
    channel_to: int | None
    signal: int | None
    time: str
    source: str
    inferred: bool
    roam_gap: float | None
    late: bool


class AreaChangeData(MovementData):
    """The payload of a change of a client's debounced area; the areas are area ids."""

    area_from: str | None
    area_to: str | None


class NewClientData(ClientData):
    """The payload for a client that has connected for the first time; `area` is an area id."""

    ssid: str | None
    ip: str | None
    randomised_mac: bool
    ap_mac: str | None
    ap_name: str | None
    area: str | None


# Sent for each event of each client of every entry.
SIGNAL_EVENT: SignalType[EventKind, ClientEventData] = SignalType(f"{DOMAIN}_event")
# Sent when the debounced area of a client changes, whether the client is tracked or not.
SIGNAL_AREA: SignalType[AreaChangeData] = SignalType(f"{DOMAIN}_area")
# Sent once for each client that connects for the first time.
SIGNAL_NEW_CLIENT: SignalType[NewClientData] = SignalType(f"{DOMAIN}_new_client")


def client_signal(entry_id: str, mac: str) -> SignalType[EventKind, ClientEventData]:
    """Return the signal of a single client's events, for its own entities."""
    return SignalType(f"{DOMAIN}_event_{entry_id}_{mac}")


def event_data(
    event: ClientEvent,
    *,
    entry_id: str,
    site: str,
    device_id: str | None,
    origin: Location,
    destination: Location,
) -> ClientEventData:
    """Return the payload of an event.

    `origin` and `destination` are the locations of its access points, empty ones for none.
    """
    link_from, link_to = event.link_from, event.link_to
    link = link_to or link_from
    return {
        "entry_id": entry_id,
        "site": site,
        "client_mac": event.mac,
        "client_name": event.name,
        "device_id": device_id,
        "ssid": link and link.ssid,
        "guest": event.guest,
        "ap_from_mac": origin.mac,
        "ap_from_name": origin.name,
        "ap_to_mac": destination.mac,
        "ap_to_name": destination.name,
        "area_from": origin.area,
        "area_to": destination.area,
        "band_from": link_from and link_from.band,
        "band_to": link_to and link_to.band,
        "channel_from": link_from and link_from.channel,
        "channel_to": link_to and link_to.channel,
        "signal": event.signal,
        "time": datetime.fromtimestamp(event.time, UTC).isoformat(),
        "source": event.source.value,
        "inferred": event.inferred,
        "roam_gap": event.roam_gap,
        "late": event.late,
    }


class EventPublisher:
    """Publishes the events of a site."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        devices: SiteDevices,
        tracked: Container[str],
    ) -> None:
        """Prepare without publishing anything."""
        self._hass = hass
        self._entry = entry
        self._devices = devices
        self._tracked = tracked

    @callback
    def async_publish(self, event: ClientEvent) -> None:
        """Publish an event, to its client's entities first so that listeners read their states."""
        entry_id = self._entry.entry_id
        data = event_data(
            event,
            entry_id=entry_id,
            site=self._entry.data[CONF_SITE],
            device_id=self._devices.client_device_id(event.mac),
            origin=self._devices.location(event.ap_from),
            destination=self._devices.location(event.ap_to),
        )
        async_dispatcher_send(self._hass, client_signal(entry_id, event.mac), event.kind, data)
        # The recorder stores every event on the bus, but no signals.
        if not option(self._entry, CONF_TRACKED_EVENTS_ONLY) or event.mac in self._tracked:
            self._hass.bus.async_fire(EVENT_TYPES[event.kind], data)
        async_dispatcher_send(self._hass, SIGNAL_EVENT, event.kind, data)

    @callback
    def async_publish_area_change(
        self, state: ClientState, area_from: str | None, area_to: str | None, *, late: bool
    ) -> None:
        """Publish a change of a client's debounced area, to triggers only."""
        data: AreaChangeData = {
            **self._client_data(state),
            "area_from": area_from,
            "area_to": area_to,
            "late": late,
        }
        async_dispatcher_send(self._hass, SIGNAL_AREA, data)

    @callback
    def async_publish_new_client(self, state: ClientState) -> None:
        """Publish a client that has connected for the first time, to triggers and entities only."""
        location = self._devices.location(state.ap_mac)
        data: NewClientData = {
            **self._client_data(state),
            "ssid": state.link and state.link.ssid,
            "ip": state.ip,
            "randomised_mac": is_randomised(state.mac),
            "ap_mac": location.mac,
            "ap_name": location.name,
            "area": location.area,
        }
        async_dispatcher_send(self._hass, SIGNAL_NEW_CLIENT, data)

    def _client_data(self, state: ClientState) -> ClientData:
        return {
            "entry_id": self._entry.entry_id,
            "site": self._entry.data[CONF_SITE],
            "client_mac": state.mac,
            "client_name": state.name,
            "device_id": self._devices.client_device_id(state.mac),
            "guest": state.guest,
        }
