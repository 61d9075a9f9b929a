"""Where tracked clients have roamed, kept on disk for each entry: an action tells it."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
import logging
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from ..api.parsing import as_integer, as_log_band, as_ssid, as_text, as_time, normalise_mac
from ..const import DOMAIN
from ..roaming import ClientEvent, EventKind, Link, Source

_LOGGER = logging.getLogger(__name__)

_VERSION = 1
# Nobody acts on this, so that it is not worth more writing to an SD card; what a crash may lose.
_SAVE_DELAY = 300.0  # seconds
# A full log is 0.6 MB on disk and 0.8 MB in memory: weeks of a family, or a day of an office.
CLIENT_LIMIT = 200
SITE_LIMIT = 2_000
_ROAMS = frozenset({EventKind.ROAM, EventKind.ROAM_RADIO})


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}.roams")


async def async_remove_roam_log(hass: HomeAssistant, entry_id: str) -> None:
    """Delete what is on disk for an entry that is removed."""
    await _store(hass, entry_id).async_remove()


class RoamLog:
    """The latest roams of a site's tracked clients, those between radios too.

    There are at most `CLIENT_LIMIT` of each client and `SITE_LIMIT` in all. `tracked` is the
    coordinator's own, live set: of other clients nothing is kept.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, tracked: set[str]) -> None:
        """Prepare an empty log; nothing is read yet."""
        self._tracked = tracked
        self._past: dict[str, deque[ClientEvent]] = {}
        self._count = 0
        self._changed = False
        self._store = _store(hass, entry_id)

    async def async_load(self) -> None:
        """Read what was saved, as far as it makes sense."""
        try:
            if (saved := await self._store.async_load()) is None:
                return
            rows = [(mac, row) for mac, rows in saved["clients"].items() for row in rows]
        except Exception as err:  # noqa: BLE001 - whatever lies there, a site works without its log
            _LOGGER.warning("The log of roams in %s is not readable: %r", self._store.path, err)
            return
        for mac, row in rows:
            if mac in self._tracked and (event := _event(mac, row)) is not None:
                self._add(event)

    async def async_save(self) -> None:
        """Write what has changed, now."""
        if self._changed:
            await self._store.async_save(self._to_save())

    def roams(self, mac: str, since: float) -> Sequence[ClientEvent]:
        """Return a client's roams, the newest first; `since` is by the controller's clock."""
        # One that was learned of late does not stand where it belongs.
        past = sorted(self._past.get(mac, ()), key=lambda event: event.time)
        return [event for event in reversed(past) if event.time >= since]

    @callback
    def async_record(self, event: ClientEvent) -> None:
        """Keep an event if it is a tracked client's roam."""
        if event.kind not in _ROAMS or event.mac not in self._tracked:
            return
        self._add(event)
        # Asking again would put the write off, and with roams all the time for ever.
        if not self._changed:
            self._changed = True
            self._store.async_delay_save(self._to_save, _SAVE_DELAY)

    def _add(self, event: ClientEvent) -> None:
        past = self._past.setdefault(event.mac, deque())
        past.append(event)
        self._count += 1
        if len(past) > CLIENT_LIMIT:
            self._drop_oldest(event.mac)
        elif self._count > SITE_LIMIT:
            self._drop_oldest(min(self._past, key=lambda mac: self._past[mac][0].time))

    def _drop_oldest(self, mac: str) -> None:
        past = self._past[mac]
        past.popleft()
        self._count -= 1
        if not past:
            del self._past[mac]

    def _to_save(self) -> dict[str, Any]:
        self._changed = False
        return {
            "clients": {
                mac: [_row(event) for event in past]
                for mac, past in self._past.items()
                if mac in self._tracked
            },
        }


def _needed[V, T](read: Callable[[V], T | None]) -> Callable[[V], T]:
    def read_needed(value: V) -> T:
        if (result := read(value)) is None:
            raise ValueError("A field that is needed is missing")
        return result

    return read_needed


def _as_roam(value: str) -> EventKind | None:
    kind = EventKind(value)
    return kind if kind in _ROAMS else None


def _as_gap(value: object) -> float | None:
    return float(value) if isinstance(value, float | int) and value >= 0 else None


def _as_channel(value: object) -> int | None:
    return as_integer(value, 1, 300)


# A row's values in their order, and how each is read: what is not plausible is not known.
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "kind": _needed(_as_roam),
    "time": _needed(as_time),
    "name": _needed(as_text),
    "guest": bool,
    "ssid": as_ssid,
    "ap_from": _needed(normalise_mac),
    "ap_to": _needed(normalise_mac),
    "band_from": as_log_band,
    "band_to": as_log_band,
    "channel_from": _as_channel,
    "channel_to": _as_channel,
    "signal": lambda value: as_integer(value, -150, -1),
    "source": Source,
    "inferred": bool,
    "roam_gap": _as_gap,
}


def _row(event: ClientEvent) -> list[object]:
    """Return the values of a roam in the order of `_FIELDS`."""
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
    ]


def _event(mac: str, row: Iterable[object]) -> ClientEvent | None:
    """Return the event of a row, None where it is none."""
    try:
        values = {
            name: read(value) for (name, read), value in zip(_FIELDS.items(), row, strict=True)
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
    )
