"""The demo's command line."""

import argparse
from collections.abc import Sequence
from math import inf

HIGHEST_PORT = 65535
MAX_SITES = 20


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; invalid options exit with an error message."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="A real Home Assistant with a simulated UniFi controller and roaming phones.",
    )
    add = parser.add_argument
    add("--seconds", type=float, help="stop after this time; exit with 1 if no phone roamed")
    add(
        "--port",
        type=int,
        default=8123,
        help="port of Home Assistant, 0: any free port (%(default)s)",
    )
    add(
        "--controller-port",
        type=int,
        default=8443,
        help="port of the controller, 0: any free port (%(default)s)",
    )
    add("--people", type=int, default=4, help="number of people walking (%(default)s)")
    add("--speed", type=float, default=5.0, help="multiple of walking pace (%(default)s)")
    add(
        "--sites",
        type=int,
        default=1,
        help="sites of the controller; the first is set up, add the others yourself (%(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.seconds is not None and not 0 < options.seconds < inf:
        parser.error("--seconds must be greater than 0")
    for option, port in (("--port", options.port), ("--controller-port", options.controller_port)):
        if not 0 <= port <= HIGHEST_PORT:
            parser.error(f"{option} must be between 0 and {HIGHEST_PORT}")
    if options.port == options.controller_port != 0:
        parser.error("--port and --controller-port must differ")
    if options.people < 1:
        parser.error("--people must be at least 1")
    if not 0 < options.speed < inf:
        parser.error("--speed must be greater than 0")
    if not 1 <= options.sites <= MAX_SITES:
        parser.error(f"--sites must be between 1 and {MAX_SITES}")
    return options


if __name__ == "__main__":
    parse_arguments()
