"""Repair issues about an account: when they are created, ignored and deleted."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from homeassistant import data_entry_flow
from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.config_entries import SOURCE_USER, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.api.client import UnifiClient
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub.silent_stream import SilenceDetector
from custom_components.unifi_scanner.issues.account import (
    NO_LIVE_UPDATES,
    SECOND_FACTOR,
    SESSION_CONFLICT,
    Account,
    AccountIssue,
    async_create_issue,
    async_delete_issue,
    async_delete_outdated_account_issues,
)
from tests.faults.clock import VirtualTime
from tests.home import ANNA, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

MINUTE = 60.0
ACCOUNT = Account("https://10.0.0.1:443", "scanner")


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    return VirtualTime(monkeypatch)


@pytest.fixture
def controller_settings(clock: VirtualTime) -> dict[str, Any]:
    return {"clock": clock.time, "sites": ("default", "second")}


def active_issues(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the active issues of the integration."""
    found = ir.async_get(hass).issues.values()
    return [issue for issue in found if issue.domain == DOMAIN and issue.active]


def shown_keys(hass: HomeAssistant) -> list[str | None]:
    """Return the translation keys of the active issues."""
    return [issue.translation_key for issue in active_issues(hass)]


def add_entry(home: Home, **changes: str) -> MockConfigEntry:
    """Add another config entry of the controller without setting it up."""
    data = {**home.entry.data, **changes}
    entry = MockConfigEntry(domain=DOMAIN, title="Second", unique_id="home_second", data=data)
    entry.add_to_hass(home.hass)
    return entry


# All kinds of issues


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    data = {"url": ACCOUNT.url, "username": ACCOUNT.username, "password": "open sesame"}
    entry = MockConfigEntry(domain=DOMAIN, data={**data, "ssl": "insecure", "site": "default"})
    entry.add_to_hass(hass)
    return entry


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("issue_type", [SECOND_FACTOR, SESSION_CONFLICT, NO_LIVE_UPDATES])
async def test_account_issue_links_to_help_and_has_no_repair_flow(
    hass: HomeAssistant, issue_type: AccountIssue
) -> None:
    assert await async_setup_component(hass, REPAIRS, {})
    async_create_issue(hass, issue_type, ACCOUNT)
    async_create_issue(hass, issue_type, ACCOUNT)
    (issue,) = active_issues(hass)
    assert issue.translation_key == issue_type.key
    assert issue.translation_placeholders == {"url": ACCOUNT.url, "username": "scanner"}
    assert issue.severity is issue_type.severity
    assert issue.learn_more_url is not None
    assert issue.learn_more_url.endswith(f"unifi-scanner#{issue_type.section}")
    assert not issue.is_fixable
    assert not issue.is_persistent
    assert "scanner" not in issue.issue_id
    assert "open sesame" not in repr(issue)
    manager = hass.data[REPAIRS]["flow_manager"]
    assert isinstance(manager, RepairsFlowManager)
    with pytest.raises(data_entry_flow.UnknownStep):
        await manager.async_init(DOMAIN, context={"issue_id": issue.issue_id})


async def test_account_issue_is_not_created_for_an_account_without_config_entry(
    hass: HomeAssistant,
) -> None:
    async_create_issue(hass, SECOND_FACTOR, ACCOUNT)
    assert active_issues(hass) == []


@pytest.mark.usefixtures("entry")
async def test_account_issue_stays_ignored_after_a_restart(
    hass: HomeAssistant,
) -> None:
    async_create_issue(hass, SESSION_CONFLICT, ACCOUNT)
    (issue,) = active_issues(hass)
    ir.async_ignore_issue(hass, DOMAIN, issue.issue_id, ignore=True)
    issue = active_issues(hass)[0]
    # This is what a restart leaves.
    registry = ir.async_get(hass)
    registry.issues[DOMAIN, issue.issue_id] = replace(
        issue, active=False, data=None, translation_key=None, translation_placeholders=None
    )
    async_delete_outdated_account_issues(hass)
    async_delete_issue(hass, SESSION_CONFLICT, ACCOUNT)
    async_create_issue(hass, SESSION_CONFLICT, ACCOUNT)
    (again,) = active_issues(hass)
    assert again.dismissed_version is not None


# Second factor


async def test_second_factor_issue_is_created_beside_reauthentication(
    home: Home,
) -> None:
    home.controller.faults.login_code = "123456"
    await home.set_up(wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_ERROR
    assert shown_keys(home.hass) == ["second_factor"]
    (flow,) = home.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"

    home.controller.faults.login_code = None
    await asyncio.sleep(MINUTE)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(2)
    assert shown_keys(home.hass) == []


async def test_second_factor_reauthentication_of_one_site_recovers_all_sites(home: Home) -> None:
    home.controller.faults.login_code = "123456"
    await home.set_up(wait=False)
    second = add_entry(home, site="second")
    await home.hass.config_entries.async_setup(second.entry_id)
    home.controller.faults.login_code = None
    manager = home.hass.config_entries.flow
    (flow,) = manager.async_progress_by_handler(
        DOMAIN, match_context={"entry_id": home.entry.entry_id}
    )
    result = await manager.async_configure(flow["flow_id"], {"password": home.controller.password})
    assert result["reason"] == "reauth_successful"
    await until(lambda: second.state is home.entry.state is ConfigEntryState.LOADED)
    assert manager.async_progress() == []
    await home.streaming(2)
    await home.hass.config_entries.async_unload(second.entry_id)


async def test_second_factor_issue_is_created_if_it_is_enabled_later(home: Home) -> None:
    await home.set_up()
    await asyncio.sleep(2 * MINUTE)
    home.controller.faults.login_code = "123456"
    await home.controller.expire_sessions()
    await asyncio.sleep(2 * MINUTE)
    assert shown_keys(home.hass) == ["second_factor"]


async def test_second_factor_issue_is_deleted_when_the_entry_uses_another_account(
    home: Home,
) -> None:
    home.controller.faults.login_code = "123456"
    await home.set_up(wait=False)
    assert shown_keys(home.hass) == ["second_factor"]
    data = {**home.entry.data, "username": "scanner_alone"}
    home.hass.config_entries.async_update_entry(home.entry, data=data)
    assert shown_keys(home.hass) == []


async def test_second_factor_issue_is_deleted_with_the_last_site_of_the_account(
    home: Home,
) -> None:
    home.controller.faults.login_code = "123456"
    await home.set_up(wait=False)
    second = add_entry(home, site="second")
    await home.hass.config_entries.async_setup(second.entry_id)
    assert shown_keys(home.hass) == ["second_factor"]
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert shown_keys(home.hass) == ["second_factor"]
    await home.hass.config_entries.async_set_disabled_by(second.entry_id, ConfigEntryDisabler.USER)
    assert shown_keys(home.hass) == []


async def test_second_factor_issue_is_not_created_by_a_config_flow(home: Home) -> None:
    home.controller.faults.login_code = "123456"
    flow = home.hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(
        result["flow_id"],
        {
            "host": home.controller.base_url,
            "username": home.controller.username,
            "password": home.controller.password,
            "ssl": "insecure",
        },
    )
    assert result["errors"] == {"base": "second_factor"}
    assert active_issues(home.hass) == []


# Session conflict


async def end_sessions(home: Home, rounds: int, after: float = MINUTE) -> None:
    """Let another client of the account end our session some time after each of our logins."""
    for _ in range(rounds):
        logins = home.controller.logins
        await asyncio.sleep(after)
        await home.controller.expire_sessions(close_code=1008)
        await eventually(lambda seen=logins: home.controller.logins > seen)


async def eventually(condition: Callable[[], object]) -> None:
    """Wait up to a day for a condition to become true."""
    for _ in range(24 * 60 * 2):
        if condition():
            return
        await asyncio.sleep(30)
    pytest.fail("The condition did not become true")


async def test_session_conflict_issue_exists_until_a_session_lasts(home: Home) -> None:
    await home.set_up()
    await end_sessions(home, rounds=2)
    assert active_issues(home.hass) == []
    await end_sessions(home, rounds=2)
    await asyncio.sleep(2 * MINUTE)
    assert shown_keys(home.hass) == ["session_contested"]
    await asyncio.sleep(12 * MINUTE)
    assert shown_keys(home.hass) == []


async def test_session_conflict_issue_is_not_created_for_long_sessions(home: Home) -> None:
    await home.set_up()
    for _ in range(5):
        await asyncio.sleep(20 * MINUTE)
        await home.controller.expire_sessions()
    await asyncio.sleep(5 * MINUTE)
    assert active_issues(home.hass) == []


async def assert_no_issue_during_conflict(
    home: Home, others: Collection[str] = frozenset()
) -> None:
    """Let two hours pass in which sessions seem to end early, and expect at most other issues."""
    in_conflict = False
    for _ in range(2 * 60):
        await asyncio.sleep(MINUTE)
        in_conflict = in_conflict or home.coordinator.session.in_conflict
        assert set(shown_keys(home.hass)) <= others
    assert in_conflict


async def test_session_conflict_issue_is_not_created_for_a_site_without_permission(
    home: Home,
) -> None:
    """Requests for it are always refused, though every new session works for the other site."""
    await home.set_up()
    second = add_entry(home, site="second")
    await home.hass.config_entries.async_setup(second.entry_id)
    home.controller.faults.refuse("*/s/second/*", status=403)
    await assert_no_issue_during_conflict(home)
    await home.hass.config_entries.async_unload(second.entry_id)


async def test_session_conflict_issue_is_not_created_for_a_stream_that_is_always_refused(
    home: Home,
) -> None:
    home.controller.faults.refuse("*wss*", status=403)
    await home.set_up(wait=False)
    await assert_no_issue_during_conflict(home, {"stream_refused"})


# No live updates


async def pass_minutes(home: Home, minutes: int, *, roam: bool, sync: bool = False) -> None:
    """Let clients be active, with or without roaming and sync frames."""
    for minute in range(minutes):
        if roam and minute % 20 == 0:
            home.world.roam(ANNA, "Kitchen" if minute % 40 == 0 else "Hall")
        for _ in range(6):
            await asyncio.sleep(10)
            if sync:
                await home.controller.sync()
            else:
                home.world.touch()


async def test_no_live_updates_issue_exists_while_the_stream_is_silent(home: Home) -> None:
    await home.set_up()
    await pass_minutes(home, 5, roam=True, sync=True)
    home.controller.faults.silent = True
    await pass_minutes(home, 55, roam=True)
    assert active_issues(home.hass) == []
    await pass_minutes(home, 60, roam=True)
    assert shown_keys(home.hass) == ["no_live_updates"]
    home.controller.faults.silent = False
    await pass_minutes(home, 3, roam=True, sync=True)
    assert active_issues(home.hass) == []


def report_silence(home: Home) -> None:
    """Act as if the stream had been silent for an hour."""
    with patch.object(SilenceDetector, "is_proven", new=True):
        home.coordinator._silent_stream.async_update((), ())


async def test_no_live_updates_issue_stays_ignored_after_a_reload(home: Home) -> None:
    home.controller.faults.silent = True
    await home.set_up()
    report_silence(home)
    (issue,) = active_issues(home.hass)
    ir.async_ignore_issue(home.hass, DOMAIN, issue.issue_id, ignore=True)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(home.snapshots + 1)
    report_silence(home)
    (issue,) = active_issues(home.hass)
    assert issue.dismissed_version is not None

    home.controller.faults.silent = False
    await pass_minutes(home, 3, roam=True, sync=True)
    assert active_issues(home.hass) == []


async def test_no_live_updates_issue_is_not_created_if_only_events_arrive(home: Home) -> None:
    """core#72240: nothing arrives for hours because no client moves."""
    await home.set_up()
    for access_point in ("Kitchen", "Hall"):
        await home.controller.roam(ANNA, access_point)
        await pass_minutes(home, 90, roam=False)
        assert active_issues(home.hass) == []


async def test_no_live_updates_issue_is_not_created_in_a_quiet_night(home: Home) -> None:
    await home.set_up()
    await pass_minutes(home, 5, roam=True, sync=True)
    for _ in range(3 * 60):
        await asyncio.sleep(MINUTE)
        assert active_issues(home.hass) == []


async def test_no_live_updates_issue_is_shared_until_no_site_is_silent(
    home: Home,
) -> None:
    await home.set_up()
    second = add_entry(home, site="second")
    await home.hass.config_entries.async_setup(second.entry_id)
    sites = [entry.runtime_data for entry in (home.entry, second)]
    for site in sites:
        site.stream.last_event = site.stream.last_sync = None
        with patch.object(SilenceDetector, "is_proven", new=True):
            site._silent_stream.async_update((), ())
    assert shown_keys(home.hass) == ["no_live_updates"]
    sites[1].stream.last_event = 1.0
    sites[1]._silent_stream.async_update((), ())
    assert shown_keys(home.hass) == ["no_live_updates"]
    await home.quiet()
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert shown_keys(home.hass) == ["no_live_updates"]
    sites[1]._silent_stream.async_update((), ())
    assert active_issues(home.hass) == []
    await home.hass.config_entries.async_unload(second.entry_id)


# Streams that cannot be used


async def test_sockets_closed_at_once_cost_one_login_and_then_raise_an_issue(home: Home) -> None:
    """UnifiOptimizer reconnected for 46 hours: sockets were accepted and closed without a frame."""
    home.controller.faults.closes_sockets = True
    await home.set_up(wait=False)
    await asyncio.sleep(20)
    assert home.controller.login_attempts == 1
    await asyncio.sleep(10 * MINUTE)
    assert home.controller.login_attempts == 2
    assert shown_keys(home.hass) == ["stream_closed"]
    await asyncio.sleep(120 * MINUTE)
    assert home.controller.login_attempts == 2
    assert shown_keys(home.hass) == ["stream_closed"]

    home.controller.faults.closes_sockets = False
    await asyncio.sleep(7 * MINUTE)
    assert home.coordinator.stream_connected
    assert active_issues(home.hass) == []


async def test_sockets_closed_at_once_raise_no_issue_if_a_new_login_helps(home: Home) -> None:
    home.controller.faults.closes_sockets = True
    await home.set_up(wait=False)
    login = UnifiClient.login

    async def helpful_login(client: UnifiClient, username: str, password: str) -> None:
        home.controller.faults.closes_sockets = False
        await login(client, username, password)

    with patch.object(UnifiClient, "login", helpful_login):
        await asyncio.sleep(2 * MINUTE)
    assert home.coordinator.stream_connected
    assert home.coordinator.stream.connections == 4
    assert home.controller.last_handshake is not None
    name = home.controller.settings.session_cookie
    token = home.controller.last_handshake.cookies[name]
    assert home.coordinator.session.client.cookies[name] == token
    await asyncio.sleep(10 * MINUTE)
    assert active_issues(home.hass) == []
    assert home.controller.login_attempts == 2


@pytest.mark.parametrize("status", [400, 403, 404, 502])
async def test_socket_refused_for_an_hour_raises_an_issue_until_it_is_opened(
    home: Home, status: int
) -> None:
    """A proxy that does not forward WebSocket connections refuses them, while REST works."""
    await home.set_up()
    await asyncio.sleep(5 * MINUTE)
    home.controller.faults.refuse("*wss*", status=status)
    await home.controller.close_sockets(None)
    await asyncio.sleep(55 * MINUTE)
    assert active_issues(home.hass) == []
    await asyncio.sleep(10 * MINUTE)
    assert shown_keys(home.hass) == ["stream_refused"]
    home.controller.faults.clear()
    await asyncio.sleep(7 * MINUTE)
    assert active_issues(home.hass) == []


async def test_refused_socket_raises_no_issue_while_the_controller_does_not_respond_at_all(
    home: Home,
) -> None:
    await home.set_up()
    home.controller.faults.refuse(status=502)
    await home.controller.close_sockets(None)
    await asyncio.sleep(120 * MINUTE)
    home.controller.faults.clear()
    refusal = home.controller.faults.refuse("*wss*", status=502)
    await asyncio.sleep(30 * MINUTE)
    assert active_issues(home.hass) == []
    home.controller.faults.remove(refusal)
    await asyncio.sleep(7 * MINUTE)
    assert home.coordinator.stream_connected


async def test_stream_issue_stays_ignored_after_a_reload(home: Home) -> None:
    home.controller.faults.refuse("*wss*", status=502)
    await home.set_up(wait=False)
    await asyncio.sleep(70 * MINUTE)
    (issue,) = active_issues(home.hass)
    ir.async_ignore_issue(home.hass, DOMAIN, issue.issue_id, ignore=True)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await asyncio.sleep(70 * MINUTE)
    (issue,) = active_issues(home.hass)
    assert issue.dismissed_version is not None
