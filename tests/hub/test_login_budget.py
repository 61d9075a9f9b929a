"""The login budget: how long an account waits before a login, also across restarts."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from homeassistant import loader
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.unifi_scanner.api.errors import RateLimitedError
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub.errors import error_translation
from custom_components.unifi_scanner.hub.login_budget import (
    AccountLogins,
    LoginBudget,
    LoginBudgetError,
)
from tests.controller import SimulatedController
from tests.handshakes import ignore_refused_handshakes
from tests.home import until
from tests.instance import entry_data

URL = "https://10.0.0.1:443"
STORE = f"{DOMAIN}.logins"


class Clock:
    """A clock that only the test advances."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    with patch("time.time", clock):
        yield clock


# The wait before the next login


def test_new_account_need_not_wait(clock: Clock) -> None:
    account = AccountLogins(clock)
    assert account.remaining == 0
    account.check()


def test_account_waits_a_minute_after_a_login(clock: Clock) -> None:
    account = AccountLogins(clock)
    account.begin()
    account.accept()
    assert account.remaining == 60
    clock.now += 59
    assert account.remaining == 1
    clock.now += 2
    assert account.remaining == 0


def refuse(account: AccountLogins, clock: Clock, *retry_after: float | None) -> list[float]:
    """Attempt refused logins, each as soon as it is allowed, and return the waits that follow."""
    waits = []
    for seconds in retry_after:
        clock.now += account.remaining
        account.begin()
        waits.append(account.refuse(seconds))
    return waits


def test_refusals_without_retry_after_double_the_wait_with_at_most_three_an_hour(
    clock: Clock,
) -> None:
    waits = refuse(AccountLogins(clock), clock, *[None] * 7)
    # The third wait ends an hour after the first refusal.
    assert waits == [300, 600, 2700, 2400, 3600, 3600, 3600]


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [(90, [90, 90, 3420]), (0, [60, 60, 3480]), (3600, [3600, 3600, 3600])],
)
def test_refusals_with_retry_after_determine_the_wait(
    clock: Clock, retry_after: float, waits: list[float]
) -> None:
    assert refuse(AccountLogins(clock), clock, *[retry_after] * 3) == waits


def test_accepted_login_resets_the_refusals(clock: Clock) -> None:
    account = AccountLogins(clock)
    refuse(account, clock, None, None, None)
    account.accept()
    assert refuse(account, clock, None) == [300]


def test_fourth_rejection_in_a_row_is_final(clock: Clock) -> None:
    account = AccountLogins(clock)
    assert [account.reject() for _ in range(5)] == [False, False, False, True, True]
    account.accept()
    assert not account.reject()


def test_short_sessions_double_the_wait_until_a_session_lasts(clock: Clock) -> None:
    account = AccountLogins(clock)
    waits, waits_if_denied, in_conflict = [], [], []
    for age in (60, 60, 60, 60, 60, 60, 60, 60, 60, 601, 60):
        account.begin()
        account.accept()
        account.end_session(age)
        waits.append(account.remaining)
        waits_if_denied.append(account.remaining_if_denied)
        in_conflict.append(account.in_conflict)
        clock.now += age
    assert waits == [60, 120, 240, 240, 240, 240, 240, 240, 240, 60, 60]
    assert waits_if_denied == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 60, 60]
    assert in_conflict == [False, False, *[True] * 7, False, False]


def test_wait_is_unaffected_by_setting_the_wall_clock(clock: Clock) -> None:
    monotonic = Clock()
    account = AccountLogins(monotonic)
    refuse(account, monotonic, None)
    for jump in (-86_400, 2 * 86_400):
        clock.now += jump
        assert account.remaining == 300
    monotonic.now += 299
    assert account.remaining == 1


def test_remaining_wait_can_be_read_without_changing_the_account(clock: Clock) -> None:
    account = AccountLogins(clock)
    account.begin()
    clock.now -= 30
    before = account.as_dict()
    assert account.remaining == 90
    assert account.as_dict() == before


def test_login_that_was_not_sent_can_be_undone(clock: Clock) -> None:
    account = AccountLogins(clock)
    account.begin()
    clock.now += 20
    before = account.as_dict()
    undo = account.begin()
    undo()
    assert account.remaining == 40
    assert account.as_dict() == before


def test_check_distinguishes_our_budget_from_a_refusal_by_the_controller(clock: Clock) -> None:
    account = AccountLogins(clock)
    account.begin()
    with pytest.raises(LoginBudgetError) as ours:
        account.check()
    assert ours.value.retry_after == 60
    account.refuse(90)
    with pytest.raises(RateLimitedError) as theirs:
        account.check()
    assert not isinstance(theirs.value, LoginBudgetError)
    assert theirs.value.retry_after == 90


def test_login_budget_error_has_its_own_translation() -> None:
    data = {"host": "10.0.0.1", "ssl": "pinned"}
    translations = [
        error_translation(kind("", retry_after=41.2), data)
        for kind in (LoginBudgetError, RateLimitedError)
    ]
    placeholders = {"host": "10.0.0.1", "seconds": "42"}
    assert translations == [("login_budget", placeholders), ("rate_limited", placeholders)]


@pytest.mark.parametrize(("ago", "remaining"), [(20.0, 40.0), (90.0, 0.0), (-86_400.0, 60.0)])
def test_saved_wait_continues_after_a_restart_without_getting_longer(
    clock: Clock, ago: float, remaining: float
) -> None:
    assert AccountLogins(clock, since=clock.now - ago, wait=60.0).remaining == remaining


def test_saved_wait_of_an_hour_is_only_resumed_if_the_controller_limited_logins(
    clock: Clock,
) -> None:
    saved = {"since": clock.now, "wait": 3600.0}
    assert AccountLogins.from_dict(clock, saved).remaining == 240
    assert AccountLogins.from_dict(clock, {**saved, "refusals": [clock.now]}).remaining == 3600


# Saving and loading


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    entry = MockConfigEntry(domain=DOMAIN, data={"url": URL, "username": "scanner"})
    entry.add_to_hass(hass)
    return entry


async def loaded_budget(hass: HomeAssistant) -> LoginBudget:
    budget = LoginBudget(hass)
    await budget.async_load()
    return budget


@pytest.mark.usefixtures("entry")
async def test_saved_account_is_loaded_and_does_not_contain_the_user_name(
    hass: HomeAssistant, hass_storage: dict[str, Any], clock: Clock
) -> None:
    budget = await loaded_budget(hass)
    account = budget.account(URL, "scanner")
    refuse(account, clock, None, None)
    account.reject()
    account.end_session(1)
    await budget.async_save()
    assert (await loaded_budget(hass)).account(URL, "scanner") == account
    assert "scanner" not in str(hass_storage[STORE]["data"])


@pytest.mark.usefixtures("entry")
async def test_budget_is_not_saved_when_nothing_has_changed(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    budget = await loaded_budget(hass)
    await budget.async_save()
    budget.account(URL, "scanner")
    await budget.async_save()
    assert STORE not in hass_storage

    budget.account(URL, "scanner").begin()
    await budget.async_save()
    del hass_storage[STORE]
    await budget.async_save()
    assert STORE not in hass_storage


async def test_budget_saves_only_accounts_of_config_entries(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: MockConfigEntry
) -> None:
    budget = await loaded_budget(hass)
    budget.account(URL, "scanner").begin()
    budget.account(URL, "tried in a config flow").begin()
    await budget.async_save()
    assert len(hass_storage[STORE]["data"]) == 1

    await hass.config_entries.async_remove(entry.entry_id)
    await budget.async_save()
    assert STORE not in hass_storage
    assert budget.account(URL, "scanner").remaining > 0


# Restarts


async def start_and_stop(controller: SimulatedController) -> ConfigEntryState:
    """Start Home Assistant with a config entry, stop it, and return the state the entry was in."""
    async with async_test_home_assistant() as hass:
        ignore_refused_handshakes(hass)
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        entry = MockConfigEntry(
            domain=DOMAIN,
            entry_id="the_entry",
            title="Home",
            data=entry_data(controller),
        )
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        state = entry.state
        if state is ConfigEntryState.LOADED:
            await until(lambda: entry.runtime_data.stream_connected)
            await until(lambda: len(controller.requests("stat/sta")) >= 2)
        await hass.async_block_till_done()
        for event_type in (EVENT_HOMEASSISTANT_STOP, EVENT_HOMEASSISTANT_FINAL_WRITE):
            hass.bus.async_fire(event_type)
            await hass.async_block_till_done()
        await hass.async_stop(force=True)
    return state


@pytest.mark.usefixtures("socket_enabled", "hass")
async def test_ten_restarts_within_a_minute_log_in_once(
    hass_storage: dict[str, Any], clock: Clock
) -> None:
    async with SimulatedController() as controller:
        controller.faults.limit_logins(5)
        states = []
        for _ in range(10):
            states.append(await start_and_stop(controller))
            clock.now += 5
        assert states == [ConfigEntryState.LOADED, *[ConfigEntryState.SETUP_RETRY] * 9]
        assert controller.login_attempts == 1
        assert controller.password not in str(hass_storage[STORE])

        clock.now += 15
        assert await start_and_stop(controller) is ConfigEntryState.LOADED
        assert controller.login_attempts == 2
