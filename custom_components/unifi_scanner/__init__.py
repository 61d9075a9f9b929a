"""UniFi Scanner: who roams where in a UniFi WiFi."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import UnifiScannerConfigEntry, UnifiScannerCoordinator
from .hub.session_pool import async_acquire_session, async_close_unused_sessions
from .services import async_setup_services
from .site.devices import DeviceKind, device_kind, mac_of
from .site.history import async_remove_history
from .site.roam_log import async_remove_roam_log
from .site.tracked import async_remove_from_options

PLATFORMS = [Platform.BINARY_SENSOR, Platform.EVENT, Platform.SENSOR]
CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Set up the actions, which are there before any site is."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: UnifiScannerConfigEntry) -> bool:
    """Set up a site of a controller."""
    session = await async_acquire_session(hass, entry.data)
    entry.async_on_unload(session.async_release)

    coordinator = UnifiScannerCoordinator(hass, entry, session)
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator

    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    async def async_stop(_event: Event) -> None:
        await coordinator.async_shutdown()

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, async_stop))
    await coordinator.async_start()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: UnifiScannerConfigEntry) -> bool:
    """Unload a site; the session stays logged in for the next set-up."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        # Before the session is given back: what still ran could log in again.
        await entry.runtime_data.async_shutdown()
    return unloaded


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: UnifiScannerConfigEntry, device: DeviceEntry
) -> bool:
    """Let the user remove a client's device, and that of an access point which is gone."""
    return async_remove_device(hass, entry, device)


async def async_remove_entry(hass: HomeAssistant, entry: UnifiScannerConfigEntry) -> None:
    """Forget what is kept of a site, and log out where it was the console's last one."""
    await async_remove_history(hass, entry.entry_id)
    await async_remove_roam_log(hass, entry.entry_id)
    await async_close_unused_sessions(hass)


@callback
def async_remove_device(
    hass: HomeAssistant, entry: UnifiScannerConfigEntry, device: DeviceEntry
) -> bool:
    """Return whether a device may be removed; a client is then no longer one of the chosen.

    Without the controller's answer nobody knows whether an access point is gone.
    """
    mac = mac_of(entry, device)
    coordinator = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
    if mac is None:
        return False
    if device_kind(hass, entry, device) is DeviceKind.ACCESS_POINT and (
        coordinator is None or coordinator.devices.is_present(mac)
    ):
        return False
    if coordinator is not None:
        coordinator.devices.async_forget(mac)
        coordinator.history.async_mark_known((mac,))
        coordinator.tracked.async_remove(mac)
    else:
        async_remove_from_options(hass, entry, mac)
    return True
