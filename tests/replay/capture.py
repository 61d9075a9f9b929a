"""Reading of captures: the tracker's state at the beginning, its inputs, and its events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

from custom_components.unifi_scanner.api.frames import BufferedEvent
from custom_components.unifi_scanner.api.records import (
    DeviceRecord,
    EventKind,
    EventRecord,
    Link,
    Observation,
    StationRecord,
    observation_from,
    parse_station,
)
from custom_components.unifi_scanner.capture.recorder import FORMAT
from custom_components.unifi_scanner.roaming import ClientEvent, RoamTracker

type Json = dict[str, Any]


class BadCaptureError(Exception):
    """The file is not a capture, or one of an unknown format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One input of the tracker, at a POSIX time; `action` is its name in the capture."""

    at: float
    action: str
    batch: Sequence[Observation | None] = ()
    stations: Sequence[StationRecord] = ()
    rows: Sequence[EventRecord] = ()
    until: float | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A capture; the state and the events are as in its JSON."""

    state: Json
    clients: Sequence[Json]
    devices: Sequence[DeviceRecord]
    steps: Sequence[Step]
    events: Sequence[Json] = field(default=())

    @property
    def disconnect_delay(self) -> float:
        """How long the recorded tracker held a departure back, in seconds."""
        return float(self.state["disconnect_delay"])

    def tracker(self) -> RoamTracker:
        """Return a tracker in the state in which the recorded one was at the beginning."""
        tracker = RoamTracker(self.disconnect_delay)
        tracker.restore(self.state, self.clients)
        return tracker


def read_capture(path: Path) -> Capture:
    """Read a file of `export_capture` or downloaded diagnostics; raise BadCaptureError."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as err:
        raise BadCaptureError(f"{path} cannot be read: {err.strerror}") from err
    except ValueError as err:
        raise BadCaptureError(f"{path} is not valid JSON") from err
    data = document.get("data") if isinstance(document, dict) else None
    capture = data.get("capture") if isinstance(data, dict) else document
    if not isinstance(capture, dict) or "format" not in capture:
        raise BadCaptureError(f"{path} contains no capture of UniFi Scanner")
    if capture["format"] != FORMAT:
        raise BadCaptureError(
            f"{path} has format {capture['format']!r:.20}, but only format {FORMAT} can be read"
        )
    try:
        return capture_from(capture)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as err:
        raise BadCaptureError(f"{path} is a broken capture: {type(err).__name__} {err}") from err


def capture_from(exported: Mapping[str, Any]) -> Capture:
    """Parse the result of CaptureRecorder.export(); raise KeyError, TypeError or the like."""
    capture = Capture(
        state=exported["state"]["memory"],
        clients=exported["state"]["clients"],
        devices=[DeviceRecord(name=None, **device) for device in exported["devices"]],
        steps=[_step(entry) for entry in exported["entries"]],
        events=[dict(event) for event in exported["events"]],
    )
    # Raises an error if the state is broken.
    capture.tracker()
    return capture


def event_as_json(event: ClientEvent) -> Json:
    """Return an event as a capture contains it."""
    document: Json = json.loads(json.dumps(_plain(event)))
    return document


def _plain(value: object) -> object:
    """Return a named tuple and those in it as dicts."""
    if isinstance(value, ClientEvent | Link):
        return {name: _plain(each) for name, each in value._asdict().items()}
    return value


def _link(values: Json | None) -> Link | None:
    return None if values is None else Link(**values)


def _step(entry: Json) -> Step:
    if entry.get("do") == "stream" and entry.get("value") == "connected":
        return Step(at=float(entry["at"]), action="connect")
    at, action, records = float(entry["at"]), str(entry["do"]), entry.get("records", ())
    if action == "snapshot":
        parsed = [parse_station(record["record"], record["received"]) for record in records]
        return Step(at=at, action=action, stations=[station for station in parsed if station])
    batch = [
        observation_from(
            BufferedEvent(
                datetime.fromtimestamp(record["received"], UTC), record["type"], record["record"]
            )
        )
        for record in records
    ]
    rows = [
        EventRecord(
            **{
                **row,
                "kind": EventKind(row["kind"]),
                "link_from": _link(row["link_from"]),
                "link_to": _link(row["link_to"]),
            }
        )
        for row in entry.get("rows", ())
    ]
    until, since = entry.get("until"), entry.get("since")
    return Step(at=at, action=action, batch=batch, rows=rows, until=until, since=since)
