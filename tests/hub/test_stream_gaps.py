"""What the coordinator makes of gaps in the connection."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
import logging
import time

from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.unifi_scanner import coordinator
from custom_components.unifi_scanner.hub import backfill, login_budget
from tests.controller.frames import sync_frame
from tests.home import ANNA, HALL, Home, furnished_home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_a_gap_hides_nothing_and_invents_nothing(home: Home) -> None:
    await home.set_up()
    await home.cut()
    assert home.shows("event_stream", domain="binary_sensor") == "off"
    home.world.roam(ANNA, "Kitchen")
    assert home.shows("access_point", ANNA) == "Hall"
    await home.reconnected()
    ((event_type, data),) = await home.happened(1)
    assert event_type == "unifi_scanner_roam"
    assert (data["client_mac"], data["source"], data["inferred"]) == (ANNA, "resync", True)
    assert home.shows("access_point", ANNA) == "Kitchen"
    assert home.shows("event_stream", domain="binary_sensor") == "on"


async def test_what_happens_between_snapshot_and_stream_is_not_lost(home: Home) -> None:
    home.controller.faults.refuse("*wss*", status=502, times=1)
    await home.set_up(wait=False)
    assert home.snapshots == 1
    home.world.roam(ANNA, "Kitchen")
    await home.reconnected()
    ((_, data),) = await home.happened(1)
    assert (data["ap_to_name"], data["source"]) == ("Kitchen", "resync")


async def test_short_gaps_make_nothing_unavailable_and_no_events(home: Home) -> None:
    await home.set_up()
    for _ in range(3):
        await home.cut()
        assert home.shows("access_point", ANNA) == "Hall"
        await home.reconnected()
    assert home.events == []


async def test_states_are_kept_for_a_minute_after_the_controller_is_gone(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    await home.set_up()
    await home.controller.stop_listening()
    await until(lambda: not home.coordinator.stream_connected)
    await home.settled()
    assert not home.coordinator.last_update_success
    await home.later(55)
    await home.settled()
    assert home.shows("access_point", ANNA) == "Hall"
    await home.later(61)
    await home.settled()
    for key, mac in (
        ("access_point", ANNA),
        ("wireless_clients", HALL),
        ("wireless_clients", None),
    ):
        assert home.shows(key, mac) == "unavailable"
    assert home.shows("event_stream", domain="binary_sensor") == "off"
    for _ in range(3):
        await home.later(400)
        await home.settled()
    problems = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert sum("Error fetching Home data" in record.message for record in problems) == 1
    assert sum("event stream is down" in record.message for record in problems) == 1

    await home.controller.start()
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(seconds=400))
    await home.streaming(home.snapshots + 1)
    assert home.shows("access_point", ANNA) == "Hall"
    assert home.events == []
    assert sum("data recovered" in record.message for record in caplog.records) == 1
    assert sum("stream is up again" in record.message for record in caplog.records) == 1


async def test_after_an_outage_nobody_is_shown_where_they_are_no_longer(home: Home) -> None:
    await home.set_up()
    await home.controller.stop_listening()
    await until(lambda: not home.coordinator.stream_connected)
    await home.settled()
    await home.later(61)
    await home.settled()
    assert home.shows("access_point", ANNA) == "unavailable"
    home.world.roam(ANNA, "Kitchen")
    shown: list[str | None] = []

    @callback
    def see(event: Event[EventStateChangedData]) -> None:
        shown.append(event.data["new_state"] and event.data["new_state"].state)

    remove = async_track_state_change_event(
        home.hass, [str(home.entity_id("access_point", ANNA))], see
    )
    await home.controller.start()
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(seconds=400))
    await home.streaming(home.snapshots + 1)
    remove()
    assert shown == ["Kitchen"]


async def test_without_a_stream_snapshots_go_on_and_states_stay_available(home: Home) -> None:
    home.controller.faults.refuse("*wss*", status=502)
    await home.set_up(wait=False)
    home.world.roam(ANNA, "Kitchen")
    await home.later(61)
    await home.settled()
    await until(lambda: home.shows("access_point", ANNA) == "Kitchen")
    await home.later(61)
    assert home.shows("access_point", ANNA) == "Kitchen"
    assert len(home.events) == 1


async def test_a_stream_without_snapshots_keeps_states_available(home: Home) -> None:
    await home.set_up()
    home.controller.faults.refuse("*stat*", status=503)
    for _ in range(3):
        await home.later(61)
        await home.settled()
    assert not home.coordinator.last_update_success
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert home.shows("access_point", ANNA) == "Kitchen"


async def test_who_is_missing_in_a_snapshot_is_looked_for_once_more(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "SOONEST_RECHECK", 0.3)
    await home.set_up(disconnect_delay=0.3)
    home.coordinator.tracker._registry.tracks[ANNA].arrived -= 60
    home.world.disconnect(ANNA)
    before = home.snapshots
    await home.later(61)
    await until(lambda: home.snapshots >= before + 2)
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["client_mac"]) == ("unifi_scanner_disconnected", ANNA)
    assert (data["source"], data["inferred"]) == ("resync", True)


async def test_an_ended_session_is_renewed_without_a_word_to_the_user(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_budget, "LOGIN_INTERVAL", 0.0)
    await home.set_up()
    await home.controller.expire_sessions()
    await until(lambda: not home.coordinator.stream_connected)
    await home.settled()
    await home.reconnected()
    assert home.hass.config_entries.flow.async_progress() == []
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)


@pytest.fixture
async def new_home(hass: HomeAssistant) -> AsyncIterator[Home]:
    """Give a home whose controller has a system log."""
    async with furnished_home(hass, network_version="10.4.57") as home:
        yield home


async def walk(home: Home, *places: str) -> None:
    """Let Anna walk, and have nobody tell it."""
    for place in places:
        await asyncio.sleep(0.02)
        home.world.roam(ANNA, place, signal=-60 - len(place))


async def test_the_system_log_tells_every_roam_of_a_gap_once(new_home: Home) -> None:
    home = new_home
    await home.set_up()
    assert home.controller.requests("/v2/") == []
    await home.cut()
    await walk(home, "Kitchen", "Attic", "Kitchen", "Hall")
    await home.reconnected()
    told = await home.happened(4)
    assert [(data["ap_from_name"], data["ap_to_name"]) for _, data in told] == [
        ("Hall", "Kitchen"),
        ("Kitchen", "Attic"),
        ("Attic", "Kitchen"),
        ("Kitchen", "Hall"),
    ]
    assert {(kind, data["source"], data["inferred"]) for kind, data in told} == {
        ("unifi_scanner_roam", "system_log", False)
    }
    assert [data["signal"] for _, data in told] == [-67, -65, -67, -64]
    assert home.shows("access_point", ANNA) == "Hall"
    await home.controller.sync()
    for _ in range(2):
        await home.cut()
        await home.reconnected()
    assert len(home.events) == 4


async def test_what_both_the_stream_and_the_log_tell_is_told_once(new_home: Home) -> None:
    home = new_home
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.cut()
    await walk(home, "Attic")
    await home.reconnected()
    told = await home.happened(2)
    assert [(data["ap_to_name"], data["source"]) for _, data in told] == [
        ("Kitchen", "event"),
        ("Attic", "system_log"),
    ]


async def test_the_log_is_read_while_there_is_no_stream_too(new_home: Home) -> None:
    home = new_home
    await home.set_up()
    home.controller.faults.refuse("*wss*", status=502)
    await home.cut()
    for count, place in enumerate(("Kitchen", "Attic"), 1):
        await walk(home, place, "Hall")
        await home.later(61)
        await home.settled()
        assert len(await home.happened(2 * count)) == 2 * count
    home.controller.faults.clear()
    await walk(home, "Attic")
    await home.reconnected()
    assert len(await home.happened(5)) == 5
    assert {event.data["source"] for event in home.events} == {"system_log"}


async def test_a_log_that_could_not_be_read_is_read_later(
    new_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = new_home
    monkeypatch.setattr(backfill, "_FIRST_WAIT", 0.0)
    await home.set_up()
    home.coordinator._snapshots._log._wait = 0.0
    log = home.controller.faults.refuse("*/v2/*", status=500)
    await home.cut()
    await walk(home, "Kitchen", "Hall")
    await home.reconnected()
    assert home.events == []
    home.controller.faults.remove(log)
    await home.later(61)
    assert [data["ap_to_name"] for _, data in await home.happened(2)] == ["Kitchen", "Hall"]


@pytest.mark.parametrize("ahead", [-600, 600])
async def test_the_log_is_asked_by_the_controllers_clock(hass: HomeAssistant, ahead: int) -> None:
    async with furnished_home(
        hass, network_version="10.4.57", clock=lambda: time.time() + ahead
    ) as home:
        await home.set_up()
        await home.cut()
        await walk(home, "Kitchen", "Hall")
        await home.reconnected()
        told = await home.happened(2)
        assert [data["source"] for _, data in told] == ["system_log"] * 2


async def test_a_departure_that_only_the_log_tells_keeps_its_time(new_home: Home) -> None:
    home = new_home
    await home.set_up(disconnect_delay=0.2)
    await home.cut()
    await asyncio.sleep(1)
    left = home.world.disconnect(ANNA)
    await home.reconnected()
    ((kind, data),) = await home.happened(1)
    assert (kind, data["source"], data["ap_from_name"]) == (
        "unifi_scanner_disconnected",
        "system_log",
        "Hall",
    )
    told = dt_util.parse_datetime(data["time"])
    assert told is not None
    assert told.timestamp() == left.time


async def test_records_of_the_second_kind_are_understood(home: Home) -> None:
    await home.set_up()
    home.world.roam(ANNA, "Kitchen", signal=-71)
    await home.controller.send(sync_frame(home.world, home.world.online(), v2=True))
    ((kind, data),) = await home.happened(1)
    assert (kind, data["ap_to_name"], data["source"], data["inferred"]) == (
        "unifi_scanner_roam",
        "Kitchen",
        "sync",
        True,
    )
    await home.hass.async_block_till_done()
    assert home.shows("access_point", ANNA) == "Kitchen"
    state = home.coordinator.client(ANNA)
    assert state is not None
    assert state.signal == -71
