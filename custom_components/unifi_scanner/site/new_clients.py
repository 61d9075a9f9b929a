"""Who is new: a client that was never seen before, told once it is surely real."""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import takewhile

from homeassistant.core import CoreState, HomeAssistant, callback

from ..roaming import ClientEvent, ClientState, EventKind
from .history import SiteHistory
from .timers import Timers

# A device that passes by associates for a moment; one that stays for so long is real even when
# nobody has told its address.
PATIENCE = 60.0  # seconds
# The two bits of a MAC's first octet that say who gave it, and whether it is of one device.
_KIND = 0b11
_LOCAL_UNICAST = 0b10


def is_randomised(mac: str) -> bool:
    """Return whether a MAC is a made-up one, as phones use: locally administered, of one device."""
    return int(mac[:2], 16) & _KIND == _LOCAL_UNICAST


class NewClientDetector:
    """Finds those who are new among the clients of a site; whom it has met is in the history.

    `seen_before` are those whom the controller remembers, for the first look. `on_due` is called
    when somebody has stayed long enough to be told without an address.
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
        """Begin with nobody waiting; `clients` is the tracker's live view."""
        self.seen_before: Collection[str] = ()
        self._hass = hass
        self._clock = hass.loop.time
        self._history = history
        self._clients = clients
        self._timers = timers
        self._on_due = on_due
        self._started = False
        # Since when those who are connected have had no address, by the event loop's clock.
        self._waiting: dict[str, float] = {}

    @callback
    def async_start(self) -> None:
        """Find those who are new from now on, as there are entities that tell of them."""
        self._started = True

    @callback
    def async_process_snapshot(self) -> list[str]:
        """Return who is new among all clients, as after a snapshot.

        At the first look nobody is: the user has just chosen among them.
        """
        clients = self._clients
        if not self._history.is_seeded:
            # A controller that has just booted lists nobody; that is no look yet.
            if clients:
                self._history.async_seed_known((*self.seen_before, *clients))
                self.seen_before = ()
            return []
        self._waiting = {mac: at for mac, at in self._waiting.items() if mac in clients}
        new = self.async_check(clients)
        self._history.async_touch([mac for mac, state in clients.items() if state.connected])
        return new

    @callback
    def async_check(self, macs: Iterable[str]) -> list[str]:
        """Return who is new among these clients, of whom something has changed."""
        # Each is told only once, so not before automations can hear of it.
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
            self._timers.async_set("newcomers", due - self._clock(), self._on_due)
        return new

    @callback
    def async_check_waiting(self) -> list[str]:
        """Return who is new among those who have had no address for long enough."""
        latest = self._clock() - PATIENCE
        # Those who have waited for longest come first.
        return self.async_check(
            list(takewhile(lambda mac: self._waiting[mac] <= latest, self._waiting))
        )

    @callback
    def async_process_events(self, events: Iterable[ClientEvent]) -> None:
        """Let those who have left wait anew, should they come back."""
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
