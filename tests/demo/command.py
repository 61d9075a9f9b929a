"""The demo from its first line on the terminal to its last."""

import argparse
import asyncio
import json
from pathlib import Path
import signal
from tempfile import TemporaryDirectory
import time

from homeassistant.const import __version__ as home_assistant_version

from . import configuration, dashboard
from .home_assistant import HomeAssistant, Json
from .options import parse_arguments
from .process import HOST, DemoError, free_ports, server
from .registry import DOMAIN, registry
from .screen import HEADER, LogWatch, roam_line, say, step
from .setup import add_integration, furnish

USERNAME = "demo"
PASSWORD = "demo"
INTEGRATION = Path(__file__).parents[2] / "custom_components" / DOMAIN
ACCOUNT = {"username": "homeassistant", "password": "correct horse"}
# The first site's people are those who walk; Home Assistant lists sites by what people call them.
SITES = ["default:Home", *(f"site{number}:Site {number}" for number in range(2, 21))]

BANNER = """
  Home Assistant   {url}
  Login            {username} / {password}
  Controller       {controller} (simulated)
  Its account      {controller_username} / {controller_password}
  {by_hand}
  Demo's folder    {folder} (gone when the demo ends)

  It opens on "Who is where": who is at which access point, and a light that follows Anna.
  {ending}"""
BY_HAND = {
    False: "                 (its only site is set up; --sites 2 has another to add by hand)",
    True: "                 (add its other sites by hand: Settings > Devices & services)",
}


class Demo:
    """One run of the demo."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        """Take the command line, and an empty folder for Home Assistant's configuration."""
        self._options = options
        self._folder = folder
        self._log = LogWatch(DOMAIN)
        self._controller_up = asyncio.Event()
        # How long roams were shown; None: it did not get so far.
        self._seconds: float | None = None
        self.roams = 0

    async def run(self) -> None:
        """Start everything, show the roams until the time is over."""
        options, folder = self._options, self._folder
        port, controller_port = free_ports(
            {"--port": options.port, "--controller-port": options.controller_port}
        )
        configuration.write(folder, port, INTEGRATION)
        async with (
            server(
                "The simulated controller",
                "tests.controller",
                *("--port", f"{controller_port}"),
                *("--username", ACCOUNT["username"], "--password", ACCOUNT["password"]),
                *("--people", f"{options.people}", "--speed", f"{options.speed}"),
                # A walk on which Anna is at home for the first minutes, so that her light shows.
                *("--seed", "22"),
                # Whoever is out while the clients are chosen would not be among them.
                "--wait-for-socket",
                *(part for site in SITES[: options.sites] for part in ("--site", site)),
                on_line=self._on_controller_line,
            ),
            HomeAssistant(f"http://{HOST}:{port}") as house,
        ):
            await step("Starting the simulated controller", self._controller_up.wait())
            async with server(
                "Home Assistant",
                "homeassistant",
                *("--config", f"{folder}", "--skip-pip"),
                on_line=self._log.line,
            ):
                await self._set_up(house, f"{HOST}:{controller_port}")
                self._introduce(house, f"https://{HOST}:{controller_port}")
                await house.subscribe(f"{DOMAIN}_roam", self._on_roam)
                started = time.monotonic()
                try:
                    if options.seconds is None:
                        await asyncio.Event().wait()
                    await asyncio.sleep(options.seconds)
                    say("\nStopping.")
                finally:
                    self._seconds = time.monotonic() - started

    def sum_up(self) -> None:
        """Say what came of it, if it got so far."""
        self._log.flush()
        if self._seconds is not None:
            complaints = f"{self._log.shown} complaints from UniFi Scanner in the log"
            say(f"{self.roams} roams in {self._seconds:.0f} s, {complaints}.")

    async def _set_up(self, house: HomeAssistant, controller: str) -> None:
        await step(f"Starting Home Assistant {home_assistant_version}", house.wait_until_up())
        await step("Making its first account", house.create_owner("Demo", USERNAME, PASSWORD))
        await step("Letting it load the rest", house.wait_until_running())
        answers = {
            "user": {"host": controller, "ssl": "pinned", **ACCOUNT},
            "site": {"site": "default"},
        }
        await step(
            "Adding UniFi Scanner by its config flow",
            add_integration(house, answers, lambda text: say(f"    {text}")),
        )
        rooms = await step("Putting access points and lights into rooms", furnish(house))
        say(f"    {', '.join(rooms)}")
        await step("Making the dashboard", dashboard.create(house, await registry(house)))

    def _introduce(self, house: HomeAssistant, controller: str) -> None:
        seconds = self._options.seconds
        say(
            BANNER.format(
                url=house.url,
                username=USERNAME,
                password=PASSWORD,
                controller=controller,
                controller_username=ACCOUNT["username"],
                controller_password=ACCOUNT["password"],
                by_hand=BY_HAND[self._options.sites > 1],
                folder=self._folder,
                ending="Ctrl-C stops everything." if seconds is None else f"Ends in {seconds:g} s.",
            )
        )
        say(HEADER)

    def _on_controller_line(self, text: str) -> None:
        if text.startswith("{") and json.loads(text).get("ready"):
            self._controller_up.set()

    def _on_roam(self, event: Json) -> None:
        self.roams += 1
        say(roam_line(event["data"]))


async def _main(options: argparse.Namespace) -> int:
    """Run until the time is over or a signal comes; returns the exit status."""
    running: asyncio.Task[None] | None = None

    def stop() -> None:
        # Once: a second Ctrl-C must not break into the clearing up.
        if running and not running.cancelling():
            say("\nStopping.")
            running.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with TemporaryDirectory(prefix="unifi-scanner-demo-", ignore_cleanup_errors=True) as folder:
        demo = Demo(options, Path(folder))
        running = asyncio.create_task(demo.run())
        try:
            await running
        except asyncio.CancelledError:
            demo.sum_up()
            return 0
        demo.sum_up()
        return 0 if demo.roams else 1


def _reasons(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [reason for part in error.exceptions for reason in _reasons(part)]
    return [f"error: {error}"]


def run_command() -> int | str:
    """Run the demo as the command line says; returns what `sys.exit` takes."""
    status: int | str = 1
    options = parse_arguments()
    try:
        status = asyncio.run(_main(options))
    except* DemoError as group:
        status = "\n".join(_reasons(group))
    return status
