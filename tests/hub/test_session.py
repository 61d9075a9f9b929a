"""Sessions: who logs in, how often, and when the door is closed behind us."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from unittest.mock import patch

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.api.client import UnifiClient
from custom_components.unifi_scanner.api.errors import (
    BadCredentialsError,
    CannotConnectError,
    CertificateNotTrustedError,
    ControllerStartingError,
    RateLimitedError,
    SecondFactorRequiredError,
    SessionExpiredError,
)
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub.login_budget import LoginBudgetError
from custom_components.unifi_scanner.hub.session import (
    ControllerSession,
    SessionKey,
    async_acquire_session,
    async_close_unused_sessions,
)
from tests.controller import Booting, Flavour, Rejection, SimulatedController, make_certificate
from tests.handshakes import let_refused_handshakes_pass

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Clock:
    """How far the event loop's clock is ahead of the real one."""

    ahead = 0.0


@pytest.fixture
def clock(hass: HomeAssistant) -> Iterator[Clock]:
    clock, real = Clock(), hass.loop.time
    with patch.object(hass.loop, "time", lambda: real() + clock.ahead):
        yield clock


@pytest.fixture
async def controller() -> AsyncIterator[SimulatedController]:
    async with SimulatedController(sites=("default", "second")) as controller:
        yield controller


def data_of(controller: SimulatedController, **changes: str) -> dict[str, str]:
    """Return the data of an entry for the controller's first site."""
    return {
        "host": "127.0.0.1",
        "url": controller.base_url,
        "username": controller.username,
        "password": controller.password,
        "ssl": "insecure",
        "site": "default",
        **changes,
    }


type Acquire = Callable[..., Awaitable[ControllerSession]]


@pytest.fixture
async def acquire(hass: HomeAssistant, controller: SimulatedController) -> Acquire:
    async def acquire(**changes: str) -> ControllerSession:
        return await async_acquire_session(hass, data_of(controller, **changes))

    return acquire


def sites(client: UnifiClient) -> Awaitable[object]:
    return client.sites()


def logouts(controller: SimulatedController) -> int:
    """Return how often somebody has logged out."""
    return len(controller.requests("/api/auth/logout"))


# One session, one login


async def test_sites_of_one_console_share_a_session(
    acquire: Acquire, controller: SimulatedController
) -> None:
    consoles = [await acquire(site=site) for site in ("default", "second")]
    assert consoles[0] is consoles[1]
    await asyncio.gather(*(console.async_call(sites) for console in consoles * 4))
    assert controller.login_attempts == 1


@pytest.mark.parametrize("change", [{"username": "other"}, {"password": "other"}])
async def test_another_account_has_a_session_of_its_own(
    acquire: Acquire, change: dict[str, str]
) -> None:
    assert await acquire() is not await acquire(**change)


async def test_nothing_is_sent_before_it_is_needed(
    acquire: Acquire, controller: SimulatedController
) -> None:
    await acquire()
    assert controller.requests() == []


async def test_a_session_that_ended_is_renewed_without_anybody_noticing(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    console = await acquire()
    await console.async_call(sites)
    await controller.expire_sessions()
    clock.ahead += 61
    await asyncio.gather(*(console.async_call(sites) for _ in range(5)))
    assert controller.login_attempts == 2


async def test_a_restarted_console_wants_a_new_login(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    console = await acquire()
    await console.async_call(sites)
    await controller.restart()
    clock.ahead += 61
    await console.async_call(sites)
    assert controller.login_attempts == 2


# The budget


async def test_logins_by_themselves_are_a_minute_apart(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    console = await acquire()
    await console.async_call(sites)
    await controller.expire_sessions()
    clock.ahead += 20
    with pytest.raises(LoginBudgetError) as error:
        await console.async_call(sites)
    assert error.value.retry_after == pytest.approx(40, abs=1)
    assert controller.login_attempts == 1

    clock.ahead += 40
    await console.async_call(sites)
    assert controller.login_attempts == 2


async def test_wrong_passwords_count(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    controller.faults.rejection = Rejection.CODE_403
    console = await acquire(password="wrong")
    for _ in range(3):
        with pytest.raises(BadCredentialsError):
            await console.async_call(sites)
    # Nor does the same account get another try under another password.
    with pytest.raises(RateLimitedError):
        await (await acquire()).async_call(sites)
    assert controller.login_attempts == 1
    clock.ahead += 60
    await (await acquire()).async_call(sites)


async def test_a_person_need_not_wait(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    with pytest.raises(BadCredentialsError):
        await (await acquire(password="wrong")).async_sign_in()
    console = await acquire()
    await console.async_sign_in()
    await console.async_sign_in()
    assert controller.login_attempts == 2
    assert clock.ahead == 0.0


@pytest.mark.parametrize(("retry_after", "wait"), [(90, 90.0), (None, 300.0)])
async def test_a_console_that_limits_logins_is_left_alone(
    acquire: Acquire,
    controller: SimulatedController,
    clock: Clock,
    retry_after: int | None,
    wait: float,
) -> None:
    controller.faults.limit_logins(locked_until=2e9, retry_after=retry_after)
    console = await acquire()
    for _ in range(3):
        with pytest.raises(RateLimitedError):
            await console.async_call(sites)
        clock.ahead += (wait - 1) / 3
    assert controller.login_attempts == 1

    controller.faults.clear()
    clock.ahead += 1
    await console.async_call(sites)
    assert controller.login_attempts == 2


async def test_a_login_that_did_not_arrive_does_not_count(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    console = await acquire()
    await controller.stop_listening()
    with pytest.raises(CannotConnectError):
        await console.async_call(sites)
    await controller.start()
    controller.faults.booting = Booting.BAD_GATEWAY
    with pytest.raises(ControllerStartingError):
        await console.async_call(sites)
    controller.faults.booting = None
    fault = controller.faults.refuse("*/login", status=503)
    with pytest.raises(ControllerStartingError):
        await console.async_call(sites)
    controller.faults.remove(fault)
    await console.async_call(sites)
    assert controller.logins == 1
    assert clock.ahead == 0.0


async def test_a_login_that_may_have_arrived_counts(
    acquire: Acquire, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = await acquire()

    async def answer_too_late(*_: str) -> None:
        raise CannotConnectError("The controller did not answer in time") from TimeoutError()

    monkeypatch.setattr(console.client, "login", answer_too_late)
    with pytest.raises(CannotConnectError):
        await console.async_call(sites)
    with pytest.raises(RateLimitedError):
        await console.async_call(sites)


async def test_a_console_taken_for_another_kind_while_it_boots_is_known_afterwards(
    hass: HomeAssistant,
) -> None:
    async with SimulatedController(flavour=Flavour.SELF_HOSTED) as controller:
        console = await async_acquire_session(hass, data_of(controller))
        controller.faults.booting = Booting.HTML  # as UniFi OS answers
        with pytest.raises(ControllerStartingError):
            await console.async_call(sites)
        controller.faults.booting = None
        await console.async_call(sites)
        assert controller.logins == 1
        await console.async_release()


async def test_an_account_without_rights_does_not_log_in_again_and_again(
    acquire: Acquire, controller: SimulatedController
) -> None:
    controller.faults.refuse("*self/sites", status=403)
    console = await acquire()
    for _ in range(3):
        with pytest.raises(SessionExpiredError):
            await console.async_call(sites)
    assert controller.login_attempts == 1


async def test_a_second_factor_is_told_apart(
    acquire: Acquire, controller: SimulatedController
) -> None:
    controller.faults.login_code = "123456"
    with pytest.raises(SecondFactorRequiredError):
        await (await acquire()).async_call(sites)


# The stream


async def test_refused_streams_get_the_cookies_of_one_new_login(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    console = await acquire()
    await console.async_call(sites)
    before = console.client.cookies
    renewals = [console.renewal(), console.renewal()]
    clock.ahead += 61
    first, second = await asyncio.gather(*(renew() for renew in renewals))
    assert first == second != before
    assert controller.login_attempts == 2


async def test_a_refused_stream_gets_the_cookies_of_a_login_made_long_ago_for_others(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    console = await acquire()
    await console.async_call(sites)
    renew = console.renewal()
    await controller.expire_sessions()
    clock.ahead += 61
    await console.async_call(sites)
    clock.ahead += 7200
    assert await renew() == console.client.cookies
    assert controller.login_attempts == 2
    # Refused with these, too: only a new login can help.
    await renew()
    assert controller.login_attempts == 3


async def test_a_stream_that_is_refused_whatever_it_shows_does_not_make_logins_of_it(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    console = await acquire()
    await console.async_call(sites)
    renew = console.renewal()
    for _ in range(24 * 60):
        clock.ahead += 60
        with suppress(RateLimitedError):
            await renew()
    assert controller.login_attempts < 35
    # Meanwhile the session, which REST is happy with, is used on.
    await console.async_call(sites)


async def test_a_stream_is_told_why_there_are_no_cookies(
    acquire: Acquire, controller: SimulatedController
) -> None:
    console = await acquire()
    await controller.stop_listening()
    with pytest.raises(CannotConnectError):
        await console.renewal()()


# Certificates


async def test_credentials_go_to_the_pinned_certificate_only(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    certificate = b64encode(controller.certificate_der).decode()
    data = data_of(controller, ssl="pinned", certificate=certificate)
    console = await async_acquire_session(hass, data)
    await console.async_call(sites)

    let_refused_handshakes_pass(hass)
    await controller.restart(certificate=make_certificate())
    with pytest.raises(CertificateNotTrustedError) as error:
        await console.async_call(sites)
    assert error.value.certificate is not None
    assert error.value.certificate.der == controller.certificate_der
    assert controller.login_attempts == 1


def test_a_key_does_not_show_its_secrets(controller: SimulatedController) -> None:
    key = SessionKey.of(data_of(controller, certificate="c2VjcmV0"))
    assert controller.password not in repr(key)
    assert "c2VjcmV0" not in repr(key)


# The end


async def test_a_session_an_entry_needs_outlives_a_reload(
    hass: HomeAssistant, acquire: Acquire, controller: SimulatedController
) -> None:
    MockConfigEntry(domain=DOMAIN, data=data_of(controller)).add_to_hass(hass)
    console = await acquire()
    await console.async_call(sites)
    await console.async_release()
    assert await acquire() is console
    await console.async_call(sites)
    assert (controller.login_attempts, logouts(controller)) == (1, 0)


async def test_a_session_nobody_needs_is_logged_out(
    hass: HomeAssistant, acquire: Acquire, controller: SimulatedController
) -> None:
    console = await acquire()
    assert await acquire() is console
    await console.async_call(sites)
    await console.async_release()
    assert logouts(controller) == 0
    await console.async_release()
    assert logouts(controller) == 1

    again = await acquire()
    assert again is not console
    await again.async_release()
    await async_close_unused_sessions(hass)
    assert logouts(controller) == 1


async def test_a_console_that_does_not_answer_delays_the_end_only_shortly(
    acquire: Acquire, controller: SimulatedController
) -> None:
    console = await acquire()
    await console.async_call(sites)
    controller.faults.hang("*/logout")
    with patch("custom_components.unifi_scanner.hub.session.LOGOUT_TIMEOUT", 0.05):
        async with asyncio.timeout(2):
            await console.async_release()


async def test_home_assistants_end_logs_out_everywhere(
    hass: HomeAssistant, acquire: Acquire, controller: SimulatedController
) -> None:
    MockConfigEntry(domain=DOMAIN, data=data_of(controller)).add_to_hass(hass)
    await (await acquire()).async_call(sites)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert logouts(controller) == 1
