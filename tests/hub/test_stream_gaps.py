"""Gaps in the event stream: availability, recovery by snapshots, and backfill."""

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


async def test_stream_gap_roam_is_found_by_the_next_snapshot(home: Home) -> None:
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


async def test_stream_gap_between_first_snapshot_and_first_connection_loses_no_roam(
    home: Home,
) -> None:
    home.controller.faults.refuse("*wss*", status=502, times=1)
    await home.set_up(wait=False)
    assert home.snapshots == 1
    home.world.roam(ANNA, "Kitchen")
    await home.reconnected()
    ((_, data),) = await home.happened(1)
    assert (data["ap_to_name"], data["source"]) == ("Kitchen", "resync")


async def test_short_stream_gaps_change_no_state_and_fire_no_events(home: Home) -> None:
    await home.set_up()
    for _ in range(3):
        await home.cut()
        assert home.shows("access_point", ANNA) == "Hall"
        await home.reconnected()
    assert home.events == []


async def test_states_stay_available_for_a_minute_after_the_controller_is_lost(
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


async def test_states_after_an_outage_never_show_the_old_access_point(home: Home) -> None:
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
    def record(event: Event[EventStateChangedData]) -> None:
        shown.append(event.data["new_state"] and event.data["new_state"].state)

    remove = async_track_state_change_event(
        home.hass, [str(home.entity_id("access_point", ANNA))], record
    )
    await home.controller.start()
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(seconds=400))
    await home.streaming(home.snapshots + 1)
    remove()
    assert shown == ["Kitchen"]


async def test_snapshots_keep_states_available_without_a_stream(home: Home) -> None:
    home.controller.faults.refuse("*wss*", status=502)
    await home.set_up(wait=False)
    home.world.roam(ANNA, "Kitchen")
    await home.later(61)
    await home.settled()
    await until(lambda: home.shows("access_point", ANNA) == "Kitchen")
    await home.later(61)
    assert home.shows("access_point", ANNA) == "Kitchen"
    assert len(home.events) == 1


async def test_stream_keeps_states_available_without_snapshots(home: Home) -> None:
    await home.set_up()
    home.controller.faults.refuse("*stat*", status=503)
    for _ in range(3):
        await home.later(61)
        await home.settled()
    assert not home.coordinator.last_update_success
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert home.shows("access_point", ANNA) == "Kitchen"


async def test_snapshot_is_repeated_to_confirm_that_a_client_is_missing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "MIN_RECHECK_DELAY", 0.3)
    await home.set_up(disconnect_delay=0.3)
    home.world.disconnect(ANNA)
    before = home.snapshots
    await home.later(61)
    await until(lambda: home.snapshots >= before + 2)
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["client_mac"]) == ("unifi_scanner_disconnected", ANNA)
    assert (data["source"], data["inferred"]) == ("resync", True)


async def test_stream_recovers_from_an_expired_session_without_reauthentication(
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
async def home_with_system_log(hass: HomeAssistant) -> AsyncIterator[Home]:
    """Return a home whose controller has a system log."""
    async with furnished_home(hass, network_version="10.4.57") as home:
        yield home


async def roam_unreported(home: Home, *access_points: str) -> None:
    """Let Anna roam through these access points without any frame."""
    for access_point in access_points:
        await asyncio.sleep(0.02)
        home.world.roam(ANNA, access_point, signal=-60 - len(access_point))


async def test_backfill_reports_every_roam_of_a_stream_gap_once(home_with_system_log: Home) -> None:
    home = home_with_system_log
    await home.set_up()
    assert home.controller.requests("/v2/") == []
    await home.cut()
    await roam_unreported(home, "Kitchen", "Attic", "Kitchen", "Hall")
    await home.reconnected()
    events = await home.happened(4)
    assert [(data["ap_from_name"], data["ap_to_name"]) for _, data in events] == [
        ("Hall", "Kitchen"),
        ("Kitchen", "Attic"),
        ("Attic", "Kitchen"),
        ("Kitchen", "Hall"),
    ]
    assert {(event_type, data["source"], data["inferred"]) for event_type, data in events} == {
        ("unifi_scanner_roam", "system_log", False)
    }
    assert [data["signal"] for _, data in events] == [-67, -65, -67, -64]
    assert home.shows("access_point", ANNA) == "Hall"
    await home.controller.sync()
    for _ in range(2):
        await home.cut()
        await home.reconnected()
    assert len(home.events) == 4


async def test_backfill_does_not_repeat_roams_reported_by_the_stream(
    home_with_system_log: Home,
) -> None:
    home = home_with_system_log
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.cut()
    await roam_unreported(home, "Attic")
    await home.reconnected()
    events = await home.happened(2)
    assert [(data["ap_to_name"], data["source"]) for _, data in events] == [
        ("Kitchen", "event"),
        ("Attic", "system_log"),
    ]


async def test_backfill_continues_while_the_stream_is_down(home_with_system_log: Home) -> None:
    home = home_with_system_log
    await home.set_up()
    home.controller.faults.refuse("*wss*", status=502)
    await home.cut()
    for count, access_point in enumerate(("Kitchen", "Attic"), 1):
        await roam_unreported(home, access_point, "Hall")
        await home.later(61)
        await home.settled()
        assert len(await home.happened(2 * count)) == 2 * count
    home.controller.faults.clear()
    await roam_unreported(home, "Attic")
    await home.reconnected()
    assert len(await home.happened(5)) == 5
    assert {event.data["source"] for event in home.events} == {"system_log"}


async def test_backfill_is_retried_after_a_failure(
    home_with_system_log: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_with_system_log
    monkeypatch.setattr(backfill, "_FIRST_WAIT", 0.0)
    await home.set_up()
    home.coordinator._snapshots._backfill._wait = 0.0
    log = home.controller.faults.refuse("*/v2/*", status=500)
    await home.cut()
    await roam_unreported(home, "Kitchen", "Hall")
    await home.reconnected()
    assert home.events == []
    home.controller.faults.remove(log)
    await home.later(61)
    assert [data["ap_to_name"] for _, data in await home.happened(2)] == ["Kitchen", "Hall"]


@pytest.mark.parametrize("ahead", [-600, 600])
async def test_backfill_requests_times_on_the_controllers_clock(
    hass: HomeAssistant, ahead: int
) -> None:
    async with furnished_home(
        hass, network_version="10.4.57", clock=lambda: time.time() + ahead
    ) as home:
        await home.set_up()
        await home.cut()
        await roam_unreported(home, "Kitchen", "Hall")
        await home.reconnected()
        events = await home.happened(2)
        assert [data["source"] for _, data in events] == ["system_log"] * 2


async def test_stream_understands_sync_frames_of_version_2(home: Home) -> None:
    await home.set_up()
    home.world.roam(ANNA, "Kitchen", signal=-71)
    await home.controller.send(sync_frame(home.world, home.world.online(), v2=True))
    ((event_type, data),) = await home.happened(1)
    assert (event_type, data["ap_to_name"], data["source"], data["inferred"]) == (
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
