"""A site's devices in Home Assistant's registry: controller, access points, tracked clients."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo

from ..api.records import DeviceRecord, SystemInfo, normalise_mac
from ..const import DOMAIN
from ..roaming import ClientState

MANUFACTURER = "Ubiquiti"
# The key of the sensor that every access point has (see `device_kind`).
ACCESS_POINT_SENSOR_KEY = "wireless_clients"
_ACCESS_POINT_TYPE = "uap"
# An access point that the controller no longer lists is forgotten after this long, in seconds:
# one that is reset and adopted anew keeps what the user has made of its device.
GONE_AFTER = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """An access point as people know it; `area` is the id of its device's area."""

    mac: str | None = None
    name: str | None = None
    area: str | None = None


def client_names(
    hass: HomeAssistant, entry: ConfigEntry, macs: Iterable[str]
) -> dict[str, str | None]:
    """Return what these clients' devices are called in UniFi, None for those without a name."""
    registry = dr.async_get(hass)
    names: dict[str, str | None] = {}
    for mac in macs:
        device = registry.async_get_device_by_identifier(_identifier(entry, mac), entry.entry_id)
        names[mac] = device.name if device and device.name != mac else None
    return names


def mac_of(entry: ConfigEntry, device: dr.DeviceEntry) -> str | None:
    """Return the MAC of a client's or an access point's device, None for the controller's."""
    prefix = f"{entry.unique_id}_"
    for domain, identifier in device.identifiers:
        if domain == DOMAIN and identifier.startswith(prefix):
            return normalise_mac(identifier.removeprefix(prefix))
    return None


class DeviceKind(Enum):
    """The kinds of devices of a site."""

    CONTROLLER = auto()
    ACCESS_POINT = auto()
    CLIENT = auto()


@callback
def device_kind(hass: HomeAssistant, entry: ConfigEntry, device: dr.DeviceEntry) -> DeviceKind:
    """Return what a device of an entry is; the entry need not be loaded.

    The controller's identifier is the entry's unique id. Clients and access points both have that
    id followed by their MAC, and existing installations hold such identifiers, so they cannot tell
    the two apart. The entity registry can: every access point, and no client, has the sensor of
    its wireless clients. The registry keeps the sensor as long as the device, even if it is
    disabled or the entry fails to load, and it needs no migration in either direction.
    """
    mac = mac_of(entry, device)
    if mac is None:
        return DeviceKind.CONTROLLER
    return DeviceKind.ACCESS_POINT if _is_access_point(hass, entry, mac) else DeviceKind.CLIENT


def _is_access_point(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> bool:
    unique_id = f"{entry.unique_id}_{mac}_{ACCESS_POINT_SENSOR_KEY}"
    return er.async_get(hass).async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id) is not None


def _identifier(entry: ConfigEntry, mac: str | None = None) -> tuple[str, str]:
    return DOMAIN, f"{entry.unique_id}_{mac}" if mac else f"{entry.unique_id}"


class SiteDevices:
    """Finds the site's devices in one look-up each, and knows what they are called.

    `access_points` holds, by MAC, every adopted access point and whatever else clients have been
    on: consoles with a radio are not of an access point's type (protocol.md 5).
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare, without devices."""
        self.access_points: dict[str, DeviceRecord] = {}
        # Those that have entities, for whoever adds these: one whose device is gone needs new ones.
        self.shown_access_points: set[str] = set()
        # What clients are called that have not been seen since their device was made.
        self.fallback_names: Mapping[str, str] = {}
        self._entry = entry
        self._hass = hass
        self._registry = dr.async_get(hass)
        self._controller_id: str | None = None
        # The names that the registry has been given, to see when one changes.
        self._names: dict[str, str] = {}
        # Whether the controller has listed anything yet.
        self._listed = False
        # When access points that are no longer listed were first missed, by the loop's clock.
        self._missed: dict[str, float] = {}

    def access_point_name(self, mac: str) -> str:
        """Return an access point's name, without one its model and MAC, else its MAC."""
        record = self.access_points.get(mac)
        if record is None:
            return mac
        return record.name or (f"{record.model} {mac}" if record.model else mac)

    def location(self, mac: str | None) -> Location:
        """Return an access point with its name and the area of its device."""
        if mac is None:
            return Location()
        device = self._device(mac)
        return Location(
            mac=mac, name=self.access_point_name(mac), area=device.area_id if device else None
        )

    def client_device_id(self, mac: str) -> str | None:
        """Return the id of a client's device, None when it has none."""
        device = self._device(mac)
        return device.id if device else None

    @callback
    def async_register_controller(self, info: SystemInfo) -> None:
        """Create the device that all others hang on, before any of them."""
        self._controller_id = self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={_identifier(self._entry)},
            name=self._entry.title,
            manufacturer=MANUFACTURER,
            model=info.model,
            sw_version=info.version,
            configuration_url=self._entry.data[CONF_URL],
        ).id

    def controller_info(self) -> DeviceInfo:
        """Return the device of the site's own entities."""
        return DeviceInfo(identifiers={_identifier(self._entry)})

    def access_point_info(self, mac: str) -> DeviceInfo:
        """Return the device of an access point's entities."""
        record = self.access_points[mac]
        return self._info(mac, self.access_point_name(mac), MANUFACTURER, record.model)

    def client_info(self, mac: str, state: ClientState | None) -> DeviceInfo:
        """Return the device of a client's entities; one that is away keeps its last known name."""
        if state is not None and state.name != mac:
            return self._info(mac, state.name)
        device = self._device(mac)
        known = device.name if device and device.name != mac else self.fallback_names.get(mac)
        return self._info(mac, known or mac)

    def names_of(self, clients: Iterable[str]) -> dict[str, str]:
        """Return what those of these clients are called whose devices have a name."""
        names = client_names(self._hass, self._entry, clients)
        return {mac: name for mac, name in names.items() if name is not None}

    @callback
    def async_update_from_snapshot(
        self, records: Sequence[DeviceRecord], occupied: Collection[str]
    ) -> None:
        """Take the controller's devices; `occupied` are those that have clients now."""
        if not records:
            # A controller that boots lists nothing for minutes.
            self.async_ensure_access_points(occupied)
            return
        self._listed = True
        # One that was removed keeps its name for as long as clients are listed on it.
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
        """Make sure that access points which have clients are there; return whether one is new."""
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
            if name != known and (device := self._device(mac)) is not None:
                self._names[mac] = name
                self._registry.async_update_device(device.id, name=name)

    @callback
    def async_remove_stale(self, clients: Collection[str], now: float) -> None:
        """Remove the devices of clients other than these, and of access points long gone.

        `now` is in seconds by any clock that only goes forward.
        """
        for mac, device in self._devices():
            if mac in clients or self.is_present(mac):
                self._missed.pop(mac, None)
                continue
            if _is_access_point(self._hass, self._entry, mac):
                missed = self._missed.setdefault(mac, now)
                if not self._listed or now - missed < GONE_AFTER:
                    continue
            self.async_forget(mac)
            self._registry.async_remove_device(device.id)

    @callback
    def async_forget(self, mac: str) -> None:
        """Forget a client or an access point whose device is about to be removed."""
        self._names.pop(mac, None)
        self._missed.pop(mac, None)
        self.shown_access_points.discard(mac)

    def _devices(self) -> Iterator[tuple[str, dr.DeviceEntry]]:
        for device in dr.async_entries_for_config_entry(self._registry, self._entry.entry_id):
            if (mac := mac_of(self._entry, device)) is not None:
                yield mac, device

    def _info(
        self, mac: str, name: str, manufacturer: str | None = None, model: str | None = None
    ) -> DeviceInfo:
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
