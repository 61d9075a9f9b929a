"""Conditions in automations, against the simulated controller."""

from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from tests.automations import Automations, condition, device_id, put_in_area
from tests.home import ANNA, ATTIC, BEN, CARA, HALL, KITCHEN, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

GO = "test_go"


@pytest.fixture
def automations(hass: HomeAssistant) -> Automations:
    return Automations(hass)


async def met_conditions(home: Home, automations: Automations) -> list[str]:
    """Return the names of the automations whose conditions are met."""
    home.hass.bus.async_fire(GO)
    return await automations.ran()


async def test_client_is_connected_to_checks_access_points_areas_and_ssid(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    anna = [device_id(home, ANNA)]
    hall, kitchen = [device_id(home, HALL)], [device_id(home, KITCHEN)]
    ground, cellar = put_in_area(home, HALL, "Ground floor"), put_in_area(home, KITCHEN, "Cellar")
    await automations.set_up_on(
        GO,
        anywhere=condition("client_is_connected_to", clients=anna),
        hall=condition("client_is_connected_to", clients=anna, access_points=hall),
        ground=condition("client_is_connected_to", clients=anna, areas=[ground], ssid=""),
        either=condition(
            "client_is_connected_to", clients=anna, access_points=kitchen, areas=[ground]
        ),
        site=condition("client_is_connected_to", clients=anna, access_points=device_id(home)),
        kitchen=condition("client_is_connected_to", clients=anna, access_points=kitchen),
        cellar=condition("client_is_connected_to", clients=anna, areas=[cellar]),
        home=condition("client_is_connected_to", clients=anna, areas=[cellar], ssid="Home"),
        guests=condition("client_is_connected_to", clients=anna, ssid="Guests"),
        not_kitchen={
            "condition": "not",
            "conditions": [
                condition("client_is_connected_to", clients=anna, access_points=kitchen)
            ],
        },
    )
    assert await met_conditions(home, automations) == [
        "anywhere",
        "either",
        "ground",
        "hall",
        "not_kitchen",
        "site",
    ]
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert await met_conditions(home, automations) == [
        "anywhere",
        "cellar",
        "either",
        "home",
        "kitchen",
        "site",
    ]


async def test_conditions_require_any_or_all_of_several_clients(
    home: Home, automations: Automations
) -> None:
    await home.set_up(clients=(ANNA, BEN, CARA))
    anna, ben, cara = (device_id(home, mac) for mac in (ANNA, BEN, CARA))
    await automations.set_up_on(
        GO,
        default=condition("client_is_connected_to", clients=[anna, cara]),
        any=condition("client_is_connected_to", clients=[anna, cara], behavior="any"),
        all=condition("client_is_connected_to", clients=[anna, cara], behavior="all"),
        all_there=condition("client_is_connected_to", clients=[anna, ben], behavior="all"),
        none_there=condition("client_is_connected_to", clients=[cara], behavior="any"),
        unknown=condition("client_is_connected_to", clients=["gone"]),
    )
    assert await met_conditions(home, automations) == ["all_there", "any", "default"]


async def test_client_is_in_area_follows_the_client(home: Home, automations: Automations) -> None:
    await home.set_up()
    anna, ben = device_id(home, ANNA), device_id(home, BEN)
    ground, roof = put_in_area(home, HALL, "Ground floor"), put_in_area(home, ATTIC, "Roof")
    await automations.set_up_on(
        GO,
        ground=condition("client_is_in_area", clients=[anna], areas=[ground]),
        ground_or_roof=condition("client_is_in_area", clients=[anna], areas=[roof, ground]),
        roof=condition("client_is_in_area", clients=[anna], areas=[roof]),
        both=condition("client_is_in_area", clients=[anna, ben], areas=[ground], behavior="all"),
    )
    assert await met_conditions(home, automations) == ["both", "ground", "ground_or_roof"]
    await home.controller.roam(ANNA, "Attic")
    await home.happened(1)
    assert await met_conditions(home, automations) == ["ground_or_roof", "roof"]
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(2)
    assert await met_conditions(home, automations) == []


async def test_client_is_in_area_uses_the_debounced_area(
    home: Home, automations: Automations, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up()
    ground, roof = put_in_area(home, HALL, "Ground floor"), put_in_area(home, ATTIC, "Roof")
    await automations.set_up_on(
        GO,
        ground=condition("client_is_in_area", clients=[device_id(home, ANNA)], areas=[ground]),
        roof=condition("client_is_in_area", clients=[device_id(home, ANNA)], areas=[roof]),
    )
    monkeypatch.setattr(home.coordinator.areas, "area_of", {ANNA: roof}.get)
    assert await met_conditions(home, automations) == ["roof"]


async def test_no_condition_is_met_while_the_controller_is_unreachable(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    anna, ground = [device_id(home, ANNA)], put_in_area(home, HALL, "Ground floor")
    await automations.set_up_on(
        GO,
        connected=condition("client_is_connected_to", clients=anna),
        area=condition("client_is_in_area", clients=anna, areas=[ground]),
    )
    assert await met_conditions(home, automations) == ["area", "connected"]
    await home.controller.stop()
    await until(lambda: not home.coordinator.stream_connected)
    await home.quiet()
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(seconds=61))
    await until(lambda: not home.coordinator.available)
    assert await met_conditions(home, automations) == []


async def test_no_condition_is_met_until_the_entry_is_set_up(
    home: Home, automations: Automations, caplog: pytest.LogCaptureFixture
) -> None:
    await home.set_up()
    anna = [device_id(home, ANNA)]
    await home.quiet()
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    await automations.set_up_on(GO, connected=condition("client_is_connected_to", clients=anna))
    assert await met_conditions(home, automations) == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    snapshots = home.snapshots
    assert await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.streaming(snapshots + 2)
    assert await met_conditions(home, automations) == ["connected"]
