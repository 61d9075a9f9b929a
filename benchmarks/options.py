"""The benchmark's command line."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

# Groups of rows that can be measured separately, with a description for the help.
GROUPS: Mapping[str, str] = {
    "parsing": "from frames to our events, compared with other parsers",
    "sync": "the record of one client, with more and more tracked clients",
    "busy": "a frame with 500 clients, and a roam",
    "latency": "from sending a frame to its event, through a socket",
    "memory": "the size of the tracker per client",
    "hour": "database rows written in an hour",
    "set_up": "import and setup with 500 clients",
    "loop": "how long the event loop is blocked, and a burst of roams",
}


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exit with a clear message if it is invalid."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Compare the cost of frames with other parsers and with HA's own integration.",
        epilog="groups: "
        + "; ".join(f"{name}: {what}" for name, what in GROUPS.items())
        + ". A missed target is not an error: the status is 0 if everything could be measured.",
    )
    add = parser.add_argument
    add(
        "--quick",
        action="store_true",
        help="a smaller run of two minutes instead of eight: to see a change, not to publish",
    )
    add(
        "--rows",
        nargs="+",
        choices=GROUPS,
        default=list(GROUPS),
        metavar="GROUP",
        help="only measure these groups",
    )
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="write all figures to a file, or - for standard output",
    )
    add("--write", action="store_true", help="replace the table in docs/performance.md")
    options = parser.parse_args(arguments)
    if options.write and (options.quick or set(options.rows) != set(GROUPS)):
        parser.error("--write requires a full run of all groups")
    if options.json is not None and not options.json.absolute().parent.is_dir():
        parser.error(f"no such folder: {options.json.parent}")
    return options


if __name__ == "__main__":
    parse_arguments()
