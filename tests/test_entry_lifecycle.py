"""What a config entry keeps across reloads, and that it leaves nothing running when unloaded."""

import asyncio
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


def background_tasks(home: Home) -> set[asyncio.Task[Any]]:
    """Return the running background tasks of the entry, whose names begin with its title."""
    prefix = f"{home.entry.title} "
    return {task for task in asyncio.all_tasks() if task.get_name().startswith(prefix)}


async def test_history_survives_a_reload_of_the_entry(home: Home) -> None:
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


async def test_client_that_connects_after_a_reload_has_its_alias_as_name(home: Home) -> None:
    """Events only contain the hostname; the alias is requested when the entry is set up."""
    home.world.clients[ANNA].hostname = "annas-iphone"
    await home.set_up(disconnect_delay=0.0)
    await home.controller.disconnect(ANNA)
    await home.happened(1)
    assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(4)
    await home.controller.connect(ANNA, "Kitchen")
    ((_, disconnected), (_, connected)) = await home.happened(2)
    assert disconnected["client_name"] == connected["client_name"] == "Anna"


@pytest.mark.parametrize("hour", [0, 1], ids=["midnight", "day without midnight"])
async def test_roams_today_are_reset_when_a_day_begins(
    home: Home, monkeypatch: pytest.MonkeyPatch, hour: int
) -> None:
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    assert home.shows("roams_today", ANNA) == "1"
    last_roam = home.shows("last_roam", ANNA)
    start = dt_util.start_of_local_day() + timedelta(days=1, hours=hour)
    monkeypatch.setattr(dt_util, "now", lambda: start)
    async_fire_time_changed(home.hass, start + timedelta(seconds=1))
    await home.hass.async_block_till_done()
    assert home.shows("roams_today", ANNA) == "0"
    assert home.shows("roams_today") == "0"
    assert home.shows("last_roam", ANNA) == last_roam


async def test_entry_removal_deletes_its_history(home: Home, hass_storage: dict[str, Any]) -> None:
    await home.set_up()
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    key = f"{DOMAIN}.{home.entry.entry_id}"
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert set(hass_storage[key]["data"]["clients"]) == {ANNA}
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert key not in hass_storage


async def test_entry_reloaded_twenty_times_leaves_one_socket_and_one_task(home: Home) -> None:
    """C10."""
    await home.set_up()
    for _ in range(20):
        assert await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(21)
    assert home.controller.open_sockets == 1
    assert home.controller.logins == 1
    assert len(background_tasks(home)) == 1


async def test_entry_unload_stops_the_stream_and_all_timers(home: Home) -> None:
    await home.set_up()
    coordinator = home.coordinator
    await home.controller.disconnect(ANNA)
    await until(lambda: coordinator._timers._waiting)
    assert await home.hass.config_entries.async_unload(home.entry.entry_id)
    await until(lambda: home.controller.open_sockets == 0)
    assert coordinator._timers._waiting == {}
    assert background_tasks(home) == set()
    assert home.shows("access_point", ANNA) == "unavailable"
    coordinator._async_request_snapshot()
    assert background_tasks(home) == set()


async def test_stream_stops_when_home_assistant_stops(home: Home) -> None:
    await home.set_up()
    home.hass.set_state(CoreState.stopping)
    home.hass.bus.async_fire_internal(EVENT_HOMEASSISTANT_STOP)
    await until(lambda: home.controller.open_sockets == 0)
    home.hass.set_state(CoreState.running)


async def test_setup_is_retried_later_while_the_controller_does_not_answer(home: Home) -> None:
    await home.controller.stop_listening()
    await home.set_up(wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    assert home.entry.reason is not None
    assert "127.0.0.1" in home.entry.reason
    await home.controller.start()
    await home.later(30)
    await until(lambda: home.entry.state is ConfigEntryState.LOADED)


async def test_rejected_password_starts_reauthentication(home: Home) -> None:
    home.controller.faults.rejection = Rejection.CODE_403
    await home.set_up(password="wrong", wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = home.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_rejected_login_while_running_starts_reauthentication(
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


async def test_stream_ends_and_starts_reauthentication_if_its_login_is_rejected(
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
    await until(lambda: not background_tasks(home))

    # The controller was booting and now accepts the same password.
    home.controller.faults.clear()
    home.controller.faults.login_code = None
    await home.later(61)
    await until(lambda: home.coordinator.stream_connected)
