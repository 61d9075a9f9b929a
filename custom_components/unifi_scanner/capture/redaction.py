"""Redaction: keep only the fields and formats of the controller's records that are parsed."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
import dataclasses
from enum import StrEnum
from functools import lru_cache
from itertools import islice
import re
from typing import Any

from ..api.frames import KEY_TYPES
from ..api.memoize import Memoize
from ..api.parsing import BANDS, as_boolean, as_number, as_text
from ..api.records import DeviceRecord, StationRecord, with_link
from .pseudonyms import Pseudonyms

# The fields of client records and events that api/records.py reads, by kind of value.
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
# The attributes of the tracker's state, events and observations that hold texts, by kind.
_ATTRIBUTES = {
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
# No parsed text is longer (api/parsing.py).
_MAX_TEXT_LENGTH = 510
_NUMERAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
# Keys and types that a vendor chose. Other keys may be names of people's devices.
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9.:-]{0,39}")
_PERSONAL = re.compile(r"(?:[0-9a-f]{2}[:._-]?){6}|(?:[0-9]+[.:_-]){3}|[0-9a-f]{10}", re.IGNORECASE)
_MODEL = re.compile(r"[A-Z0-9][A-Z0-9-]{1,15}")
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6}){0,3}([.+-][a-z]{1,8}[0-9.]{0,8})?")
_TYPE = re.compile(r"u[a-z]{2,3}")
_OTHER = "other"
_HIDDEN = "hidden"
# More clients than a site has at a time, so that their entries do not keep evicting each other.
_CACHE_SIZE = 16_384
# Bounds of the counter of unread keys. Checking the keys of every record would take too long.
_MAX_KEYS = 256
_SAMPLE_INTERVAL = 128

# The redacted numbers and texts of a record, in the order of its keys; a value of an unexpected
# type is replaced by a list.
type Values = tuple[tuple[Any, ...], tuple[Any, ...]]
type Json = bool | float | str | list[Json] | dict[str, Json] | None


class _Fields:
    """The number and text fields of one kind of record, and how the texts are redacted."""

    def __init__(self, numbers: Iterable[str], texts: Mapping[str, Callable[[str], Json]]) -> None:
        self.numbers = tuple(numbers)
        self.texts = tuple(texts)
        self._redactors = tuple(texts.values())
        self.redact_texts = Memoize(self._redact_texts)

    def _redact_texts(self, texts: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            None
            if text is None
            else redact(text[:_MAX_TEXT_LENGTH])
            if isinstance(text, str)
            else _placeholder(text)
            for text, redact in zip(texts, self._redactors, strict=True)
        )


class Redaction:
    """Keeps known harmless values, replaces all others, and counts the keys that are not read."""

    def __init__(self) -> None:
        """Generate pseudonyms."""
        pseudonyms = Pseudonyms()
        redactors: dict[str, Callable[[str], Json]] = {
            "mac": lambda value: pseudonyms.mac(value) or _placeholder(value),
            "name": pseudonyms.name,
            "ssid": pseudonyms.ssid,
            "ip": _hide_text,
            "code": _code,
            "band": _band,
        }
        cached = {kind: lru_cache(_CACHE_SIZE)(redact) for kind, redact in redactors.items()}
        self._stations, self._events = (
            _Fields(numbers, {key: cached[kind] for key, kind in texts.items()})
            for numbers, texts in (
                (_STATION_NUMBERS, _STATION_TEXTS),
                (_EVENT_NUMBERS, _EVENT_TEXTS),
            )
        )
        self._attributes = {key: cached[kind] for key, kind in _ATTRIBUTES.items()}
        # The keys that are not read, counted in a sample of the records.
        self.unread_keys: Counter[str] = Counter()
        self._records = 0

    def station(self, data: Mapping[str, Any]) -> Values:
        """Return the redacted values of a client record, in the order of STATION_KEYS."""
        self._count_unread_keys(data)
        return self._values(with_link(data), self._stations)

    def event(self, data: Mapping[str, Any]) -> Values:
        """Return the redacted values of an event, in the order of EVENT_KEYS."""
        self._count_unread_keys(data)
        return self._values(data, self._events)

    def parsed_station(self, station: StationRecord) -> Values:
        """Return the redacted values of a parsed client record, as `station` returns them."""
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
        """Return a device without its name, as JSON."""
        return {
            "mac": self._attributes["mac"](device.mac),
            "type": device.type if _TYPE.fullmatch(device.type or "") else None,
            "model": public_model(device.model),
        }

    def redact_all(self, values: Iterable[object]) -> list[Json]:
        """Return redacted values as JSON."""
        return [self.redact(value) for value in values]

    def redact(self, value: object, name: str = "") -> Json:
        """Return a value as redacted JSON; named tuples and dataclasses become objects.

        A text is replaced by the name of its type, unless `name`, the attribute it comes from, is
        known to hold a certain kind of text, for example a MAC address.
        """
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, StrEnum):
            return value.value
        if isinstance(value, str):
            redact = self._attributes.get(name)
            return _type_name(value) if redact is None else redact(value)
        if names := _attribute_names(value):
            return {each: self.redact(getattr(value, each), each) for each in names}
        if isinstance(value, (list, tuple)):
            return [self.redact(each, name) for each in value]
        return _type_name(value)

    def _values(self, data: Mapping[str, Any], fields: _Fields) -> Values:
        get = data.get
        numbers = (*map(get, fields.numbers),)
        if not _PLAIN.issuperset(map(type, numbers)):
            numbers = (*[v if type(v) in _PLAIN else _redact_number(v) for v in numbers],)
        return numbers, fields.redact_texts((*map(get, fields.texts),))

    def _count_unread_keys(self, data: Mapping[str, Any]) -> None:
        self._records += 1
        if self._records % _SAMPLE_INTERVAL != 1:
            return
        for key in islice(data.keys() - _READ_KEYS, _MAX_KEYS):
            name = public_name(key)
            is_full = len(self.unread_keys) >= _MAX_KEYS and name not in self.unread_keys
            self.unread_keys[_OTHER if is_full else name] += 1


_READ_KEYS = frozenset({*STATION_KEYS, *EVENT_KEYS, "mlo_details"})


@lru_cache(maxsize=1024)
def public_name(name: str) -> str:
    """Return a key or type unchanged if it cannot be personal, otherwise "other"."""
    return name if _NAME.fullmatch(name) and not _PERSONAL.search(name) else _OTHER


def public_model(model: str | None) -> str | None:
    """Return a device's model, None if it does not look like one."""
    is_model = model is not None and _MODEL.fullmatch(model) and not _PERSONAL.search(model)
    return model if is_model else None


def public_version(version: str | None) -> str | None:
    """Return a version, None if it does not look like one."""
    return version if version is not None and _VERSION.fullmatch(version) else None


def _hide_text(value: str) -> str:
    return "" if as_text(value) is None else _HIDDEN


def _code(value: str) -> Json:
    return value if value in _CODES else _placeholder(value)


def _band(value: str) -> str:
    return value if value in _RADIOS else _HIDDEN


def _redact_number(value: object) -> Json:
    """Return a number or boolean that was sent as a text, unchanged where that is harmless."""
    if isinstance(value, str) and (number := as_number(value)) is not None:
        return value if _NUMERAL.fullmatch(value) else number
    boolean = as_boolean(value)
    return _placeholder(value) if boolean is None else boolean


def _placeholder(value: object) -> list[Json]:
    """Replace an unexpected value by a list of its type's name, which the parser ignores too."""
    return [_type_name(value)]


def _attribute_names(value: object) -> Sequence[str]:
    """Return the field names of a named tuple or dataclass, none for anything else."""
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    return getattr(value, "_fields", ())


def _type_name(value: object) -> str:
    return type(value).__name__
