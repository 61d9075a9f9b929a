"""The replay's command line."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
import logging
from pathlib import Path
import sys

from .capture import BadCaptureError, Json, as_told, read_capture
from .tracker_player import play

AS_TOLD, OTHERWISE, BAD_FILE = range(3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay a capture, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/replay",
        description="Plays a capture again: what is told now, and whether it is what was told.",
        epilog=f"Status {OTHERWISE} when it is not, {BAD_FILE} when there is no such capture.",
    )
    parser.add_argument("file", type=Path, help="of export_capture, or a download of diagnostics")
    parser.add_argument(
        "--hass", action="store_true", help="through the whole integration, as it is on the bus"
    )
    options = parser.parse_args(arguments)
    try:
        capture = read_capture(options.file)
    except BadCaptureError as err:
        sys.stderr.write(f"error: {err}\n")
        return BAD_FILE
    if options.hass:
        # Only here: to load Home Assistant takes its time.
        from . import integration_player  # noqa: PLC0415

        logging.disable(logging.WARNING)
        told, stored = (
            integration_player.live(capture),
            [integration_player.on_the_bus(event) for event in capture.events],
        )
    else:
        told, stored = [as_told(event) for event in play(capture)], [*capture.events]
    for event in told:
        sys.stdout.write(f"  {line(event)}\n")
    for difference in differences(told, stored):
        sys.stdout.write(f"{difference}\n")
    if told == stored:
        sys.stdout.write(f"{len(told)} events, just as they were told then\n")
        return AS_TOLD
    sys.stdout.write(f"{len(told)} events; {len(stored)} were told then, not the same\n")
    return OTHERWISE


def line(event: Json) -> str:
    """Return an event in a line, without what is not known."""
    words = {key: value for key, value in event.items() if value is not None}
    kind, time = words.pop("kind"), words.pop("time")
    moment = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
    return " ".join((moment, kind, *(f"{key}={value}" for key, value in words.items())))


def differences(told: Sequence[Json], stored: Sequence[Json]) -> Iterator[str]:
    """Say which events are only in one of them, or that their order is another one."""
    missing = [event for event in stored if event not in told]
    new = [event for event in told if event not in stored]
    for event in missing:
        yield f"- {line(event)}"
    for event in new:
        yield f"+ {line(event)}"
    if not missing and not new and told != stored:
        yield "in another order, or told more than once"
