"""The demo's own automation and the one in the README, in a Home Assistant with lights."""

from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import area_registry as ar, config_validation as cv
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest

from .configuration import INCLUDED

README = Path(__file__).parents[2] / "README.md"
NOWHERE = {"area_from": None, "area_to": None}


@pytest.fixture(autouse=True)
def _rooms(hass: HomeAssistant) -> None:
    for room in ("Bedroom", "Hall"):
        ar.async_get(hass).async_get_or_create(room)


async def switched(
    hass: HomeAssistant, automation: dict[str, Any], event: str, data: dict[str, Any]
) -> list[tuple[str, str]]:
    """Return what was done to which room's light when the event came, in that order."""
    calls: list[tuple[str, str]] = []

    async def take(call: ServiceCall) -> None:
        [area] = cv.ensure_list(call.data["area_id"])
        calls.append((call.service, area))

    for service in ("turn_off", "turn_on"):
        hass.services.async_register("light", service, take)
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    hass.bus.async_fire(event, data)
    await hass.async_block_till_done()
    return calls


@pytest.mark.parametrize(
    ("event", "areas", "done"),
    [
        (
            "unifi_scanner_roam",
            {"area_from": "hall", "area_to": "bedroom"},
            [("turn_off", "hall"), ("turn_on", "bedroom")],
        ),
        ("unifi_scanner_connected", {"area_to": "hall"}, [("turn_on", "hall")]),
        ("unifi_scanner_disconnected", {"area_from": "hall"}, [("turn_off", "hall")]),
    ],
)
async def test_demo_automation_makes_the_light_follow_anna(
    hass: HomeAssistant, event: str, areas: dict[str, str], done: list[tuple[str, str]]
) -> None:
    [automation] = INCLUDED["automation"]
    data = {"client_name": "Anna's phone", **NOWHERE, **areas}
    assert await switched(hass, automation, event, data) == done


@pytest.mark.parametrize(("room", "done"), [("Bedroom", [("turn_on", "bedroom")]), ("Hall", [])])
async def test_readme_automation_works_unchanged(
    hass: HomeAssistant, room: str, done: list[tuple[str, str]]
) -> None:
    example, *_ = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    automation = parse_yaml(example)
    assert isinstance(automation, dict)
    data = {"client_name": "Ben's phone", "ap_to_name": room}
    assert await switched(hass, automation, "unifi_scanner_roam", data) == done
