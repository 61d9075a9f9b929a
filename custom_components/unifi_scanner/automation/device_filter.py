"""Who and where is meant in a trigger or a condition: the devices and areas chosen for it."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, device_registry as dr
import probatio

from ..const import CONF_CLIENTS, DOMAIN
from ..site.devices import MANUFACTURER, mac_of

CONF_ACCESS_POINTS: Final = "access_points"
CONF_AREAS: Final = "areas"
CONF_SSID: Final = "ssid"

SEVERAL = probatio.All(probatio.EnsureList(), [cv.string])
AT_LEAST_ONE = probatio.All(SEVERAL, probatio.Length(min=1))

type Fields = Mapping[probatio.Marker, Any]


@callback
def async_find(
    hass: HomeAssistant, device_id: str
) -> tuple[dr.DeviceEntry | None, ConfigEntry | None]:
    """Return a device and its config entry: neither if there is none, no entry if not ours."""
    return dr.async_get_device_and_config_entry_for_domain(
        hass, device_id, domain=DOMAIN, include_child_devices=False
    )


@callback
def async_check_devices(hass: HomeAssistant, options: Mapping[str, Any]) -> None:
    """Refuse devices that are not what they were chosen as: clients or access points.

    One that is not there is let through: its config entry may be set up later.
    """
    for option, chosen in options.items():
        if option == CONF_CLIENTS:
            key = "not_a_client"
        elif option.endswith(CONF_ACCESS_POINTS):
            key = "not_an_access_point"
        else:
            continue
        for device_id in chosen:
            device, entry = async_find(hass, device_id)
            if device is None:
                continue
            is_client = device.manufacturer != MANUFACTURER
            if entry is None or is_client is not (option == CONF_CLIENTS):
                raise HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key=key,
                    translation_placeholders={
                        "device": device.name_by_user or device.name or device_id
                    },
                )


class LocationFilter:
    """Access points and areas, any of which will do; none of either is anywhere.

    The controller's device stands for all access points of its site.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        access_points: Collection[str] = (),
        areas: Collection[str] = (),
    ) -> None:
        """Take the ids of devices and areas, which need not exist yet."""
        self._hass = hass
        self._access_points = access_points
        self._areas = areas

    @callback
    def async_matches(self, entry_id: str, ap_mac: str | None, area: str | None) -> bool:
        """Return whether an access point of that config entry, in that area, is one of these."""
        if not self._access_points and not self._areas:
            return True
        return area in self._areas or any(
            self._is(device_id, entry_id, ap_mac) for device_id in self._access_points
        )

    def _is(self, device_id: str, entry_id: str, ap_mac: str | None) -> bool:
        device, entry = async_find(self._hass, device_id)
        if device is None or entry is None or entry.entry_id != entry_id or ap_mac is None:
            return False
        return mac_of(entry, device) in {None, ap_mac}
