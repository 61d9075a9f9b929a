"""The flight recorder: the last minutes of a site, without what is personal in them."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
import time
from types import MappingProxyType
from typing import Any

from ..api.frames import SYNC_TYPES, BufferedEvent
from ..api.records import DeviceRecord, Observation, StationRecord
from .redaction import (
    EVENT_KEYS,
    STATION_KEYS,
    Redaction,
    Values,
    public_name,
    public_version,
)

FORMAT = 2
# What is kept at most. Bytes are those in memory, by what each thing was measured to take.
MOST_ENTRIES = 4_000
MOST_BYTES = 2_000_000
_ENTRY_BYTES = 180
_RECORD_BYTES = 450
_FACT_BYTES = 1_000
_MEMORY_BYTES = 400
# The oldest is forgotten in so many steps.
_SEGMENTS = 4
_ENTRIES, _BYTES = MOST_ENTRIES // _SEGMENTS, MOST_BYTES // _SEGMENTS
_MOST_MESSAGES = 32
_OTHER = "other"
_UNREADABLE = "unreadable"

_NOTHING: Mapping[str, Any] = MappingProxyType({})

# When it was received (POSIX seconds), its type, and its values.
type _Record = tuple[float, str, Values]


@dataclass(slots=True)
class Entry:
    """One thing that was done at a time (POSIX seconds), and what was told because of it."""

    at: float
    what: str
    # Frames in which nothing was of use, since the entry before: how many and their bytes.
    skipped: Mapping[str, Sequence[int]] = _NOTHING
    records: Sequence[_Record] = ()
    detail: Mapping[str, Any] = _NOTHING
    told: Sequence[Any] = ()


@dataclass(slots=True, kw_only=True)
class _Segment:
    """Some entries, and what the tracker remembered before them of the clients in them."""

    memory: object
    before: dict[str, Sequence[Any] | None] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    bytes: int = 0

    def size(self) -> int:
        return self.bytes + len(self.before) * _MEMORY_BYTES


class CaptureRecorder:
    """Keeps what a tracker was given and what it told, within bounds, redacted on the way in.

    `about` holds versions by the names of what has them. All times are POSIX seconds by our clock.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.about: dict[str, str | None] = {}
        self._redaction = Redaction()
        self._remembered: Sequence[str] = ()
        self._current = _Segment(memory=None)
        self._segments = deque([self._current])
        self._skipped: dict[str, list[int]] = {}
        self._pending: list[_Record] | None = None
        self._devices: Sequence[DeviceRecord] = ()

    @property
    def unread_keys(self) -> dict[str, int]:
        """Which keys that nobody reads how many had of a sample of the records."""
        return dict(sorted(self._redaction.unread_keys.items()))

    # What the wire and the house tell

    def skip(self, message: str | None, size: int) -> None:
        """Take note of a frame in which nothing is of use, or which is unreadable."""
        name = _UNREADABLE if message is None else message
        if (run := self._skipped.get(name)) is None:
            run = self._skipped.setdefault(self._skip_name(name), [0, 0])
        run[0] += 1
        run[1] += size

    def frames(self, events: Iterable[BufferedEvent]) -> None:
        """Take the entries of frames that the tracker is given next, as they came."""
        station, event = self._redaction.station, self._redaction.event
        self._pending = [
            (
                entry.timestamp.timestamp(),
                kind := entry.event_type,
                station(entry.data) if kind in SYNC_TYPES else event(entry.data),
            )
            for entry in events
        ]

    def note(self, what: str, value: str) -> None:
        """Take note of something that is not personal."""
        self._add(Entry(time.time(), what, detail={"value": value}))

    def devices(self, devices: Sequence[DeviceRecord]) -> None:
        """Take the site's devices as they are now."""
        self._devices = devices

    # What the tracker tells

    def follow(self, memory: object, remembered: Sequence[str]) -> None:
        """Begin with a tracker that remembers this beside its clients.

        `remembered` is what the values are called that it remembers of each client, the first of
        them the one that says in which order it has them.
        """
        self._remembered = remembered
        self._current = _Segment(memory=memory)
        self._segments = deque([self._current])

    def turn(self, memory: Callable[[], object]) -> dict[str, Sequence[Any] | None]:
        """Return where to put what is remembered of a client before the first change to it.

        `memory` gives all else that is remembered; it is asked now and then.
        """
        segment = self._current
        if len(segment.entries) >= _ENTRIES or segment.size() >= _BYTES:
            segment = self._current = _Segment(memory=memory())
            self._segments.append(segment)
            self._forget()
        return segment.before

    def observed(self, now: float, batch: Sequence[Observation | None]) -> Entry:
        """Take a batch: that of `frames`, else rows of the system log."""
        records, self._pending = self._pending, None
        if records is not None:
            return self._add(Entry(now, "observe", self._passed(), records))
        rows = self._redaction.facts(batch)
        self._current.bytes += len(rows) * _FACT_BYTES
        return self._add(Entry(now, "observe", self._passed(), detail={"rows": rows}))

    def snapshot(self, now: float, stations: Sequence[StationRecord]) -> Entry:
        """Take a snapshot."""
        listed = self._redaction.listed
        records = [(one.received, "sta:sync", listed(one)) for one in stations]
        return self._add(Entry(now, "snapshot", self._passed(), records))

    def waited(self, now: float) -> Entry:
        """Take note that time has passed."""
        return self._add(Entry(now, "advance", self._passed()))

    def doubted(self, now: float) -> Entry:
        """Take note that the controller is doubted."""
        return self._add(Entry(now, "doubt", self._passed()))

    def told(self, entry: Entry, events: Iterable[object]) -> None:
        """Take what the tracker told because of an entry."""
        entry.told = self._redaction.facts(events)
        self._current.bytes += len(entry.told) * _FACT_BYTES

    # What comes of it

    def export(self) -> dict[str, Any]:
        """Return all of it as JSON has it; `state` is what the tracker remembered before."""
        segments, fact, names = self._segments, self._redaction.fact, self._remembered
        before: dict[str, Sequence[Any] | None] = {}
        for segment in reversed(segments):
            before |= segment.before
        clients = sorted((kept for kept in before.values() if kept is not None), key=itemgetter(0))
        entries = list(chain.from_iterable(segment.entries for segment in segments))
        return {
            "format": FORMAT,
            "about": {name: public_version(version) for name, version in self.about.items()},
            "unread_keys": self.unread_keys,
            "state": {
                "memory": fact(segments[0].memory),
                "clients": [
                    {name: fact(value, name) for name, value in zip(names, kept, strict=True)}
                    for kept in clients
                ],
            },
            "devices": [self._redaction.device(device) for device in self._devices],
            "entries": [_exported(entry) for entry in entries],
            "events": [event for entry in entries for event in entry.told],
        }

    def _passed(self) -> Mapping[str, Sequence[int]]:
        """Return what has been skipped since this was asked last."""
        if not self._skipped:
            return _NOTHING
        skipped, self._skipped = self._skipped, {}
        return skipped

    def _add(self, entry: Entry) -> Entry:
        segment = self._current
        segment.entries.append(entry)
        segment.bytes += _ENTRY_BYTES + len(entry.records) * _RECORD_BYTES
        return entry

    def _forget(self) -> None:
        segments = self._segments
        entries = sum(len(segment.entries) for segment in segments)
        size = sum(segment.size() for segment in segments)
        while entries > MOST_ENTRIES - _ENTRIES or size > MOST_BYTES - _BYTES:
            oldest = segments.popleft()
            entries -= len(oldest.entries)
            size -= oldest.size()

    def _skip_name(self, message: str) -> str:
        name = public_name(message)
        return name if name in self._skipped or len(self._skipped) < _MOST_MESSAGES else _OTHER


def _exported(entry: Entry) -> dict[str, Any]:
    exported: dict[str, Any] = {"at": entry.at, "do": entry.what, **entry.detail}
    if entry.skipped:
        exported["skipped"] = {
            name: {"frames": frames, "bytes": size}
            for name, (frames, size) in entry.skipped.items()
        }
    if entry.records:
        exported["records"] = [
            {"received": received, "type": kind, "record": _record(kind, values)}
            for received, kind, values in entry.records
        ]
    return exported


def _record(kind: str, values: Values) -> dict[str, Any]:
    keys = STATION_KEYS if kind in SYNC_TYPES else EVENT_KEYS
    pairs = zip(keys, chain(*values), strict=True)
    return {key: value for key, value in pairs if value is not None}
