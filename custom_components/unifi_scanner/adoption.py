"""New clients that are tracked without being asked for, where the user wants that."""

from collections.abc import Iterable

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import CONF_ADD_NEW_CLIENTS, CONF_CLIENTS
from .roaming import ClientState

# Each is a device with its entities: passers-by must not become thousands of them.
LIMIT = 500


class Adoption:
    """Adds new clients to those that are tracked, the coordinator's own, live set."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, tracked: set[str]) -> None:
        """Add nobody yet."""
        self._hass = hass
        self._entry = entry
        self._tracked = tracked
        self._wanted: bool = entry.options.get(CONF_ADD_NEW_CLIENTS, False)

    @callback
    def async_adopt(self, new: Iterable[ClientState]) -> bool:
        """Track those of these that are no guests, as many as there is room for, if wanted.

        Returns whether any are tracked now that were not.
        """
        macs = [state.mac for state in new if self._wanted and not state.guest]
        adopted = set(macs[: max(0, LIMIT - len(self._tracked))]) - self._tracked
        if not adopted:
            return False
        self._tracked |= adopted
        # Nothing listens for updates of the entry, so this does not reload it.
        self._hass.config_entries.async_update_entry(
            self._entry, options={**self._entry.options, CONF_CLIENTS: sorted(self._tracked)}
        )
        return True
