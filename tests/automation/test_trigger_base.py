"""The area and new-client triggers, driven by their dispatcher signals."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers.dispatcher import async_dispatcher_send
import pytest

from custom_components.unifi_scanner.roaming import EventKind
from custom_components.unifi_scanner.site.devices import Location
from custom_components.unifi_scanner.site.publisher import (
    SIGNAL_AREA,
    SIGNAL_EVENT,
    SIGNAL_NEW_CLIENT,
    event_data,
)
from custom_components.unifi_scanner.trigger import TRIGGERS
from tests.automations import Automations, trigger
from tests.samples import ROAM

ANNAS = "11111111111111111111111111111111"
BENS = "22222222222222222222222222222222"


# Triggers on what a client did, with the kind of event that each needs, None for an area change.
MOVEMENT_TRIGGERS = {
    "client_changed_band": EventKind.ROAM_RADIO,
    "client_connected": EventKind.CONNECTED,
    "client_disconnected": EventKind.DISCONNECTED,
    "client_entered_area": None,
    "client_followed_path": EventKind.ROAM,
    "client_left_area": None,
    "client_roamed": EventKind.ROAM,
    "guest_connected": EventKind.CONNECTED,
}


def move(
    hass: HomeAssistant, area_from: str | None, area_to: str | None, *, late: bool = False
) -> dict[str, Any]:
    """Signal that Anna has changed area; return the signal's data."""
    data = {
        "entry_id": "1",
        "site": "default",
        "client_mac": "02:00:00:00:00:0a",
        "client_name": "Anna",
        "device_id": ANNAS,
        "guest": False,
        "area_from": area_from,
        "area_to": area_to,
        "late": late,
    }
    async_dispatcher_send(hass, SIGNAL_AREA, data)
    return data


def happen(hass: HomeAssistant, kind: EventKind, *, late: bool) -> None:
    """Signal an event of a guest that is in the attic before and in the cellar after it."""
    data = event_data(
        ROAM._replace(kind=kind, guest=True, late=late),
        entry_id="1",
        site="default",
        device_id=None,
        origin=Location(area="attic"),
        destination=Location(area="cellar"),
    )
    async_dispatcher_send(hass, SIGNAL_EVENT, kind, data)


def test_every_trigger_but_that_on_new_clients_has_the_option_to_include_late_events() -> None:
    fields = {name: {str(field.schema) for field in TRIGGERS[name].fields} for name in TRIGGERS}
    assert {name for name in TRIGGERS if "include_late" in fields[name]} == {*MOVEMENT_TRIGGERS}
    assert fields.keys() - MOVEMENT_TRIGGERS == {"new_client_seen"}


@pytest.mark.parametrize("name", MOVEMENT_TRIGGERS)
async def test_triggers_leave_out_late_events_unless_they_include_them(
    hass: HomeAssistant, name: str
) -> None:
    automations = Automations(hass)
    path = {"areas": ["attic", "cellar"], "within": 60} if name == "client_followed_path" else {}
    await automations.set_up(
        default=trigger(name, **path),
        without=trigger(name, include_late=False, **path),
        all=trigger(name, include_late=True, **path),
    )

    def happen_once(*, late: bool) -> None:
        if (kind := MOVEMENT_TRIGGERS[name]) is None:
            move(hass, "attic", "cellar", late=late)
        else:
            happen(hass, kind, late=late)

    happen_once(late=True)
    await hass.async_block_till_done()
    assert automations.runs[0][1]["late"] is True
    assert await automations.ran() == ["all"]
    happen_once(late=False)
    await hass.async_block_till_done()
    assert {variables["late"] for _, variables in automations.runs} == {False}
    assert await automations.ran() == ["all", "default", "without"]


async def test_client_entered_area_triggers_for_selected_areas_and_clients(
    hass: HomeAssistant,
) -> None:
    automations = Automations(hass)
    kitchen = ar.async_get(hass).async_create("Kitchen").id
    await automations.set_up(
        yes=trigger("client_entered_area", areas=[kitchen]),
        yes_all=trigger("client_entered_area", areas=["hall", kitchen], clients=[BENS, ANNAS]),
        no_area=trigger("client_entered_area", areas=["hall"]),
        no_client=trigger("client_entered_area", areas=[kitchen], clients=[BENS]),
        yes_any=trigger("client_entered_area"),
        no_leaving=trigger("client_left_area", areas=[kitchen]),
    )
    data = move(hass, "hall", kitchen)
    await hass.async_block_till_done()
    variables = dict(automations.runs)["yes"]
    assert variables.items() >= {**data, "description": "Anna entered Kitchen"}.items()
    assert await automations.ran() == ["yes", "yes_all", "yes_any"]
    # Leaving every area is not entering one.
    move(hass, kitchen, None)
    assert await automations.ran() == ["no_leaving"]


async def test_client_left_area_triggers_for_selected_areas_and_clients(
    hass: HomeAssistant,
) -> None:
    automations = Automations(hass)
    await automations.set_up(
        yes=trigger("client_left_area", areas=["hall"]),
        yes_all=trigger("client_left_area", areas=["hall", "attic"], clients=ANNAS),
        no_area=trigger("client_left_area", areas=["attic"]),
        no_client=trigger("client_left_area", areas=["hall"], clients=[BENS]),
        no_entering=trigger("client_entered_area", areas=["hall"]),
    )
    move(hass, "hall", None)
    await hass.async_block_till_done()
    # An area that does not exist in the registry is described by its id.
    assert automations.runs[0][1]["description"] == "Anna left hall"
    assert await automations.ran() == ["yes", "yes_all"]
    move(hass, None, "hall")
    assert await automations.ran() == ["no_entering"]


async def test_new_client_seen_triggers_for_guests_only_if_included(
    hass: HomeAssistant,
) -> None:
    automations = Automations(hass)
    await automations.set_up(
        residents=trigger("new_client_seen"),
        explicit=trigger("new_client_seen", include_guests=False),
        everyone=trigger("new_client_seen", include_guests=True),
        bare={"trigger": "unifi_scanner.new_client_seen"},
    )
    data = {
        "entry_id": "1",
        "site": "default",
        "client_mac": "02:00:00:00:00:0d",
        "client_name": "Dora",
        "device_id": None,
        "guest": False,
        "ssid": "Home",
        "ip": None,
        "randomised_mac": True,
        "ap_mac": None,
        "ap_name": None,
        "area": None,
    }
    async_dispatcher_send(hass, SIGNAL_NEW_CLIENT, data)
    await hass.async_block_till_done()
    description = "Dora was seen for the first time"
    assert automations.runs[0][1].items() >= {**data, "description": description}.items()
    assert await automations.ran() == ["bare", "everyone", "explicit", "residents"]
    async_dispatcher_send(hass, SIGNAL_NEW_CLIENT, {**data, "guest": True})
    assert await automations.ran() == ["everyone"]
