"""Logbook descriptions of our events."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import Event, HomeAssistant
import pytest

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.logbook import async_describe_events
from custom_components.unifi_scanner.roaming import EventKind
from custom_components.unifi_scanner.site.publisher import EVENT_TYPES
from tests.home import ANNA, HALL, Home, furnished_home

ROAM = {
    "client_name": "Anna's phone",
    "ap_from_name": "Hall",
    "ap_to_name": "Kitchen",
    "band_from": "2.4",
    "band_to": "5",
    "signal": -61,
}


def describe_event(hass: HomeAssistant, kind: EventKind, data: dict[str, Any]) -> dict[str, str]:
    """Return the description of an event."""
    describers: dict[str, Callable[[Event], dict[str, str]]] = {}

    def record(domain: str, event_type: str, describe: Callable[[Event], dict[str, str]]) -> None:
        assert domain == DOMAIN
        describers[event_type] = describe

    async_describe_events(hass, record)
    assert describers.keys() == set(EVENT_TYPES.values())
    return describers[EVENT_TYPES[kind]](Event(EVENT_TYPES[kind], data))


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        (EventKind.ROAM, {}, "roamed from Hall to Kitchen (5 GHz, -61 dBm)"),
        (EventKind.ROAM, {"signal": None}, "roamed from Hall to Kitchen (5 GHz)"),
        (EventKind.ROAM, {"band_to": None, "signal": None}, "roamed from Hall to Kitchen"),
        (EventKind.CONNECTED, {}, "connected to Kitchen (5 GHz, -61 dBm)"),
        (EventKind.DISCONNECTED, {"band_to": None}, "left the WiFi at Hall"),
        (
            EventKind.ROAM_RADIO,
            {},
            "changed from 2.4 GHz to 5 GHz at Kitchen (-61 dBm)",
        ),
        (
            EventKind.ROAM_RADIO,
            {"band_from": "5", "signal": None},
            "changed its channel at Kitchen",
        ),
        (
            EventKind.ROAM,
            {"ap_from_name": None, "ap_from_mac": HALL, "signal": None},
            f"roamed from {HALL} to Kitchen (5 GHz)",
        ),
    ],
)
async def test_logbook_message_is_a_sentence(
    hass: HomeAssistant, kind: EventKind, changes: dict[str, Any], sentence: str
) -> None:
    described = describe_event(hass, kind, ROAM | changes)
    assert described["name"] == "Anna's phone"
    assert described["message"] == sentence


@pytest.mark.parametrize("kind", EventKind)
async def test_logbook_describes_an_event_without_data(
    hass: HomeAssistant, kind: EventKind
) -> None:
    described = describe_event(hass, kind, {})
    assert described["name"] == "?"
    assert described["message"]


async def test_logbook_uses_the_mac_of_a_client_without_a_name(hass: HomeAssistant) -> None:
    assert describe_event(hass, EventKind.ROAM, {"client_mac": ANNA})["name"] == ANNA


@pytest.mark.usefixtures("socket_enabled")
async def test_logbook_entry_links_to_the_access_point_sensor(hass: HomeAssistant) -> None:
    async with furnished_home(hass) as home:
        await home.set_up()
        described = describe_event(hass, EventKind.ROAM, await roam_data(home))
        assert described["entity_id"] == home.entity_id("access_point", ANNA)


async def roam_data(home: Home) -> dict[str, Any]:
    await home.controller.roam(ANNA, "Kitchen")
    [(_, data)] = await home.happened(1)
    return data
