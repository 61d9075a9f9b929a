"""Tests of the simulated controller's logins, cookies, CSRF and sessions (docs/protocol.md 2)."""

import base64
from http.cookies import SimpleCookie
import json
from typing import Any

import pytest

from tests.controller import Booting, Flavour, Rejection, SimulatedController

from .conftest import HttpClient

UNIFI_OS = pytest.mark.parametrize("flavour", [Flavour.UNIFI_OS])
SELF_HOSTED = pytest.mark.parametrize("flavour", [Flavour.SELF_HOSTED])


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return decoded


@UNIFI_OS
async def test_unifi_os_root_page_sets_a_cookie_that_is_not_logged_in(http: HttpClient) -> None:
    root = await http.request("GET", "/")
    assert (root.status, root.content_type) == (200, "text/html")
    assert root.headers["X-CSRF-Token"] == claims(http.cookies["TOKEN"])["csrfToken"]
    assert (await http.get("/api/self/sites")).status == 401


@SELF_HOSTED
async def test_self_hosted_root_page_redirects_to_manage(http: HttpClient) -> None:
    root = await http.request("GET", "/")
    assert (root.status, root.headers["Location"]) == (302, "/manage")


@UNIFI_OS
@pytest.mark.parametrize("settings", [{}, {"cookie": "UOS_TOKEN", "partitioned": True}])
async def test_unifi_os_login_sets_a_jwt_with_the_csrf_token(
    http: HttpClient, controller: SimulatedController
) -> None:
    response = await http.login(rememberMe=True)
    name = controller.settings.cookie
    assert response.status == 200
    csrf = claims(http.cookies[name])["csrfToken"]
    assert response.headers["X-CSRF-Token"] == response.headers["X-Updated-CSRF-Token"] == csrf
    cookie = response.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Strict"))
    assert ("Partitioned" in cookie) is controller.settings.partitioned
    assert (await http.get("/api/self/sites")).status == 200


@SELF_HOSTED
async def test_self_hosted_login_sets_two_cookies(http: HttpClient) -> None:
    response = await http.login()
    assert await response.json() == {"meta": {"rc": "ok"}, "data": []}
    assert set(http.cookies) == {"unifises", "csrf_token"}
    assert len(response.headers.getall("Set-Cookie")) == 2
    assert (await http.get("/api/self/sites")).status == 200


@UNIFI_OS
@pytest.mark.parametrize(
    ("rejection", "status", "key"),
    [(Rejection.ERRORS_401, 401, "errors"), (Rejection.CODE_403, 403, "code")],
)
async def test_wrong_password_is_rejected_in_the_format_of_the_build(
    http: HttpClient,
    controller: SimulatedController,
    rejection: Rejection,
    status: int,
    key: str,
) -> None:
    controller.faults.rejection = rejection
    response = await http.login("wrong")
    assert response.status == status
    assert key in await response.json()
    assert (controller.login_attempts, controller.logins) == (1, 0)


@UNIFI_OS
@pytest.mark.parametrize(
    ("settings", "status"),
    [({"network_version": "9.4.19"}, 401), ({"network_version": "10.4.57"}, 403)],
)
async def test_wrong_password_status_depends_on_the_network_version(
    http: HttpClient, status: int
) -> None:
    assert (await http.login("wrong")).status == status


@SELF_HOSTED
async def test_wrong_password_is_invalid_on_self_hosted(
    http: HttpClient,
) -> None:
    response = await http.login("wrong")
    assert response.status == 400
    assert (await response.json())["meta"] == {"rc": "error", "msg": "api.err.Invalid"}


async def test_login_requires_and_accepts_a_second_factor(
    http: HttpClient, controller: SimulatedController, flavour: Flavour
) -> None:
    controller.faults.login_code = "246802"
    response = await http.login()
    body = await response.json()
    if flavour is Flavour.UNIFI_OS:
        assert response.status == 499
        assert (await http.login(token="246802")).status == 499
        name, _, value = body["data"]["mfaCookie"].partition("=")
        http.session.cookie_jar.update_cookies(SimpleCookie({name: value}), response.url.origin())
        assert (await http.login(token="246802")).status == 200
    else:
        assert body["meta"]["msg"] == "api.err.Ubic2faTokenRequired"
        assert (await http.login(ubic_2fa_token="246802")).status == 200
    assert controller.logins == 1


@UNIFI_OS
async def test_request_without_a_session_gets_plain_text_and_its_cookie_removed(
    http: HttpClient,
) -> None:
    response = await http.get("/api/self/sites")
    assert (response.status, await response.text()) == (401, "Unauthorized")
    assert response.content_type == "text/plain"
    assert "1970" in response.headers["Set-Cookie"]
    v2 = await http.get("/v2/api/site/default/clients/active")
    assert (await v2.json())["message"] == "api.err.LoginRequired"


@UNIFI_OS
@pytest.mark.parametrize("settings", [{"network_version": "10.4.57"}])
async def test_write_request_needs_the_csrf_token(http: HttpClient) -> None:
    await http.login()
    latest = http.csrf
    assert (await http.get("/api/self/sites", csrf=False)).status == 200
    path = "/v2/api/site/default/system-log/all"
    http.csrf = "stale"
    assert (await http.request("POST", f"{http.prefix}{path}", json={})).status == 403
    http.csrf = latest
    assert (await http.request("POST", f"{http.prefix}{path}", json={})).status == 200


async def test_read_request_needs_a_rotating_csrf_token_too(
    http: HttpClient, controller: SimulatedController, flavour: Flavour
) -> None:
    controller.faults.rotate_csrf = True
    await http.login()
    if flavour is Flavour.SELF_HOSTED:
        http.csrf = http.cookies["csrf_token"]
    tokens = set()
    for _ in range(3):
        stale = http.csrf
        assert (await http.get("/api/self/sites")).status == 200
        tokens.add(http.csrf)
    assert len(tokens) == 3
    http.csrf = stale
    assert (await http.get("/api/self/sites")).status in (401, 403)


async def test_login_limit_counts_successful_logins(flavour: Flavour) -> None:
    now = [1_000_000.0]
    async with SimulatedController(flavour=flavour, clock=lambda: now[0]) as controller:
        http = HttpClient(controller)
        controller.faults.limit_logins(3, lock_seconds=90, retry_after=77)
        assert [(await http.login()).status for _ in range(4)] == [200, 200, 200, 429]
        refused = await http.login()
        assert refused.headers["Retry-After"] == "77"
        assert (await refused.json())["code"] == "AUTHENTICATION_FAILED_LIMIT_REACHED"
        now[0] += 91
        assert (await http.login()).status == 200
        await http.session.close()


async def test_login_lock_can_restart_with_each_attempt() -> None:
    now = [1_000_000.0]
    async with SimulatedController(clock=lambda: now[0]) as controller:
        http = HttpClient(controller)
        controller.faults.limit_logins(lock_seconds=600, extends=True, locked_until=now[0] + 600)
        now[0] += 599
        assert (await http.login()).status == 429
        now[0] += 599
        assert (await http.login()).status == 429
        now[0] += 601
        assert (await http.login()).status == 200
        await http.session.close()


@pytest.mark.parametrize(
    ("fields", "days"), [({}, 0), ({"remember": True}, 0), ({"rememberMe": True}, 29)]
)
async def test_session_lasts_two_hours_unless_remembered(
    fields: dict[str, bool], days: int
) -> None:
    now = [1_000_000.0]
    async with SimulatedController(clock=lambda: now[0]) as controller:
        http = HttpClient(controller)
        await http.login(**fields)
        now[0] += 7000
        assert (await http.get("/api/self/sites")).status == 200
        now[0] += 300
        assert (await http.get("/api/self/sites")).status == (200 if days else 401)
        now[0] += days * 86_400
        assert (await http.get("/api/self/sites")).status == (200 if days else 401)
        await http.session.close()


@pytest.mark.parametrize(
    ("forget_sessions", "forbid", "status"),
    [(False, False, 200), (True, False, 401), (True, True, 403)],
)
async def test_restart_keeps_or_ends_the_session_and_forbids_it_only_as_a_fault(
    http: HttpClient,
    controller: SimulatedController,
    *,
    forget_sessions: bool,
    forbid: bool,
    status: int,
) -> None:
    controller.faults.forbid_after_restart = forbid
    await http.login()
    await controller.restart(forget_sessions=forget_sessions)
    assert (await http.get("/api/self/sites")).status == status


async def test_expired_session_leads_to_401_until_the_next_login(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    cookies = http.cookies
    await controller.expire_sessions()
    assert (await http.get("/api/self/sites")).status == 401
    await http.login()
    assert http.cookies != cookies
    assert (await http.get("/api/self/sites")).status == 200


async def test_slash_at_the_end_of_a_path_is_accepted(
    http: HttpClient, controller: SimulatedController, flavour: Flavour
) -> None:
    login = "/api/auth/login/" if flavour is Flavour.UNIFI_OS else "/api/login/"
    account = {"username": controller.username, "password": controller.password}
    assert (await http.request("POST", login, json=account)).status == 200
    rows = await http.records("/api/s/default/stat/sta/")
    assert rows == await http.records("/api/s/default/stat/sta")


async def test_logout_ends_the_session(
    http: HttpClient, controller: SimulatedController, flavour: Flavour
) -> None:
    await http.login()
    unifi_os = flavour is Flavour.UNIFI_OS
    await http.request("POST", "/api/auth/logout" if unifi_os else "/api/logout")
    assert len(controller.state.sessions) == 0
    assert (await http.get("/api/self/sites")).status == 401


@UNIFI_OS
async def test_root_page_can_set_a_stale_cookie(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    await http.request("GET", "/")
    assert (await http.get("/api/self/sites")).status == 200
    controller.faults.stale_root_cookie = True
    await http.request("GET", "/")
    assert (await http.get("/api/self/sites")).status == 401


async def test_booting_application_responses_every_path_alike(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    for phase in Booting:
        controller.faults.booting = phase
        for path in ("/api/self/sites", "/wss/s/default/events"):
            response = await http.get(path)
            assert (response.status, response.content_type) == (int(phase), "text/html")
    controller.faults.booting = None
    assert (await http.get("/api/self/sites")).status == 200
