"""Issues that nobody but a person can put right: when they come, and when they go again."""

import asyncio
from collections.abc import Callable
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


def issues(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the issues that are shown."""
    found = ir.async_get(hass).issues.values()
    return [issue for issue in found if issue.domain == DOMAIN and issue.active]


def shown(hass: HomeAssistant) -> list[str | None]:
    """Return what is complained about."""
    return [issue.translation_key for issue in issues(hass)]


def add_entry(home: Home, **changes: str) -> MockConfigEntry:
    """Add another entry of the controller, without setting it up."""
    data = {**home.entry.data, **changes}
    entry = MockConfigEntry(domain=DOMAIN, title="Second", unique_id="home_second", data=data)
    entry.add_to_hass(home.hass)
    return entry


# What all have in common


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    data = {"url": ACCOUNT.url, "username": ACCOUNT.username, "password": "tell nobody"}
    entry = MockConfigEntry(domain=DOMAIN, data={**data, "ssl": "insecure", "site": "default"})
    entry.add_to_hass(hass)
    return entry


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("complaint", [SECOND_FACTOR, SESSION_CONFLICT, NO_LIVE_UPDATES])
async def test_a_complaint_says_what_to_do_and_offers_no_repair(
    hass: HomeAssistant, complaint: AccountIssue
) -> None:
    assert await async_setup_component(hass, REPAIRS, {})
    async_create_issue(hass, complaint, ACCOUNT)
    async_create_issue(hass, complaint, ACCOUNT)
    (issue,) = issues(hass)
    assert issue.translation_key == complaint.key
    assert issue.translation_placeholders == {"url": ACCOUNT.url, "username": "scanner"}
    assert issue.severity is complaint.severity
    assert issue.learn_more_url is not None
    assert issue.learn_more_url.endswith(f"unifi-scanner#{complaint.section}")
    assert not issue.is_fixable
    assert not issue.is_persistent
    assert "scanner" not in issue.issue_id
    assert "tell nobody" not in repr(issue)
    manager = hass.data[REPAIRS]["flow_manager"]
    assert isinstance(manager, RepairsFlowManager)
    with pytest.raises(data_entry_flow.UnknownStep):
        await manager.async_init(DOMAIN, context={"issue_id": issue.issue_id})


async def test_an_account_without_an_entry_is_nothing_to_complain_about(
    hass: HomeAssistant,
) -> None:
    async_create_issue(hass, SECOND_FACTOR, ACCOUNT)
    assert issues(hass) == []


@pytest.mark.usefixtures("entry")
async def test_who_ignores_a_complaint_is_not_asked_again_after_a_restart(
    hass: HomeAssistant,
) -> None:
    async_create_issue(hass, SESSION_CONFLICT, ACCOUNT)
    (issue,) = issues(hass)
    ir.async_ignore_issue(hass, DOMAIN, issue.issue_id, ignore=True)
    issue = issues(hass)[0]
    # As a restart leaves it.
    registry = ir.async_get(hass)
    registry.issues[DOMAIN, issue.issue_id] = replace(
        issue, active=False, data=None, translation_key=None, translation_placeholders=None
    )
    async_delete_outdated_account_issues(hass)
    async_delete_issue(hass, SESSION_CONFLICT, ACCOUNT)
    async_create_issue(hass, SESSION_CONFLICT, ACCOUNT)
    (again,) = issues(hass)
    assert again.dismissed_version is not None


# A second factor


async def test_a_second_factor_is_named_beside_the_question_for_another_login(
    home: Home,
) -> None:
    home.controller.faults.login_code = "123456"
    await home.set_up(wait=False)
    assert home.entry.state is ConfigEntryState.SETUP_ERROR
    assert shown(home.hass) == ["second_factor"]
    (flow,) = home.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"

    home.controller.faults.login_code = None
    await asyncio.sleep(MINUTE)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(2)
    assert shown(home.hass) == []


async def test_when_it_is_switched_off_one_new_login_will_do_for_all_sites(home: Home) -> None:
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


async def test_a_second_factor_that_is_switched_on_later_is_named_too(home: Home) -> None:
    await home.set_up()
    await asyncio.sleep(2 * MINUTE)
    home.controller.faults.login_code = "123456"
    await home.controller.expire_sessions()
    await asyncio.sleep(2 * MINUTE)
    assert shown(home.hass) == ["second_factor"]


async def test_another_account_in_its_place_ends_the_complaint(home: Home) -> None:
    home.controller.faults.login_code = "123456"
    await home.set_up(wait=False)
    assert shown(home.hass) == ["second_factor"]
    data = {**home.entry.data, "username": "scanner_alone"}
    home.hass.config_entries.async_update_entry(home.entry, data=data)
    assert shown(home.hass) == []


async def test_the_complaint_is_shared_by_sites_and_goes_with_the_last_of_them(
    home: Home,
) -> None:
    home.controller.faults.login_code = "123456"
    await home.set_up(wait=False)
    second = add_entry(home, site="second")
    await home.hass.config_entries.async_setup(second.entry_id)
    assert shown(home.hass) == ["second_factor"]
    await home.hass.config_entries.async_remove(home.entry.entry_id)
    assert shown(home.hass) == ["second_factor"]
    await home.hass.config_entries.async_set_disabled_by(second.entry_id, ConfigEntryDisabler.USER)
    assert shown(home.hass) == []


async def test_a_second_factor_met_in_the_dialog_is_told_there_only(home: Home) -> None:
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
    assert issues(home.hass) == []


# A contested session


async def fight(home: Home, rounds: int, after: float = MINUTE) -> None:
    """Let another client of the account end our session so long after each of our logins."""
    for _ in range(rounds):
        logins = home.controller.logins
        await asyncio.sleep(after)
        await home.controller.expire_sessions(close_code=1008)
        await eventually(lambda seen=logins: home.controller.logins > seen)


async def eventually(condition: Callable[[], object]) -> None:
    """Wait up to a day for something to become true."""
    for _ in range(24 * 60 * 2):
        if condition():
            return
        await asyncio.sleep(30)
    pytest.fail("it did not come true")


async def test_a_contested_session_is_complained_about_until_one_lasts(home: Home) -> None:
    await home.set_up()
    await fight(home, rounds=2)
    assert issues(home.hass) == []
    await fight(home, rounds=2)
    await asyncio.sleep(2 * MINUTE)
    assert shown(home.hass) == ["session_contested"]
    await asyncio.sleep(12 * MINUTE)
    assert shown(home.hass) == []


async def test_a_session_that_ends_with_the_console_is_not_contested(home: Home) -> None:
    await home.set_up()
    for _ in range(5):
        await asyncio.sleep(20 * MINUTE)
        await home.controller.expire_sessions()
    await asyncio.sleep(5 * MINUTE)
    assert issues(home.hass) == []


async def never_complained(home: Home) -> None:
    """Let hours pass in which session after session seems to end."""
    contested = False
    for _ in range(2 * 60):
        await asyncio.sleep(MINUTE)
        contested = contested or home.coordinator.session.contested
        assert issues(home.hass) == []
    assert contested


async def test_a_site_that_is_closed_to_the_account_is_no_contest(home: Home) -> None:
    """It is refused for ever, though every new session works for the other site."""
    await home.set_up()
    second = add_entry(home, site="second")
    await home.hass.config_entries.async_setup(second.entry_id)
    home.controller.faults.refuse("*/s/second/*", status=403)
    await never_complained(home)
    await home.hass.config_entries.async_unload(second.entry_id)


async def test_a_stream_that_is_always_refused_is_no_contest(home: Home) -> None:
    home.controller.faults.refuse("*wss*", status=403)
    await home.set_up(wait=False)
    await never_complained(home)


# No live updates


async def use_phones(home: Home, minutes: int, *, walk: bool, told: bool = False) -> None:
    """Let people use their phones, in motion or where they are."""
    for minute in range(minutes):
        if walk and minute % 20 == 0:
            home.world.roam(ANNA, "Kitchen" if minute % 40 == 0 else "Hall")
        for _ in range(6):
            await asyncio.sleep(10)
            if told:
                await home.controller.sync()
            else:
                home.world.touch()


async def test_a_controller_that_tells_nothing_is_complained_about(home: Home) -> None:
    await home.set_up()
    await use_phones(home, 5, walk=True, told=True)
    home.controller.faults.silent = True
    await use_phones(home, 55, walk=True)
    assert issues(home.hass) == []
    await use_phones(home, 60, walk=True)
    assert shown(home.hass) == ["no_live_updates"]
    home.controller.faults.silent = False
    await use_phones(home, 3, walk=True, told=True)
    assert issues(home.hass) == []


def complain(home: Home) -> None:
    """Let an hour have passed in which the stream has told nothing."""
    with patch.object(SilenceDetector, "is_proven", new=True):
        home.coordinator._silent_stream.async_update((), ())


async def test_who_ignores_that_is_not_asked_again_after_a_reload(home: Home) -> None:
    home.controller.faults.silent = True
    await home.set_up()
    complain(home)
    (issue,) = issues(home.hass)
    ir.async_ignore_issue(home.hass, DOMAIN, issue.issue_id, ignore=True)
    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.streaming(home.snapshots + 1)
    complain(home)
    (issue,) = issues(home.hass)
    assert issue.dismissed_version is not None

    home.controller.faults.silent = False
    await use_phones(home, 3, walk=True, told=True)
    assert issues(home.hass) == []


async def test_events_alone_are_nothing_to_complain_about(home: Home) -> None:
    """core#72240: for hours nobody moves, so that nothing comes."""
    await home.set_up()
    for place in ("Kitchen", "Hall"):
        await home.controller.roam(ANNA, place)
        await use_phones(home, 90, walk=False)
        assert issues(home.hass) == []


async def test_a_quiet_night_is_nothing_to_complain_about(home: Home) -> None:
    await home.set_up()
    await use_phones(home, 5, walk=True, told=True)
    for _ in range(3 * 60):
        await asyncio.sleep(MINUTE)
        assert issues(home.hass) == []


async def test_sites_complain_together_until_the_last_of_them_is_told_something(
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
    assert shown(home.hass) == ["no_live_updates"]
    sites[1].stream.last_event = 1.0
    sites[1]._silent_stream.async_update((), ())
    assert shown(home.hass) == ["no_live_updates"]
    await home.quiet()
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    assert shown(home.hass) == ["no_live_updates"]
    sites[1]._silent_stream.async_update((), ())
    assert issues(home.hass) == []
    await home.hass.config_entries.async_unload(second.entry_id)
