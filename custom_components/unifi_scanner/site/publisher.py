"""Who hears of an event: Home Assistant's bus, and within the integration triggers and entities."""

from collections.abc import Container, Mapping
from datetime import UTC, datetime
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.signal_type import SignalType

from ..const import CONF_SITE, CONF_TRACKED_EVENTS_ONLY, DOMAIN, option
from ..roaming import ClientEvent, ClientState, EventKind
from .devices import Location, SiteDevices
from .new_clients import is_randomised

EVENT_TYPES: dict[EventKind, str] = {kind: f"{DOMAIN}_{kind.value}" for kind in EventKind}


def event_data(
    event: ClientEvent,
    *,
    entry_id: str,
    site: str,
    device_id: str | None,
    origin: Location,
    destination: Location,
) -> dict[str, Any]:
    """Return the event's data: flat, every key always there, None for what is not known.

    `signal` is in dBm, `time` ISO 8601 in UTC, `roam_gap` in seconds; `device_id` is that of the
    client's device, None when the client is not tracked.
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
    }


# Sent for every client's every event of every entry, with what stands on the bus (bus.py).
SIGNAL_EVENT: SignalType[EventKind, Mapping[str, Any]] = SignalType(f"{DOMAIN}_event")
# Sent when a client, tracked or not, is in another room by its settled area (rooms.py): entry_id,
# site, client_mac, client_name, device_id, guest, area_from, area_to.
SIGNAL_AREA: SignalType[Mapping[str, Any]] = SignalType(f"{DOMAIN}_room")
# Sent once for a client that was never seen before (newcomers.py): entry_id, site, client_mac,
# client_name, device_id, guest, ssid, ip, randomised_mac, ap_mac, ap_name, area.
SIGNAL_NEW_CLIENT: SignalType[Mapping[str, Any]] = SignalType(f"{DOMAIN}_new_client")


def client_signal(entry_id: str, mac: str) -> SignalType[EventKind, Mapping[str, Any]]:
    """Return the signal of one client's events, for its entities alone."""
    return SignalType(f"{DOMAIN}_event_{entry_id}_{mac}")


class EventPublisher:
    """Tells the events of a site."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        devices: SiteDevices,
        tracked: Container[str],
    ) -> None:
        """Prepare, without a word."""
        self._hass = hass
        self._entry = entry
        self._devices = devices
        self._tracked = tracked
        self._tracked_only: bool = option(entry, CONF_TRACKED_EVENTS_ONLY)

    @callback
    def async_publish(self, event: ClientEvent) -> None:
        """Tell an event: entities first, so that whoever hears of it finds them up to date."""
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
        # Every event on the bus ends up in the database; triggers cost nothing there.
        if not self._tracked_only or event.mac in self._tracked:
            self._hass.bus.async_fire(EVENT_TYPES[event.kind], data)
        async_dispatcher_send(self._hass, SIGNAL_EVENT, event.kind, data)

    @callback
    def async_publish_new_client(self, state: ClientState) -> None:
        """Tell of a client that was never seen before; only triggers and entities hear of it."""
        place = self._devices.location(state.ap_mac)
        data = {
            "entry_id": self._entry.entry_id,
            "site": self._entry.data[CONF_SITE],
            "client_mac": state.mac,
            "client_name": state.name,
            "device_id": self._devices.client_device_id(state.mac),
            "guest": state.guest,
            "ssid": state.link and state.link.ssid,
            "ip": state.ip,
            "randomised_mac": is_randomised(state.mac),
            "ap_mac": place.mac,
            "ap_name": place.name,
            "area": place.area,
        }
        async_dispatcher_send(self._hass, SIGNAL_NEW_CLIENT, data)
