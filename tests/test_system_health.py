"""The integration's section of the system information page."""

from datetime import UTC, datetime, timedelta
import time
from typing import Any

from homeassistant.components.system_health import DOMAIN as SYSTEM_HEALTH, get_info
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.roaming import RoamTracker
from tests.contracts.files import TEXTS
from tests.controller import make_certificate
from tests.handshakes import ignore_refused_handshakes
from tests.home import ANNA, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def controller_settings() -> dict[str, Any]:
    return {"sites": ("default", "second")}


@pytest.fixture
async def home(home: Home) -> Home:
    ignore_refused_handshakes(home.hass)
    assert await async_setup_component(home.hass, SYSTEM_HEALTH, {})
    assert await async_setup_component(home.hass, DOMAIN, {})
    return home


async def health(hass: HomeAssistant) -> dict[str, Any]:
    """Return the section's values."""
    return dict((await get_info(hass))[DOMAIN])


def is_just_now(text: str) -> bool:
    return dt_util.utcnow() - datetime.fromisoformat(text) < timedelta(seconds=5)


async def test_system_health_is_empty_without_config_entry(home: Home) -> None:
    assert await health(home.hass) == {}


async def test_system_health_of_a_site(home: Home) -> None:
    await home.set_up()
    info = await health(home.hass)
    assert info == {
        "can_reach_controller": "ok",
        "event_stream": True,
        "snapshots": True,
        "last_event": "never",
        "last_sync": "never",
        "system_log": "not needed yet",
        "lag": "unknown",
        "login_wait": "none",
        "controller_version": home.coordinator.system_info.version,
    }
    assert info.keys() == TEXTS["system_health"]["info"].keys()

    await home.controller.roam(ANNA, "Kitchen")
    await home.controller.sync(ANNA)
    await home.happened(1)
    await until(lambda: home.coordinator.stream.last_sync)
    info = await health(home.hass)
    assert is_just_now(info["last_event"])
    assert is_just_now(info["last_sync"])
    assert 0 <= info["lag"] < 2


async def test_system_health_lag_excludes_a_wrong_clock_of_the_controller(
    hass: HomeAssistant, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RoamTracker, "controller_time", lambda *_: time.time() + 3600.0)
    await home.set_up()
    home.coordinator.stream.latency = -3597.5
    assert (await health(hass))["lag"] == pytest.approx(2.5, abs=0.2)


async def test_system_health_shows_a_lost_stream_and_system_log_support(home: Home) -> None:
    await home.set_up()
    await home.cut()
    assert (await health(home.hass))["event_stream"] is False
    await home.reconnected()
    assert isinstance((await health(home.hass))["system_log"], bool)


async def test_system_health_lists_the_values_of_several_sites(home: Home) -> None:
    await home.set_up()
    data = {**home.entry.data, "site": "second"}
    second = MockConfigEntry(domain=DOMAIN, title="Second", unique_id="second", data=data)
    second.add_to_hass(home.hass)
    await home.hass.config_entries.async_setup(second.entry_id)
    await until(lambda: second.runtime_data.stream_connected)
    home.coordinator.stream.last_event = datetime.fromtimestamp(1_790_000_000, UTC)
    info = await health(home.hass)
    assert info["can_reach_controller"] == "ok"
    assert info["event_stream"] == "Home: yes; Second: yes"
    assert info["last_event"] == "Home: 2026-09-21T14:13:20+00:00; Second: never"
    await home.hass.config_entries.async_unload(second.entry_id)


async def test_system_health_includes_an_unreachable_controller_of_a_failed_entry(
    home: Home,
) -> None:
    await home.controller.stop_listening()
    await home.set_up(wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_RETRY
    assert await health(home.hass) == {"can_reach_controller": "Failed: cannot_connect"}


async def test_system_health_does_not_accept_another_certificate(home: Home) -> None:
    await home.set_up()
    await home.controller.restart(certificate=make_certificate(), forget_sessions=False)
    requests = len(home.controller.requests())
    info = await health(home.hass)
    assert info["can_reach_controller"] == "Failed: certificate_changed"
    assert len(home.controller.requests()) == requests


async def test_system_health_contains_no_secret(home: Home) -> None:
    await home.set_up()
    info = repr(await health(home.hass))
    for secret in (home.controller.password, home.controller.username, "127.0.0.1", ANNA):
        assert secret not in info
