"""Nothing secret is told: not in a log record at any level, an exception, an event or a state."""

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
# What a console answers may hold anything, even what it was told.
ECHO = {
    "code": "MFA_AUTH_REQUIRED",
    "errors": [PASSWORD],
    "data": {"mfaCookie": f"UBIC_2FA={MFA_COOKIE}", "echo": PASSWORD},
}


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    return VirtualTime(monkeypatch)


@pytest.fixture
def _everything_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("asyncio", "aiohttp", "websockets", "custom_components", "homeassistant"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    # The test harness logs what Home Assistant stores: entries, with their passwords.
    harness = logging.getLogger("pytest_homeassistant_custom_component.common")
    monkeypatch.setattr(harness, "disabled", True)


@pytest.fixture(autouse=True)
def _second_factors_are_secret(secret_watch: SecretWatch) -> None:
    secret_watch.secrets.add(MFA_COOKIE)


def all_secrets(controller: SimulatedController, secret_watch: SecretWatch) -> set[str]:
    """Return what was planted, and the cookies and tokens of all requests there were."""
    found = set(secret_watch.secrets)
    for request in controller.requests():
        found |= set(request.cookies.values())
        found.add(request.headers.get("X-CSRF-Token", ""))
    return found - {""}


def telling(texts: list[str], secrets: set[str]) -> list[str]:
    """Return the texts in which a secret is."""
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


# What a console can do to whoever is logged in


def boots(controller: SimulatedController) -> None:
    controller.faults.booting = Booting.BAD_GATEWAY


def answers_html(controller: SimulatedController) -> None:
    controller.faults.refuse("*", status=200, body=f"<html>{ECHO}</html>")


def answers_something_else(controller: SimulatedController) -> None:
    controller.faults.refuse("*stat/*", status=200, body={"data": ECHO})
    controller.faults.refuse("*wss*", status=200, body=ECHO)


def fails(controller: SimulatedController) -> None:
    controller.faults.refuse("*stat/*", status=400, body=ECHO)
    controller.faults.refuse("*wss*", status=400, body=ECHO)


def sets_an_odd_cookie(controller: SimulatedController) -> None:
    headers = {"Set-Cookie": f"odd name={MFA_COOKIE}; path=/"}
    controller.faults.refuse("*stat/*", status=200, body=ECHO, headers=headers)


def wants_a_code(controller: SimulatedController) -> None:
    controller.state.sessions.expire()
    controller.faults.refuse("*/login", status=499, body=ECHO)


def rejects(controller: SimulatedController) -> None:
    controller.state.sessions.expire()
    controller.faults.refuse("*/login", status=401, body={"errors": [PASSWORD]})


def surely_rejects(controller: SimulatedController) -> None:
    controller.state.sessions.forget()
    controller.faults.refuse("*/login", status=403, body={"errors": [PASSWORD]})


def limits(controller: SimulatedController) -> None:
    controller.state.sessions.expire()
    controller.faults.refuse("*/login", status=429, body=ECHO, headers={"Retry-After": "60"})


FAULTS: list[Callable[[SimulatedController], None]] = [
    boots,
    answers_html,
    answers_something_else,
    fails,
    sets_an_odd_cookie,
    wants_a_code,
    rejects,
    surely_rejects,
    limits,
]


# Logs, events, states


@pytest.mark.usefixtures("_everything_is_logged")
async def test_a_whole_life_tells_no_secret(
    hass: HomeAssistant,
    clock: VirtualTime,
    caplog: pytest.LogCaptureFixture,
    secret_watch: SecretWatch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Set-up, roams, frames with keys in them, new logins, errors of every kind, and the end."""
    monkeypatch.setattr(login_budget, "LOGIN_INTERVAL", 0.0)
    ignore_refused_handshakes(hass)
    told: list[str] = []

    @callback
    def remember(event: Event[Any]) -> None:
        told.append(str(event.as_dict()))

    hass.bus.async_listen(MATCH_ALL, remember)
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
    assert telling([caplog.text], secrets) == []
    assert telling([*told, *states, *issues], secrets) == []


@pytest.mark.usefixtures("_everything_is_logged")
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_flow_tells_no_secret(
    hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    secret_watch: SecretWatch,
    fault: Callable[[SimulatedController], None],
) -> None:
    async with SimulatedController() as controller:
        fault(controller)
        flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        typed = {
            "host": controller.base_url,
            "username": controller.username,
            "password": controller.password,
            "ssl": "insecure",
        }
        result = await hass.config_entries.flow.async_configure(flow["flow_id"], typed)
        shown = [str(result["errors"]), str(result["description_placeholders"])]
        assert telling(shown, secret_watch.secrets) == []
        hass.config_entries.flow.async_abort(flow["flow_id"])
        await hass.async_block_till_done()
        assert telling([caplog.text], all_secrets(controller, secret_watch)) == []


# Exceptions


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_exception_tells_a_secret(
    hass: HomeAssistant, secret_watch: SecretWatch, fault: Callable[[SimulatedController], None]
) -> None:
    async with SimulatedController() as controller:
        console = await async_acquire_session(hass, data_of(controller))
        client, context = console.client, console.ssl_context
        await console.async_call(UnifiClient.sites)
        cookies = client.cookies
        address = f"wss://127.0.0.1:{controller.port}/proxy/network/wss/s/default/events"
        fault(controller)
        calls = [
            lambda: client.stations("default"),
            lambda: open_socket(address, cookies, context),
            lambda: client.login(controller.username, controller.password),
            console.renewal(),
        ]
        errors = [await error_of(call) for call in calls]
        assert any(errors)
        controller.faults.clear()
        await console.async_release()
        texts = [text for error in errors if error for text in texts_of(error)]
        assert telling(texts, all_secrets(controller, secret_watch)) == []


async def error_of(call: Callable[[], Any]) -> UnifiError | None:
    """Return how a call fails."""
    try:
        await call()
    except UnifiError as error:
        return error
    return None


def texts_of(error: BaseException) -> list[str]:
    """Return all that an exception, and those behind it, can say of themselves."""
    texts = [*traceback.format_exception(error)]
    behind: BaseException | None = error
    while behind is not None:
        texts += [str(behind), repr(behind), repr(behind.args), repr(vars(behind))]
        behind = behind.__cause__ or behind.__context__
    return texts


# The watch over the whole suite


@pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR])
def test_the_suite_notices_a_secret_in_a_record(secret_watch: SecretWatch, level: int) -> None:
    logger = logging.getLogger("custom_components.unifi_scanner.careless")
    logger.setLevel(logging.DEBUG)
    logger.log(level, "nothing to see")
    assert secret_watch.leaks == []
    logger.log(level, "logged in with %s", PASSWORD)
    assert len(secret_watch.leaks) == 1
    secret_watch.leaks.clear()


def test_the_suite_notices_a_secret_in_a_traceback(secret_watch: SecretWatch) -> None:
    logger = logging.getLogger("custom_components.unifi_scanner.careless")
    try:
        int(PASSWORD)
    except ValueError:
        logger.exception("it went wrong")
    assert len(secret_watch.leaks) == 1
    secret_watch.leaks.clear()


async def test_the_suite_knows_the_secrets_of_sessions(
    hass: HomeAssistant, secret_watch: SecretWatch
) -> None:
    async with SimulatedController() as controller:
        console = await async_acquire_session(hass, data_of(controller))
        await console.async_call(UnifiClient.sites)
        assert set(console.client.cookies.values()) <= secret_watch.secrets
        await console.async_release()
