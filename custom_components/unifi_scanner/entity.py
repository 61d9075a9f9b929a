"""Base entities, which listen only to what they show and write only changed states."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.typing import StateType

from .coordinator import UnifiScannerCoordinator

type Attributes = Mapping[str, StateType | list[str]]


class EntityState(NamedTuple):
    """The availability, state and attributes of an entity."""

    available: bool
    value: StateType | datetime = None
    attributes: Attributes | None = None


class UnifiScannerEntity(Entity):
    """An entity of a client, an access point or the controller."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        coordinator: UnifiScannerCoordinator,
        description: EntityDescription,
        device_info: DeviceInfo,
        mac: str | None = None,
    ) -> None:
        """Prepare an entity of the device with this MAC, or of the controller for None."""
        self.coordinator = coordinator
        self.entity_description = description
        if description.name is None:
            self._attr_name = None
        site_id = coordinator.config_entry.unique_id
        self._attr_unique_id = "_".join(filter(None, (site_id, mac, description.key)))
        self._attr_device_info = device_info
        self._entity_state = EntityState(available=False)

    @property
    @override
    def available(self) -> bool:
        return self._entity_state.available

    @property
    @override
    def extra_state_attributes(self) -> Attributes | None:
        return self._entity_state.attributes

    @override
    async def async_added_to_hass(self) -> None:
        self._entity_state = self._read()
        self.async_on_remove(self._listen())

    @abstractmethod
    def _read(self) -> EntityState:
        """Return the current state."""

    @abstractmethod
    def _listen(self) -> CALLBACK_TYPE:
        """Call `_async_update` on changes; return a callback that unsubscribes."""

    @callback
    def _async_update(self) -> None:
        state = self._read()
        if state != self._entity_state and not self._is_throttled(state):
            self._entity_state = state
            self._async_write()

    @callback
    def _async_write(self) -> None:
        self.coordinator.metrics.writes += 1
        self.async_write_ha_state()

    def _is_throttled(self, state: EntityState) -> bool:  # noqa: ARG002 - for subclasses
        """Return whether a new state has to wait, as the entity was written only recently."""
        return False


class ClientEntity(UnifiScannerEntity):
    """An entity of a tracked client."""

    def __init__(
        self, coordinator: UnifiScannerCoordinator, description: EntityDescription, mac: str
    ) -> None:
        """Prepare an entity of the client with this MAC, which need not be connected."""
        device_info = coordinator.devices.client_info(mac, coordinator.client(mac))
        super().__init__(coordinator, description, device_info, mac)
        self.mac = mac

    @override
    def _listen(self) -> CALLBACK_TYPE:
        return self.coordinator.listeners.clients.async_add(self.mac, self._async_update)


class AccessPointEntity(UnifiScannerEntity):
    """An entity of an access point."""

    def __init__(
        self, coordinator: UnifiScannerCoordinator, description: EntityDescription, mac: str
    ) -> None:
        """Prepare an entity of the access point with this MAC, which the coordinator knows."""
        device_info = coordinator.devices.access_point_info(mac)
        super().__init__(coordinator, description, device_info, mac)
        self.mac = mac

    @override
    def _listen(self) -> CALLBACK_TYPE:
        listeners = self.coordinator.listeners
        return listeners.access_points.async_add(self.mac, self._async_update)


class SiteEntity(UnifiScannerEntity):
    """An entity of the whole site, on the controller's device."""

    def __init__(
        self, coordinator: UnifiScannerCoordinator, description: EntityDescription
    ) -> None:
        """Prepare an entity of the coordinator's site."""
        super().__init__(coordinator, description, coordinator.devices.controller_info())

    @override
    def _listen(self) -> CALLBACK_TYPE:
        return self.coordinator.listeners.async_add_site_listener(self._async_update)
