"""Sensors of tracked clients, access points and the site."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    UnitOfDataRate,
    UnitOfTime,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .const import BAND_STATES, CONF_VOLATILE_INTERVAL, option
from .coordinator import UnifiScannerConfigEntry, UnifiScannerCoordinator
from .entity import AccessPointEntity, ClientEntity, EntityState, SiteEntity, UnifiScannerEntity
from .hub.metrics import Metrics
from .roaming import ClientState, Link
from .site.devices import ACCESS_POINT_SENSOR_KEY

PARALLEL_UPDATES = 0

# The state of a client that is not connected. "unknown" would be wrong, as this is known.
NOT_CONNECTED = "not_connected"

type Value = StateType | datetime


@dataclass(frozen=True, kw_only=True)
class ClientSensorDescription(SensorEntityDescription):
    """A sensor of a tracked client; its functions get the client's MAC.

    A volatile value changes with nearly every record. Until the client roams it is written at most
    once per interval, which is an option.
    """

    value_fn: Callable[[UnifiScannerCoordinator, str], Value]
    attributes_fn: Callable[[UnifiScannerCoordinator, str], Mapping[str, StateType]] | None = None
    volatile: bool = False


@dataclass(frozen=True, kw_only=True)
class AccessPointSensorDescription(SensorEntityDescription):
    """A sensor of an access point; its function gets the access point's MAC."""

    value_fn: Callable[[UnifiScannerCoordinator, str], Value]


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(SensorEntityDescription):
    """A sensor of the whole site."""

    value_fn: Callable[[UnifiScannerCoordinator], Value]


def _of_state(
    value_fn: Callable[[ClientState], Value],
) -> Callable[[UnifiScannerCoordinator, str], Value]:
    """Return a value function that reads the client's state, if there is one."""

    def value(coordinator: UnifiScannerCoordinator, mac: str) -> Value:
        state = coordinator.client(mac)
        return None if state is None else value_fn(state)

    return value


def _of_link(
    value_fn: Callable[[Link], Value],
) -> Callable[[UnifiScannerCoordinator, str], Value]:
    """Return a value function that reads the client's link, if there is one."""

    def value(coordinator: UnifiScannerCoordinator, mac: str) -> Value:
        state = coordinator.client(mac)
        return None if state is None or state.link is None else value_fn(state.link)

    return value


def _of_metrics(
    value_fn: Callable[[Metrics], float | None],
) -> Callable[[UnifiScannerCoordinator], Value]:
    """Return a value function that reads the stream's metrics, rounded."""

    def value(coordinator: UnifiScannerCoordinator) -> Value:
        metrics = coordinator.metrics.latest
        number = None if metrics is None else value_fn(metrics)
        return None if number is None else round(number, 2)

    return value


def _access_point(coordinator: UnifiScannerCoordinator, mac: str) -> Value:
    return coordinator.access_point_name(coordinator.access_point_of(mac)) or NOT_CONNECTED


def _area(coordinator: UnifiScannerCoordinator, mac: str) -> Value:
    if coordinator.access_point_of(mac) is None:
        return NOT_CONNECTED
    return coordinator.areas.area_name(coordinator.areas.area_of(mac))


def _time(timestamp: float | None) -> datetime | None:
    # In whole seconds, as it is shown, so that fractions do not count as changes.
    return None if timestamp is None else datetime.fromtimestamp(int(timestamp), UTC)


CLIENT_SENSORS: tuple[ClientSensorDescription, ...] = (
    ClientSensorDescription(
        key="access_point",
        translation_key="access_point",
        name=None,
        value_fn=_access_point,
        attributes_fn=lambda coordinator, mac: {"ap_mac": coordinator.access_point_of(mac)},
    ),
    ClientSensorDescription(
        key="area",
        translation_key="area",
        value_fn=_area,
        attributes_fn=lambda coordinator, mac: {"area_id": coordinator.areas.area_of(mac)},
    ),
    ClientSensorDescription(
        key="previous_access_point",
        translation_key="previous_access_point",
        value_fn=lambda coordinator, mac: coordinator.access_point_name(
            coordinator.history.client(mac).previous_ap_mac
        ),
    ),
    ClientSensorDescription(
        key="connected_since",
        translation_key="connected_since",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=_of_state(lambda state: _time(state.connected_since)),
    ),
    ClientSensorDescription(
        key="last_roam",
        translation_key="last_roam",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda coordinator, mac: _time(coordinator.history.client(mac).last_roam),
    ),
    ClientSensorDescription(
        key="roams_today",
        translation_key="roams_today",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda coordinator, mac: coordinator.history.client(mac).roams_today,
    ),
    ClientSensorDescription(
        key="band",
        translation_key="band",
        device_class=SensorDeviceClass.ENUM,
        options=list(BAND_STATES.values()),
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_of_link(lambda link: link.band and BAND_STATES[link.band]),
    ),
    ClientSensorDescription(
        key="ssid",
        translation_key="ssid",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_link(lambda link: link.ssid),
    ),
    ClientSensorDescription(
        key="channel",
        translation_key="channel",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_link(lambda link: link.channel),
    ),
    ClientSensorDescription(
        key="signal",
        translation_key="signal",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_state(lambda state: state.signal),
        volatile=True,
    ),
    ClientSensorDescription(
        key="roam_count",
        translation_key="roam_count",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_state(lambda state: state.roam_count),
    ),
)

ACCESS_POINT_SENSORS: tuple[AccessPointSensorDescription, ...] = (
    AccessPointSensorDescription(
        key=ACCESS_POINT_SENSOR_KEY,
        translation_key="wireless_clients",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda coordinator, mac: coordinator.tracker.clients_per_access_point.get(mac, 0),
    ),
)

SITE_SENSORS: tuple[SiteSensorDescription, ...] = (
    SiteSensorDescription(
        key="wireless_clients",
        translation_key="wireless_clients",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda coordinator: coordinator.tracker.connected_clients,
    ),
    SiteSensorDescription(
        key="roams_today",
        translation_key="roams_today",
        state_class=SensorStateClass.TOTAL_INCREASING,
        value_fn=lambda coordinator: coordinator.history.roams_today,
    ),
    SiteSensorDescription(
        key="frame_rate",
        translation_key="frame_rate",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_metrics(lambda metrics: metrics.frame_rate),
    ),
    SiteSensorDescription(
        key="data_rate",
        translation_key="data_rate",
        device_class=SensorDeviceClass.DATA_RATE,
        native_unit_of_measurement=UnitOfDataRate.BYTES_PER_SECOND,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_metrics(lambda metrics: metrics.data_rate),
    ),
    SiteSensorDescription(
        key="frame_time",
        translation_key="frame_time",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MICROSECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_metrics(lambda metrics: metrics.frame_time),
    ),
    SiteSensorDescription(
        key="state_writes",
        translation_key="state_writes",
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=_of_metrics(lambda metrics: metrics.state_writes),
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant,
    entry: UnifiScannerConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the site's sensors, and those of clients and access points as they appear."""
    coordinator = entry.runtime_data
    clients: set[str] = set()
    access_points = coordinator.devices.shown_access_points

    @callback
    def add_new_clients() -> None:
        # A client that the user removed may be tracked again.
        clients.intersection_update(coordinator.tracked)
        if new := sorted(coordinator.tracked - clients):
            clients.update(new)
            async_add_entities(
                ClientSensor(coordinator, description, mac)
                for mac in new
                for description in CLIENT_SENSORS
            )

    @callback
    def add_new_access_points() -> None:
        if new := sorted(coordinator.access_points.keys() - access_points):
            access_points.update(new)
            async_add_entities(
                AccessPointSensor(coordinator, description, mac)
                for mac in new
                for description in ACCESS_POINT_SENSORS
            )

    async_add_entities(SiteSensor(coordinator, description) for description in SITE_SENSORS)
    add_new_access_points()
    add_new_clients()
    entry.async_on_unload(coordinator.async_add_listener(add_new_access_points))
    entry.async_on_unload(coordinator.tracked.async_add_listener(add_new_clients))


class UnifiScannerSensor(UnifiScannerEntity, SensorEntity):
    """A sensor of a site."""

    @property
    @override
    def native_value(self) -> Value:
        return self._entity_state.value


class ClientSensor(ClientEntity, UnifiScannerSensor):
    """A sensor of a tracked client."""

    entity_description: ClientSensorDescription
    _written_at = 0.0
    _written_at_ap: str | None = None

    @property
    def _interval(self) -> float:
        interval: float = option(self.coordinator.config_entry, CONF_VOLATILE_INTERVAL)
        return interval

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        if self.entity_description.volatile:
            signals = self.coordinator.listeners.signals
            self.async_on_remove(signals.async_add(self.mac, self._async_update))
            # Home Assistant writes the current state right after this.
            self._mark_written()

    @override
    def _read(self) -> EntityState:
        description, coordinator, mac = self.entity_description, self.coordinator, self.mac
        return EntityState(
            coordinator.available,
            description.value_fn(coordinator, mac),
            description.attributes_fn and description.attributes_fn(coordinator, mac),
        )

    @override
    def _is_throttled(self, state: EntityState) -> bool:
        if not self.entity_description.volatile:
            return False
        if (
            self.coordinator.access_point_of(self.mac) == self._written_at_ap
            and monotonic() < self._written_at + self._interval
            and state.available
            and self._entity_state.available
            and self._entity_state.value is not None
        ):
            return True
        self._mark_written()
        return False

    def _mark_written(self) -> None:
        self._written_at = monotonic()
        self._written_at_ap = self.coordinator.access_point_of(self.mac)


class AccessPointSensor(AccessPointEntity, UnifiScannerSensor):
    """A sensor of an access point."""

    entity_description: AccessPointSensorDescription

    @override
    def _read(self) -> EntityState:
        coordinator, mac = self.coordinator, self.mac
        return EntityState(
            coordinator.available and mac in coordinator.access_points,
            self.entity_description.value_fn(coordinator, mac),
        )


class SiteSensor(SiteEntity, UnifiScannerSensor):
    """A sensor of the whole site."""

    entity_description: SiteSensorDescription

    @override
    def _read(self) -> EntityState:
        coordinator = self.coordinator
        return EntityState(coordinator.available, self.entity_description.value_fn(coordinator))
