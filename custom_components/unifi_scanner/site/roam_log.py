"""The latest roams of a site's tracked clients, kept on disk per entry."""

from collections import deque
from collections.abc import Callable, Container, Sequence
from typing import Any

from homeassistant.core import HomeAssistant, callback

from ..api.parsing import as_integer, as_log_band, as_ssid, as_text, as_time, normalise_mac
from ..const import DOMAIN
from ..roaming import ClientEvent, EventKind, Link, Source
from .store import TolerantStore, async_remove_store, dict_or_empty, list_or_empty

# The log is only read on request, which is not worth frequent writes to an SD card. A crash may
# lose the roams of this many seconds.
_SAVE_DELAY = 300.0
# A full log takes 0.6 MB on disk and 0.8 MB in memory: weeks for a family, a day for an office.
CLIENT_LIMIT = 200
SITE_LIMIT = 2_000
_ROAMS = frozenset({EventKind.ROAM, EventKind.ROAM_RADIO})
_KEYS = frozenset({"clients"})


def _key(entry_id: str) -> str:
    return f"{DOMAIN}.{entry_id}.roams"


async def async_remove_roam_log(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the saved log of an entry that is removed."""
    await async_remove_store(hass, _key(entry_id))


class RoamLog:
    """The latest roams of a site's tracked clients, including those between radios.

    Holds at most `CLIENT_LIMIT` roams of each client and `SITE_LIMIT` in all.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, tracked: Container[str]) -> None:
        """Create an empty log; `async_load` reads the saved one."""
        self._tracked = tracked
        self._roams: dict[str, deque[ClientEvent]] = {}
        self._count = 0
        self._store = TolerantStore(
            hass,
            _key(entry_id),
            self._to_save,
            is_own_key=_KEYS.__contains__,
            delay=_SAVE_DELAY,
        )

    async def async_load(self) -> None:
        """Read the saved log, leaving out unusable rows."""
        saved = await self._store.async_load()
        for mac, rows in dict_or_empty(saved.get("clients")).items():
            for row in list_or_empty(rows) if mac in self._tracked else ():
                if (event := _event(mac, row)) is not None:
                    self._add(event)

    async def async_save(self) -> None:
        """Save pending changes now."""
        await self._store.async_save_scheduled()

    def roams(self, mac: str, since: float) -> Sequence[ClientEvent]:
        """Return a client's roams, newest first.

        `since` is in POSIX seconds on the controller's clock.
        """
        # Roams are recorded in the order they are learned of, which may not be that of their times.
        past = sorted(self._roams.get(mac, ()), key=lambda event: event.time)
        return [event for event in reversed(past) if event.time >= since]

    @callback
    def async_record(self, event: ClientEvent) -> None:
        """Record an event if it is a roam of a tracked client."""
        if event.kind in _ROAMS and event.mac in self._tracked:
            self._add(event)
            self._store.async_schedule_save()

    def _add(self, event: ClientEvent) -> None:
        past = self._roams.setdefault(event.mac, deque())
        past.append(event)
        self._count += 1
        if len(past) > CLIENT_LIMIT:
            self._drop_oldest(event.mac)
        elif self._count > SITE_LIMIT:
            self._drop_oldest(min(self._roams, key=lambda mac: self._roams[mac][0].time))

    def _drop_oldest(self, mac: str) -> None:
        past = self._roams[mac]
        past.popleft()
        self._count -= 1
        if not past:
            del self._roams[mac]

    def _to_save(self) -> dict[str, Any]:
        return {
            "clients": {
                mac: [_row(event) for event in past]
                for mac, past in self._roams.items()
                if mac in self._tracked
            },
        }


def _required[V, T](read: Callable[[V], T | None]) -> Callable[[V], T]:
    """Return a reader that raises ValueError instead of returning None."""

    def read_required(value: V) -> T:
        if (result := read(value)) is None:
            raise ValueError("A required field is missing")
        return result

    return read_required


def _as_roam(value: str) -> EventKind | None:
    kind = EventKind(value)
    return kind if kind in _ROAMS else None


def _as_gap(value: object) -> float | None:
    return float(value) if isinstance(value, float | int) and value >= 0 else None


def _as_channel(value: object) -> int | None:
    return as_integer(value, 1, 300)


# A row's values in order, with a reader for each. An implausible optional value reads as None.
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "kind": _required(_as_roam),
    "time": _required(as_time),
    "name": _required(as_text),
    "guest": bool,
    "ssid": as_ssid,
    "ap_from": _required(normalise_mac),
    "ap_to": _required(normalise_mac),
    "band_from": as_log_band,
    "band_to": as_log_band,
    "channel_from": _as_channel,
    "channel_to": _as_channel,
    "signal": lambda value: as_integer(value, -150, -1),
    "source": Source,
    "inferred": bool,
    "roam_gap": _as_gap,
}
# Rows of earlier releases end before this value.
_LATE = len(_FIELDS)


def _row(event: ClientEvent) -> list[object]:
    """Return the values of a roam in the order of `_FIELDS`, and whether it was reported late."""
    link_from, link_to = event.link_from, event.link_to
    return [
        event.kind,
        event.time,
        event.name,
        event.guest,
        link_to and link_to.ssid,
        event.ap_from,
        event.ap_to,
        link_from and link_from.band,
        link_to and link_to.band,
        link_from and link_from.channel,
        link_to and link_to.channel,
        event.signal,
        event.source,
        event.inferred,
        event.roam_gap,
        event.late,
    ]


def _event(mac: str, row: object) -> ClientEvent | None:
    """Return the event that a saved row describes, None for an unusable row.

    Later releases may append further values to a row.
    """
    if not isinstance(row, list) or len(row) < len(_FIELDS):
        return None
    try:
        values = {
            name: read(value) for (name, read), value in zip(_FIELDS.items(), row, strict=False)
        }
    except TypeError, ValueError:
        return None
    ssid = values["ssid"]
    return ClientEvent(
        kind=values["kind"],
        mac=mac,
        name=values["name"],
        guest=values["guest"],
        link_from=Link(values["ap_from"], values["band_from"], values["channel_from"], ssid),
        link_to=Link(values["ap_to"], values["band_to"], values["channel_to"], ssid),
        signal=values["signal"],
        time=values["time"],
        source=values["source"],
        inferred=values["inferred"],
        roam_gap=values["roam_gap"],
        late=len(row) > _LATE and row[_LATE] is True,
    )
