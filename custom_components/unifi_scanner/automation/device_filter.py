"""The devices and areas that are selected in triggers and conditions."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, device_registry as dr
import probatio

from ..const import CONF_CLIENTS, DOMAIN
from ..site.devices import DeviceKind, device_kind, mac_of

CONF_ACCESS_POINTS: Final = "access_points"
CONF_AREAS: Final = "areas"
CONF_SSID: Final = "ssid"

STRINGS = probatio.All(probatio.EnsureList(), [cv.string])
NON_EMPTY_STRINGS = probatio.All(STRINGS, probatio.Length(min=1))

type Fields = Mapping[probatio.Marker, Any]


@callback
def async_find_device(
    hass: HomeAssistant, device_id: str
) -> tuple[dr.DeviceEntry | None, ConfigEntry | None]:
    """Return a device, None if there is none, and our config entry, None if it is not ours."""
    return dr.async_get_device_and_config_entry_for_domain(
        hass, device_id, domain=DOMAIN, include_child_devices=False
    )


@callback
def async_check_devices(hass: HomeAssistant, options: Mapping[str, Any]) -> None:
    """Check that the devices in each field are clients or access points, as the field requires.

    Devices that do not exist are accepted, as their config entry may be set up later. Raises
    HomeAssistantError for any other mismatch.
    """
    for option, selected in options.items():
        if option == CONF_CLIENTS:
            key = "not_a_client"
        elif option.endswith(CONF_ACCESS_POINTS):
            key = "not_an_access_point"
        else:
            continue
        for device_id in selected:
            device, entry = async_find_device(hass, device_id)
            if device is None:
                continue
            if entry is not None:
                is_client = device_kind(hass, entry, device) is DeviceKind.CLIENT
                if is_client is (option == CONF_CLIENTS):
                    continue
            name = device.name_by_user or device.name or device_id
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders={"device": name},
            )


class LocationFilter:
    """Matches any of the given access points and areas, or everything if none are given.

    The controller's device matches all access points of its site.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        access_points: Collection[str] = (),
        areas: Collection[str] = (),
    ) -> None:
        """Set the ids of the access points' devices and of the areas, which need not exist yet."""
        self._hass = hass
        self._access_points = access_points
        self._areas = areas

    @callback
    def async_matches(self, entry_id: str, ap_mac: str | None, area: str | None) -> bool:
        """Return whether an access point of a config entry, located in an area, matches."""
        if not self._access_points and not self._areas:
            return True
        return area in self._areas or any(
            self._is_access_point(device_id, entry_id, ap_mac) for device_id in self._access_points
        )

    def _is_access_point(self, device_id: str, entry_id: str, ap_mac: str | None) -> bool:
        device, entry = async_find_device(self._hass, device_id)
        if device is None or entry is None or entry.entry_id != entry_id or ap_mac is None:
            return False
        return mac_of(entry, device) in {None, ap_mac}
