"""Check the simulated controller with Home Assistant's own UniFi integration, in a real process.

Takes a minute, so only `scripts/test --strangers` runs it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
import subprocess

import pytest

from tests.controller import Flavour, SimulatedController
from tests.demo import configuration
from tests.demo.home_assistant import HomeAssistant, Json
from tests.demo.process import HOST, free_ports

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-ha/bin/python"
DISCOVERY = Path(__file__).parent / "unifi_discovery"
DOMAIN = "unifi"
OUTPUT = "output.txt"
# How soon it has to be back after a restart of the controller.
BACK_SECONDS = 60


@contextmanager
def running(folder: Path) -> Generator[None]:
    """Run Home Assistant with a configuration folder."""
    with (
        (folder.parent / OUTPUT).open("wb") as output,
        subprocess.Popen(  # noqa: S603 - our own environment
            [PYTHON, "-m", "homeassistant", "--config", folder, "--skip-pip"],
            # Not the repository, whose custom_components it would find first.
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
async def home_assistant(
    controller: SimulatedController, tmp_path: Path
) -> AsyncGenerator[HomeAssistant]:
    """Return a Home Assistant that has the controller set up through the config flow."""
    [port] = free_ports({"": 0})
    folder = tmp_path / "config"
    configuration.write(folder, port, DISCOVERY)
    with running(folder):
        async with HomeAssistant(f"http://{HOST}:{port}") as hass, asyncio.timeout(60):
            await hass.wait_until_up()
            await hass.create_owner("Stranger", "stranger", "stranger")
            await hass.wait_until_running()
            await add(hass, controller)
            yield hass


async def add(hass: HomeAssistant, controller: SimulatedController) -> None:
    """Go through the config flow, and enable the device trackers, which it disables at first."""
    path = "/api/config/config_entries"
    form = await hass.post(f"{path}/flow", {"handler": DOMAIN})
    user = {
        "host": HOST,
        "port": controller.port,
        "username": controller.username,
        "password": controller.password,
        "verify_ssl": False,
    }
    form = await hass.post(f"{path}/flow/{form['flow_id']}", user)
    assert form["step_id"] == "site", form
    site = {"site": controller.world.site.id}
    entry = await hass.post(f"{path}/flow/{form['flow_id']}", site)
    assert (entry["type"], entry["title"]) == ("create_entry", "Default")

    async def trackers() -> list[str]:
        entities = await hass.command("config/entity_registry/list")
        return [
            entity["entity_id"]
            for entity in entities
            if entity["platform"] == DOMAIN and entity["entity_id"].startswith("device_tracker.")
        ]

    found = await until(trackers)
    for entity_id in found:
        await hass.command("config/entity_registry/update", entity_id=entity_id, disabled_by=None)
    await hass.post(f"{path}/entry/{entry['result']['entry_id']}/reload", {})


async def until[Found](look: Callable[[], Awaitable[Found]]) -> Found:
    """Look every 0.2 s until there is something; the caller limits the time."""
    while not (found := await look()):  # noqa: ASYNC110 - another process has no event to wait for
        await asyncio.sleep(0.2)
    return found


async def tracker(hass: HomeAssistant, mac: str) -> Json | None:
    """Return the state of a client's or device's tracker."""
    states: list[Json] = await hass.get("/api/states")
    for state in states:
        if state["attributes"].get("mac") == mac and state["entity_id"].startswith("device_tr"):
            return state
    return None


async def wait_for_access_point(hass: HomeAssistant, mac: str, ap_mac: str) -> None:
    """Wait until a client is at home and at this access point."""

    async def arrived() -> bool:
        state = await tracker(hass, mac)
        return state is not None and (state["state"], state["attributes"].get("ap_mac")) == (
            "home",
            ap_mac,
        )

    await until(arrived)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("controller", list(Flavour), indirect=True)
async def test_home_assistants_own_integration_follows_roams_before_and_after_a_restart(
    controller: SimulatedController, home_assistant: HomeAssistant, tmp_path: Path
) -> None:
    hass, world = home_assistant, controller.world
    mac = world.client("Anna's phone").mac
    hall, kitchen = world.access_point("Hall").mac, world.access_point("Kitchen").mac

    async with asyncio.timeout(30):
        devices = await hass.command("config/device_registry/list")
        assert {"Dream Machine", "Hall", "Kitchen"} <= {device["name"] for device in devices}
        for client in world.online():
            assert client.link is not None
            await wait_for_access_point(hass, client.mac, client.link.ap)

        await controller.wait_for_sockets(seconds=30)
        await controller.roam(mac, "Kitchen")
        await controller.sync(mac)
        await wait_for_access_point(hass, mac, kitchen)

    # So far it has understood the answers to all its requests.
    assert " ERROR " not in (tmp_path / OUTPUT).read_text()

    async def unavailable() -> bool:
        state = await tracker(hass, mac)
        return state is None or state["state"] == "unavailable"

    async with asyncio.timeout(BACK_SECONDS):
        restart = asyncio.create_task(controller.restart(3))
        await until(unavailable)
        await restart
        await controller.wait_for_sockets(seconds=BACK_SECONDS)
        await controller.roam(mac, "Hall")
        await controller.sync(mac)
        await wait_for_access_point(hass, mac, hall)
