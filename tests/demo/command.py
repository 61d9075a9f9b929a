"""The demo command: starts both servers, sets everything up and prints the roams."""

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
from .setup import add_integration, assign_areas

USERNAME = "demo"
PASSWORD = "demo"
INTEGRATION = Path(__file__).parents[2] / "custom_components" / DOMAIN
ACCOUNT = {"username": "homeassistant", "password": "correct horse"}
# People walk at the first site. The config flow lists sites by their descriptions.
SITES = ["default:Home", *(f"site{number}:Site {number}" for number in range(2, 21))]

BANNER = """
  Home Assistant   {url}
  Login            {username} / {password}
  Controller       {controller} (simulated)
  Login            {controller_username} / {controller_password}
  {sites_hint}
  Demo folder      {folder} (deleted when the demo ends)

  Home Assistant opens on "Who is where": each phone's access point, and a light that follows Anna.
  {ending}"""
SITES_HINT = {
    False: "                 (its only site is set up; use --sites 2 to have one to add yourself)",
    True: "                 (add its other sites yourself: Settings > Devices & services)",
}


class Demo:
    """A run of the demo."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        """Prepare a run; `folder` is empty and receives Home Assistant's configuration."""
        self._options = options
        self._folder = folder
        self._log = LogWatch(DOMAIN)
        self._controller_up = asyncio.Event()
        # How long roams were shown; None if the demo ended before that.
        self._seconds: float | None = None
        self.roams = 0

    async def run(self) -> None:
        """Start everything and show roams until the time is up."""
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
                # With this seed Anna is at home for the first minutes, so her light is on.
                *("--seed", "22"),
                # Clients that are away during the config flow could not be selected.
                "--wait-for-socket",
                *(part for site in SITES[: options.sites] for part in ("--site", site)),
                on_line=self._on_controller_line,
            ),
            HomeAssistant(f"http://{HOST}:{port}") as hass,
        ):
            await step("Starting the simulated controller", self._controller_up.wait())
            async with server(
                "Home Assistant",
                "homeassistant",
                *("--config", f"{folder}", "--skip-pip"),
                on_line=self._log.line,
            ):
                await self._set_up(hass, f"{HOST}:{controller_port}")
                self._print_banner(hass, f"https://{HOST}:{controller_port}")
                await hass.subscribe(f"{DOMAIN}_roam", self._on_roam)
                started = time.monotonic()
                try:
                    if options.seconds is None:
                        await asyncio.Event().wait()
                    await asyncio.sleep(options.seconds)
                    say("\nStopping.")
                finally:
                    self._seconds = time.monotonic() - started

    def print_summary(self) -> None:
        """Print the number of roams and log problems, if the demo got that far."""
        self._log.flush()
        if self._seconds is not None:
            problems = f"{self._log.shown} warnings and errors from UniFi Scanner in the log"
            say(f"{self.roams} roams in {self._seconds:.0f} s, {problems}.")

    async def _set_up(self, hass: HomeAssistant, controller: str) -> None:
        await step(f"Starting Home Assistant {home_assistant_version}", hass.wait_until_up())
        await step("Creating its first account", hass.create_owner("Demo", USERNAME, PASSWORD))
        await step("Waiting until Home Assistant is running", hass.wait_until_running())
        answers = {
            "user": {"host": controller, "ssl": "pinned", **ACCOUNT},
            "site": {"site": "default"},
        }
        await step(
            "Adding UniFi Scanner through its config flow",
            add_integration(hass, answers, lambda text: say(f"    {text}")),
        )
        areas = await step("Assigning access points and lights to areas", assign_areas(hass))
        say(f"    {', '.join(areas)}")
        await step("Creating the dashboard", dashboard.create(hass, await registry(hass)))

    def _print_banner(self, hass: HomeAssistant, controller: str) -> None:
        seconds = self._options.seconds
        say(
            BANNER.format(
                url=hass.url,
                username=USERNAME,
                password=PASSWORD,
                controller=controller,
                controller_username=ACCOUNT["username"],
                controller_password=ACCOUNT["password"],
                sites_hint=SITES_HINT[self._options.sites > 1],
                folder=self._folder,
                ending="Press Ctrl-C to stop."
                if seconds is None
                else f"Stops after {seconds:g} s.",
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
    """Run until the time is up or a signal arrives; return the exit status."""
    running: asyncio.Task[None] | None = None

    def stop() -> None:
        # Only once: a second Ctrl-C must not interrupt the cleanup.
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
            demo.print_summary()
            return 0
        demo.print_summary()
        return 0 if demo.roams else 1


def _messages(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [message for part in error.exceptions for message in _messages(part)]
    return [f"error: {error}"]


def run_command() -> int | str:
    """Run the demo with the command line's options; return the argument for `sys.exit`."""
    status: int | str = 1
    options = parse_arguments()
    try:
        status = asyncio.run(_main(options))
    except* DemoError as group:
        status = "\n".join(_messages(group))
    return status
