"""Binary sensors: whether the event stream is connected, and which areas are occupied."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import UnifiScannerConfigEntry, UnifiScannerCoordinator
from .entity import EntityState, SiteEntity, UnifiScannerEntity

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SiteBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of the whole site."""

    value_fn: Callable[[UnifiScannerCoordinator], bool]


@dataclass(frozen=True, kw_only=True)
class AreaBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of an area. The key of each entity is this key and the area's id."""


SITE_BINARY_SENSORS: tuple[SiteBinarySensorDescription, ...] = (
    SiteBinarySensorDescription(
        key="event_stream",
        translation_key="event_stream",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda coordinator: coordinator.stream_connected,
    ),
)

OCCUPANCY = AreaBinarySensorDescription(
    key="occupancy",
    translation_key="occupancy",
    device_class=BinarySensorDeviceClass.OCCUPANCY,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: UnifiScannerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the site's binary sensors, and those of areas as they get an access point."""
    coordinator = entry.runtime_data
    shown: frozenset[str] = frozenset()

    @callback
    def update_areas() -> None:
        nonlocal shown
        if (areas := coordinator.areas.area_ids) == shown:
            return
        if coordinator.devices.has_listed:
            # Not at once: Home Assistant may still be going through the devices.
            hass.loop.call_soon(_async_remove_other_areas, hass, entry)
        new, shown = areas - shown, areas
        async_add_entities(OccupancyBinarySensor(coordinator, area_id) for area_id in sorted(new))

    async_add_entities(
        SiteBinarySensor(coordinator, description) for description in SITE_BINARY_SENSORS
    )
    # A booting controller lists no access points, which does not mean that their areas are gone.
    if coordinator.devices.has_listed:
        _async_remove_other_areas(hass, entry)
    update_areas()
    entry.async_on_unload(coordinator.async_add_listener(update_areas))


@callback
def _async_remove_other_areas(hass: HomeAssistant, entry: UnifiScannerConfigEntry) -> None:
    """Remove the devices of areas that have no access point anymore."""
    areas = entry.runtime_data.areas.area_ids
    entry.runtime_data.devices.async_remove_other_areas(areas)
    # Earlier releases had their entities on the controller's device.
    registry = er.async_get(hass)
    prefix = f"{entry.unique_id}_{OCCUPANCY.key}_"
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        unique_id = entity.unique_id
        if unique_id.startswith(prefix) and unique_id.removeprefix(prefix) not in areas:
            registry.async_remove(entity.entity_id)


class SiteBinarySensor(SiteEntity, BinarySensorEntity):
    """A binary sensor of the whole site, available even if the controller is unreachable."""

    entity_description: SiteBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool:
        return bool(self._entity_state.value)

    @override
    def _read(self) -> EntityState:
        return EntityState(available=True, value=self.entity_description.value_fn(self.coordinator))


class OccupancyBinarySensor(UnifiScannerEntity, BinarySensorEntity):
    """Whether tracked clients are in an area, and which."""

    # Recording the names would grow the database, and each client's own sensors are recorded.
    _unrecorded_attributes = frozenset({"clients"})

    def __init__(self, coordinator: UnifiScannerCoordinator, area_id: str) -> None:
        """Prepare the sensor of an area that has an access point."""
        self._area_id = area_id
        self._area_name = coordinator.areas.area_name(area_id) or area_id
        super().__init__(
            coordinator,
            replace(OCCUPANCY, key=f"{OCCUPANCY.key}_{area_id}"),
            coordinator.devices.area_info(area_id, self._area_name),
        )

    @property
    @override
    def is_on(self) -> bool:
        return bool(self._entity_state.value)

    @override
    def _listen(self) -> CALLBACK_TYPE:
        return self.coordinator.areas.async_add_listener(self._area_id, self._async_update)

    @override
    def _read(self) -> EntityState:
        clients = self.coordinator.areas.clients_in(self._area_id)
        return EntityState(
            self.coordinator.available,
            bool(clients),
            {"clients": clients, "client_count": len(clients)},
        )

    @callback
    @override
    def _async_update(self) -> None:
        name = self.coordinator.areas.area_name(self._area_id)
        if name is not None and name != self._area_name:
            self._area_name = name
            self.coordinator.devices.async_rename_area(self._area_id, name)
        super()._async_update()
