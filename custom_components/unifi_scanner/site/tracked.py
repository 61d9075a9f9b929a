"""The tracked clients of a site: those with a device and entities."""

from collections.abc import Iterable, Iterator, Set as AbstractSet
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import CONF_ADD_NEW_CLIENTS, CONF_CLIENTS, option
from ..roaming import ClientState
from .listeners import KeyedListeners

# New clients are added up to this many tracked clients. Each is a device with entities, and phones
# that randomize their MAC address may turn up by the thousands.
AUTO_ADD_LIMIT = 500
_ANY_CHANGE = "tracked clients"


class TrackedClients(AbstractSet[str]):
    """The MACs of a site's tracked clients, as a live set that only its own methods change.

    The entry's options hold the same clients; changing them does not reload the entry.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Start with the clients in the entry's options."""
        self._hass = hass
        self._entry = entry
        self._macs: set[str] = set(option(entry, CONF_CLIENTS))
        self._listeners = KeyedListeners()

    @override
    def __contains__(self, mac: object) -> bool:
        return mac in self._macs

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._macs)

    @override
    def __len__(self) -> int:
        return len(self._macs)

    @classmethod
    @override
    def _from_iterable[T](cls, it: Iterable[T]) -> frozenset[T]:
        """Return the result of a set operation as a plain set, which is not live."""
        return frozenset(it)

    @callback
    def async_add_listener(self, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back after clients were added or removed; return a function that unsubscribes."""
        return self._listeners.async_add(_ANY_CHANGE, update_callback)

    @callback
    def async_add(self, macs: Iterable[str]) -> None:
        """Track clients from now on."""
        if not (added := set(macs) - self._macs):
            return
        self._macs |= added
        # No update listener is registered on the entry, so this does not reload it.
        self._hass.config_entries.async_update_entry(
            self._entry, options={**self._entry.options, CONF_CLIENTS: sorted(self._macs)}
        )
        self._listeners.async_notify_all()

    @callback
    def async_add_new_clients(self, new: Iterable[ClientState]) -> None:
        """Track new clients if the user wants that, except guests and those beyond the limit."""
        if option(self._entry, CONF_ADD_NEW_CLIENTS):
            macs = [state.mac for state in new if not state.guest]
            self.async_add(macs[: max(0, AUTO_ADD_LIMIT - len(self._macs))])

    @callback
    def async_follow_options(self) -> None:
        """Track the clients that the user has selected in the entry's options."""
        if (selected := set(option(self._entry, CONF_CLIENTS))) != self._macs:
            self._macs = selected
            self._listeners.async_notify_all()

    @callback
    def async_remove(self, mac: str) -> None:
        """Stop tracking a client."""
        async_remove_from_options(self._hass, self._entry, mac)
        if mac in self._macs:
            self._macs.remove(mac)
            self._listeners.async_notify_all()


@callback
def async_remove_from_options(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> None:
    """Remove a client from the options of an entry, which need not be loaded."""
    clients = [client for client in option(entry, CONF_CLIENTS) if client != mac]
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_CLIENTS: clients})
