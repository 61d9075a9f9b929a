"""The low data option: fewer snapshots, and no records of clients that are not tracked."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.unifi_scanner.coordinator import LOW_DATA_INTERVAL, SNAPSHOT_INTERVAL
from tests.flows import Flow
from tests.home import ANNA, BEN, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.parametrize(("options", "seconds"), [({}, 60), ({"low_data": True}, 300)])
async def test_low_data_makes_snapshots_rarer_while_the_stream_is_connected(
    home: Home, options: dict[str, bool], seconds: int
) -> None:
    await home.set_up(**options)
    before = home.snapshots
    await home.later(seconds - 2)
    await home.settled()
    assert home.snapshots == before
    await home.later(seconds + 2)
    await until(lambda: home.snapshots == before + 1)
    await home.settled()


async def test_low_data_takes_snapshots_every_minute_without_a_stream(home: Home) -> None:
    await home.set_up(low_data=True)
    home.controller.faults.refuse("*wss*", status=502)
    await home.cut()
    before = home.snapshots
    await home.later(62)
    await until(lambda: home.snapshots > before)


async def test_low_data_is_turned_on_and_off_without_a_reload(
    hass: HomeAssistant, home: Home
) -> None:
    await home.set_up(clients=(ANNA,))
    coordinator, flow = home.coordinator, Flow(hass)
    for is_on, interval in ((True, LOW_DATA_INTERVAL), (False, SNAPSHOT_INTERVAL)):
        snapshots = home.snapshots
        await flow.options_of(home.entry)
        await flow.submit({"low_data": is_on})
        # The form and the snapshot that begins the new interval each read the clients once.
        await home.streaming(snapshots + 2)
        assert coordinator.update_interval == interval
        home.world.roam(BEN, "Kitchen" if is_on else "Attic")
        await home.controller.sync()
        assert len(home.events) == (0 if is_on else 1)
    assert home.coordinator is coordinator


async def test_low_data_ignores_records_of_untracked_clients_but_not_their_events(
    home: Home,
) -> None:
    await home.set_up(clients=(ANNA,), low_data=True)
    for mac in (ANNA, BEN):
        home.world.roam(mac, "Kitchen")
    await home.controller.sync()
    assert [data["client_mac"] for _, data in await home.happened(1)] == [ANNA]
    await home.controller.roam(BEN, "Attic")
    events = await home.happened(2)
    assert [data["client_mac"] for _, data in events] == [ANNA, BEN]
    assert events[1][1]["ap_to_name"] == "Attic"


async def test_low_data_processes_records_of_a_client_once_it_is_tracked(home: Home) -> None:
    await home.set_up(clients=(ANNA,), low_data=True)
    home.coordinator.tracked.async_add([BEN])
    home.world.roam(BEN, "Kitchen")
    await home.controller.sync()
    assert [data["client_mac"] for _, data in await home.happened(1)] == [BEN]
