"""Detect clients that connect to a site for the first time."""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import takewhile

from homeassistant.core import CoreState, HomeAssistant, callback

from ..roaming import ClientEvent, ClientState, EventKind
from .history import SiteHistory
from .timers import Timers

# A passing device associates only for a moment. One that is still connected after this time counts
# as real, even if no IP address has been reported for it.
PATIENCE = 60.0  # seconds
# The two bits of a MAC's first octet for "locally administered" and "multicast".
_ADDRESS_BITS = 0b11
_LOCAL_UNICAST = 0b10


def is_randomised(mac: str) -> bool:
    """Return whether a MAC is randomized, as phones do: locally administered and unicast."""
    return int(mac[:2], 16) & _ADDRESS_BITS == _LOCAL_UNICAST


class NewClientDetector:
    """Finds clients that are not in the site's history, and adds them to it.

    A client is only new once it has an IP address or has been connected for `PATIENCE`.
    `seen_before` are the clients that the controller remembers, which seed the history. They are
    None while they are unknown: until then, no client is new.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        history: SiteHistory,
        clients: Mapping[str, ClientState],
        timers: Timers,
        on_due: Callable[[], None],
    ) -> None:
        """Start without waiting clients.

        `clients` is the tracker's live view. `on_due` is called when a client without an address
        has been connected for long enough; it has to call `async_check_waiting`.
        """
        self.seen_before: Collection[str] | None = None
        self._hass = hass
        self._clock = hass.loop.time
        self._history = history
        self._clients = clients
        self._timers = timers
        self._on_due = on_due
        self._started = False
        # Since when connected clients have been without an address, in event-loop time, oldest
        # first.
        self._waiting: dict[str, float] = {}

    @callback
    def async_start(self) -> None:
        """Start detecting, once the entities that show new clients exist."""
        self._started = True

    @callback
    def async_process_snapshot(self) -> list[str]:
        """Return the new clients among all clients, after a snapshot.

        The first snapshot after `seen_before` is known seeds the history instead: the user has just
        selected among its clients.
        """
        clients = self._clients
        if not self._history.is_seeded:
            # A controller that has just booted lists no clients at all.
            if clients and self.seen_before is not None:
                self._history.async_seed_known((*self.seen_before, *clients))
                self.seen_before = None
            return []
        self._waiting = {mac: since for mac, since in self._waiting.items() if mac in clients}
        new = self.async_check(clients)
        self._history.async_touch([mac for mac, state in clients.items() if state.connected])
        return new

    @callback
    def async_check(self, macs: Iterable[str]) -> list[str]:
        """Return the new clients among these, whose states have changed."""
        # Each client is returned only once, so not before automations are running.
        if not (
            self._started and self._hass.state is CoreState.running and self._history.is_seeded
        ):
            return []
        new = [mac for mac in macs if not self._history.is_known(mac) and self._is_real(mac)]
        if new:
            for mac in new:
                self._waiting.pop(mac, None)
            self._history.async_mark_known(new)
        if self._waiting:
            due = next(iter(self._waiting.values())) + PATIENCE
            self._timers.async_set("new clients", due - self._clock(), self._on_due)
        return new

    @callback
    def async_check_waiting(self) -> list[str]:
        """Return the new clients among those that have been without an address for long enough."""
        latest = self._clock() - PATIENCE
        return self.async_check(
            list(takewhile(lambda mac: self._waiting[mac] <= latest, self._waiting))
        )

    @callback
    def async_process_events(self, events: Iterable[ClientEvent]) -> None:
        """Restart the wait of clients that have disconnected."""
        for event in events:
            if event.kind is EventKind.DISCONNECTED:
                self._waiting.pop(event.mac, None)

    def _is_real(self, mac: str) -> bool:
        state = self._clients.get(mac)
        if state is None or not state.connected:
            self._waiting.pop(mac, None)
            return False
        now = self._clock()
        return state.ip is not None or now - self._waiting.setdefault(mac, now) >= PATIENCE
