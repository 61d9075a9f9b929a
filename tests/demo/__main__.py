"""Run the demo: `scripts/demo --help`."""

import argparse
import asyncio
import json
from pathlib import Path
import signal
import sys
from tempfile import TemporaryDirectory

from homeassistant.const import __version__ as home_assistant_version

from . import configuration, dashboard
from .home_assistant import HomeAssistant, Json
from .process import HOST, DemoError, free_port, server
from .registry import DOMAIN, registry
from .screen import LogWatch, roam_line, say, step
from .setup import add_integration, furnish

USERNAME = "demo"
PASSWORD = "demo"
INTEGRATION = Path(__file__).parents[2] / "custom_components" / DOMAIN
ACCOUNT = {"username": "homeassistant", "password": "correct horse"}

BANNER = """
  Home Assistant   {url}
  Login            {username} / {password}
  Controller       {controller} (simulated)
  Its folder       {folder} (gone when the demo ends)

  It opens on "Who is where": everyone's access point, the clients of each, the last roams.
  {ending}

Roams as they arrive on Home Assistant's event bus:
"""


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
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
    return parser.parse_args()


async def run(options: argparse.Namespace, folder: Path) -> int:
    """Start everything, show the roams until the time is over; returns the exit status."""
    port = free_port(options.port, "--port")
    controller_port = free_port(options.controller_port, "--controller-port")
    controller_up = asyncio.Event()
    log = LogWatch(DOMAIN)
    roams: list[Json] = []

    def on_roam(event: Json) -> None:
        roams.append(event["data"])
        say(roam_line(event["data"]))

    configuration.write(folder, port, INTEGRATION)
    async with (
        server(
            "The simulated controller",
            "tests.controller",
            *("--port", f"{controller_port}"),
            *("--username", ACCOUNT["username"], "--password", ACCOUNT["password"]),
            *("--people", f"{options.people}", "--speed", f"{options.speed}"),
            on_line=lambda text: _on_controller_line(text, controller_up),
        ),
        HomeAssistant(f"http://{HOST}:{port}") as house,
    ):
        await step("Starting the simulated controller", controller_up.wait())
        async with server(
            "Home Assistant",
            "homeassistant",
            *("--config", f"{folder}", "--skip-pip"),
            on_line=log.line,
        ):
            await step(f"Starting Home Assistant {home_assistant_version}", house.wait_until_up())
            await step("Making its first account", house.create_owner("Demo", USERNAME, PASSWORD))
            await step("Letting it load the rest", house.wait_until_running())
            where = {"host": f"{HOST}:{controller_port}", "ssl": "pinned"}
            answers = {"user": where | ACCOUNT}
            await step(
                "Adding UniFi Scanner by its config flow",
                add_integration(house, answers, lambda text: say(f"    {text}")),
            )
            rooms = await step("Putting the access points into rooms", furnish(house))
            say(f"    {', '.join(rooms)}")
            await step("Making the dashboard", dashboard.create(house, await registry(house)))
            say(
                BANNER.format(
                    url=house.url,
                    username=USERNAME,
                    password=PASSWORD,
                    controller=f"https://{HOST}:{controller_port}",
                    folder=folder,
                    ending=_ending(options.seconds),
                )
            )
            await house.subscribe(f"{DOMAIN}_roam", on_roam)
            if options.seconds is None:
                await asyncio.Event().wait()
            await asyncio.sleep(options.seconds)
            say("\nStopping.")
    log.flush()
    say(f"{len(roams)} roams in {options.seconds:g} s, {log.shown} complaints in the log.")
    return 0 if roams else 1


def _on_controller_line(text: str, up: asyncio.Event) -> None:
    if text.startswith("{") and json.loads(text).get("ready"):
        up.set()


def _ending(seconds: float | None) -> str:
    return "Ctrl-C stops everything." if seconds is None else f"It ends after {seconds:g} s."


async def main() -> int:
    """Run until the time is over or a signal comes; returns the exit status."""
    options = parse_arguments()
    with TemporaryDirectory(prefix="unifi-scanner-demo-", ignore_cleanup_errors=True) as folder:
        running = asyncio.create_task(run(options, Path(folder)))

        def stop() -> None:
            # Once: a second Ctrl-C must not break into the clearing up.
            if not running.cancelling():
                say("\nStopping.")
                running.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        try:
            return await running
        except asyncio.CancelledError:
            return 0


def _reasons(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [reason for part in error.exceptions for reason in _reasons(part)]
    return [f"error: {error}"]


if __name__ == "__main__":
    status: int | str = 1
    try:
        status = asyncio.run(main())
    except* DemoError as group:
        status = "\n".join(_reasons(group))
    sys.exit(status)
