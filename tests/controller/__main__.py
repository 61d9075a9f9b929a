"""Run the simulated controller on its own: `python -m tests.controller --help`."""

import argparse
import asyncio
from collections.abc import Sequence
import json
from math import inf
from pathlib import Path
import signal
import sys

from .certificate import ServerCertificate
from .models import Flavour, Generation, Link, Movement, Site
from .server import SimulatedController
from .walk_simulation import WalkOptions, WalkSimulation
from .world import World

HIGHEST_PORT = 65535
EPILOG = """
The first line of output is JSON with url, port, username, fingerprint and sites. With
--print-truth, every client movement follows as a line of JSON. Stop with Ctrl-C or SIGTERM.
"""


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.controller",
        description="A simulated UniFi controller on loopback, with people walking around a house.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add(
        "--flavour",
        type=Flavour,
        choices=list(Flavour),
        default=Flavour.UNIFI_OS,
        help="kind of controller (%(default)s)",
    )
    add(
        "--generation",
        type=Generation,
        choices=list(Generation),
        default=Generation.EVENTS,
        help="whether clients are reported by events or by sync records only (%(default)s)",
    )
    add("--network-version", default="9.4.19", help="10.x adds the v2 system log (%(default)s)")
    add("--port", type=int, default=0, help="0 picks a free port (%(default)s)")
    add("--username", default="homeassistant", help="username to accept (%(default)s)")
    add("--password", default="correct horse", help="password to accept (%(default)s)")
    add(
        "--site",
        action="append",
        metavar="NAME[:DESCRIPTION]",
        help="repeat for several sites; people walk in the first (default:Default)",
    )
    add("--people", type=int, default=4, help="number of people walking (%(default)s)")
    add("--seed", type=int, default=1, help="the same seed repeats the walk (%(default)s)")
    add("--speed", type=float, default=5.0, help="multiple of walking pace (%(default)s)")
    add("--wait-for-socket", action="store_true", help="walk once an event socket opens")
    add("--sync-seconds", type=float, default=3.0, help="seconds between syncs (%(default)s)")
    add("--login-limit", type=int, default=5, help="logins per minute, 0: no limit (%(default)s)")
    add("--certificate", type=Path, help="PEM certificate to serve (a new self-signed one)")
    add("--key", type=Path, help="PEM private key of --certificate")
    add("--print-truth", action="store_true", help="print every movement as a line of JSON")
    add("--ready-file", type=Path, help="also write the first line to this file once listening")
    options = parser.parse_args(arguments)
    if (options.certificate is None) is not (options.key is None):
        parser.error("--certificate and --key go together")
    if not 0 <= options.port <= HIGHEST_PORT:
        parser.error(f"--port must be between 0 and {HIGHEST_PORT}")
    if options.people < 0:
        parser.error("--people cannot be negative")
    if not (options.speed > 0 and options.sync_seconds > 0):
        parser.error("--speed and --sync-seconds must be greater than 0")
    return options


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    world: World | None = None

    def print_truth(movement: Movement) -> None:
        if world is not None:
            _print(_truth(movement, world))

    certificate = None
    if options.certificate is not None:
        certificate = ServerCertificate.load(options.certificate, options.key)
    controller = SimulatedController(
        flavour=options.flavour,
        generation=options.generation,
        network_version=options.network_version,
        username=options.username,
        password=options.password,
        port=options.port,
        sites=_sites(options.site or ["default:Default"]),
        certificate=certificate,
    )
    walk = WalkSimulation(
        controller,
        WalkOptions(
            seed=options.seed,
            people=options.people,
            speed=options.speed,
            sync_seconds=options.sync_seconds,
            on_movement=print_truth if options.print_truth else None,
        ),
    )
    world = controller.world
    for other in list(controller.worlds.values())[1:]:
        other.add_access_point("Reception")
        other.add_client("Front Desk", ap="Reception")
    if options.login_limit:
        controller.faults.limit_logins(options.login_limit)
    async with controller:
        ready = {
            "ready": True,
            "url": controller.base_url,
            "port": controller.port,
            "username": controller.username,
            "fingerprint": controller.certificate.fingerprint,
            "flavour": options.flavour.value,
            "sites": list(controller.worlds),
        }
        if options.ready_file is not None:
            # Replaced atomically, so that a waiting reader never sees half a line.
            part = options.ready_file.with_suffix(".part")
            part.write_text(json.dumps(ready) + "\n")
            part.replace(options.ready_file)
        _print(ready)
        async with asyncio.TaskGroup() as tasks:
            start = tasks.create_task(_start(walk, controller, wait=options.wait_for_socket))
            await stopped.wait()
            start.cancel()
        await walk.stop()


async def _start(walk: WalkSimulation, controller: SimulatedController, *, wait: bool) -> None:
    if wait:
        await controller.wait_for_sockets(seconds=inf)
    walk.start()


def _sites(texts: Sequence[str]) -> list[Site]:
    pairs = [text.partition(":") for text in texts]
    return [Site.named(name, desc or None) for name, _, desc in pairs]


def _truth(movement: Movement, world: World) -> dict[str, object]:
    """Return a movement as JSON: POSIX seconds, dBm; `from` or `to` is None while away."""

    def end(link: Link | None) -> dict[str, object] | None:
        if link is None:
            return None
        return {
            "ap_mac": link.ap,
            "ap_name": world.devices[link.ap].name,
            "band": link.band.value,
            "channel": link.channel,
            "signal": link.signal,
        }

    return {
        "time": movement.time,
        "kind": movement.kind.value,
        "client_mac": movement.mac,
        "client_name": movement.name or movement.hostname,
        "guest": movement.guest,
        "ssid": movement.ssid,
        "from": end(movement.before),
        "to": end(movement.after),
    }


def _print(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the command and return its exit status."""
    options = parse_arguments()
    try:
        asyncio.run(run(options))
    except OSError as error:
        sys.stderr.write(f"cannot listen on port {options.port}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
