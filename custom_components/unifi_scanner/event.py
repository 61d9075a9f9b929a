"""Event entities: what a tracked client has just done, and who is new or a guest at a site."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import UnifiScannerConfigEntry
from .entity import ClientEntity, EntityState, SiteEntity, UnifiScannerEntity
from .roaming import EventKind
from .site.publisher import SIGNAL_EVENT, SIGNAL_NEW_CLIENT, client_signal

PARALLEL_UPDATES = 0

# What a client's event tells beside the client itself, which is the entity's device (bus.py).
_CLIENT_ATTRIBUTES = (
    "ap_from_name",
    "ap_to_name",
    "area_from",
    "area_to",
    "band_from",
    "band_to",
    "channel_from",
    "channel_to",
    "ssid",
    "signal",
    "time",
    "source",
    "inferred",
    "roam_gap",
)
_GUEST_ATTRIBUTES = {
    "client_mac": "client_mac",
    "client_name": "client_name",
    "ssid": "ssid",
    "ap_to_name": "ap_name",
    "area_to": "area",
}
_NEW_CLIENT_ATTRIBUTES = (
    "client_mac",
    "client_name",
    "ssid",
    "ap_name",
    "area",
    "ip",
    "guest",
    "randomised_mac",
)
_EVENT_TYPES: dict[EventKind, str] = {
    EventKind.ROAM: "roamed",
    EventKind.ROAM_RADIO: "roamed_radio",
    EventKind.CONNECTED: "connected",
    EventKind.DISCONNECTED: "disconnected",
}
_GUEST_CONNECTED = "guest_connected"
_NEW_CLIENT = "new_client"

MOVEMENT = EventEntityDescription(
    key="movement", translation_key="movement", event_types=list(_EVENT_TYPES.values())
)
VISITOR = EventEntityDescription(
    key="visitor", translation_key="visitor", event_types=[_GUEST_CONNECTED, _NEW_CLIENT]
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: UnifiScannerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the site's event entity, and those of clients as these are tracked."""
    coordinator = entry.runtime_data
    clients: set[str] = set()

    @callback
    def add_new() -> None:
        clients.intersection_update(coordinator.tracked)
        if new := sorted(coordinator.tracked - clients):
            clients.update(new)
            async_add_entities(Movement(coordinator, MOVEMENT, mac) for mac in new)

    async_add_entities([Visitor(coordinator, VISITOR)])
    add_new()
    entry.async_on_unload(coordinator.tracked.async_add_listener(add_new))


class UnifiScannerEvent(UnifiScannerEntity, EventEntity):
    """An event entity of a site."""

    @override
    def _read(self) -> EntityState:
        return EntityState(self.coordinator.available)

    @callback
    def _async_happen(self, event_type: str, attributes: Mapping[str, Any]) -> None:
        self._trigger_event(event_type, dict(attributes))
        self._async_write()


class Movement(ClientEntity, UnifiScannerEvent):
    """What a tracked client has just done."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        signal = client_signal(self.coordinator.config_entry.entry_id, self.mac)
        self.async_on_remove(async_dispatcher_connect(self.hass, signal, self._async_move))

    @callback
    def _async_move(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        self._async_happen(_EVENT_TYPES[kind], {key: data[key] for key in _CLIENT_ATTRIBUTES})


class Visitor(SiteEntity, UnifiScannerEvent):
    """Who is at the site as a guest, or for the first time."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        connect, hass = async_dispatcher_connect, self.hass
        self.async_on_remove(connect(hass, SIGNAL_EVENT, self._async_see_guest))
        self.async_on_remove(connect(hass, SIGNAL_NEW_CLIENT, self._async_see_new_client))

    @callback
    def _async_see_guest(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        if kind is EventKind.CONNECTED and data["guest"] and self._is_here(data):
            attributes = {name: data[key] for key, name in _GUEST_ATTRIBUTES.items()}
            self._async_happen(_GUEST_CONNECTED, attributes)

    @callback
    def _async_see_new_client(self, data: Mapping[str, Any]) -> None:
        if self._is_here(data):
            self._async_happen(_NEW_CLIENT, {key: data[key] for key in _NEW_CLIENT_ATTRIBUTES})

    def _is_here(self, data: Mapping[str, Any]) -> bool:
        entry_id: str = data["entry_id"]
        return entry_id == self.coordinator.config_entry.entry_id
