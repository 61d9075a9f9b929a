"""Parsing of event socket frames into typed events."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from .damaged_json import load_json
from .log import get_logger
from .turns import parse_large_json, take_parts

_LOGGER = get_logger(__name__)

SYNC_TYPES = frozenset({"sta:sync", "client:sync"})
# Real controllers send `meta.message` "events", and each entry has a key
# (docs/protocol.md 0, 3.2).
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
# Event types by `meta.message`. No controller has been seen to send `wu.*` there
# (docs/protocol.md 0).
_MESSAGE_TYPES = (
    {name: name for name in SYNC_TYPES}
    | {name: name for name in KEY_TYPES.values()}
    | {"wu.roamradio": "wu.roam_radio", "wg.roamradio": "wg.roam_radio"}
    | {_EVENTS: _EVENTS}
)

# In every capture the envelope's `meta` is far smaller than this (docs/protocol.md 3.1).
_PEEK_BYTES = 256
# Bounds of the counters by name.
_MAX_NAMES = 64
_MAX_IGNORED_NAMES = 32
_MAX_NAME_LENGTH = 64
_OTHER = "other"
_UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class BufferedEvent:
    """One entry of a frame: when it was received (UTC), its type, and the raw payload."""

    timestamp: datetime
    event_type: str
    data: dict[str, Any] = field(default_factory=dict)


class _Meta(NamedTuple):
    """A frame's `meta.message`, and the event type it stands for; None if it is ignored."""

    message: str
    event_type: str | None


@dataclass(slots=True)
class FrameStatistics:
    """Counters of the frames of one socket; names beyond a bound are counted as "other".

    `skipped` frames were not parsed; `unreadable` ones are not JSON objects with a type. `types`
    counts frames by `meta.message`, `unused_keys` the entries of `events` frames whose key is not
    used. `ignored` holds the number of ignored frames and their bytes by `meta.message`, and those
    of unreadable frames, since the latest `take_ignored`. `seconds` is the time spent processing
    frames.
    """

    frames: int = 0
    bytes: int = 0
    skipped: int = 0
    unreadable: int = 0
    seconds: float = 0.0
    types: dict[str, int] = field(default_factory=dict)
    unused_keys: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, list[int]] = field(default_factory=dict)

    def count_ignored(self, message: str, size: int) -> None:
        """Count a frame of `size` bytes whose type is not used."""
        if (count := self.ignored.get(message)) is None:
            name = _bounded(message, self.ignored, _MAX_IGNORED_NAMES)
            count = self.ignored.setdefault(name, [0, 0])
        count[0] += 1
        count[1] += size

    def take_ignored(self) -> dict[str, list[int]]:
        """Return `ignored` and start a new count."""
        ignored, self.ignored = self.ignored, {}
        return ignored

    def count_unreadable(self, size: int) -> None:
        """Count a frame that could not be parsed; log the first one, without its content."""
        self.unreadable += 1
        self.count_ignored(_UNREADABLE, size)
        if self.unreadable == 1:
            _LOGGER.debug("A frame could not be read, further ones are only counted", size=size)

    def count_unused(self, key: str) -> None:
        """Count an event whose key is not used; log each key once."""
        if _count(self.unused_keys, key):
            _LOGGER.debug("Events with this key are not used", key=key[:_MAX_NAME_LENGTH])


def parse_unifi_event(raw_message: str | bytes) -> BufferedEvent | None:
    """Return the first event of a frame, None if it has none; never raises."""
    events = parse_unifi_events(raw_message)
    return events[0] if events else None


def parse_unifi_events(
    raw_message: str | bytes, statistics: FrameStatistics | None = None
) -> list[BufferedEvent]:
    """Return a frame's events in frame order (docs/protocol.md 3); never raises.

    A frame is only parsed if its type is used, or cannot be determined without parsing.
    """
    raw, meta = _begin(raw_message, statistics)
    if meta is not None and meta.event_type is None:
        return []
    try:
        frame = load_json(raw)
    except orjson.JSONDecodeError:
        frame = None
    event_type, entries = _entries_of(frame, meta, len(raw), statistics)
    return _events_from(event_type, entries, datetime.now(UTC), statistics)


def parse_large_frame(
    raw_message: bytes, statistics: FrameStatistics
) -> Generator[list[BufferedEvent]]:
    """Yield a frame's events like `parse_unifi_events`, in parts, some of them empty.

    Other tasks may run after each part. The frame is parsed completely before the first event.
    """
    raw, meta = _begin(raw_message, statistics)
    if meta is not None and meta.event_type is None:
        return
    try:
        frame = yield from _without_events(parse_large_json(raw))
    except orjson.JSONDecodeError:
        frame = None
    event_type, entries = _entries_of(frame, meta, len(raw), statistics)
    received = datetime.now(UTC)
    for part in take_parts(entries):
        yield _events_from(event_type, part, received, statistics)


def _without_events[T](
    work: Generator[None, None, T],
) -> Generator[list[BufferedEvent], None, T]:
    """Do work that yields no events yet."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
        yield []


def _begin(
    raw_message: str | bytes, statistics: FrameStatistics | None
) -> tuple[bytes, _Meta | None]:
    """Count a frame; return it with its `meta`, None if that requires parsing the frame."""
    if isinstance(raw_message, str):
        raw_message = raw_message.encode("utf-8", "surrogatepass")
    if statistics is not None:
        statistics.frames += 1
        statistics.bytes += len(raw_message)
    meta = _peek(raw_message)
    if meta is not None and meta.event_type is None and statistics is not None:
        statistics.skipped += 1
        _count(statistics.types, meta.message)
        statistics.count_ignored(meta.message, len(raw_message))
    return raw_message, meta


def _entries_of(
    frame: object, meta: _Meta | None, size: int, statistics: FrameStatistics | None
) -> tuple[str, list[object]]:
    """Count a parsed frame of `size` bytes; return its event type and its entries."""
    meta = _meta_of(frame) if meta is None or frame is None else meta
    if meta is None:
        if statistics is not None:
            statistics.count_unreadable(size)
        return "", []
    if statistics is not None:
        _count(statistics.types, meta.message)
    if meta.event_type is None:
        if statistics is not None:
            statistics.count_ignored(meta.message, size)
        return "", []
    data = frame.get("data") if isinstance(frame, dict) else None
    return meta.event_type, data if isinstance(data, list) else [data]


def _events_from(
    event_type: str,
    entries: list[object],
    received: datetime,
    statistics: FrameStatistics | None,
) -> list[BufferedEvent]:
    if event_type == _EVENTS:
        return _client_events(entries, received, statistics)
    return [
        BufferedEvent(received, event_type, entry) for entry in entries if isinstance(entry, dict)
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
    """Return the frame's `meta` without parsing the frame, None if that is not safe.

    It is safe if `meta` is the envelope's first or last member and lies entirely near that end.
    Look-alike text in a client's name cannot match, because its quotes are escaped.
    """
    if raw.startswith(b'{"meta"'):
        return _meta_at_start(raw[: raw.find(b"}", 0, _PEEK_BYTES) + 1])
    start = raw.rfind(b'"meta"', -_PEEK_BYTES)
    if start > 0 and raw[start - 1 : start] in b", \n":
        return _meta_at_end(raw[start:])
    return None


# Cached because only a few distinct values occur. Only a complete `meta` makes valid JSON here:
# one that is truncated, nested deeper or starts inside a string does not balance, and the frame is
# then parsed as a whole.
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


def _bounded(name: str, counts: dict[str, Any], limit: int) -> str:
    """Return the name to count under, so that a peer cannot exhaust memory with new names."""
    name = name[:_MAX_NAME_LENGTH]
    return name if name in counts or len(counts) < limit else _OTHER


def _count(counts: dict[str, int], name: str) -> bool:
    """Count a name and return whether it is new."""
    if name in counts:
        counts[name] += 1
        return False
    name = _bounded(name, counts, _MAX_NAMES)
    counts[name] = counts.get(name, 0) + 1
    return counts[name] == 1 and len(counts) <= _MAX_NAMES
