"""The capture recorder: the last minutes of a site, with personal data redacted."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
import time
from types import MappingProxyType
from typing import Any

from ..api.frames import SYNC_TYPES, BufferedEvent, FrameStatistics
from ..api.records import DeviceRecord, EventRecord, StationRecord
from .redaction import (
    EVENT_KEYS,
    STATION_KEYS,
    Redaction,
    Values,
    public_name,
    public_version,
)

FORMAT = 3
# Bounds of what is kept. Bytes are those in memory, by the measured size of each item.
MAX_ENTRIES = 4_000
MAX_BYTES = 2_000_000
_ENTRY_BYTES = 180
_RECORD_BYTES = 450
_EVENT_BYTES = 1_000
_CLIENT_BYTES = 400
# The oldest part is discarded one segment at a time.
_SEGMENTS = 4
_SEGMENT_ENTRIES, _SEGMENT_BYTES = MAX_ENTRIES // _SEGMENTS, MAX_BYTES // _SEGMENTS

_NOTHING: Mapping[str, Any] = MappingProxyType({})

# When a record was received (POSIX seconds), its type, and its redacted values.
type _Record = tuple[float, str, Values]


@dataclass(slots=True)
class Entry:
    """One input of the tracker at a time (POSIX seconds), and the events that resulted."""

    at: float
    action: str
    # Number and bytes of the frames ignored since the previous input, by unredacted type.
    skipped: Mapping[str, Sequence[int]] = _NOTHING
    records: Sequence[_Record] = ()
    details: Mapping[str, Any] = _NOTHING
    events: Sequence[Any] = ()


@dataclass(slots=True, kw_only=True)
class _Segment:
    """Some entries, and the tracker's state before them: as a whole, and of the clients in them."""

    state: object
    clients: dict[str, Sequence[Any] | None] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    bytes: int = 0

    def size(self) -> int:
        return self.bytes + len(self.clients) * _CLIENT_BYTES


class CaptureRecorder:
    """Records a tracker's inputs and events within bounds, and exports them without personal data.

    The controller's records are redacted as they are recorded, the tracker's state on export.
    `versions` holds version numbers by the name of the component. All times are POSIX seconds on
    our clock.
    """

    def __init__(self) -> None:
        """Start without a tracker; `start` sets one."""
        self.versions: dict[str, str | None] = {}
        self._redaction = Redaction()
        self._client_fields: Sequence[str] = ()
        self._current = _Segment(state=None)
        self._segments = deque([self._current])
        self._statistics = FrameStatistics()
        self._pending: list[_Record] | None = None
        self._devices: Sequence[DeviceRecord] = ()

    @property
    def unread_keys(self) -> dict[str, int]:
        """The keys that are not read, and how many records of a sample had them."""
        return dict(sorted(self._redaction.unread_keys.items()))

    # Input from the stream and the coordinator

    def attach(self, statistics: FrameStatistics) -> None:
        """Record the ignored frames from the statistics of a socket, with `take_ignored`."""
        self._statistics = statistics

    def record_frames(self, events: Iterable[BufferedEvent]) -> None:
        """Record the raw content of the batch that the tracker processes next."""
        station, event = self._redaction.station, self._redaction.event
        self._pending = [
            (
                entry.timestamp.timestamp(),
                kind := entry.event_type,
                station(entry.data) if kind in SYNC_TYPES else event(entry.data),
            )
            for entry in events
        ]

    def record_note(self, topic: str, value: str) -> None:
        """Record a value without personal data, such as a state of the stream."""
        self._add(Entry(time.time(), topic, details={"value": value}))

    def record_devices(self, devices: Sequence[DeviceRecord]) -> None:
        """Replace the list of the site's devices."""
        self._devices = devices

    # Input from the tracker

    def start(self, state: object, client_fields: Sequence[str]) -> None:
        """Discard all entries and start with a tracker in this state.

        `state` must be immutable and have named fields; `client_fields` are the names of the values
        in the state of a client.
        """
        self._client_fields = client_fields
        self._current = _Segment(state=state)
        self._segments = deque([self._current])

    def client_states(self, export_state: Callable[[], object]) -> dict[str, Sequence[Any] | None]:
        """Return the dict for the states of the clients that the next input may change.

        The caller adds each client missing in it, None for an unknown one. If a new segment is due,
        it starts with the tracker's state from `export_state`.
        """
        segment = self._current
        if len(segment.entries) >= _SEGMENT_ENTRIES or segment.size() >= _SEGMENT_BYTES:
            segment = self._current = _Segment(state=export_state())
            self._segments.append(segment)
            self._discard_oldest()
        return segment.clients

    def record_batch(self, now: float) -> Entry:
        """Record that the batch of `record_frames` was processed."""
        records, self._pending = self._pending or (), None
        return self._add(Entry(now, "observe", self._skipped_frames(), records))

    def record_log(self, now: float, rows: Sequence[EventRecord], until: float | None) -> Entry:
        """Record rows of the system log, and up to when it is known with them."""
        redacted = self._redaction.redact_all(rows)
        self._current.bytes += len(redacted) * _EVENT_BYTES
        details = {"rows": redacted, "until": until}
        return self._add(Entry(now, "log", self._skipped_frames(), details=details))

    def record_snapshot(self, now: float, stations: Sequence[StationRecord]) -> Entry:
        """Record a snapshot."""
        redact = self._redaction.parsed_station
        records = [(station.received, "sta:sync", redact(station)) for station in stations]
        return self._add(Entry(now, "snapshot", self._skipped_frames(), records))

    def record_timer(self, now: float) -> Entry:
        """Record that departures were released by a timer."""
        return self._add(Entry(now, "advance", self._skipped_frames()))

    def record_suspension(self, now: float) -> Entry:
        """Record that departures were suspended."""
        return self._add(Entry(now, "doubt", self._skipped_frames()))

    def record_expected_log(self, now: float, until: float | None, since: float | None) -> None:
        """Record up to when the controller's log is known, and since when it is read."""
        details = {"until": until, "since": since}
        self._add(Entry(now, "expect_log", self._skipped_frames(), details=details))

    def record_events(self, entry: Entry, events: Iterable[object]) -> None:
        """Record the events that an input resulted in."""
        entry.events = self._redaction.redact_all(events)
        self._current.bytes += len(entry.events) * _EVENT_BYTES

    # Output

    def export(self) -> dict[str, Any]:
        """Return everything recorded as JSON; `state` is the tracker's state at the beginning."""
        segments, redact, names = self._segments, self._redaction.redact, self._client_fields
        clients: dict[str, Sequence[Any] | None] = {}
        for segment in reversed(segments):
            clients |= segment.clients
        entries = list(chain.from_iterable(segment.entries for segment in segments))
        return {
            "format": FORMAT,
            "about": {name: public_version(version) for name, version in self.versions.items()},
            "unread_keys": self.unread_keys,
            "state": {
                "memory": redact(segments[0].state),
                "clients": [
                    {name: redact(value, name) for name, value in zip(names, client, strict=True)}
                    for client in clients.values()
                    if client is not None
                ],
            },
            "devices": [self._redaction.device(device) for device in self._devices],
            "entries": [_exported(entry) for entry in entries],
            "events": [event for entry in entries for event in entry.events],
        }

    def _skipped_frames(self) -> Mapping[str, Sequence[int]]:
        """Return the frames ignored since the previous input."""
        return self._statistics.take_ignored() if self._statistics.ignored else _NOTHING

    def _add(self, entry: Entry) -> Entry:
        segment = self._current
        segment.entries.append(entry)
        segment.bytes += _ENTRY_BYTES + len(entry.records) * _RECORD_BYTES
        return entry

    def _discard_oldest(self) -> None:
        segments = self._segments
        entries = sum(len(segment.entries) for segment in segments)
        size = sum(segment.size() for segment in segments)
        while entries > MAX_ENTRIES - _SEGMENT_ENTRIES or size > MAX_BYTES - _SEGMENT_BYTES:
            oldest = segments.popleft()
            entries -= len(oldest.entries)
            size -= oldest.size()


def _exported(entry: Entry) -> dict[str, Any]:
    exported: dict[str, Any] = {"at": entry.at, "do": entry.action, **entry.details}
    if entry.skipped:
        exported["skipped"] = _exported_counts(entry.skipped)
    if entry.records:
        exported["records"] = [
            {"received": received, "type": kind, "record": _record(kind, values)}
            for received, kind, values in entry.records
        ]
    return exported


def _exported_counts(skipped: Mapping[str, Sequence[int]]) -> dict[str, dict[str, int]]:
    """Return counts of frames by type; those of suspicious types are added up."""
    exported: dict[str, dict[str, int]] = {}
    for message, (frames, size) in skipped.items():
        count = exported.setdefault(public_name(message), {"frames": 0, "bytes": 0})
        count["frames"] += frames
        count["bytes"] += size
    return exported


def _record(kind: str, values: Values) -> dict[str, Any]:
    keys = STATION_KEYS if kind in SYNC_TYPES else EVENT_KEYS
    pairs = zip(keys, chain(*values), strict=True)
    return {key: value for key, value in pairs if value is not None}
