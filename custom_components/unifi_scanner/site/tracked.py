"""The tracked clients of a site: those with a device and entities."""

from collections.abc import Collection, Iterable, Iterator, Set as AbstractSet
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ..const import CONF_ADD_NEW_CLIENTS, CONF_CLIENTS, DOMAIN, option
from ..roaming import ClientState
from .listeners import KeyedListeners
from .store import TolerantStore, async_remove_store, list_or_empty

# New clients are added up to this many tracked clients. Each is a device with entities, and phones
# that randomize their MAC address may turn up by the thousands.
AUTO_ADD_LIMIT = 500
_ANY_CHANGE = "tracked clients"
_SAVE_DELAY = 10.0  # seconds


_KEYS = frozenset({"added"})


def _key(entry_id: str) -> str:
    return f"{DOMAIN}.{entry_id}.tracked"


async def async_remove_tracked(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the saved clients of an entry."""
    await async_remove_store(hass, _key(entry_id))


class TrackedClients(AbstractSet[str]):
    """The MACs of a site's tracked clients, as a live set that only its own methods change.

    They are the clients that the user has selected in the entry's options, and the new ones that
    were added since then. Those are saved in a file, as the options belong to the user.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Start with the clients in the entry's options; `async_load` adds the others."""
        self._hass = hass
        self._entry = entry
        self._added: set[str] = set()
        self._macs: set[str] = set(option(entry, CONF_CLIENTS))
        self._listeners = KeyedListeners()
        self._store = TolerantStore(
            hass,
            _key(entry.entry_id),
            lambda: {"added": sorted(self._added)},
            is_own_key=_KEYS.__contains__,
            delay=_SAVE_DELAY,
        )

    async def async_load(self) -> None:
        """Add the saved clients."""
        saved = list_or_empty((await self._store.async_load()).get("added"))
        self._added = {mac for mac in saved if isinstance(mac, str)}
        self._macs |= self._added

    async def async_save(self) -> None:
        """Save the added clients if they have changed."""
        await self._store.async_save_scheduled()

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
        if added := set(macs) - self._macs:
            self._added |= added
            self._async_update()

    @callback
    def async_add_new_clients(self, new: Iterable[ClientState]) -> None:
        """Track new clients if the user wants that, except guests and those beyond the limit."""
        if option(self._entry, CONF_ADD_NEW_CLIENTS):
            macs = [state.mac for state in new if not state.guest]
            self.async_add(macs[: max(0, AUTO_ADD_LIMIT - len(self._macs))])

    @callback
    def async_follow_options(self, keep: Collection[str] = ()) -> None:
        """Track the clients that the user has selected in the entry's options.

        Of the added ones, only those to `keep` were not part of the selection.
        """
        self._added &= set(keep)
        self._async_update()

    @callback
    def async_remove(self, mac: str) -> None:
        """Stop tracking a client that the user has removed."""
        _async_deselect(self._hass, self._entry, mac)
        self._added.discard(mac)
        self._async_update()

    @callback
    def _async_update(self) -> None:
        self._store.async_schedule_save()
        if (macs := self._added | set(option(self._entry, CONF_CLIENTS))) != self._macs:
            self._macs = macs
            self._listeners.async_notify_all()


async def async_remove_client(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> None:
    """Stop tracking a client of an entry that is not loaded."""
    tracked = TrackedClients(hass, entry)
    await tracked.async_load()
    tracked.async_remove(mac)
    await tracked.async_save()


@callback
def _async_deselect(hass: HomeAssistant, entry: ConfigEntry, mac: str) -> None:
    clients = [client for client in option(entry, CONF_CLIENTS) if client != mac]
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_CLIENTS: clients})
