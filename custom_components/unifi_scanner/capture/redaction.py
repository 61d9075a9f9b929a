"""What of the controller's records may be kept: what the parser reads, in the forms it reads."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import islice
import re
from typing import Any

from ..api.frames import KEY_TYPES
from ..api.memoize import Memoize
from ..api.parsing import BANDS, as_number, as_text
from ..api.records import DeviceRecord, StationRecord
from .pseudonyms import Pseudonyms

# What `parse_station` and the parser of events read (records.py), by the kind of its values.
_STATION_NUMBERS = (
    "is_wired",
    "is_guest",
    "is_mlo",
    "channel",
    "signal",
    "last_seen",
    "assoc_time",
    "latest_assoc_time",
    "roam_count",
)
_STATION_TEXTS = {
    "mac": "mac",
    "ap_mac": "mac",
    "type": "code",
    "essid": "ssid",
    "radio": "code",
    "name": "name",
    "display_name": "name",
    "hostname": "name",
    "ip": "ip",
}
_EVENT_NUMBERS = ("channel", "channel_from", "channel_to", "time")
_EVENT_TEXTS = {
    "key": "code",
    "user": "mac",
    "guest": "mac",
    "mac": "mac",
    "ap": "mac",
    "ap_from": "mac",
    "ap_to": "mac",
    "radio": "code",
    "radio_from": "code",
    "radio_to": "code",
    "ssid": "ssid",
    "hostname": "name",
}
STATION_KEYS = (*_STATION_NUMBERS, *_STATION_TEXTS)
EVENT_KEYS = (*_EVENT_NUMBERS, *_EVENT_TEXTS)
# What the tracker's facts hold, by the names of their attributes.
_FACTS = {
    "mac": "mac",
    "ap_mac": "mac",
    "ap_from": "mac",
    "ap_to": "mac",
    "previous_ap_mac": "mac",
    "name": "name",
    "alias": "name",
    "hostname": "name",
    "ssid": "ssid",
    "ip": "ip",
    "band": "band",
}
_CODES = frozenset({*BANDS, *KEY_TYPES, "WIRED", "WIRELESS", "VPN", "TELEPORT"})
_RADIOS = {band: code for code, band in BANDS.items()}
_PLAIN = frozenset({int, float, bool, type(None)})
# No text that anyone reads is longer (fields.py).
_LONGEST = 510
_NUMERAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
# Names that vendors give to things; beside them, JSON may name its members after somebody's device.
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9.:-]{0,39}")
_PERSONAL = re.compile(r"(?:[0-9a-f]{2}[:._-]?){6}|(?:[0-9]+[.:_-]){3}|[0-9a-f]{10}", re.IGNORECASE)
_MODEL = re.compile(r"[A-Z0-9][A-Z0-9-]{1,15}")
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6}){0,3}([.+-][a-z]{1,8}[0-9.]{0,8})?")
_TYPE = re.compile(r"u[a-z]{2,3}")
_OTHER = "other"
_HIDDEN = "hidden"
# More clients than a site has at a time, so that they do not push each other out all the time.
_KEPT = 16_384
# Bounds of what is counted by name. To look at all keys of all records would take too long.
_MOST_KEYS = 256
_SAMPLE = 128

# The values of a record, in the order of its keys; a list stands for a value of another form.
type Values = tuple[tuple[Any, ...], tuple[Any, ...]]
type Json = bool | float | str | list[Json] | dict[str, Json] | None


class _Reader:
    """Reads records of one kind: which keys are numbers, which texts, and how those are hidden."""

    def __init__(self, numbers: Iterable[str], texts: Mapping[str, Callable[[str], Json]]) -> None:
        self.numbers = tuple(numbers)
        self.texts = tuple(texts)
        self._hide = tuple(texts.values())
        # The texts as they may be kept.
        self.hidden = Memoize(self._hidden)

    def _hidden(self, texts: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            hide(text[:_LONGEST]) if isinstance(text, str) else None if text is None else _odd(text)
            for text, hide in zip(texts, self._hide, strict=True)
        )


class Redaction:
    """Lets of a record pass what is known to be harmless, and counts the names of all the rest."""

    def __init__(self) -> None:
        """Make up pseudonyms."""
        pseudonyms = Pseudonyms()
        hide: dict[str, Callable[[str], Json]] = {
            "mac": lambda value: pseudonyms.mac(value) or _odd(value),
            "name": pseudonyms.name,
            "ssid": pseudonyms.ssid,
            "ip": _presence,
            "code": _code,
            "band": _band,
        }
        kinds = {kind: lru_cache(_KEPT)(hidden) for kind, hidden in hide.items()}
        self._stations, self._events = (
            _Reader(numbers, {key: kinds[kind] for key, kind in texts.items()})
            for numbers, texts in (
                (_STATION_NUMBERS, _STATION_TEXTS),
                (_EVENT_NUMBERS, _EVENT_TEXTS),
            )
        )
        self._facts = {key: kinds[kind] for key, kind in _FACTS.items()}
        # Of a sample of the records, the keys that nobody reads.
        self.unread_keys: Counter[str] = Counter()
        self._records = 0

    def station(self, data: Mapping[str, Any]) -> Values:
        """Return the values of a client record, in the order of STATION_KEYS."""
        self._look(data)
        return self._values(data, self._stations)

    def event(self, data: Mapping[str, Any]) -> Values:
        """Return the values of an event, in the order of EVENT_KEYS."""
        self._look(data)
        return self._values(data, self._events)

    def listed(self, station: StationRecord) -> Values:
        """Return a client record that has been read already as `station` would have."""
        link = station.link
        record = {
            "is_wired": station.is_wired,
            "is_guest": station.guest,
            "is_mlo": station.is_mlo,
            "channel": link and link.channel,
            "signal": station.signal,
            "last_seen": station.seen_at,
            "assoc_time": station.connected_since,
            "latest_assoc_time": station.associated_at,
            "roam_count": station.roam_count,
            "mac": station.mac,
            "ap_mac": link and link.ap_mac,
            "essid": link and link.ssid,
            "radio": _RADIOS[link.band] if link and link.band else None,
            "name": station.alias,
            "hostname": station.hostname,
            "ip": station.ip,
        }
        return self._values(record, self._stations)

    def device(self, device: DeviceRecord) -> dict[str, Any]:
        """Return what kind of device this is."""
        return {
            "mac": self._facts["mac"](device.mac),
            "type": device.type if _TYPE.fullmatch(device.type or "") else None,
            "model": public_model(device.model),
        }

    def facts(self, values: Iterable[object]) -> list[Json]:
        """Return several of what `fact` takes."""
        return [self.fact(value) for value in values]

    def fact(self, value: object, name: str = "") -> Json:
        """Return something that the tracker says of clients, as JSON has it.

        A text passes only under the name of an attribute that is known to hold such.
        """
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, StrEnum):
            return value.value
        if isinstance(value, str):
            hide = self._facts.get(name)
            return _type_name(value) if hide is None else hide(value)
        if names := _names_in(value):
            return {one: self.fact(getattr(value, one), one) for one in names}
        if isinstance(value, (list, tuple)):
            return [self.fact(one, name) for one in value]
        return _type_name(value)

    def _values(self, data: Mapping[str, Any], reader: _Reader) -> Values:
        get = data.get
        numbers = (*map(get, reader.numbers),)
        if not _PLAIN.issuperset(map(type, numbers)):
            numbers = (*[v if type(v) in _PLAIN else _numeral(v) for v in numbers],)
        return numbers, reader.hidden((*map(get, reader.texts),))

    def _look(self, data: Mapping[str, Any]) -> None:
        self._records += 1
        if self._records % _SAMPLE != 1:
            return
        for key in islice(data.keys() - _READ, _MOST_KEYS):
            name = public_name(key)
            new = len(self.unread_keys) >= _MOST_KEYS and name not in self.unread_keys
            self.unread_keys[_OTHER if new else name] += 1


_READ = frozenset({*STATION_KEYS, *EVENT_KEYS})


@lru_cache(maxsize=1024)
def public_name(name: str) -> str:
    """Return the name of a key or a type as the controller has it, "other" for a doubtful one."""
    return name if _NAME.fullmatch(name) and not _PERSONAL.search(name) else _OTHER


def public_model(model: str | None) -> str | None:
    """Return a device's model, None for a doubtful one."""
    plain = model is not None and _MODEL.fullmatch(model) and not _PERSONAL.search(model)
    return model if plain else None


def public_version(version: str | None) -> str | None:
    """Return a version, None for what does not look like one."""
    return version if version is not None and _VERSION.fullmatch(version) else None


def _presence(value: str) -> str:
    return "" if as_text(value) is None else _HIDDEN


def _code(value: str) -> Json:
    return value if value in _CODES else _odd(value)


def _band(value: str) -> str:
    return value if value in _RADIOS else _HIDDEN


def _numeral(value: object) -> Json:
    """Return a number that came as a text, as it came where that is harmless."""
    if isinstance(value, str) and (number := as_number(value)) is not None:
        return value if _NUMERAL.fullmatch(value) else number
    return _odd(value)


def _odd(value: object) -> list[Json]:
    """Return what stands for a value of an unexpected form: the parser reads no lists either."""
    return [_type_name(value)]


def _names_in(value: object) -> Sequence[str]:
    """Return the names of what a named tuple or a dataclass has, none for anything else."""
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    return getattr(value, "_fields", ())


def _type_name(value: object) -> str:
    return type(value).__name__
