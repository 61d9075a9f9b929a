"""A device that the user removes: a client's, or that of an access point which is gone."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceEntry

from .const import CONF_CLIENTS
from .coordinator import UnifiScannerConfigEntry
from .site.devices import MANUFACTURER, mac_of


@callback
def async_let_go(hass: HomeAssistant, entry: UnifiScannerConfigEntry, device: DeviceEntry) -> bool:
    """Return whether a device may be removed; a client is then no longer one of the chosen.

    Without the controller's answer nobody knows whether an access point is gone.
    """
    mac = mac_of(entry, device)
    coordinator = entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
    if mac is None:
        return False
    if device.manufacturer == MANUFACTURER and (
        coordinator is None or coordinator.devices.is_present(mac)
    ):
        return False
    if coordinator is not None:
        coordinator.tracked.discard(mac)
        coordinator.devices.async_forget(mac)
        coordinator.history.async_know((mac,))
        coordinator.rooms.async_show_all()
    clients = [client for client in entry.options.get(CONF_CLIENTS, ()) if client != mac]
    # Nothing listens for updates of the entry, so this does not reload it.
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_CLIENTS: clients})
    return True
