"""Login sessions: sharing, renewal, the login budget, and logging out."""

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
from custom_components.unifi_scanner.hub.session import ControllerSession, SessionKey
from custom_components.unifi_scanner.hub.session_pool import (
    async_acquire_session,
    async_close_unused_sessions,
)
from tests.controller import Booting, Flavour, Rejection, SimulatedController, make_certificate
from tests.handshakes import ignore_refused_handshakes

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Clock:
    """Seconds by which the event loop's clock is ahead of the real one."""

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
    """Return how many logouts the controller has received."""
    return len(controller.requests("/api/auth/logout"))


# Sharing and renewal


async def test_session_is_shared_by_sites_of_one_controller(
    acquire: Acquire, controller: SimulatedController
) -> None:
    acquired = [await acquire(site=site) for site in ("default", "second")]
    assert acquired[0] is acquired[1]
    await asyncio.gather(*(session.async_call(sites) for session in acquired * 4))
    assert controller.login_attempts == 1


@pytest.mark.parametrize("change", [{"username": "other"}, {"password": "other"}])
async def test_session_is_not_shared_between_accounts(
    acquire: Acquire, change: dict[str, str]
) -> None:
    assert await acquire() is not await acquire(**change)


async def test_session_sends_nothing_before_the_first_call(
    acquire: Acquire, controller: SimulatedController
) -> None:
    await acquire()
    assert controller.requests() == []


async def test_expired_session_is_renewed_by_one_login_for_all_calls(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    session = await acquire()
    await session.async_call(sites)
    await controller.expire_sessions()
    clock.ahead += 61
    await asyncio.gather(*(session.async_call(sites) for _ in range(5)))
    assert controller.login_attempts == 2


async def test_session_that_expired_unused_is_renewed_by_one_login_for_all_calls(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    session = await acquire()
    await session.async_log_in()
    await controller.expire_sessions()
    clock.ahead += 61
    await asyncio.gather(*(session.async_call(sites) for _ in range(5)))
    assert controller.login_attempts == 2


async def test_session_is_renewed_after_the_controller_restarts(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    session = await acquire()
    await session.async_call(sites)
    await controller.restart()
    clock.ahead += 61
    await session.async_call(sites)
    assert controller.login_attempts == 2


# The login budget


async def test_login_without_a_user_waits_a_minute_after_the_previous_one(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    session = await acquire()
    await session.async_call(sites)
    await controller.expire_sessions()
    clock.ahead += 20
    with pytest.raises(LoginBudgetError) as error:
        await session.async_call(sites)
    assert error.value.retry_after == pytest.approx(40, abs=1)
    assert controller.login_attempts == 1

    clock.ahead += 40
    await session.async_call(sites)
    assert controller.login_attempts == 2


async def test_login_with_a_wrong_password_uses_the_budget_of_the_account(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    controller.faults.rejection = Rejection.CODE_403
    session = await acquire(password="wrong")
    for _ in range(3):
        with pytest.raises(BadCredentialsError):
            await session.async_call(sites)
    # Nor may the same account try another password.
    with pytest.raises(RateLimitedError):
        await (await acquire()).async_call(sites)
    assert controller.login_attempts == 1
    clock.ahead += 60
    await (await acquire()).async_call(sites)


async def test_login_for_a_user_ignores_the_budget(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    with pytest.raises(BadCredentialsError):
        await (await acquire(password="wrong")).async_log_in()
    session = await acquire()
    await session.async_log_in()
    await session.async_log_in()
    assert controller.login_attempts == 2
    assert clock.ahead == 0.0


@pytest.mark.parametrize(("retry_after", "wait"), [(90, 90.0), (None, 300.0)])
async def test_login_waits_while_the_controller_limits_logins(
    acquire: Acquire,
    controller: SimulatedController,
    clock: Clock,
    retry_after: int | None,
    wait: float,
) -> None:
    controller.faults.limit_logins(locked_until=2e9, retry_after=retry_after)
    session = await acquire()
    for _ in range(3):
        with pytest.raises(RateLimitedError):
            await session.async_call(sites)
        clock.ahead += (wait - 1) / 3
    assert controller.login_attempts == 1

    controller.faults.clear()
    clock.ahead += 1
    await session.async_call(sites)
    assert controller.login_attempts == 2


async def test_login_that_did_not_reach_the_controller_does_not_use_the_budget(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    session = await acquire()
    await controller.stop_listening()
    with pytest.raises(CannotConnectError):
        await session.async_call(sites)
    await controller.start()
    controller.faults.booting = Booting.BAD_GATEWAY
    with pytest.raises(ControllerStartingError):
        await session.async_call(sites)
    controller.faults.booting = None
    fault = controller.faults.refuse("*/login", status=503)
    with pytest.raises(ControllerStartingError):
        await session.async_call(sites)
    controller.faults.remove(fault)
    await session.async_call(sites)
    assert controller.logins == 1
    assert clock.ahead == 0.0


async def test_login_that_may_have_reached_the_controller_uses_the_budget(
    acquire: Acquire, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await acquire()

    async def time_out(*_: str) -> None:
        raise CannotConnectError("The controller did not answer in time") from TimeoutError()

    monkeypatch.setattr(session.client, "login", time_out)
    with pytest.raises(CannotConnectError):
        await session.async_call(sites)
    with pytest.raises(RateLimitedError):
        await session.async_call(sites)


async def test_login_detects_the_kind_of_controller_again_after_booting(
    hass: HomeAssistant,
) -> None:
    async with SimulatedController(flavour=Flavour.SELF_HOSTED) as controller:
        session = await async_acquire_session(hass, data_of(controller))
        controller.faults.booting = Booting.HTML  # as UniFi OS sends
        with pytest.raises(ControllerStartingError):
            await session.async_call(sites)
        controller.faults.booting = None
        await session.async_call(sites)
        assert controller.logins == 1
        await session.async_release()


async def test_login_is_not_repeated_for_an_account_without_permissions(
    acquire: Acquire, controller: SimulatedController
) -> None:
    controller.faults.refuse("*self/sites", status=403)
    session = await acquire()
    for _ in range(3):
        with pytest.raises(SessionExpiredError):
            await session.async_call(sites)
    assert controller.login_attempts == 1


async def test_login_raises_an_error_of_its_own_for_a_second_factor(
    acquire: Acquire, controller: SimulatedController
) -> None:
    controller.faults.login_code = "123456"
    with pytest.raises(SecondFactorRequiredError):
        await (await acquire()).async_call(sites)


# Renewal for event streams


async def test_renewal_gives_all_refused_streams_the_cookies_of_one_new_login(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    session = await acquire()
    await session.async_call(sites)
    before = session.client.cookies
    renewals = [session.renewal(), session.renewal()]
    clock.ahead += 61
    first, second = await asyncio.gather(*(renew() for renew in renewals))
    assert first == second != before
    assert controller.login_attempts == 2


async def test_renewal_gives_a_stream_the_cookies_of_an_earlier_login_first(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    session = await acquire()
    await session.async_call(sites)
    renew = session.renewal()
    await controller.expire_sessions()
    clock.ahead += 61
    await session.async_call(sites)
    clock.ahead += 7200
    assert await renew() == session.client.cookies
    assert controller.login_attempts == 2
    # These cookies were refused too, so the next ones come from a new login.
    await renew()
    assert controller.login_attempts == 3


async def test_renewal_for_a_stream_that_is_always_refused_rarely_logs_in(
    acquire: Acquire, controller: SimulatedController, clock: Clock
) -> None:
    session = await acquire()
    await session.async_call(sites)
    renew = session.renewal()
    for _ in range(24 * 60):
        clock.ahead += 60
        with suppress(RateLimitedError):
            await renew()
    assert controller.login_attempts < 35
    # REST calls, which are not refused, go on using the session.
    await session.async_call(sites)


async def test_renewal_raises_the_error_of_the_login(
    acquire: Acquire, controller: SimulatedController
) -> None:
    session = await acquire()
    await controller.stop_listening()
    with pytest.raises(CannotConnectError):
        await session.renewal()()


# Certificates


async def test_session_sends_no_credentials_to_another_certificate_than_the_pinned_one(
    hass: HomeAssistant, controller: SimulatedController
) -> None:
    certificate = b64encode(controller.certificate_der).decode()
    data = data_of(controller, ssl="pinned", certificate=certificate)
    session = await async_acquire_session(hass, data)
    await session.async_call(sites)

    ignore_refused_handshakes(hass)
    await controller.restart(certificate=make_certificate())
    with pytest.raises(CertificateNotTrustedError) as error:
        await session.async_call(sites)
    assert error.value.certificate is not None
    assert error.value.certificate.der == controller.certificate_der
    assert controller.login_attempts == 1


def test_session_key_hides_secrets_in_its_representation(controller: SimulatedController) -> None:
    key = SessionKey.of(data_of(controller, certificate="c2VjcmV0"))
    assert controller.password not in repr(key)
    assert "c2VjcmV0" not in repr(key)


# Release and shutdown


async def test_session_needed_by_a_config_entry_survives_a_reload(
    hass: HomeAssistant, acquire: Acquire, controller: SimulatedController
) -> None:
    MockConfigEntry(domain=DOMAIN, data=data_of(controller)).add_to_hass(hass)
    session = await acquire()
    await session.async_call(sites)
    await session.async_release()
    assert await acquire() is session
    await session.async_call(sites)
    assert (controller.login_attempts, logouts(controller)) == (1, 0)


async def test_session_without_users_is_logged_out(
    hass: HomeAssistant, acquire: Acquire, controller: SimulatedController
) -> None:
    session = await acquire()
    assert await acquire() is session
    await session.async_call(sites)
    await session.async_release()
    assert logouts(controller) == 0
    await session.async_release()
    assert logouts(controller) == 1

    again = await acquire()
    assert again is not session
    await again.async_release()
    await async_close_unused_sessions(hass)
    assert logouts(controller) == 1


async def test_session_release_does_not_wait_long_for_the_logout(
    acquire: Acquire, controller: SimulatedController
) -> None:
    session = await acquire()
    await session.async_call(sites)
    controller.faults.hang("*/logout")
    with patch("custom_components.unifi_scanner.hub.session.LOGOUT_TIMEOUT", 0.05):
        async with asyncio.timeout(2):
            await session.async_release()


async def test_session_is_logged_out_when_home_assistant_shuts_down(
    hass: HomeAssistant, acquire: Acquire, controller: SimulatedController
) -> None:
    MockConfigEntry(domain=DOMAIN, data=data_of(controller)).add_to_hass(hass)
    await (await acquire()).async_call(sites)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    assert logouts(controller) == 1
