"""The ledger of logins: how long an account waits, and that a restart does not shorten it."""

from base64 import b64encode
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
from tests.handshakes import let_refused_handshakes_pass
from tests.home import until

URL = "https://10.0.0.1:443"
STORE = f"{DOMAIN}.logins"


class Clock:
    """A clock that moves when told."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    with patch("time.time", clock):
        yield clock


# How long an account waits


def test_an_account_that_never_logged_in_need_not_wait(clock: Clock) -> None:
    account = AccountLogins(clock)
    assert account.remaining == 0
    account.check()


def test_a_login_is_followed_by_a_minute_of_waiting(clock: Clock) -> None:
    account = AccountLogins(clock)
    account.begin()
    account.accept()
    assert account.remaining == 60
    clock.now += 59
    assert account.remaining == 1
    clock.now += 2
    assert account.remaining == 0


def refuse(account: AccountLogins, clock: Clock, *retry_after: float | None) -> list[float]:
    """Log in as soon as that is allowed, be refused, and return the waits."""
    waits = []
    for asked in retry_after:
        clock.now += account.remaining
        account.begin()
        waits.append(account.refuse(asked))
    return waits


def test_refusals_without_a_time_double_the_wait_and_are_three_an_hour_at_most(
    clock: Clock,
) -> None:
    waits = refuse(AccountLogins(clock), clock, *[None] * 7)
    # The third one waits until the first is an hour ago.
    assert waits == [300, 600, 2700, 2400, 3600, 3600, 3600]


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [(90, [90, 90, 3420]), (0, [60, 60, 3480]), (3600, [3600, 3600, 3600])],
)
def test_refusals_with_a_time_wait_for_it(
    clock: Clock, retry_after: float, waits: list[float]
) -> None:
    assert refuse(AccountLogins(clock), clock, *[retry_after] * 3) == waits


def test_a_good_login_begins_anew(clock: Clock) -> None:
    account = AccountLogins(clock)
    refuse(account, clock, None, None, None)
    account.accept()
    assert refuse(account, clock, None) == [300]


def test_three_rejections_in_a_row_may_pass(clock: Clock) -> None:
    account = AccountLogins(clock)
    assert [account.reject() for _ in range(5)] == [False, False, False, True, True]
    account.accept()
    assert not account.reject()


def test_sessions_that_end_soon_double_the_wait_until_one_lasts(clock: Clock) -> None:
    account = AccountLogins(clock)
    waits, contested = [], []
    for age in (60, 60, 60, 60, 60, 60, 60, 60, 60, 601, 60):
        account.begin()
        account.accept()
        account.end_session(age)
        waits.append(account.remaining)
        contested.append(account.contested)
        clock.now += age
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 60, 60]
    assert contested == [False, False, *[True] * 7, False, False]


def test_a_clock_that_is_set_changes_no_wait(clock: Clock) -> None:
    steady = Clock()
    account = AccountLogins(steady)
    refuse(account, steady, None)
    for jump in (-86_400, 2 * 86_400):
        clock.now += jump
        assert account.remaining == 300
    steady.now += 299
    assert account.remaining == 1


def test_asking_how_long_to_wait_changes_nothing(clock: Clock) -> None:
    account = AccountLogins(clock)
    account.begin()
    clock.now -= 30
    before = account.as_dict()
    assert account.remaining == 90
    assert account.as_dict() == before


def test_a_login_that_was_not_sent_is_taken_back(clock: Clock) -> None:
    account = AccountLogins(clock)
    account.begin()
    clock.now += 20
    before = account.as_dict()
    undo = account.begin()
    undo()
    assert account.remaining == 40
    assert account.as_dict() == before


def test_our_own_wait_is_told_from_one_the_controller_has_brought_about(clock: Clock) -> None:
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


def test_our_own_wait_has_words_of_its_own() -> None:
    data = {"host": "10.0.0.1", "ssl": "pinned"}
    words = [
        error_translation(kind("", retry_after=41.2), data)
        for kind in (LoginBudgetError, RateLimitedError)
    ]
    placeholders = {"host": "10.0.0.1", "seconds": "42"}
    assert words == [("login_budget", placeholders), ("rate_limited", placeholders)]


@pytest.mark.parametrize(("ago", "remaining"), [(20.0, 40.0), (90.0, 0.0), (-86_400.0, 60.0)])
def test_a_wait_goes_on_after_a_restart_and_is_no_longer_than_it_was(
    clock: Clock, ago: float, remaining: float
) -> None:
    assert AccountLogins(clock, since=clock.now - ago, wait=60.0).remaining == remaining


# What is kept


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    entry = MockConfigEntry(domain=DOMAIN, data={"url": URL, "username": "scanner"})
    entry.add_to_hass(hass)
    return entry


async def loaded(hass: HomeAssistant) -> LoginBudget:
    ledger = LoginBudget(hass)
    await ledger.async_load()
    return ledger


@pytest.mark.usefixtures("entry")
async def test_everything_but_the_name_is_read_again(
    hass: HomeAssistant, hass_storage: dict[str, Any], clock: Clock
) -> None:
    ledger = await loaded(hass)
    account = ledger.account(URL, "scanner")
    refuse(account, clock, None, None)
    account.reject()
    account.end_session(1)
    await ledger.async_save()
    assert (await loaded(hass)).account(URL, "scanner") == account
    assert "scanner" not in str(hass_storage[STORE]["data"])


@pytest.mark.usefixtures("entry")
async def test_nothing_is_written_when_nothing_has_changed(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    ledger = await loaded(hass)
    await ledger.async_save()
    ledger.account(URL, "scanner")
    await ledger.async_save()
    assert STORE not in hass_storage

    ledger.account(URL, "scanner").begin()
    await ledger.async_save()
    del hass_storage[STORE]
    await ledger.async_save()
    assert STORE not in hass_storage


async def test_only_accounts_of_entries_are_kept(
    hass: HomeAssistant, hass_storage: dict[str, Any], entry: MockConfigEntry
) -> None:
    ledger = await loaded(hass)
    ledger.account(URL, "scanner").begin()
    ledger.account(URL, "tried in the flow").begin()
    await ledger.async_save()
    assert len(hass_storage[STORE]["data"]) == 1

    await hass.config_entries.async_remove(entry.entry_id)
    await ledger.async_save()
    assert STORE not in hass_storage
    assert ledger.account(URL, "scanner").remaining > 0


# Restarts


async def start_and_stop(controller: SimulatedController) -> ConfigEntryState:
    """Start a Home Assistant that has an entry, stop it again, and return how the entry fared."""
    async with async_test_home_assistant() as hass:
        let_refused_handshakes_pass(hass)
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        entry = MockConfigEntry(
            domain=DOMAIN,
            entry_id="the_entry",
            title="Home",
            data={
                "host": "127.0.0.1",
                "url": controller.base_url,
                "username": controller.username,
                "password": controller.password,
                "ssl": "pinned",
                "certificate": b64encode(controller.certificate_der).decode(),
                "site": "default",
            },
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
