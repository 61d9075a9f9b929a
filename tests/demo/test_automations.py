"""Tests of the demo's automation and the one in the README."""

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
def _areas(hass: HomeAssistant) -> None:
    for name in ("Bedroom", "Hall"):
        ar.async_get(hass).async_get_or_create(name)


async def light_actions(
    hass: HomeAssistant, automation: dict[str, Any], event: str, data: dict[str, Any]
) -> list[tuple[str, str]]:
    """Fire an event and return the light actions that followed, each with its area, in order."""
    calls: list[tuple[str, str]] = []

    async def record_call(call: ServiceCall) -> None:
        [area] = cv.ensure_list(call.data["area_id"])
        calls.append((call.service, area))

    for service in ("turn_off", "turn_on"):
        hass.services.async_register("light", service, record_call)
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    hass.bus.async_fire(event, data)
    await hass.async_block_till_done()
    return calls


@pytest.mark.parametrize(
    ("event", "areas", "actions"),
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
    hass: HomeAssistant, event: str, areas: dict[str, str], actions: list[tuple[str, str]]
) -> None:
    [automation] = INCLUDED["automation"]
    data = {"client_name": "Anna's phone", "late": False, **NOWHERE, **areas}
    assert await light_actions(hass, automation, event, data) == actions


async def test_demo_automation_leaves_the_light_alone_for_a_late_event(
    hass: HomeAssistant,
) -> None:
    [automation] = INCLUDED["automation"]
    data = {"client_name": "Anna's phone", "late": True, "area_from": "hall", "area_to": "bedroom"}
    assert await light_actions(hass, automation, "unifi_scanner_roam", data) == []


@pytest.mark.parametrize(
    ("ap_name", "late", "actions"),
    [
        ("Bedroom", False, [("turn_on", "bedroom")]),
        ("Bedroom", True, []),
        ("Hall", False, []),
    ],
)
async def test_readme_automation_works_unchanged(
    hass: HomeAssistant, ap_name: str, actions: list[tuple[str, str]], *, late: bool
) -> None:
    example, *_ = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    automation = parse_yaml(example)
    assert isinstance(automation, dict)
    data = {"client_name": "Ben's phone", "ap_to_name": ap_name, "late": late}
    assert await light_actions(hass, automation, "unifi_scanner_roam", data) == actions
