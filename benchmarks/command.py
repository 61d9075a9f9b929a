"""The benchmark's command line."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
import json
from pathlib import Path
import sys
import time

from . import handling, hour, latency, loop, memory, parsing, set_up
from .effort import FULL, QUICK, Effort
from .report import DOCUMENT, Run, missed, table, write
from .rows import Row

GROUPS: Mapping[str, Callable[[Effort], list[Row]]] = {
    "parsing": parsing.rows,
    "sync": handling.sync_rows,
    "busy": handling.busy_rows,
    "latency": latency.rows,
    "memory": memory.rows,
    "hour": hour.rows,
    "set_up": set_up.rows,
    "loop": loop.rows,
}


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="How much work a frame is: ours beside others', in one run on one machine.",
        epilog="A miss is no error: the status is 0 when everything could be measured.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="less of everything: to see a change, not to publish")
    add("--rows", nargs="+", choices=GROUPS, default=list(GROUPS), help="only these groups of rows")
    add("--json", type=Path, metavar="FILE", help="write all figures into a file, - for the screen")
    add("--write", action="store_true", help=f"write the table into docs/{DOCUMENT.name}")
    options = parser.parse_args()
    if options.write and (options.quick or set(options.rows) != set(GROUPS)):
        parser.error("--write takes all rows of a full run")
    return options


def _command(options: argparse.Namespace) -> str:
    """Return the command without what only says where files are."""
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
        rows += GROUPS[name](QUICK if options.quick else FULL)
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
        late = missed(rows)
        names = ", ".join(row.key for row in late) or "none"
        sys.stdout.write(f"{run.heading()}\n{table(rows)}\nmissed: {names}\n")
    if options.json not in (None, Path("-")):
        options.json.write_text(json.dumps(run.document(), indent=2, ensure_ascii=False) + "\n")
    if options.write:
        write(run)
    return 0
