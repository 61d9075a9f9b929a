"""The options flow of a site, and the effect of its options."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest

from tests.automations import put_in_area
from tests.flows import Flow
from tests.home import ANNA, BEN, CARA, HALL, KITCHEN, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

OPTIONS = {
    "clients": [ANNA],
    "add_new_clients": True,
    "tracked_events_only": True,
    "disconnect_delay": 0.0,
    "settling_time": 30.0,
    "volatile_interval": 60.0,
    "low_data": True,
}


@pytest.fixture
def home(home: Home) -> Home:
    home.world.add_client("Cara", mac=CARA)
    home.world.add_client(None, mac="02:00:00:00:00:0d", hostname="Passer-by")
    return home


@pytest.fixture
def flow(hass: HomeAssistant) -> Flow:
    return Flow(hass)


def options(**changes: Any) -> dict[str, Any]:
    """Return the options that a user submits."""
    return {**OPTIONS, **changes}


async def test_options_form_shows_current_values_and_available_clients(
    home: Home, flow: Flow
) -> None:
    gone = "02:00:00:00:00:0e"
    await home.set_up(clients=(ANNA, gone), disconnect_delay=20.0)
    result = await flow.options_of(home.entry)
    assert result["step_id"] == "init"
    assert {field: flow.default(field) for field in OPTIONS} == {
        "clients": [ANNA, gone],
        "add_new_clients": False,
        "tracked_events_only": False,
        "disconnect_delay": 20.0,
        "settling_time": 10.0,
        "volatile_interval": 30.0,
        "low_data": False,
    }
    assert [option["label"] for option in flow.options("clients")] == [
        f"Anna ({ANNA})",
        f"Ben ({BEN})",
        f"Cara ({CARA})",
        gone,
    ]


async def test_options_missing_from_the_form_keep_their_values(home: Home, flow: Flow) -> None:
    await home.set_up(clients=(ANNA,), disconnect_delay=20.0, settling_time=5.0)
    await flow.options_of(home.entry)
    await flow.submit({"disconnect_delay": 30.0})
    assert home.entry.options["clients"] == [ANNA]
    assert home.entry.options["disconnect_delay"] == 30.0
    assert home.entry.options["settling_time"] == 5.0


async def test_options_take_effect_without_a_reload_or_a_login(home: Home, flow: Flow) -> None:
    await home.set_up(kept="as it is")
    before, sockets = home.coordinator, len(home.controller.requests("wss"))
    await flow.options_of(home.entry)
    result = await flow.submit(OPTIONS)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert home.entry.options == {**OPTIONS, "kept": "as it is"}
    await home.hass.async_block_till_done()
    assert home.coordinator is before
    assert home.device(BEN) is None
    assert home.shows("access_point", BEN) is None
    assert home.shows("access_point", ANNA) == "Hall"
    await home.settled()
    assert home.controller.logins == 1
    assert len(home.controller.requests("wss")) == sockets > 0


async def test_disconnect_delay_applies_to_the_next_departure(home: Home, flow: Flow) -> None:
    await home.set_up(disconnect_delay=300.0)
    await flow.options_of(home.entry)
    await flow.submit({"disconnect_delay": 0.0})
    await home.controller.disconnect(BEN)
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["client_mac"]) == ("unifi_scanner_disconnected", BEN)


async def test_departure_that_is_held_back_outlives_a_change_of_the_options(
    home: Home, flow: Flow
) -> None:
    await home.set_up(disconnect_delay=0.5)
    await home.controller.disconnect(ANNA)
    await flow.options_of(home.entry)
    await flow.submit({"disconnect_delay": 1.0, "low_data": True})
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["client_mac"]) == ("unifi_scanner_disconnected", ANNA)


async def test_area_settling_time_applies_to_the_next_move(home: Home, flow: Flow) -> None:
    await home.set_up(settling_time=300.0)
    put_in_area(home, HALL, "Downstairs")
    put_in_area(home, KITCHEN, "Upstairs")
    await flow.options_of(home.entry)
    await flow.submit({"settling_time": 0.0})
    for count, ap in enumerate(("Kitchen", "Hall"), 1):
        await home.controller.roam(ANNA, ap)
        await home.happened(count)
    assert home.shows("area", ANNA) == "Downstairs"


async def test_tracked_events_only_applies_to_the_next_event(home: Home, flow: Flow) -> None:
    await home.set_up(clients=(ANNA,))
    for is_on in (True, False):
        await flow.options_of(home.entry)
        await flow.submit({"tracked_events_only": is_on})
        await home.controller.roam(BEN, "Kitchen" if is_on else "Attic")
    ((_, data),) = await home.happened(1)
    assert (data["client_mac"], data["ap_to_name"]) == (BEN, "Attic")


async def test_add_new_clients_applies_to_the_next_new_client(home: Home, flow: Flow) -> None:
    await home.set_up(clients=(ANNA,))
    await flow.options_of(home.entry)
    await flow.submit({"add_new_clients": True})
    dora = "02:00:00:00:00:d0"
    home.world.add_client("Dora", mac=dora)
    await home.controller.connect(dora, "Attic")
    await home.controller.sync(dora)
    await until(lambda: dora in home.coordinator.tracked)


async def test_clients_selected_in_the_options_get_devices_with_their_names(
    home: Home, flow: Flow
) -> None:
    await home.set_up(clients=())
    await flow.options_of(home.entry)
    await flow.submit({"clients": [ANNA, CARA]})
    await home.hass.async_block_till_done()
    for mac, name, access_point in ((ANNA, "Anna", "Hall"), (CARA, "Cara", "not_connected")):
        device = home.device(mac)
        assert device is not None
        assert device.name == name
        assert home.shows("access_point", mac) == access_point
    await home.controller.connect(CARA, "Attic")
    ((_, data),) = await home.happened(1)
    assert data["client_name"] == "Cara"
    assert home.shows("access_point", CARA) == "Attic"


async def test_clients_deselected_in_the_options_are_not_added_again(
    home: Home, flow: Flow
) -> None:
    stranger = "02:00:00:00:00:d1"
    await home.set_up(clients=(ANNA, stranger), add_new_clients=True)
    await flow.options_of(home.entry)
    await flow.submit({"clients": [ANNA]})
    home.world.add_client("Stranger", mac=stranger)
    await home.controller.connect(stranger, "Attic")
    await home.controller.sync(stranger)
    await home.happened(1)
    await home.later(61)
    await home.settled()
    assert home.entry.options["clients"] == [ANNA]
    assert home.device(stranger) is None


async def test_unchanged_options_do_not_reload_the_entry(home: Home, flow: Flow) -> None:
    await home.set_up(**{**OPTIONS, "clients": (ANNA,)})
    before = home.coordinator
    await flow.options_of(home.entry)
    await flow.submit(OPTIONS)
    assert home.coordinator is before


async def test_options_flow_can_track_a_disconnected_client(home: Home, flow: Flow) -> None:
    await home.set_up()
    await flow.options_of(home.entry)
    await flow.submit(options(clients=[ANNA, CARA]))
    assert home.shows("access_point", CARA) == "not_connected"


@pytest.mark.parametrize("delay", [-1, 301])
async def test_options_flow_bounds_delays(home: Home, flow: Flow, delay: int) -> None:
    await home.set_up()
    for key in ("disconnect_delay", "settling_time"):
        await flow.options_of(home.entry)
        with pytest.raises(InvalidData):
            await flow.submit(options(**{key: delay}))


async def test_options_flow_keeps_clients_added_while_the_form_is_open(
    home: Home, flow: Flow
) -> None:
    await home.set_up(clients=(ANNA, BEN), add_new_clients=True)
    await flow.options_of(home.entry)
    # The controller already knows Cara, so only Dora is new.
    dora = "02:00:00:00:00:d0"
    home.world.add_client("Dora", mac=dora)
    for mac in (CARA, dora):
        await home.controller.connect(mac, "Attic")
        await home.controller.sync(mac)
    await until(lambda: dora in home.coordinator.tracked)
    await flow.submit(options(clients=[ANNA]))
    assert home.coordinator.tracked == {ANNA, dora}
    assert home.entry.options["clients"] == [ANNA]


async def test_options_flow_can_deselect_a_client_that_was_added(home: Home, flow: Flow) -> None:
    await home.set_up(clients=(ANNA,))
    home.coordinator.tracked.async_add([BEN])
    await flow.options_of(home.entry)
    await flow.submit(options(clients=[ANNA]))
    assert home.coordinator.tracked == {ANNA}


async def test_options_flow_can_deselect_a_client_that_was_added_to_an_entry_that_is_not_loaded(
    home: Home, flow: Flow
) -> None:
    await home.set_up(clients=(ANNA,))
    home.coordinator.tracked.async_add([BEN])
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    await flow.options_of(home.entry)
    await flow.submit(options(clients=[ANNA]))
    await home.hass.async_block_till_done()
    await home.streaming(2)
    assert home.coordinator.tracked == {ANNA}


async def test_options_flow_does_not_bring_back_a_client_removed_while_the_form_is_open(
    home: Home, flow: Flow
) -> None:
    await home.set_up(clients=(ANNA, BEN))
    await flow.options_of(home.entry)
    home.coordinator.tracked.async_remove(BEN)
    await flow.submit(options(clients=[ANNA, BEN]))
    assert home.entry.options["clients"] == [ANNA]
    assert home.coordinator.tracked == {ANNA}


async def test_options_flow_offers_known_clients_while_the_controller_is_unreachable(
    home: Home, flow: Flow
) -> None:
    await home.set_up(clients=(ANNA, CARA))
    await home.controller.stop_listening()
    await flow.options_of(home.entry)
    assert [option["label"] for option in flow.options("clients")] == [
        f"Anna ({ANNA})",
        f"Ben ({BEN})",
        f"Cara ({CARA})",
    ]
    await flow.submit(OPTIONS)
    assert home.entry.options == OPTIONS
    assert home.entry.state is ConfigEntryState.LOADED
    assert home.device(CARA) is None


async def test_options_flow_offers_tracked_clients_before_the_first_connection(
    home: Home, flow: Flow
) -> None:
    await home.controller.stop_listening()
    await home.set_up(clients=(ANNA,), wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    await flow.options_of(home.entry)
    assert [option["value"] for option in flow.options("clients")] == [ANNA]
    await flow.submit(OPTIONS)
    assert home.entry.options == OPTIONS


async def test_unchanged_options_of_an_entry_that_is_not_loaded_do_not_set_it_up(
    home: Home, flow: Flow
) -> None:
    await home.set_up(**{**OPTIONS, "clients": (ANNA,)})
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    await flow.options_of(home.entry)
    await flow.submit(OPTIONS)
    await home.hass.async_block_till_done()
    assert home.entry.state is ConfigEntryState.NOT_LOADED
