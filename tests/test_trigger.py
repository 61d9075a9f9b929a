"""Triggers in automations, against the simulated controller."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import DATA_DISPATCHER
import pytest

from custom_components.unifi_scanner.const import CONF_TRACKED_EVENTS_ONLY
from custom_components.unifi_scanner.site.publisher import SIGNAL_EVENT
from tests.automations import Automations, device_id, put_in_area, trigger
from tests.controller import Band, Generation
from tests.home import ANNA, ATTIC, BEN, CARA, HALL, KITCHEN, Home, furnished_home

pytestmark = pytest.mark.usefixtures("socket_enabled")

PLAIN_EVENT = {
    "trigger": "event",
    "event_type": "unifi_scanner_roam",
    "event_data": {"late": False},
}


@pytest.fixture
def automations(hass: HomeAssistant) -> Automations:
    return Automations(hass)


# Roaming


def roam_options(home: Home) -> dict[str, dict[str, Any]]:
    """Return trigger options by name; "yes" ones match Anna's 5 GHz roam from hall to kitchen."""
    anna, ben = device_id(home, ANNA), device_id(home, BEN)
    hall, kitchen, attic = (device_id(home, mac) for mac in (HALL, KITCHEN, ATTIC))
    ground, cellar = put_in_area(home, HALL, "Ground floor"), put_in_area(home, KITCHEN, "Cellar")
    return {
        "yes_any": {},
        "yes_client": {"clients": [anna]},
        "yes_one_of_clients": {"clients": [ben, anna]},
        "yes_from": {"from_access_points": [attic, hall]},
        "yes_to": {"to_access_points": [kitchen]},
        "yes_from_area": {"from_areas": [ground]},
        "yes_to_area": {"to_areas": [ground, cellar]},
        "yes_from_either": {"from_access_points": [attic], "from_areas": [ground]},
        "yes_to_either": {"to_access_points": [kitchen], "to_areas": [ground]},
        "yes_site": {"from_access_points": [device_id(home)]},
        "yes_ssid": {"ssid": "Home"},
        "yes_emptied": {"ssid": "", "clients": [], "from_areas": [], "band": []},
        "yes_band": {"band": ["5_ghz", "6_ghz"]},
        "yes_all": {
            "clients": [anna],
            "from_access_points": [hall],
            "to_areas": [cellar],
            "ssid": "Home",
            "band": "5_ghz",
        },
        "no_client": {"clients": [ben]},
        "no_from": {"from_access_points": [kitchen]},
        "no_to": {"to_access_points": [hall]},
        "no_from_area": {"from_areas": [cellar]},
        "no_to_area": {"to_areas": [ground]},
        "no_from_either": {"from_access_points": [attic], "from_areas": [cellar]},
        "no_ssid": {"ssid": "home"},
        "no_band": {"band": ["2_4_ghz"]},
        "no_device": {"to_access_points": ["gone"]},
        "no_signal_known": {"signal_below": 0},
        "no_one_wrong": {"clients": [anna], "to_access_points": [kitchen], "ssid": "Guests"},
    }


async def test_client_roamed_triggers_once_if_every_option_matches(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    options = roam_options(home)
    await automations.set_up(
        **{name: trigger("client_roamed", **fields) for name, fields in options.items()}
    )
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert await automations.ran() == sorted(name for name in options if name.startswith("yes"))


async def test_client_roamed_uses_the_current_area_of_an_access_point(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    old, new = put_in_area(home, KITCHEN, "Old"), put_in_area(home, HALL, "New")
    await automations.set_up(
        old=trigger("client_roamed", to_areas=[old]), new=trigger("client_roamed", to_areas=[new])
    )
    put_in_area(home, KITCHEN, "New")
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert await automations.ran() == ["new"]


@pytest.mark.parametrize(("below", "ran"), [(-69, ["weak"]), (-70, [])])
async def test_client_roamed_requires_a_signal_below_the_threshold(
    hass: HomeAssistant, automations: Automations, below: int, ran: list[str]
) -> None:
    async with furnished_home(hass, generation=Generation.SYNC_ONLY) as home:
        await home.set_up()
        await automations.set_up(weak=trigger("client_roamed", signal_below=below))
        await home.controller.roam(ANNA, "Kitchen", signal=-70)
        await home.happened(1)
        assert await automations.ran() == ran


async def test_trigger_variables_are_the_event_data_and_a_description(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    await automations.set_up(ours=trigger("client_roamed"), plain=PLAIN_EVENT)
    await home.controller.roam(ANNA, "Kitchen")
    ((_, data),) = await home.happened(1)
    await home.hass.async_block_till_done()
    variables = dict(automations.runs)
    assert variables["ours"] == {
        "id": "0",
        "idx": "0",
        "alias": None,
        "platform": "unifi_scanner.client_roamed",
        "description": "Anna roamed from Hall to Kitchen",
        **data,
    }
    assert await automations.ran() == ["ours", "plain"]


# Connecting and disconnecting


async def test_client_connected_triggers_if_every_option_matches(
    home: Home, automations: Automations
) -> None:
    await home.set_up(clients=(ANNA, BEN, CARA))
    home.world.add_client("Cara", mac=CARA)
    kitchen, area = device_id(home, KITCHEN), put_in_area(home, KITCHEN, "Cellar")
    await automations.set_up(
        yes=trigger("client_connected"),
        yes_all=trigger(
            "client_connected",
            clients=[device_id(home, CARA)],
            access_points=[kitchen],
            areas=[area],
            ssid="Home",
            band=["2_4_ghz"],
        ),
        no_client=trigger("client_connected", clients=[device_id(home, ANNA)]),
        no_location=trigger("client_connected", access_points=[device_id(home, HALL)]),
        no_ssid=trigger("client_connected", ssid="Guests"),
        no_band=trigger("client_connected", band=["5_ghz"]),
        no_guest=trigger("guest_connected"),
        no_roam=trigger("client_roamed"),
        no_disconnection=trigger("client_disconnected"),
        no_band_change=trigger("client_changed_band"),
    )
    await home.controller.connect(CARA, "Kitchen", band=Band.NG)
    await home.happened(1)
    await home.hass.async_block_till_done()
    assert automations.runs[0][1]["description"] == "Cara connected to Kitchen"
    assert await automations.ran() == ["yes", "yes_all"]


async def test_client_disconnected_triggers_if_every_option_matches(
    home: Home, automations: Automations
) -> None:
    await home.set_up(disconnect_delay=0.0)
    area = put_in_area(home, HALL, "Ground floor")
    await automations.set_up(
        yes=trigger("client_disconnected"),
        yes_all=trigger(
            "client_disconnected",
            clients=[device_id(home, ANNA)],
            access_points=[device_id(home, HALL)],
            areas=[area],
            ssid="Home",
        ),
        no_client=trigger("client_disconnected", clients=[device_id(home, BEN)]),
        no_location=trigger("client_disconnected", access_points=[device_id(home, ATTIC)]),
        no_ssid=trigger("client_disconnected", ssid="Guests"),
        no_connection=trigger("client_connected"),
        no_roam=trigger("client_roamed"),
    )
    await home.controller.disconnect(ANNA)
    await home.happened(1)
    await home.hass.async_block_till_done()
    assert automations.runs[0][1]["description"] == "Anna disconnected from Hall"
    assert await automations.ran() == ["yes", "yes_all"]


async def test_guest_connected_triggers_for_guests(home: Home, automations: Automations) -> None:
    await home.set_up()
    home.world.add_client("Gus", is_guest=True)
    area = put_in_area(home, ATTIC, "Under the roof")
    await automations.set_up(
        yes=trigger("guest_connected"),
        yes_all=trigger(
            "guest_connected", access_points=[device_id(home, ATTIC)], areas=[area], ssid="Guests"
        ),
        yes_too=trigger("client_connected"),
        no_location=trigger("guest_connected", access_points=[device_id(home, HALL)]),
        no_ssid=trigger("guest_connected", ssid="Home"),
    )
    await home.controller.connect("Gus", "Attic")
    await home.happened(1)
    await home.hass.async_block_till_done()
    assert dict(automations.runs)["yes"]["description"] == "Guest Gus connected to Attic"
    ssid = automations.runs[0][1]["ssid"]
    assert (await automations.ran(), ssid) == (["yes", "yes_all", "yes_too"], "Guests")


# Bands


async def test_client_changed_band_triggers_with_and_without_a_roam(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    await automations.set_up(
        any=trigger("client_changed_band"),
        down=trigger("client_changed_band", from_band=["5_ghz"], to_band=["2_4_ghz"]),
        up=trigger("client_changed_band", from_band=["2_4_ghz"]),
        ben=trigger("client_changed_band", clients=[device_id(home, BEN)]),
    )
    await home.controller.roam_radio(ANNA, Band.NG)
    await home.happened(1)
    await home.hass.async_block_till_done()
    description = automations.runs[0][1]["description"]
    assert description == "Anna changed from 5 to 2.4 GHz"
    assert await automations.ran() == ["any", "down"]
    await home.controller.roam(ANNA, "Kitchen", band=Band.NA)
    await home.happened(2)
    assert await automations.ran() == ["any", "up"]


async def test_client_changed_band_ignores_a_roam_on_the_same_band(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    await automations.set_up(band=trigger("client_changed_band"))
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert await automations.ran() == []


# Areas


async def test_area_triggers_run_on_a_roam_to_another_area(
    home: Home, automations: Automations
) -> None:
    await home.set_up(clients=(ANNA,))
    ground, roof = put_in_area(home, HALL, "Ground floor"), put_in_area(home, ATTIC, "Roof")
    await home.hass.async_block_till_done()
    await automations.set_up(
        entered=trigger("client_entered_area", areas=[roof]),
        left=trigger("client_left_area", areas=[ground]),
        no_entered=trigger("client_entered_area", areas=[ground]),
        no_left=trigger("client_left_area", areas=[roof]),
    )
    await home.controller.roam(BEN, "Attic")
    await home.happened(1)
    assert await automations.ran() == ["entered", "left"]


# Independence of the config entry


async def test_triggers_survive_a_reload_of_the_entry(home: Home, automations: Automations) -> None:
    await home.set_up()
    await automations.set_up(
        ours=trigger(
            "client_roamed",
            clients=[device_id(home, ANNA)],
            to_access_points=[device_id(home, KITCHEN)],
        ),
        plain=PLAIN_EVENT,
    )
    snapshots = home.snapshots
    await home.quiet()
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(snapshots + 2)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert await automations.ran() == ["ours", "plain"]


async def test_triggers_can_be_attached_before_the_entry_is_set_up(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    clients, access_points = [device_id(home, ANNA)], [device_id(home, KITCHEN)]
    await home.quiet()
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    await automations.set_up(
        ours=trigger("client_roamed", clients=clients, to_access_points=access_points),
    )
    snapshots = home.snapshots
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.streaming(snapshots + 2)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert await automations.ran() == ["ours"]


async def test_triggers_run_for_untracked_clients_with_tracked_events_only(
    home: Home, automations: Automations
) -> None:
    await home.set_up(clients=(ANNA,), **{CONF_TRACKED_EVENTS_ONLY: True})
    await automations.set_up(
        ours=trigger("client_roamed", to_access_points=[device_id(home, KITCHEN)]),
        anna=trigger("client_roamed", clients=[device_id(home, ANNA)]),
        plain=PLAIN_EVENT,
    )
    await home.controller.roam(BEN, "Kitchen")
    await home.controller.roam(ANNA, "Attic")
    await home.happened(1)
    await home.hass.async_block_till_done()
    assert dict(automations.runs)["ours"]["client_name"] == "Ben"
    assert await automations.ran() == ["anna", "ours", "plain"]


async def test_a_disabled_automation_removes_its_listener(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    others = len(home.hass.data[DATA_DISPATCHER][SIGNAL_EVENT])
    await automations.set_up(ours=trigger("client_roamed"))
    assert len(home.hass.data[DATA_DISPATCHER][SIGNAL_EVENT]) == others + 1
    await home.hass.services.async_call(
        "automation", "turn_off", {"entity_id": "automation.ours"}, blocking=True
    )
    assert len(home.hass.data[DATA_DISPATCHER][SIGNAL_EVENT]) == others
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert await automations.ran() == []
