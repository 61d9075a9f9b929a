"""What the controller can't tell again after a restart, kept on disk for each entry."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..roaming import ClientEvent, ClientState, EventKind

_VERSION = 1
# Roams come in bursts; what a crash may lose is this many seconds of them.
_SAVE_DELAY = 30.0
# Beyond this those who have not been seen for longest are new again: passers-by must not fill the
# disk.
_KNOWN_LIMIT = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHistory:
    """A tracked client's past. `last_roam` is POSIX seconds by the controller's clock."""

    last_roam: float | None = None
    previous_ap_mac: str | None = None
    roams_today: int = 0


_NO_HISTORY = ClientHistory()


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}")


async def async_remove_history(hass: HomeAssistant, entry_id: str) -> None:
    """Delete what is on disk for an entry that is removed."""
    await _store(hass, entry_id).async_remove()


class SiteHistory:
    """The roams of a site: those of today, and each tracked client's last one.

    A day begins at midnight in Home Assistant's time zone. `tracked` is the coordinator's own, live
    set: of other clients nothing is kept but that they have been seen.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, tracked: set[str]) -> None:
        """Prepare an empty history; nothing is read yet."""
        self.roams_today = 0
        self._tracked = tracked
        self._clients: dict[str, ClientHistory] = {}
        # Every client ever seen, the last ones last; None before the first look.
        self._known: dict[str, None] | None = None
        # The day that is counted, and when it began, in POSIX seconds.
        self._day, self._began = _today()
        self._changed = False
        self._store = _store(hass, entry_id)

    async def async_load(self) -> None:
        """Read what was saved; counts of another day start at zero."""
        if (saved := await self._store.async_load()) is None:
            return
        self._clients = {
            mac: ClientHistory(**past)
            for mac, past in saved["clients"].items()
            if mac in self._tracked
        }
        self._known = None if saved["known"] is None else dict.fromkeys(saved["known"])
        self.roams_today = saved["roams_today"]
        if saved["day"] != self._day:
            self._reset()

    async def async_save(self) -> None:
        """Write what has changed, now."""
        if self._changed:
            await self._store.async_save(self._to_save())

    def client(self, mac: str) -> ClientHistory:
        """Return a tracked client's past, an empty one when it has none."""
        return self._clients.get(mac, _NO_HISTORY)

    @callback
    def async_record(self, event: ClientEvent, state: ClientState | None, at: float) -> None:
        """Take an event, the state that the client is in after it, and when it was by our clock."""
        roamed = event.kind is EventKind.ROAM
        # One that happened before midnight and is only learned of now belongs to yesterday.
        counts = int(roamed and at >= self._began)
        self.roams_today += counts
        if event.mac in self._tracked:
            past = self.client(event.mac)
            self._clients[event.mac] = replace(
                past,
                last_roam=(state and state.last_roam) or past.last_roam,
                previous_ap_mac=(state and state.previous_ap_mac) or past.previous_ap_mac,
                roams_today=past.roams_today + counts,
            )
        self._save_later()

    @callback
    def async_begin_day(self) -> bool:
        """Start counting anew if another day has begun; return whether it has."""
        before, (self._day, self._began) = self._day, _today()
        if self._day == before:
            return False
        self._reset()
        self._save_later()
        return True

    @property
    def is_seeded(self) -> bool:
        """Whether it is known at all who has been seen before."""
        return self._known is not None

    def knows(self, mac: str) -> bool:
        """Return whether a client has been seen before."""
        return self._known is not None and mac in self._known

    @callback
    def async_seed_known(self, macs: Iterable[str]) -> None:
        """Take the first look: these are all who have been seen so far."""
        self._known = dict.fromkeys(macs)
        self._save_later()

    @callback
    def async_mark_known(self, macs: Iterable[str]) -> None:
        """Let these clients count as seen from now on; before the first look nobody does."""
        if self._known is not None:
            self._known.update(dict.fromkeys(macs))
            self._save_later()

    @callback
    def async_touch(self, macs: Collection[str]) -> None:
        """Let those of these clients that are known be the last to be forgotten.

        However many they are, all of them stay: who is here must not be new again and again.
        """
        known = self._known or {}
        for mac in macs:
            if mac in known:
                del known[mac]
                known[mac] = None
        excess = len(known) - max(_KNOWN_LIMIT, len(macs))
        for mac in list(islice(known, max(0, excess))):
            del known[mac]

    def _reset(self) -> None:
        self.roams_today = 0
        self._clients = {mac: replace(past, roams_today=0) for mac, past in self._clients.items()}

    def _save_later(self) -> None:
        # Asking again would put the write off, and with roams all the time for ever.
        if not self._changed:
            self._changed = True
            self._store.async_delay_save(self._to_save, _SAVE_DELAY)

    def _to_save(self) -> dict[str, Any]:
        self._changed = False
        return {
            "day": self._day,
            "roams_today": self.roams_today,
            "clients": {mac: asdict(past) for mac, past in self._clients.items()},
            "known": None if self._known is None else list(self._known),
        }


def _today() -> tuple[str, float]:
    """Return the day by Home Assistant's time zone, and when it began."""
    began = dt_util.start_of_local_day()
    return began.date().isoformat(), began.timestamp()
