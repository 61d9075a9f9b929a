"""Binary sensors: whether the controller tells what happens as it happens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import UnifiScannerConfigEntry, UnifiScannerCoordinator
from .entity import Shown, SiteEntity

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SiteBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of the whole site."""

    value_fn: Callable[[UnifiScannerCoordinator], bool]


SITE_BINARY_SENSORS: tuple[SiteBinarySensorDescription, ...] = (
    SiteBinarySensorDescription(
        key="event_stream",
        translation_key="event_stream",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda coordinator: coordinator.stream_connected,
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: UnifiScannerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the site's binary sensors."""
    async_add_entities(
        SiteBinarySensor(entry.runtime_data, description) for description in SITE_BINARY_SENSORS
    )


class SiteBinarySensor(SiteEntity, BinarySensorEntity):
    """A binary sensor of the whole site, which is there when the controller is not."""

    entity_description: SiteBinarySensorDescription

    @property
    @override
    def is_on(self) -> bool:
        return bool(self._shown.value)

    @override
    def _read(self) -> Shown:
        return Shown(available=True, value=self.entity_description.value_fn(self.coordinator))
