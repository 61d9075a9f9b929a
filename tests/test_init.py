"""Setting up, reloading, unloading and removing config entries."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.const import DOMAIN
from tests.controller import Booting, SimulatedController, make_certificate
from tests.home import until
from tests.instance import entry_data

pytestmark = pytest.mark.usefixtures("socket_enabled", "refused_handshakes")


@pytest.fixture
async def controller() -> AsyncIterator[SimulatedController]:
    async with SimulatedController(sites=("default", "second")) as controller:
        controller.world.add_access_point("Hall")
        controller.world.add_access_point("Kitchen")
        controller.world.add_client("Anna", mac="02:00:00:00:00:0a", ap="Hall")
        yield controller


def add_entry(
    hass: HomeAssistant, controller: SimulatedController, **changes: Any
) -> MockConfigEntry:
    """Add a config entry for the controller without setting it up."""
    data = entry_data(controller, **{"host": f"127.0.0.1:{controller.port}", **changes})
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=f"Dream Machine {data['site']}",
        data=data,
        options={
            "clients": ["02:00:00:00:00:0a"],
            "add_new_clients": False,
            "disconnect_delay": 10.0,
        },
        unique_id=f"{controller.settings.controller_id}_{data['site']}",
    )
    entry.add_to_hass(hass)
    return entry


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set up an entry; the setup may fail."""
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


def sensor_states(hass: HomeAssistant) -> set[str]:
    """Return the states of all sensors."""
    return {state.state for state in hass.states.async_all("sensor")}


async def wait_for_sockets(controller: SimulatedController, count: int) -> None:
    """Wait until this many event sockets are open."""
    await until(lambda: controller.open_sockets == count)


def logouts(controller: SimulatedController) -> int:
    """Return how many logouts the controller has received."""
    return len(controller.requests("/api/auth/logout"))


async def test_entry_is_set_up_and_unloaded(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    await wait_for_sockets(controller, 1)
    assert "Hall" in sensor_states(hass)
    assert controller.login_attempts == 1

    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.NOT_LOADED
    await wait_for_sockets(controller, 0)


async def test_entry_keeps_its_stream_if_unloading_fails(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    with patch.object(hass.config_entries, "async_unload_platforms", return_value=False):
        assert not await hass.config_entries.async_unload(entry.entry_id)
    await wait_for_sockets(controller, 1)
    assert entry.state is ConfigEntryState.FAILED_UNLOAD


async def test_entry_reloaded_twenty_times_logs_in_once_and_leaves_one_socket(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    for _ in range(20):
        assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await wait_for_sockets(controller, 1)
    assert controller.login_attempts == 1


async def test_entries_of_two_sites_share_one_login(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entries = [add_entry(hass, controller, site=site) for site in ("default", "second")]
    await set_up(hass, entries[0])
    assert [entry.state for entry in entries] == [ConfigEntryState.LOADED] * 2
    await wait_for_sockets(controller, 2)
    assert controller.login_attempts == 1

    await hass.config_entries.async_remove(entries[0].entry_id)
    assert logouts(controller) == 0
    await hass.config_entries.async_remove(entries[1].entry_id)
    assert logouts(controller) == 1
    await wait_for_sockets(controller, 0)


async def test_entry_removal_deletes_all_stored_data(
    hass: HomeAssistant, controller: SimulatedController, hass_storage: dict[str, Any]
) -> None:
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    await wait_for_sockets(controller, 1)
    await controller.roam("Anna", "Kitchen")
    await until(lambda: "Kitchen" in sensor_states(hass))
    await hass.config_entries.async_unload(entry.entry_id)
    assert any(key.startswith(DOMAIN) for key in hass_storage)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not any(key.startswith(DOMAIN) for key in hass_storage)
    assert logouts(controller) == 1


async def test_entry_logs_out_when_it_is_disabled(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert logouts(controller) == 1
    await wait_for_sockets(controller, 0)


async def test_entry_closes_its_socket_and_logs_out_when_home_assistant_stops(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    await wait_for_sockets(controller, 1)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    await wait_for_sockets(controller, 0)
    assert logouts(controller) == 0
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert logouts(controller) == 1


def boot(controller: SimulatedController) -> None:
    controller.faults.booting = Booting.UNAVAILABLE


def limit_logins(controller: SimulatedController) -> None:
    controller.faults.limit_logins(locked_until=2e9, retry_after=90)


def send_unexpected_data(controller: SimulatedController) -> None:
    controller.faults.refuse("*stat/*", status=200, body={"meta": {"rc": "ok"}, "data": "?"})


def refuse_snapshots(controller: SimulatedController) -> None:
    controller.faults.refuse("*stat/*", status=403)


def hide_site(controller: SimulatedController) -> None:
    no_permission = {"meta": {"rc": "error", "msg": "api.err.NoSiteContext"}, "data": []}
    controller.faults.refuse("*stat/*", status=200, body=no_permission)


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (boot, "controller_starting"),
        (limit_logins, "rate_limited"),
        (send_unexpected_data, "unexpected_answer"),
        (refuse_snapshots, "no_access"),
        (hide_site, "unknown_site"),
    ],
)
async def test_setup_is_retried_after_a_temporary_error(
    hass: HomeAssistant,
    controller: SimulatedController,
    fault: Callable[[SimulatedController], None],
    key: str,
) -> None:
    fault(controller)
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == key
    assert entry.reason
    assert "{" not in entry.reason
    assert controller.open_sockets == 0


async def test_setup_is_retried_while_the_controller_is_unreachable(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    await controller.stop_listening()
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"

    await controller.start()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


async def test_setup_sends_nothing_to_a_controller_with_another_certificate(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    entry = add_entry(hass, controller)
    await controller.restart(certificate=make_certificate())
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "certificate_changed"
    assert controller.requests() == []


def require_second_factor(controller: SimulatedController) -> None:
    controller.faults.login_code = "123456"


def reject_password(controller: SimulatedController) -> None:
    controller.faults.refuse(
        "*/login", status=403, body={"code": "AUTHENTICATION_FAILED_INVALID_CREDENTIALS"}
    )


@pytest.mark.parametrize(
    ("fault", "key"), [(require_second_factor, "second_factor"), (reject_password, "invalid_auth")]
)
async def test_setup_starts_reauthentication_after_a_rejected_login(
    hass: HomeAssistant,
    controller: SimulatedController,
    fault: Callable[[SimulatedController], None],
    key: str,
) -> None:
    fault(controller)
    entry = add_entry(hass, controller)
    await set_up(hass, entry)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == key
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert [flow["context"]["source"] for flow in flows] == [SOURCE_REAUTH]

    controller.faults.clear()
    await hass.config_entries.flow.async_configure(
        flows[0]["flow_id"], {"password": controller.password}
    )
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert logouts(controller) == 0
