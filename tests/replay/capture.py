"""A capture as it was written: what the tracker remembered, was given, and told."""

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
from custom_components.unifi_scanner.capture.recording_tracker import (
    DueDeparture,
    KnownName,
    TrackerState,
)
from custom_components.unifi_scanner.roaming import ClientEvent, ClientState, Source
from custom_components.unifi_scanner.roaming.client_track import (
    ClientTrack,
    HeldDeparture,
    Move,
    Retune,
)

type Json = dict[str, Any]


class BadCaptureError(Exception):
    """This is no capture, or one of another format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was done at a time, POSIX seconds."""

    at: float
    what: str
    batch: Sequence[Observation | None] = ()
    stations: Sequence[StationRecord] = ()
    rows: Sequence[EventRecord] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """All of it; `events` are as JSON has them."""

    memory: TrackerState
    tracks: Sequence[ClientTrack]
    devices: Sequence[DeviceRecord]
    steps: Sequence[Step]
    events: Sequence[Json] = field(default=())


def read_capture(path: Path) -> Capture:
    """Read a file of `export_capture` or a download of diagnostics; raise BadCaptureError."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as err:
        raise BadCaptureError(f"{path} cannot be read: {err.strerror}") from err
    except ValueError as err:
        raise BadCaptureError(f"{path} is no JSON") from err
    data = document.get("data") if isinstance(document, dict) else None
    capture = data.get("capture") if isinstance(data, dict) else document
    if not isinstance(capture, dict) or "format" not in capture:
        raise BadCaptureError(f"{path} holds no capture of UniFi Scanner")
    if capture["format"] != FORMAT:
        raise BadCaptureError(
            f"{path} has the format {capture['format']!r:.20}, this can read {FORMAT} only"
        )
    try:
        return capture_of(capture)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as err:
        raise BadCaptureError(f"{path} is a broken capture: {type(err).__name__} {err}") from err


def capture_of(exported: Mapping[str, Any]) -> Capture:
    """Return what CaptureRecorder.export() has given; raise KeyError, TypeError or the like."""
    memory = exported["state"]["memory"]
    return Capture(
        memory=TrackerState(
            **{
                **memory,
                "held": tuple(DueDeparture(**due) for due in memory["held"]),
                "rechecks": tuple(DueDeparture(**due) for due in memory["rechecks"]),
                "names": tuple(KnownName(**called) for called in memory["names"]),
            }
        ),
        tracks=[_track(track) for track in exported["state"]["clients"]],
        devices=[DeviceRecord(name=None, **device) for device in exported["devices"]],
        steps=[_step(entry) for entry in exported["entries"]],
        events=[dict(event) for event in exported["events"]],
    )


def as_told(event: ClientEvent) -> Json:
    """Return an event as a capture holds it."""
    told: Json = json.loads(json.dumps(_plain(event)))
    return told


def _plain(value: object) -> object:
    """Return a named tuple as a dict, with those in it."""
    if isinstance(value, ClientEvent | Link):
        return {name: _plain(one) for name, one in value._asdict().items()}
    return value


def _track(values: Json) -> ClientTrack:
    held = values["held"]
    track = ClientTrack(
        **{
            **{key: value for key, value in values.items() if key not in {"moves", "retunes"}},
            "state": ClientState(
                **{**values["state"], "link": _link(values["state"]["link"])},
            ),
            "held": held and HeldDeparture(**{**held, "source": Source(held["source"])}),
        }
    )
    # Those that are there by default have the right bounds.
    track.moves = tuple(Move(**move) for move in values["moves"])
    track.retunes = tuple(Retune(**retune) for retune in values["retunes"])
    return track


def _link(values: Json | None) -> Link | None:
    return None if values is None else Link(**values)


def _step(entry: Json) -> Step:
    at, what, records = float(entry["at"]), str(entry["do"]), entry.get("records", ())
    if what == "snapshot":
        read = [parse_station(record["record"], record["received"]) for record in records]
        return Step(at=at, what=what, stations=[station for station in read if station])
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
    return Step(at=at, what=what, batch=batch, rows=rows)
