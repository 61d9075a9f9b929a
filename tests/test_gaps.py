"""What the coordinator makes of gaps in the connection."""

from collections.abc import AsyncIterator
from datetime import timedelta
import logging

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.unifi_scanner import session
from tests.home import ANNA, HALL, Home, furnished_home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def home(hass: HomeAssistant) -> AsyncIterator[Home]:
    async with furnished_home(hass) as home:
        yield home


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


async def test_who_is_missing_in_a_snapshot_is_looked_for_once_more(home: Home) -> None:
    await home.set_up(disconnect_delay=0.3)
    home.coordinator.tracker._ledger.tracks[ANNA].arrived -= 60
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
    monkeypatch.setattr(session, "LOGIN_INTERVAL", 0.0)
    await home.set_up()
    await home.controller.expire_sessions()
    await until(lambda: not home.coordinator.stream_connected)
    await home.settled()
    await home.reconnected()
    assert home.hass.config_entries.flow.async_progress() == []
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
