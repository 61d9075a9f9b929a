"""A site's devices in Home Assistant's registry: controller, access points, tracked clients."""

from collections.abc import Collection, Mapping, Sequence

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo

from .api.records import DeviceRecord, SystemInfo
from .bus import Place
from .const import DOMAIN
from .roaming import ClientState

_MANUFACTURER = "Ubiquiti"
_ACCESS_POINT_TYPE = "uap"


class SiteDevices:
    """Finds the site's devices in one look-up each, and knows what they are called.

    `access_points` holds, by MAC, every adopted access point and whatever else clients have been
    on: consoles with a radio are not of an access point's type (protocol.md 5).
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare, without devices."""
        self.access_points: dict[str, DeviceRecord] = {}
        self._entry = entry
        self._registry = dr.async_get(hass)
        self._controller_id: str | None = None
        # The names that the registry has been given, to see when one changes.
        self._names: dict[str, str] = {}

    def access_point_name(self, mac: str) -> str:
        """Return an access point's name, without one its model and MAC, else its MAC."""
        record = self.access_points.get(mac)
        if record is None:
            return mac
        return record.name or (f"{record.model} {mac}" if record.model else mac)

    def place(self, mac: str | None) -> Place:
        """Return an access point with its name and the area of its device."""
        if mac is None:
            return Place()
        device = self._device(mac)
        return Place(
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
            identifiers=self._identifiers(),
            name=self._entry.title,
            manufacturer=_MANUFACTURER,
            model=info.model,
            sw_version=info.version,
            configuration_url=self._entry.data[CONF_URL],
        ).id

    def controller_info(self) -> DeviceInfo:
        """Return the device of the site's own entities."""
        return DeviceInfo(identifiers=self._identifiers())

    def access_point_info(self, mac: str) -> DeviceInfo:
        """Return the device of an access point's entities."""
        record = self.access_points[mac]
        return self._info(mac, self.access_point_name(mac), _MANUFACTURER, record.model)

    def client_info(self, mac: str, state: ClientState | None) -> DeviceInfo:
        """Return the device of a client's entities; one that is away keeps its last known name."""
        device = self._device(mac)
        known = (device and device.name) or mac
        return self._info(mac, known if state is None or state.name == mac else state.name)

    @callback
    def async_take(self, records: Sequence[DeviceRecord], occupied: Collection[str]) -> None:
        """Take the controller's devices; `occupied` are those that have clients now."""
        if not records:
            # A controller that boots lists nothing for minutes.
            self.async_meet(occupied)
            return
        # One that was removed keeps its name for as long as clients are listed on it.
        kept = {mac: known for mac, known in self.access_points.items() if mac in occupied}
        devices = kept | {record.mac: record for record in records}
        self.access_points = {
            mac: record
            for mac, record in devices.items()
            if record.type == _ACCESS_POINT_TYPE or mac in occupied or mac in self.access_points
        }
        self.async_meet(occupied)

    @callback
    def async_meet(self, macs: Collection[str]) -> bool:
        """Make sure that access points which have clients are there; return whether one is new."""
        unknown = [mac for mac in macs if mac not in self.access_points]
        for mac in unknown:
            self.access_points[mac] = DeviceRecord(mac=mac, name=None, model=None, type=None)
        return bool(unknown)

    @callback
    def async_follow_names(self, clients: Mapping[str, ClientState]) -> None:
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

    def _info(
        self, mac: str, name: str, manufacturer: str | None = None, model: str | None = None
    ) -> DeviceInfo:
        self._names[mac] = name
        info = DeviceInfo(
            identifiers=self._identifiers(mac),
            connections={(CONNECTION_NETWORK_MAC, mac)},
            name=name,
            manufacturer=manufacturer,
            model=model,
        )
        if self._controller_id is not None:
            info["via_device_id"] = self._controller_id
        return info

    def _device(self, mac: str) -> dr.DeviceEntry | None:
        (identifier,) = self._identifiers(mac)
        return self._registry.async_get_device_by_identifier(identifier, self._entry.entry_id)

    def _identifiers(self, mac: str | None = None) -> set[tuple[str, str]]:
        unique_id = self._entry.unique_id
        return {(DOMAIN, f"{unique_id}_{mac}" if mac else f"{unique_id}")}
