"""The coordinator with a simulated controller: events, states and counts."""

import asyncio
from datetime import timedelta
import random
from typing import Any

from homeassistant.core import Event, EventStateChangedData, HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.util import dt as dt_util
import pytest

from tests.controller import Band, Flavour, Generation
from tests.home import ANNA, ATTIC, BEN, HALL, KITCHEN, Home, furnished_home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_roam_is_fired_once_with_the_whole_payload(home: Home) -> None:
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    ((event_type, data),) = await home.happened(1)
    assert event_type == "unifi_scanner_roam"
    device = home.device(ANNA)
    assert device is not None
    assert data == {
        "entry_id": home.entry.entry_id,
        "site": "default",
        "client_mac": ANNA,
        "client_name": "Anna",
        "device_id": device.id,
        "ssid": "Home",
        "guest": False,
        "ap_from_mac": HALL,
        "ap_from_name": "Hall",
        "ap_to_mac": KITCHEN,
        "ap_to_name": "Kitchen",
        "area_from": None,
        "area_to": None,
        "band_from": "5",
        "band_to": "5",
        "channel_from": 36,
        "channel_to": 36,
        "signal": None,
        "time": data["time"],
        "source": "event",
        "inferred": False,
        "roam_gap": None,
        "late": False,
    }
    happened = dt_util.parse_datetime(data["time"])
    assert happened is not None
    assert abs(happened - dt_util.utcnow()) < timedelta(seconds=5)
    await home.controller.sync()
    await home.later(61)
    assert len(home.events) == 1


@pytest.mark.parametrize("flavour", list(Flavour))
@pytest.mark.parametrize("generation", list(Generation))
async def test_roam_is_fired_with_every_generation_of_controllers(
    hass: HomeAssistant, flavour: Flavour, generation: Generation
) -> None:
    async with furnished_home(hass, flavour=flavour, generation=generation) as home:
        await home.set_up()
        await home.controller.roam(ANNA, "Kitchen")
        ((event_type, data),) = await home.happened(1)
        assert (event_type, data["client_mac"]) == ("unifi_scanner_roam", ANNA)
        assert (data["ap_from_name"], data["ap_to_name"]) == ("Hall", "Kitchen")
        assert data["inferred"] is (generation is Generation.SYNC_ONLY)


async def test_untracked_client_fires_events_but_has_no_entities(home: Home) -> None:
    await home.set_up(clients=(ANNA,))
    await home.controller.roam(BEN, "Kitchen")
    ((_, data),) = await home.happened(1)
    assert (data["client_name"], data["device_id"]) == ("Ben", None)
    assert home.device(BEN) is None
    assert home.state("access_point", BEN) is None


async def test_event_areas_are_those_of_the_access_points_devices(home: Home) -> None:
    await home.set_up()
    areas = ar.async_get(home.hass)
    devices = dr.async_get(home.hass)
    upstairs, downstairs = areas.async_create("Upstairs"), areas.async_create("Downstairs")
    for mac, area in ((HALL, downstairs), (ATTIC, upstairs)):
        device = home.device(mac)
        assert device is not None
        devices.async_update_device(device.id, area_id=area.id)
    await home.controller.roam(ANNA, "Attic")
    ((_, data),) = await home.happened(1)
    assert (data["area_from"], data["area_to"]) == (downstairs.id, upstairs.id)


async def test_states_are_up_to_date_when_the_event_fires(home: Home) -> None:
    await home.set_up()
    states: list[Any] = []

    def read_states(_: Event) -> None:
        states.extend(
            home.shows(key, mac)
            for key, mac in (
                ("access_point", ANNA),
                ("previous_access_point", ANNA),
                ("roams_today", ANNA),
                ("wireless_clients", KITCHEN),
                ("roams_today", None),
            )
        )

    home.hass.bus.async_listen("unifi_scanner_roam", read_states)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.hass.async_block_till_done()
    assert states == ["Kitchen", "Hall", "1", "1", "1"]


async def test_burst_of_roams_fires_events_in_order_and_writes_the_state_once(home: Home) -> None:
    await home.set_up()
    batches: list[int] = []
    stream = home.coordinator._stream
    process_batch = stream._on_batch
    stream._on_batch = lambda batch: batches.append(len(batch)) or process_batch(batch)
    states: list[str] = []

    def record_state(event: Event[EventStateChangedData]) -> None:
        if event.data["entity_id"] == "sensor.anna" and (state := event.data["new_state"]):
            states.append(state.state)

    home.hass.bus.async_listen("state_changed", record_state)
    walk = []
    for place in ("Kitchen", "Attic", "Hall"):
        await asyncio.sleep(0.002)
        walk.append(home.world.roam(ANNA, place))
    await asyncio.sleep(0.002)
    walk.append(home.world.roam(ANNA, "Kitchen"))
    await home.controller.send_events(*reversed(walk))
    events = await home.happened(4)
    await home.hass.async_block_till_done()
    assert [data["ap_to_name"] for _, data in events] == ["Kitchen", "Attic", "Hall", "Kitchen"]
    assert [data["ap_from_name"] for _, data in events] == ["Hall", "Kitchen", "Attic", "Hall"]
    assert states == ["Kitchen"]
    assert batches == [4]
    assert home.shows("roams_today", ANNA) == "4"


async def test_disconnected_event_is_delayed_and_connected_event_is_not(home: Home) -> None:
    await home.set_up(disconnect_delay=0.2)
    await home.controller.disconnect(ANNA)
    await home.controller.sync(BEN)
    assert home.shows("access_point", ANNA) == "Hall"
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["ap_from_name"], data["ap_to_name"]) == (
        "unifi_scanner_disconnected",
        "Hall",
        None,
    )
    assert home.shows("access_point", ANNA) == "not_connected"
    await home.controller.connect(ANNA, "Attic")
    _, (event_type, data) = await home.happened(2)
    assert (event_type, data["ap_from_name"], data["ap_to_name"]) == (
        "unifi_scanner_connected",
        None,
        "Attic",
    )
    assert home.shows("access_point", ANNA) == "Attic"


async def test_band_change_fires_roam_radio_and_counts_no_roam(home: Home) -> None:
    await home.set_up()
    await home.controller.roam_radio(ANNA, Band.NG)
    ((event_type, data),) = await home.happened(1)
    assert event_type == "unifi_scanner_roam_radio"
    assert (data["ap_from_mac"], data["ap_to_mac"]) == (HALL, HALL)
    assert (data["band_from"], data["band_to"]) == ("5", "2.4")
    assert home.shows("band", ANNA) == "2_4_ghz"
    assert home.shows("roams_today", ANNA) == "0"


async def test_wireless_clients_of_access_points_add_up_after_every_frame(home: Home) -> None:
    """P4."""
    people = [f"02:00:00:00:01:{number:02x}" for number in range(20)]
    for mac in people:
        home.world.add_client(None, mac=mac, ap="Hall")
    await home.set_up(disconnect_delay=0.0)
    chance = random.Random(4)  # noqa: S311 - a walk, no secret
    # Departures are dated in whole seconds, so clients that leave must not have just roamed.
    leavers, walkers = people[:5], people[5:]
    for _ in range(60):
        mac = chance.choice(walkers)
        link = home.world.clients[mac].link
        here = home.world.devices[link.ap].name if link else None
        place = chance.choice([name for name in ("Hall", "Kitchen", "Attic") if name != here])
        await home.controller.roam(mac, place)
        await until(lambda: online(home) == shown(home))
        if leavers and chance.random() < 0.2:
            await home.controller.disconnect(leavers.pop())
            await until(lambda: online(home) == shown(home))
    assert leavers == []
    assert len(home.events) == 65


def online(home: Home) -> dict[str, int]:
    return {
        ap: sum(
            client.link is not None and client.link.ap == ap
            for client in home.world.clients.values()
        )
        for ap in (HALL, KITCHEN, ATTIC)
    }


def shown(home: Home) -> dict[str, int]:
    shown = {ap: int(home.shows("wireless_clients", ap) or -1) for ap in (HALL, KITCHEN, ATTIC)}
    assert sum(shown.values()) == int(home.shows("wireless_clients") or -1)
    return shown
