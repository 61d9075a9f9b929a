"""Event entities: what a tracked client does, and guests and new clients of a site."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import UnifiScannerConfigEntry
from .entity import ClientEntity, EntityState, SiteEntity, UnifiScannerEntity
from .roaming import EventKind
from .site.publisher import (
    CLIENT_KEYS,
    SIGNAL_EVENT,
    SIGNAL_NEW_CLIENT,
    ClientData,
    ClientEventData,
    NewClientData,
    client_signal,
)

PARALLEL_UPDATES = 0

# A movement entity belongs to its client's device, so its attributes leave out the client.
_MOVEMENT_OMITS = CLIENT_KEYS | {"ap_from_mac", "ap_to_mac"}
_NEW_CLIENT_OMITS = frozenset({"entry_id", "site", "device_id", "ap_mac"})
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
    """Add the site's event entity, and those of clients as they are tracked."""
    coordinator = entry.runtime_data
    clients: set[str] = set()

    @callback
    def add_new() -> None:
        # A client that the user removed may be tracked again.
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
    def _async_fire(self, event_type: str, attributes: Mapping[str, Any]) -> None:
        self._trigger_event(event_type, dict(attributes))
        self._async_write()


class Movement(ClientEntity, UnifiScannerEvent):
    """The latest event of a tracked client."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        signal = client_signal(self.coordinator.config_entry.entry_id, self.mac)
        self.async_on_remove(async_dispatcher_connect(self.hass, signal, self._async_move))

    @callback
    def _async_move(self, kind: EventKind, data: ClientEventData) -> None:
        attributes = {key: value for key, value in data.items() if key not in _MOVEMENT_OMITS}
        self._async_fire(_EVENT_TYPES[kind], attributes)


class Visitor(SiteEntity, UnifiScannerEvent):
    """The latest guest or new client of a site."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        connect, hass = async_dispatcher_connect, self.hass
        self.async_on_remove(connect(hass, SIGNAL_EVENT, self._async_handle_event))
        self.async_on_remove(connect(hass, SIGNAL_NEW_CLIENT, self._async_handle_new_client))

    @callback
    def _async_handle_event(self, kind: EventKind, data: ClientEventData) -> None:
        if kind is EventKind.CONNECTED and data["guest"] and self._is_of_this_site(data):
            attributes = {
                "client_mac": data["client_mac"],
                "client_name": data["client_name"],
                "ssid": data["ssid"],
                "ap_name": data["ap_to_name"],
                "area": data["area_to"],
            }
            self._async_fire(_GUEST_CONNECTED, attributes)

    @callback
    def _async_handle_new_client(self, data: NewClientData) -> None:
        if self._is_of_this_site(data):
            attributes = {key: value for key, value in data.items() if key not in _NEW_CLIENT_OMITS}
            self._async_fire(_NEW_CLIENT, attributes)

    def _is_of_this_site(self, data: ClientData) -> bool:
        return data["entry_id"] == self.coordinator.config_entry.entry_id
