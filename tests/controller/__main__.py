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
The first line on standard output is JSON: url, port, username, fingerprint, sites. With
--print-truth each thing that happens follows as one line of JSON. Ctrl-C or SIGTERM stops it.
"""


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.controller",
        description="A simulated UniFi controller on loopback, with people walking in a house.",
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("--flavour", type=Flavour, choices=list(Flavour), default=Flavour.UNIFI_OS)
    add("--generation", type=Generation, choices=list(Generation), default=Generation.EVENTS)
    add("--network-version", default="9.4.19", help="10.x has the v2 system log (%(default)s)")
    add("--port", type=int, default=0, help="0 takes a free one (%(default)s)")
    add("--username", default="homeassistant", help="%(default)s")
    add("--password", default="correct horse", help="%(default)s")
    add(
        "--site",
        action="append",
        metavar="NAME[:DESCRIPTION]",
        help="repeat for several sites; the house is the first one (default:Default)",
    )
    add("--people", type=int, default=4, help="number of people walking (%(default)s)")
    add("--seed", type=int, default=1, help="same seed, same walk (%(default)s)")
    add("--speed", type=float, default=5.0, help="times the pace of real people (%(default)s)")
    add("--wait-for-socket", action="store_true", help="all stay put until somebody listens")
    add("--sync-seconds", type=float, default=3.0, help="pause of sync frames (%(default)s)")
    add("--login-limit", type=int, default=5, help="logins a minute, 0: no limit (%(default)s)")
    add("--certificate", type=Path, help="PEM file to show in place of a new certificate")
    add("--key", type=Path, help="PEM file with the key of --certificate")
    add("--print-truth", action="store_true", help="print what truly happens, as JSON lines")
    add("--ready-file", type=Path, help="file for the first line, once it listens")
    options = parser.parse_args(arguments)
    if (options.certificate is None) is not (options.key is None):
        parser.error("--certificate and --key go together")
    if not 0 <= options.port <= HIGHEST_PORT:
        parser.error(f"--port has to be between 0 and {HIGHEST_PORT}")
    if options.people < 0:
        parser.error("--people cannot be negative")
    if not (options.speed > 0 and options.sync_seconds > 0):
        parser.error("--speed and --sync-seconds have to be more than 0")
    return options


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal comes."""
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
    life = WalkSimulation(
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
            # Whoever waits for the file shall never read half of it.
            part = options.ready_file.with_suffix(".part")
            part.write_text(json.dumps(ready) + "\n")
            part.replace(options.ready_file)
        _print(ready)
        async with asyncio.TaskGroup() as tasks:
            begin = tasks.create_task(_begin(life, controller, wait=options.wait_for_socket))
            await stopped.wait()
            begin.cancel()
        await life.stop()


async def _begin(life: WalkSimulation, controller: SimulatedController, *, wait: bool) -> None:
    if wait:
        await controller.wait_for_sockets(seconds=inf)
    life.start()


def _sites(texts: Sequence[str]) -> list[Site]:
    pairs = [text.partition(":") for text in texts]
    return [Site.named(name, desc or None) for name, _, desc in pairs]


def _truth(movement: Movement, world: World) -> dict[str, object]:
    """One line of truth; times in POSIX seconds, signals in dBm, ends None where there is none."""

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
    """Run as a command."""
    options = parse_arguments()
    try:
        asyncio.run(run(options))
    except OSError as error:
        sys.stderr.write(f"cannot listen on port {options.port}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
