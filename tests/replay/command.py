"""The command line of the replay."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
import logging
from pathlib import Path
import sys

from .capture import BadCaptureError, Json, event_as_json, read_capture
from .tracker_player import play

SAME, DIFFERENT, BAD_FILE = range(3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay a capture and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/replay",
        description="Replay a capture, and compare its events with the recorded ones.",
        epilog=f"Exits with {DIFFERENT} if they differ, with {BAD_FILE} if there is no capture.",
    )
    parser.add_argument("file", type=Path, help="from export_capture, or downloaded diagnostics")
    parser.add_argument(
        "--hass", action="store_true", help="run the whole integration, compare its bus events"
    )
    options = parser.parse_args(arguments)
    try:
        capture = read_capture(options.file)
    except BadCaptureError as err:
        sys.stderr.write(f"error: {err}\n")
        return BAD_FILE
    if options.hass:
        from . import integration_player  # noqa: PLC0415 - loading Home Assistant takes a while

        logging.disable(logging.WARNING)
        replayed, recorded = (
            integration_player.play(capture),
            [integration_player.as_bus_event(event) for event in capture.events],
        )
    else:
        replayed, recorded = [event_as_json(event) for event in play(capture)], [*capture.events]
    for event in replayed:
        sys.stdout.write(f"  {line(event)}\n")
    for difference in differences(replayed, recorded):
        sys.stdout.write(f"{difference}\n")
    if replayed == recorded:
        sys.stdout.write(f"{len(replayed)} events, the same as recorded\n")
        return SAME
    sys.stdout.write(f"{len(replayed)} events, different from the {len(recorded)} recorded ones\n")
    return DIFFERENT


def line(event: Json) -> str:
    """Return an event as one line, without unknown values."""
    words = {key: value for key, value in event.items() if value is not None}
    kind, time = words.pop("kind"), words.pop("time")
    moment = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
    return " ".join((moment, kind, *(f"{key}={value}" for key, value in words.items())))


def differences(replayed: Sequence[Json], recorded: Sequence[Json]) -> Iterator[str]:
    """Yield a line for each event that only one of the lists has, or one for another order."""
    missing = [event for event in recorded if event not in replayed]
    new = [event for event in replayed if event not in recorded]
    for event in missing:
        yield f"- {line(event)}"
    for event in new:
        yield f"+ {line(event)}"
    if not missing and not new and replayed != recorded:
        yield "in a different order, or repeated"
