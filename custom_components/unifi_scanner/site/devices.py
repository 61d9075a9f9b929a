"""The devices of a site in Home Assistant's registry: controller, access points and clients."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import (
    CONNECTION_NETWORK_MAC,
    DeviceEntryType,
    DeviceInfo,
)
from homeassistant.util import slugify

from ..api.records import DeviceRecord, SystemInfo, normalise_mac
from ..const import DOMAIN
from ..roaming import ClientState

MANUFACTURER = "Ubiquiti"
# The key of the sensor that every access point has (see `device_kind`).
ACCESS_POINT_SENSOR_KEY = "wireless_clients"
# The key of the sensor that every tracked client has: its access point.
CLIENT_SENSOR_KEY = "access_point"
_ACCESS_POINT_TYPE = "uap"
# The identifier of an area's device is this prefix and the area's id.
_AREA_PREFIX = "area_"
# The device of an access point that the controller no longer lists is removed after this time. One
# that is reset and adopted again keeps the user's settings of its device.
GONE_AFTER = 3600.0  # seconds
# Entity ids consist of the names of the device and the entity. Home Assistant cuts them at 255
# characters, and an id that then ends with an underscore is invalid: its entity would be missing.
_MAX_SLUG_LENGTH = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """An access point with its name and the id of its device's area."""

    mac: str | None = None
    name: str | None = None
    area: str | None = None


def client_names(
    hass: HomeAssistant, entry: ConfigEntry, macs: Iterable[str]
) -> dict[str, str | None]:
    """Return the UniFi names of these clients by their devices, None for those without a name."""
    registry = dr.async_get(hass)
    names: dict[str, str | None] = {}
    for mac in macs:
        device = registry.async_get_device_by_identifier(_identifier(entry, mac), entry.entry_id)
        names[mac] = device.name if device and device.name != mac else None
    return names


@lru_cache(maxsize=8192)
def device_name(name: str) -> str:
    """Return a name cut to what leaves the ids of the device's entities valid."""
    # In a slug, a character of some scripts becomes a whole syllable.
    while (length := len(slugify(name))) > _MAX_SLUG_LENGTH:
        name = name[: len(name) * _MAX_SLUG_LENGTH // length].rstrip()
    return name


def mac_of(entry: ConfigEntry, device: dr.DeviceEntry) -> str | None:
    """Return the MAC of a client's or an access point's device, None for the controller's."""
    prefix = f"{entry.unique_id}_"
    for domain, identifier in device.identifiers:
        if domain == DOMAIN and identifier.startswith(prefix):
            return normalise_mac(identifier.removeprefix(prefix))
    return None


def area_of(device: dr.DeviceEntry) -> str | None:
    """Return the id of the area that a device stands for, None for any other device."""
    for domain, identifier in device.identifiers:
        if domain == DOMAIN and identifier.startswith(_AREA_PREFIX):
            return identifier.removeprefix(_AREA_PREFIX)
    return None


class DeviceKind(Enum):
    """The kinds of devices of a site."""

    CONTROLLER = auto()
    ACCESS_POINT = auto()
    CLIENT = auto()
    AREA = auto()


@callback
def device_kind(hass: HomeAssistant, entry: ConfigEntry, device: dr.DeviceEntry) -> DeviceKind:
    """Return what a device of an entry is; the entry need not be loaded.

    The controller's identifier is the entry's unique id. Clients and access points both have that
    id followed by their MAC, and existing installations hold such identifiers, so they cannot tell
    the two apart. The entity registry can: every access point, and no client, has the sensor of
    its wireless clients. The registry keeps the sensor as long as the device, even if it is
    disabled or the entry fails to load, and it needs no migration in either direction.
    """
    if area_of(device) is not None:
        return DeviceKind.AREA
    mac = mac_of(entry, device)
    if mac is None:
        return DeviceKind.CONTROLLER
    return DeviceKind.ACCESS_POINT if _is_access_point(hass, entry, mac) else DeviceKind.CLIENT


def _is_access_point(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> bool:
    return sensor_id(hass, entry, mac, ACCESS_POINT_SENSOR_KEY) is not None


@callback
def sensor_id(hass: HomeAssistant, entry: ConfigEntry, mac: str, key: str) -> str | None:
    """Return the entity id of a client's or an access point's sensor, None if it has none."""
    unique_id = f"{entry.unique_id}_{mac}_{key}"
    return er.async_get(hass).async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)


def _identifier(entry: ConfigEntry, mac: str | None = None) -> tuple[str, str]:
    return DOMAIN, f"{entry.unique_id}_{mac}" if mac else f"{entry.unique_id}"


class SiteDevices:
    """The access points of a site, and the devices and names of access points and clients.

    `access_points` holds, by MAC, every adopted access point and every other device that clients
    have been on: consoles with a radio do not have an access point's type (docs/protocol.md 5).
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Start without access points."""
        self.access_points: dict[str, DeviceRecord] = {}
        # The access points that have entities. The sensor platform adds those that are missing.
        self.shown_access_points: set[str] = set()
        # Names of clients that have not been connected since their device was created.
        self.fallback_names: Mapping[str, str] = {}
        self._entry = entry
        self._hass = hass
        self._registry = dr.async_get(hass)
        self._controller_id: str | None = None
        # The device names last passed to the registry, to detect changes.
        self._names: dict[str, str] = {}
        # Whether the controller has listed any devices yet.
        self.has_listed = False
        # When access points were first missing from the controller's list, on a monotonic clock.
        self._missing_since: dict[str, float] = {}

    def access_point_name(self, mac: str) -> str:
        """Return an access point's name, or else its model and MAC, or else its MAC."""
        record = self.access_points.get(mac)
        if record is None:
            return mac
        return record.name or (f"{record.model} {mac}" if record.model else mac)

    def location(self, mac: str | None) -> Location:
        """Return the location of an access point, an empty one for None."""
        if mac is None:
            return Location()
        device = self._device(mac)
        return Location(
            mac=mac, name=self.access_point_name(mac), area=device.area_id if device else None
        )

    def client_device_id(self, mac: str) -> str | None:
        """Return the id of a client's device, None if it has none."""
        device = self._device(mac)
        return device.id if device else None

    @callback
    def async_register_controller(self, info: SystemInfo) -> None:
        """Create or update the controller's device, which all others are connected via."""
        self._controller_id = self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={_identifier(self._entry)},
            name=device_name(self._entry.title),
            manufacturer=MANUFACTURER,
            model=info.model,
            sw_version=info.version,
            configuration_url=self._entry.data[CONF_URL],
        ).id

    def controller_info(self) -> DeviceInfo:
        """Return the device of the site's own entities."""
        return DeviceInfo(identifiers={_identifier(self._entry)})

    def area_info(self, area_id: str, name: str) -> DeviceInfo:
        """Return the device of an area's entities."""
        info = DeviceInfo(
            identifiers={(DOMAIN, f"{_AREA_PREFIX}{area_id}")},
            name=device_name(name),
            entry_type=DeviceEntryType.SERVICE,
            suggested_area=name,
        )
        if self._controller_id is not None:
            info["via_device_id"] = self._controller_id
        return info

    @callback
    def async_rename_area(self, area_id: str, name: str) -> None:
        """Rename the device of an area that was renamed."""
        device = self._registry.async_get_device_by_identifier(
            (DOMAIN, f"{_AREA_PREFIX}{area_id}"), self._entry.entry_id
        )
        if device is not None:
            self._registry.async_update_device(device.id, name=device_name(name))

    @callback
    def async_remove_other_areas(self, areas: Collection[str]) -> None:
        """Remove the devices of areas other than these."""
        for device in dr.async_entries_for_config_entry(self._registry, self._entry.entry_id):
            if (area_id := area_of(device)) is not None and area_id not in areas:
                self._registry.async_remove_device(device.id)

    def access_point_areas(self) -> dict[str, str | None]:
        """Return the area of each access point by MAC, also of those missing for a short time."""
        return {
            mac: self.location(mac).area for mac in self.access_points.keys() | self._missing_since
        }

    def access_point_info(self, mac: str) -> DeviceInfo:
        """Return the device of an access point's entities."""
        record = self.access_points[mac]
        return self._info(mac, self.access_point_name(mac), MANUFACTURER, record.model)

    def client_info(self, mac: str, state: ClientState | None) -> DeviceInfo:
        """Return the device of a client's entities.

        A client that is not connected keeps its last known name.
        """
        if state is not None and state.name != mac:
            return self._info(mac, state.name)
        device = self._device(mac)
        known = device.name if device and device.name != mac else self.fallback_names.get(mac)
        return self._info(mac, known or mac)

    def names_of(self, clients: Iterable[str]) -> dict[str, str]:
        """Return the names of these clients' devices, without those that have no name."""
        names = client_names(self._hass, self._entry, clients)
        return {mac: name for mac, name in names.items() if name is not None}

    @callback
    def async_update_from_snapshot(
        self, records: Sequence[DeviceRecord], occupied: Collection[str]
    ) -> None:
        """Update the access points; `occupied` are the MACs of those that have clients."""
        if not records:
            # A booting controller lists no devices for minutes.
            self.async_ensure_access_points(occupied)
            return
        self.has_listed = True
        # A removed access point keeps its name while clients are still listed on it.
        kept = {mac: known for mac, known in self.access_points.items() if mac in occupied}
        devices = kept | {record.mac: record for record in records}
        self.access_points = {
            mac: record
            for mac, record in devices.items()
            if record.type == _ACCESS_POINT_TYPE
            or mac in occupied
            or mac in self.access_points
            # Clients were on it before a restart.
            or _is_access_point(self._hass, self._entry, mac)
        }
        self.async_ensure_access_points(occupied)

    def is_present(self, mac: str) -> bool:
        """Return whether an access point is adopted or has clients."""
        return mac in self.access_points

    @callback
    def async_ensure_access_points(self, macs: Collection[str]) -> bool:
        """Add access points that have clients but are unknown; return whether there were any."""
        unknown = [mac for mac in macs if mac not in self.access_points]
        for mac in unknown:
            self.access_points[mac] = DeviceRecord(mac=mac, name=None, model=None, type=None)
        return bool(unknown)

    @callback
    def async_update_names(self, clients: Mapping[str, ClientState]) -> None:
        """Rename the devices of access points and clients that were renamed in UniFi."""
        for mac, known in self._names.items():
            if mac in self.access_points:
                name = self.access_point_name(mac)
            elif (state := clients.get(mac)) is not None and state.name != mac:
                name = state.name
            else:
                continue
            name = device_name(name)
            if name != known and (device := self._device(mac)) is not None:
                self._names[mac] = name
                self._registry.async_update_device(device.id, name=name)

    @callback
    def async_remove_stale(self, clients: Collection[str], now: float) -> None:
        """Remove the devices of clients other than these, and of access points long gone.

        `now` is in seconds on a monotonic clock.
        """
        for mac, device in self._devices():
            if mac in clients or self.is_present(mac):
                self._missing_since.pop(mac, None)
                continue
            if device_kind(self._hass, self._entry, device) is DeviceKind.ACCESS_POINT:
                missing_since = self._missing_since.setdefault(mac, now)
                if not self.has_listed or now - missing_since < GONE_AFTER:
                    continue
            self.async_forget(mac)
            self._registry.async_remove_device(device.id)

    @callback
    def async_forget(self, mac: str) -> None:
        """Forget a client or an access point whose device is about to be removed."""
        self._names.pop(mac, None)
        self._missing_since.pop(mac, None)
        self.shown_access_points.discard(mac)

    def _devices(self) -> Iterator[tuple[str, dr.DeviceEntry]]:
        """Yield the devices of clients and access points with their MACs."""
        for device in dr.async_entries_for_config_entry(self._registry, self._entry.entry_id):
            if (mac := mac_of(self._entry, device)) is not None:
                yield mac, device

    def _info(
        self, mac: str, name: str, manufacturer: str | None = None, model: str | None = None
    ) -> DeviceInfo:
        name = device_name(name)
        self._names[mac] = name
        info = DeviceInfo(
            identifiers={_identifier(self._entry, mac)},
            connections={(CONNECTION_NETWORK_MAC, mac)},
            name=name,
            manufacturer=manufacturer,
            model=model,
        )
        if self._controller_id is not None:
            info["via_device_id"] = self._controller_id
        return info

    def _device(self, mac: str) -> dr.DeviceEntry | None:
        return self._registry.async_get_device_by_identifier(
            _identifier(self._entry, mac), self._entry.entry_id
        )
