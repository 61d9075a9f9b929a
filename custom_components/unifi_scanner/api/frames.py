"""Frames of the event socket: which are wanted, and the events in them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import orjson

from .log import get_logger

_LOGGER = get_logger(__name__)

SYNC_TYPES = frozenset({"sta:sync", "client:sync"})
# What controllers send: `meta.message` is "events" and each entry has a key (protocol.md 0, 3.2).
_EVENTS = "events"
KEY_TYPES = {
    f"EVT_{prefix}_{verb}": f"{prefix.lower()}.{name}"
    for prefix in ("WU", "WG")
    for verb, name in (
        ("Connected", "connected"),
        ("Disconnected", "disconnected"),
        ("Roam", "roam"),
        ("RoamRadio", "roam_radio"),
    )
}
# By `meta.message`. No controller has been seen to send `wu.*` there (protocol.md 0).
_MESSAGE_TYPES = (
    {name: name for name in SYNC_TYPES}
    | {name: name for name in KEY_TYPES.values()}
    | {"wu.roamradio": "wu.roam_radio", "wg.roamradio": "wg.roam_radio"}
    | {_EVENTS: _EVENTS}
)

# The envelope's `meta` is far smaller than this wherever it was captured (protocol.md 3.1).
_PEEK = 256
# Bounds of what is counted by name.
_MOST_NAMES = 64
_LONGEST_NAME = 64
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class BufferedEvent:
    """One entry of a frame: when it was received (UTC), its type, and the payload as it came."""

    timestamp: datetime
    event_type: str
    data: dict[str, Any] = field(default_factory=dict)


class _Meta(NamedTuple):
    """A frame's type as it came, and what it is to us: None is unwanted."""

    message: str
    event_type: str | None


@dataclass(slots=True)
class FrameStatistics:
    """What has come through a socket; names beyond a bound are counted as "other".

    `skipped` frames were not parsed, `unreadable` ones are no JSON object with a type. `types`
    counts frames by `meta.message`, `unused_keys` the entries of `events` frames that are of no use
    to us. `seconds` have been spent on them.
    """

    frames: int = 0
    bytes: int = 0
    skipped: int = 0
    unreadable: int = 0
    seconds: float = 0.0
    types: dict[str, int] = field(default_factory=dict)
    unused_keys: dict[str, int] = field(default_factory=dict)

    def count_unreadable(self, size: int) -> None:
        """Count a frame that could not be read; log the first, never its content."""
        self.unreadable += 1
        if self.unreadable == 1:
            _LOGGER.debug("A frame could not be read, further ones are only counted", size=size)

    def count_unused(self, key: str) -> None:
        """Count an event of no use to us; log each key once."""
        if _count(self.unused_keys, key):
            _LOGGER.debug("Events with this key are not used", key=key[:_LONGEST_NAME])


class Passed(Protocol):
    """Takes note of frames in which nothing is of use to us."""

    def skip(self, message: str | None, size: int) -> None:
        """Take note of one by its `meta.message`, None when it is unreadable; bytes."""


def parse_unifi_event(raw_message: str | bytes) -> BufferedEvent | None:
    """Return the first event of a frame, None when it holds none; never raises."""
    events = parse_unifi_events(raw_message)
    return events[0] if events else None


def parse_unifi_events(
    raw_message: str | bytes,
    statistics: FrameStatistics | None = None,
    passed: Passed | None = None,
) -> list[BufferedEvent]:
    """Return a frame's events in the frame's order (protocol.md 3); never raises.

    A frame of a type that nobody wants is not parsed when that can be told for sure. `passed` hears
    of those and of unreadable ones.
    """
    if isinstance(raw_message, str):
        raw_message = raw_message.encode("utf-8", "surrogatepass")
    if statistics is not None:
        statistics.frames += 1
        statistics.bytes += len(raw_message)
    meta = _peek(raw_message)
    if meta is not None and meta.event_type is None:
        if statistics is not None:
            statistics.skipped += 1
            _count(statistics.types, meta.message)
        if passed is not None:
            passed.skip(meta.message, len(raw_message))
        return []
    return _parse(raw_message, meta, statistics, passed)


def _parse(
    raw: bytes, meta: _Meta | None, statistics: FrameStatistics | None, passed: Passed | None
) -> list[BufferedEvent]:
    try:
        frame = orjson.loads(raw)
    except orjson.JSONDecodeError:
        frame = None
    meta = _meta_of(frame) if meta is None or frame is None else meta
    if statistics is not None:
        if meta is None:
            statistics.count_unreadable(len(raw))
        else:
            _count(statistics.types, meta.message)
    if meta is None or meta.event_type is None:
        if passed is not None:
            passed.skip(None if meta is None else meta.message, len(raw))
        return []
    data = frame.get("data")
    entries = data if isinstance(data, list) else [data]
    received = datetime.now(UTC)
    if meta.event_type == _EVENTS:
        return _client_events(entries, received, statistics)
    return [
        BufferedEvent(received, meta.event_type, entry)
        for entry in entries
        if isinstance(entry, dict)
    ]


def _client_events(
    entries: list[object], received: datetime, statistics: FrameStatistics | None
) -> list[BufferedEvent]:
    events = []
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(key := entry.get("key"), str):
            continue
        if (event_type := KEY_TYPES.get(key)) is not None:
            events.append(BufferedEvent(received, event_type, entry))
        elif statistics is not None:
            statistics.count_unused(key)
    return events


def _peek(raw: bytes) -> _Meta | None:
    """Return the frame's `meta` where it can be told for sure without parsing it all.

    For that, `meta` must be the envelope's first or last member, and all of it near that end. Text
    inside a client's name that looks like it cannot mislead: its quotes are escaped there.
    """
    if raw.startswith(b'{"meta"'):
        return _meta_at_start(raw[: raw.find(b"}", 0, _PEEK) + 1])
    start = raw.rfind(b'"meta"', -_PEEK)
    if start > 0 and raw[start - 1 : start] in b", \n":
        return _meta_at_end(raw[start:])
    return None


# Few different ones exist. Only a whole `meta` makes valid JSON below: cut short, nested deeper or
# begun inside a string it does not balance, and then the frame is parsed.
@lru_cache(maxsize=512)
def _meta_at_start(start: bytes) -> _Meta | None:
    return _meta_in(start + b"}")


@lru_cache(maxsize=512)
def _meta_at_end(end: bytes) -> _Meta | None:
    return _meta_in(b"{" + end)


def _meta_in(envelope: bytes) -> _Meta | None:
    try:
        return _meta_of(orjson.loads(envelope))
    except orjson.JSONDecodeError:
        return None


def _meta_of(document: object) -> _Meta | None:
    meta = document.get("meta") if isinstance(document, dict) else None
    message = meta.get("message") if isinstance(meta, dict) else None
    if not isinstance(message, str):
        return None
    accepted = isinstance(meta, dict) and meta.get("rc", "ok") == "ok"
    return _Meta(message, _MESSAGE_TYPES.get(message) if accepted else None)


def _count(counts: dict[str, int], name: str) -> bool:
    """Count a name and return whether it is new; a peer cannot grow the memory with names."""
    name = name[:_LONGEST_NAME]
    new = name not in counts and len(counts) < _MOST_NAMES
    if not new and name not in counts:
        name = _OTHER
    counts[name] = counts.get(name, 0) + 1
    return new
