"""The part of a site's state that the controller cannot restore, kept on disk per entry."""

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..api.parsing import as_integer, as_time, normalise_mac
from ..const import DOMAIN
from ..roaming import ClientEvent, ClientState, EventKind
from .store import TolerantStore, async_remove_store, dict_or_empty

# Roams come in bursts. A crash may lose the changes of this many seconds.
_SAVE_DELAY = 30.0
_KEYS = frozenset({"day", "roams_today", "clients", "known"})
_CLIENT_KEYS = frozenset({"last_roam", "previous_ap_mac", "roams_today"})
_COUNT_LIMIT = 1_000_000_000
# Beyond this number the clients not seen for longest count as new again, so that passers-by do not
# fill the disk.
_KNOWN_LIMIT = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHistory:
    """A tracked client's history.

    `last_roam` is in POSIX seconds on the controller's clock; `other_keys` are saved keys of a
    later release.
    """

    last_roam: float | None = None
    previous_ap_mac: str | None = None
    roams_today: int = 0
    other_keys: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """Return a saved history, with defaults for missing and unusable values."""
        return cls(
            last_roam=as_time(saved.get("last_roam")),
            previous_ap_mac=normalise_mac(saved.get("previous_ap_mac")),
            roams_today=as_integer(saved.get("roams_today"), 0, _COUNT_LIMIT) or 0,
            other_keys={key: saved[key] for key in saved if key not in _CLIENT_KEYS},
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what is saved."""
        return {
            **self.other_keys,
            "last_roam": self.last_roam,
            "previous_ap_mac": self.previous_ap_mac,
            "roams_today": self.roams_today,
        }


_NO_HISTORY = ClientHistory()


def _key(entry_id: str) -> str:
    return f"{DOMAIN}.{entry_id}"


async def async_remove_history(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the saved history of an entry that is removed."""
    await async_remove_store(hass, _key(entry_id))


class SiteHistory:
    """Today's roams, each tracked client's last roam, and all clients ever seen at a site.

    A day begins at midnight in Home Assistant's time zone. Of clients that are not tracked only
    the MAC is kept.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, tracked: Container[str]) -> None:
        """Create an empty history; `async_load` reads the saved one."""
        self.roams_today = 0
        self._tracked = tracked
        self._clients: dict[str, ClientHistory] = {}
        # Every client ever seen, the most recently seen last; None until seeded.
        self._known: dict[str, None] | None = None
        # The day being counted and its start in POSIX seconds.
        self._day, self._day_start = _today()
        self._store = TolerantStore(
            hass,
            _key(entry_id),
            self._to_save,
            is_own_key=_KEYS.__contains__,
            delay=_SAVE_DELAY,
        )

    async def async_load(self) -> None:
        """Read the saved history; counts of another day start at zero."""
        if not (saved := await self._store.async_load()):
            return
        self._clients = {
            mac: ClientHistory.from_dict(dict_or_empty(past))
            for mac, past in dict_or_empty(saved.get("clients")).items()
            if mac in self._tracked
        }
        # Without a usable list the site is seeded again: no known client may be reported as new.
        if isinstance(known := saved.get("known"), list):
            self._known = dict.fromkeys(mac for mac in known if isinstance(mac, str))
        self.roams_today = as_integer(saved.get("roams_today"), 0, _COUNT_LIMIT) or 0
        if saved.get("day") != self._day:
            self._reset_counts()

    async def async_save(self) -> None:
        """Save pending changes now."""
        await self._store.async_save_scheduled()

    def client(self, mac: str) -> ClientHistory:
        """Return a tracked client's history, an empty one if it has none."""
        return self._clients.get(mac, _NO_HISTORY)

    @callback
    def async_record(self, event: ClientEvent, state: ClientState | None, at: float) -> None:
        """Record an event; `state` is the client's state after it, `at` its time on our clock."""
        roamed = event.kind is EventKind.ROAM
        # A roam from before midnight that is only learned of now belongs to yesterday.
        counts = int(roamed and at >= self._day_start)
        self.roams_today += counts
        if event.mac in self._tracked:
            past = self.client(event.mac)
            self._clients[event.mac] = replace(
                past,
                last_roam=(state and state.last_roam) or past.last_roam,
                previous_ap_mac=(state and state.previous_ap_mac) or past.previous_ap_mac,
                roams_today=past.roams_today + counts,
            )
        self._store.async_schedule_save()

    @callback
    def async_begin_day(self) -> bool:
        """Reset the counts if another day has begun; return whether it has."""
        before, (self._day, self._day_start) = self._day, _today()
        if self._day == before:
            return False
        self._reset_counts()
        self._store.async_schedule_save()
        return True

    @property
    def is_seeded(self) -> bool:
        """Whether the clients that were there before the integration have been recorded."""
        return self._known is not None

    def is_known(self, mac: str) -> bool:
        """Return whether a client has been seen before."""
        return self._known is not None and mac in self._known

    @callback
    def async_seed_known(self, macs: Iterable[str]) -> None:
        """Record the clients that were there before the integration."""
        self._known = dict.fromkeys(macs)
        self._store.async_schedule_save()

    @callback
    def async_mark_known(self, macs: Iterable[str]) -> None:
        """Mark clients as seen; before the history is seeded this does nothing."""
        if self._known is not None:
            self._known.update(dict.fromkeys(macs))
            self._store.async_schedule_save()

    @callback
    def async_touch(self, macs: Collection[str]) -> None:
        """Mark known clients as recently seen, and drop the oldest beyond the limit.

        None of `macs` is dropped, however many there are: clients that are connected must not
        count as new again and again.
        """
        known = self._known or {}
        for mac in macs:
            if mac in known:
                del known[mac]
                known[mac] = None
        excess = len(known) - max(_KNOWN_LIMIT, len(macs))
        for mac in list(islice(known, max(0, excess))):
            del known[mac]

    def _reset_counts(self) -> None:
        self.roams_today = 0
        self._clients = {mac: replace(past, roams_today=0) for mac, past in self._clients.items()}

    def _to_save(self) -> dict[str, Any]:
        return {
            "day": self._day,
            "roams_today": self.roams_today,
            "clients": {mac: past.as_dict() for mac, past in self._clients.items()},
            "known": None if self._known is None else list(self._known),
        }


def _today() -> tuple[str, float]:
    """Return today's ISO date in Home Assistant's time zone, and its start in POSIX seconds."""
    start = dt_util.start_of_local_day()
    return start.date().isoformat(), start.timestamp()
