"""Secrets stay out of log records at every level, exceptions, events, states and issues."""

import asyncio
from collections.abc import Callable
import logging
import traceback
from typing import Any

from homeassistant.config_entries import SOURCE_USER
from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.unifi_scanner.api import UnifiClient, UnifiError
from custom_components.unifi_scanner.api.socket import open_socket
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub import login_budget
from custom_components.unifi_scanner.hub.session_pool import async_acquire_session
from custom_components.unifi_scanner.issues.certificate import async_get_certificate_change
from tests.controller import PLANTED_SECRETS, Booting, SimulatedController, make_certificate
from tests.faults.clock import VirtualTime
from tests.handshakes import ignore_refused_handshakes
from tests.home import ANNA, furnished_home
from tests.secret_watch import PLANTED, SecretWatch

pytestmark = pytest.mark.usefixtures("socket_enabled")

PASSWORD = "correct horse"
MFA_COOKIE = "planted-mfa-cookie-c8812f"
# A controller's response may contain anything, even the password it was sent.
ECHO = {
    "code": "MFA_AUTH_REQUIRED",
    "errors": [PASSWORD],
    "data": {"mfaCookie": f"UBIC_2FA={MFA_COOKIE}", "echo": PASSWORD},
}


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    return VirtualTime(monkeypatch)


@pytest.fixture
def _log_everything(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("asyncio", "aiohttp", "websockets", "custom_components", "homeassistant"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    # The test harness logs what Home Assistant stores, including the passwords of entries.
    harness = logging.getLogger("pytest_homeassistant_custom_component.common")
    monkeypatch.setattr(harness, "disabled", True)


@pytest.fixture(autouse=True)
def _watch_second_factor_cookie(secret_watch: SecretWatch) -> None:
    secret_watch.secrets.add(MFA_COOKIE)


def all_secrets(controller: SimulatedController, secret_watch: SecretWatch) -> set[str]:
    """Return the planted secrets, and the cookies and tokens of all requests so far."""
    found = set(secret_watch.secrets)
    for request in controller.requests():
        found |= set(request.cookies.values())
        found.add(request.headers.get("X-CSRF-Token", ""))
    return found - {""}


def containing(texts: list[str], secrets: set[str]) -> list[str]:
    """Return the texts that contain a secret."""
    return [text for text in texts if any(secret in text for secret in secrets)]


def data_of(controller: SimulatedController) -> dict[str, str]:
    """Return the data of an entry for the controller's site."""
    return {
        "host": "127.0.0.1",
        "url": controller.base_url,
        "username": controller.username,
        "password": controller.password,
        "ssl": "insecure",
        "site": "default",
    }


# Faults of the controller


def boot(controller: SimulatedController) -> None:
    controller.faults.booting = Booting.BAD_GATEWAY


def send_html(controller: SimulatedController) -> None:
    controller.faults.refuse("*", status=200, body=f"<html>{ECHO}</html>")


def send_unexpected_data(controller: SimulatedController) -> None:
    controller.faults.refuse("*stat/*", status=200, body={"data": ECHO})
    controller.faults.refuse("*wss*", status=200, body=ECHO)


def fail(controller: SimulatedController) -> None:
    controller.faults.refuse("*stat/*", status=400, body=ECHO)
    controller.faults.refuse("*wss*", status=400, body=ECHO)


def set_odd_cookie(controller: SimulatedController) -> None:
    headers = {"Set-Cookie": f"odd name={MFA_COOKIE}; path=/"}
    controller.faults.refuse("*stat/*", status=200, body=ECHO, headers=headers)


def require_second_factor(controller: SimulatedController) -> None:
    controller.state.sessions.expire()
    controller.faults.refuse("*/login", status=499, body=ECHO)


def reject(controller: SimulatedController) -> None:
    controller.state.sessions.expire()
    controller.faults.refuse("*/login", status=401, body={"errors": [PASSWORD]})


def reject_definitely(controller: SimulatedController) -> None:
    controller.state.sessions.forbid()
    controller.faults.refuse("*/login", status=403, body={"errors": [PASSWORD]})


def limit_logins(controller: SimulatedController) -> None:
    controller.state.sessions.expire()
    controller.faults.refuse("*/login", status=429, body=ECHO, headers={"Retry-After": "60"})


FAULTS: list[Callable[[SimulatedController], None]] = [
    boot,
    send_html,
    send_unexpected_data,
    fail,
    set_odd_cookie,
    require_second_factor,
    reject,
    reject_definitely,
    limit_logins,
]


# Logs, events, states, issues and the config flow


@pytest.mark.usefixtures("_log_everything")
async def test_secrets_stay_out_of_logs_events_states_and_issues(
    hass: HomeAssistant,
    clock: VirtualTime,
    caplog: pytest.LogCaptureFixture,
    secret_watch: SecretWatch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Covers setup, roams, frames with secrets, new logins, all kinds of errors, and removal."""
    monkeypatch.setattr(login_budget, "LOGIN_INTERVAL", 0.0)
    ignore_refused_handshakes(hass)
    events: list[str] = []

    @callback
    def record_event(event: Event[Any]) -> None:
        events.append(str(event.as_dict()))

    hass.bus.async_listen(MATCH_ALL, record_event)
    async with furnished_home(hass, clock=clock.time) as home:
        controller = home.controller
        controller.faults.rotate_csrf = True
        await home.set_up()
        await controller.roam(ANNA, "Kitchen")
        await home.happened(1)
        for message in ("device:sync", "sta:sync", "client:sync", "events", "unheard-of"):
            meta = {"rc": "ok", "message": message}
            await controller.send({"meta": meta, "data": [{"mac": ANNA, **PLANTED_SECRETS}]})
            await controller.send({"meta": meta, "data": PLANTED_SECRETS})
            await controller.send(f"{meta} {PLANTED_SECRETS}")

        for fault in FAULTS:
            before = len(caplog.records)
            fault(controller)
            await controller.close_sockets(None)
            await asyncio.sleep(400)
            assert len(caplog.records) > before
            controller.faults.clear()
            await hass.config_entries.async_reload(home.entry.entry_id)
            await clock.until(lambda: home.coordinator.stream_connected, 400)

        await controller.restart(certificate=make_certificate())
        await asyncio.sleep(400)
        assert async_get_certificate_change(hass, controller.base_url)
        states = [str(state.as_dict()) for state in hass.states.async_all()]
        issues = [str(issue) for issue in ir.async_get(hass).issues.values()]
        await hass.config_entries.async_remove(home.entry.entry_id)
        await hass.async_block_till_done()

    secrets = all_secrets(controller, secret_watch)
    assert len(secrets) > len(PLANTED) + len(FAULTS)
    assert containing([caplog.text], secrets) == []
    assert containing([*events, *states, *issues], secrets) == []


@pytest.mark.usefixtures("_log_everything")
@pytest.mark.parametrize("fault", FAULTS)
async def test_secrets_stay_out_of_the_config_flow(
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    secret_watch: SecretWatch,
    fault: Callable[[SimulatedController], None],
) -> None:
    async with SimulatedController() as controller:
        fault(controller)
        flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        user_input = {
            "host": controller.base_url,
            "username": controller.username,
            "password": controller.password,
            "ssl": "insecure",
        }
        result = await hass.config_entries.flow.async_configure(flow["flow_id"], user_input)
        shown = [str(result["errors"]), str(result["description_placeholders"])]
        assert containing(shown, secret_watch.secrets) == []
        hass.config_entries.flow.async_abort(flow["flow_id"])
        await hass.async_block_till_done()
        assert containing([caplog.text], all_secrets(controller, secret_watch)) == []


# Exceptions


@pytest.mark.parametrize("fault", FAULTS)
async def test_secrets_stay_out_of_exceptions(
    hass: HomeAssistant, secret_watch: SecretWatch, fault: Callable[[SimulatedController], None]
) -> None:
    async with SimulatedController() as controller:
        session = await async_acquire_session(hass, data_of(controller))
        client, context = session.client, session.ssl_context
        await session.async_call(UnifiClient.sites)
        cookies = client.cookies
        address = f"wss://127.0.0.1:{controller.port}/proxy/network/wss/s/default/events"
        fault(controller)
        calls = [
            lambda: client.stations("default"),
            lambda: open_socket(address, cookies, context),
            lambda: client.login(controller.username, controller.password),
            session.renewal(),
        ]
        errors = [await raised_error(call) for call in calls]
        assert any(errors)
        controller.faults.clear()
        await session.async_release()
        texts = [text for error in errors if error for text in all_texts(error)]
        assert containing(texts, all_secrets(controller, secret_watch)) == []


async def raised_error(call: Callable[[], Any]) -> UnifiError | None:
    """Return the error that a call raises, None if it succeeds."""
    try:
        await call()
    except UnifiError as error:
        return error
    return None


def all_texts(error: BaseException) -> list[str]:
    """Return the texts of an exception's traceback and of every exception in its chain."""
    texts = [*traceback.format_exception(error)]
    current: BaseException | None = error
    while current is not None:
        texts += [str(current), repr(current), repr(current.args), repr(vars(current))]
        current = current.__cause__ or current.__context__
    return texts


# The watch over the whole test suite


@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_secret_watch_finds_a_secret_in_a_log_record(secret_watch: SecretWatch, level: int) -> None:
    logger = logging.getLogger("custom_components.unifi_scanner.careless")
    logger.setLevel(logging.DEBUG)
    logger.log(level, "no secret in here")
    assert secret_watch.leaks == []
    logger.log(level, "logged in with %s", PASSWORD)
    assert len(secret_watch.leaks) == 1
    secret_watch.leaks.clear()


def test_secret_watch_finds_a_secret_in_a_traceback(secret_watch: SecretWatch) -> None:
    logger = logging.getLogger("custom_components.unifi_scanner.careless")
    try:
        int(PASSWORD)
    except ValueError:
        logger.exception("an error with a secret")
    assert len(secret_watch.leaks) == 1
    secret_watch.leaks.clear()


async def test_secret_watch_knows_the_cookies_of_sessions(
    hass: HomeAssistant, secret_watch: SecretWatch
) -> None:
    async with SimulatedController() as controller:
        session = await async_acquire_session(hass, data_of(controller))
        await session.async_call(UnifiClient.sites)
        assert set(session.client.cookies.values()) <= secret_watch.secrets
        await session.async_release()
