"""UniFi Scanner: track how wireless clients roam between UniFi access points."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN
from .coordinator import UnifiScannerConfigEntry, UnifiScannerCoordinator
from .hub.identity import with_controller_id
from .hub.session_pool import async_acquire_session, async_close_unused_sessions
from .services import async_setup_services
from .site.devices import DeviceKind, device_kind, mac_of
from .site.history import async_remove_history
from .site.roam_log import async_remove_roam_log
from .site.timelines import async_remove_timelines
from .site.tracked import async_remove_client, async_remove_tracked

PLATFORMS = [Platform.BINARY_SENSOR, Platform.EVENT, Platform.SENSOR]
CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Register the actions, which exist even without a config entry."""
    async_setup_services(hass)
    return True


async def async_migrate_entry(hass: HomeAssistant, entry: UnifiScannerConfigEntry) -> bool:
    """Complete an entry of an earlier release; entries of later releases are used as they are."""
    if entry.version == 1 and entry.minor_version < 2:  # noqa: PLR2004 - the version itself
        hass.config_entries.async_update_entry(
            entry, data=with_controller_id(entry), minor_version=2
        )
    return entry.version == 1


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
    """Unload a site. The session stays logged in for the next set-up."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        # Before the session is released, as a request still running could log in again.
        await entry.runtime_data.async_shutdown()
    return unloaded


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: UnifiScannerConfigEntry, device: DeviceEntry
) -> bool:
    """Return whether a device may be removed, and stop tracking its client.

    An access point may only be removed while the entry is loaded and the controller does not list
    it. The controller itself may not be removed.
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
        await async_remove_client(hass, entry, mac)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: UnifiScannerConfigEntry) -> None:
    """Delete the files of a site, and log out if no other site uses the controller."""
    await async_remove_history(hass, entry.entry_id)
    await async_remove_roam_log(hass, entry.entry_id)
    await async_remove_timelines(hass, entry.entry_id)
    await async_remove_tracked(hass, entry.entry_id)
    await async_close_unused_sessions(hass)
