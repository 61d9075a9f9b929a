"""The demo's command line."""

import argparse
from collections.abc import Sequence
from math import inf

HIGHEST_PORT = 65535
MOST_SITES = 20


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; whatever makes no sense ends the program with a clear message."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="A real Home Assistant, a simulated UniFi controller, and people who roam.",
    )
    add = parser.add_argument
    add("--seconds", type=float, help="end after this long, with status 1 if nobody roamed")
    add("--port", type=int, default=8123, help="of Home Assistant, 0: any free one (%(default)s)")
    add(
        "--controller-port",
        type=int,
        default=8443,
        help="of the controller, 0: any free one (%(default)s)",
    )
    add("--people", type=int, default=4, help="how many walk (%(default)s)")
    add("--speed", type=float, default=5.0, help="times the pace of real people (%(default)s)")
    add(
        "--sites",
        type=int,
        default=1,
        help="sites of the controller; one is set up, try the others by hand (%(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.seconds is not None and not 0 < options.seconds < inf:
        parser.error("--seconds has to be more than 0")
    for option, port in (("--port", options.port), ("--controller-port", options.controller_port)):
        if not 0 <= port <= HIGHEST_PORT:
            parser.error(f"{option} has to be between 0 and {HIGHEST_PORT}")
    if options.port == options.controller_port != 0:
        parser.error("--port and --controller-port have to differ")
    if options.people < 1:
        parser.error("--people has to be at least 1")
    if not 0 < options.speed < inf:
        parser.error("--speed has to be more than 0")
    if not 1 <= options.sites <= MOST_SITES:
        parser.error(f"--sites has to be between 1 and {MOST_SITES}")
    return options


if __name__ == "__main__":
    parse_arguments()
