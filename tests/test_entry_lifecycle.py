"""What a restart keeps, and what an unloaded entry leaves behind: nothing."""

from datetime import timedelta
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub import login_budget
from tests.controller import Rejection
from tests.home import ANNA, BEN, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_what_the_controller_cannot_tell_again_survives_a_restart(home: Home) -> None:
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await home.controller.roam(ANNA, "Attic")
    await home.controller.roam(BEN, "Attic")
    await home.happened(3)
    keys = ("previous_access_point", "last_roam", "roams_today")
    before = [home.shows(key, ANNA) for key in keys]
    assert (before[0], before[2]) == ("Kitchen", "2")
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    assert [home.shows(key, ANNA) for key in keys] == before
    assert home.shows("roams_today") == "3"
    assert len(home.events) == 3


async def test_who_was_away_while_it_was_reloaded_comes_back_by_its_name(home: Home) -> None:
    """An event tells only the host name; what UniFi calls the client is known all the same."""
    home.world.clients[ANNA].hostname = "annas-iphone"
    await home.set_up(disconnect_delay=0.0)
    await home.controller.disconnect(ANNA)
    await home.happened(1)
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(4)
    await home.controller.connect(ANNA, "Kitchen")
    ((_, left), (_, came)) = await home.happened(2)
    assert left["client_name"] == came["client_name"] == "Anna"


@pytest.mark.parametrize("hour", [0, 1], ids=["midnight", "a day without a midnight"])
async def test_when_a_day_begins_its_roams_are_zero(
    home: Home, monkeypatch: pytest.MonkeyPatch, hour: int
) -> None:
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert home.shows("roams_today", ANNA) == "1"
    last_roam = home.shows("last_roam", ANNA)
    beginning = dt_util.start_of_local_day() + timedelta(days=1, hours=hour)
    monkeypatch.setattr(dt_util, "now", lambda: beginning)
    async_fire_time_changed(home.hass, beginning + timedelta(seconds=1))
    await home.hass.async_block_till_done()
    assert home.shows("roams_today", ANNA) == "0"
    assert home.shows("roams_today") == "0"
    assert home.shows("last_roam", ANNA) == last_roam


async def test_a_removed_entry_leaves_nothing_on_disk(
    home: Home, hass_storage: dict[str, Any]
) -> None:
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    key = f"{DOMAIN}.{home.entry.entry_id}"
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert set(hass_storage[key]["data"]["clients"]) == {ANNA}
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert key not in hass_storage


async def test_twenty_reloads_leave_one_socket_and_no_tasks(home: Home) -> None:
    """C10."""
    await home.set_up()
    for _ in range(20):
        assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(21)
    assert home.controller.open_sockets == 1
    assert home.controller.logins == 1
    assert len(home.entry._background_tasks) == 1


async def test_unloading_ends_the_stream_and_every_timer(home: Home) -> None:
    await home.set_up()
    coordinator = home.coordinator
    await home.controller.disconnect(ANNA)
    await until(lambda: coordinator._timers._waiting)
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    await until(lambda: home.controller.open_sockets == 0)
    assert coordinator._timers._waiting == {}
    assert home.entry._background_tasks == set()
    assert home.shows("access_point", ANNA) == "unavailable"
    coordinator._async_request_snapshot()
    assert home.entry._background_tasks == set()


async def test_home_assistants_stop_ends_the_stream(home: Home) -> None:
    await home.set_up()
    home.hass.set_state(CoreState.stopping)
    home.hass.bus.async_fire_internal(EVENT_HOMEASSISTANT_STOP)
    await until(lambda: home.controller.open_sockets == 0)
    home.hass.set_state(CoreState.running)


async def test_a_controller_that_does_not_answer_is_tried_again_later(home: Home) -> None:
    await home.controller.stop_listening()
    await home.set_up(wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    assert home.entry.reason is not None
    assert "127.0.0.1" in home.entry.reason
    await home.controller.start()
    await home.later(30)
    await until(lambda: home.entry.state is ConfigEntryState.LOADED)


async def test_a_rejected_password_asks_the_user(home: Home) -> None:
    home.controller.faults.rejection = Rejection.CODE_403
    await home.set_up(password="wrong", wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = home.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_a_login_that_is_rejected_while_it_runs_asks_the_user(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_budget, "LOGIN_INTERVAL", 0.0)
    await home.set_up()
    home.controller.faults.login_code = "123456"
    await home.controller.expire_sessions()
    await until(home.hass.config_entries.flow.async_progress)
    (flow,) = home.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    await until(lambda: not home.coordinator.stream_connected)


async def test_a_stream_whose_login_is_rejected_ends_and_asks_the_user(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_budget, "LOGIN_INTERVAL", 0.0)
    await home.set_up()
    home.controller.faults.refuse("*wss*", status=401)
    home.controller.faults.login_code = "123456"
    await home.cut()
    async_fire_time_changed(home.hass, dt_util.utcnow() + timedelta(seconds=15))
    await until(home.hass.config_entries.flow.async_progress)
    (flow,) = home.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    await until(lambda: not home.entry._background_tasks)

    # It was a console that booted: its next answers to the same password are better.
    home.controller.faults.clear()
    home.controller.faults.login_code = None
    await home.later(61)
    await until(lambda: home.coordinator.stream_connected)
