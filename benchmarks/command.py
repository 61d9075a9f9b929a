"""Run the requested groups of measurements and print or write the results."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
import json
from pathlib import Path
import sys
import time

from . import handling, latency, loop, memory, parsing, recorder_hour, set_up
from .effort import FULL, QUICK, Effort
from .options import GROUPS, parse_arguments
from .report import Run, table, write
from .rows import Row

# By group name.
MEASURES: Mapping[str, Callable[[Effort], list[Row]]] = {
    "parsing": parsing.rows,
    "sync": handling.sync_rows,
    "busy": handling.busy_rows,
    "latency": latency.rows,
    "memory": memory.rows,
    "hour": recorder_hour.rows,
    "set_up": set_up.rows,
    "loop": loop.rows,
}


def _command(options: argparse.Namespace) -> str:
    """Return the command line, without options that only name output files."""
    words = ["scripts/bench"]
    if options.quick:
        words.append("--quick")
    if set(options.rows) != set(GROUPS):
        words += ["--rows", *options.rows]
    if options.write:
        words.append("--write")
    return " ".join(words)


def main() -> int:
    """Measure, and return the exit status."""
    options = parse_arguments()
    began = time.perf_counter()
    rows: list[Row] = []
    for name in options.rows:
        rows += MEASURES[name](QUICK if options.quick else FULL)
        sys.stderr.write(f"{name}: measured after {time.perf_counter() - began:.0f} s\n")
    run = Run(
        command=_command(options),
        day=datetime.now(UTC).date(),
        seconds=time.perf_counter() - began,
        rows=rows,
    )
    if options.json == Path("-"):
        json.dump(run.document(), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(f"{run.heading()}\n{table(rows)}")
    if options.json not in (None, Path("-")):
        options.json.write_text(json.dumps(run.document(), indent=2, ensure_ascii=False) + "\n")
    if options.write:
        write(run)
    return 0
