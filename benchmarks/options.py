"""The benchmark's command line."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

# What can be measured alone, and what that is.
GROUPS: Mapping[str, str] = {
    "parsing": "frames to our events, beside other parsers",
    "sync": "the record of one client, of ever more that are followed",
    "busy": "a frame with 500 clients, and a roam",
    "latency": "from a frame sent to its event, through a socket",
    "memory": "what the tracker takes for each client",
    "hour": "what the database is given in an hour",
    "set_up": "import and set-up with 500 clients",
    "loop": "how long Home Assistant is held, and a burst of roams",
}


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; whatever makes no sense ends the program with a clear message."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="How much work a frame is: ours beside others', in one run on one machine.",
        epilog="groups: "
        + "; ".join(f"{name}: {what}" for name, what in GROUPS.items())
        + ". A miss is no error: the status is 0 when everything could be measured.",
    )
    add = parser.add_argument
    add(
        "--quick",
        action="store_true",
        help="less of everything, two minutes in place of eight: to see a change, not to publish",
    )
    add(
        "--rows",
        nargs="+",
        choices=GROUPS,
        default=list(GROUPS),
        metavar="GROUP",
        help="only these groups of rows",
    )
    add("--json", type=Path, metavar="FILE", help="write all figures into a file, - for the screen")
    add("--write", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args(arguments)
    if options.write and (options.quick or set(options.rows) != set(GROUPS)):
        parser.error("--write takes all rows of a full run")
    if options.json is not None and not options.json.absolute().parent.is_dir():
        parser.error(f"there is no folder {options.json.parent}")
    return options


if __name__ == "__main__":
    parse_arguments()
