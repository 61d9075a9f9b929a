"""Logins, cookies, CSRF and sessions of the simulated controller (protocol.md 2)."""

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
async def test_unifi_os_shows_itself_and_its_first_cookie_opens_nothing(http: HttpClient) -> None:
    root = await http.request("GET", "/")
    assert (root.status, root.content_type) == (200, "text/html")
    assert root.headers["X-CSRF-Token"] == claims(http.cookies["TOKEN"])["csrfToken"]
    assert (await http.get("/api/self/sites")).status == 401


@SELF_HOSTED
async def test_a_self_hosted_application_redirects_to_manage(http: HttpClient) -> None:
    root = await http.request("GET", "/")
    assert (root.status, root.headers["Location"]) == (302, "/manage")


@UNIFI_OS
@pytest.mark.parametrize("settings", [{}, {"cookie": "UOS_TOKEN", "partitioned": True}])
async def test_unifi_os_sets_a_jwt_with_the_csrf_value(
    http: HttpClient, controller: SimulatedController
) -> None:
    answer = await http.login(rememberMe=True)
    name = controller.settings.cookie
    assert answer.status == 200
    assert answer.headers["X-CSRF-Token"] == claims(http.cookies[name])["csrfToken"]
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Strict"))
    assert ("Partitioned" in cookie) is controller.settings.partitioned
    assert (await http.get("/api/self/sites")).status == 200


@SELF_HOSTED
async def test_a_self_hosted_application_sets_two_cookies(http: HttpClient) -> None:
    answer = await http.login()
    assert await answer.json() == {"meta": {"rc": "ok"}, "data": []}
    assert set(http.cookies) == {"unifises", "csrf_token"}
    assert len(answer.headers.getall("Set-Cookie")) == 2
    assert (await http.get("/api/self/sites")).status == 200


@UNIFI_OS
@pytest.mark.parametrize(
    ("rejection", "status", "key"),
    [(Rejection.ERRORS_401, 401, "errors"), (Rejection.CODE_403, 403, "code")],
)
async def test_a_wrong_password_is_told_in_the_words_of_the_build(
    http: HttpClient,
    controller: SimulatedController,
    rejection: Rejection,
    status: int,
    key: str,
) -> None:
    controller.faults.rejection = rejection
    answer = await http.login("wrong")
    assert answer.status == status
    assert key in await answer.json()
    assert (controller.login_attempts, controller.logins) == (1, 0)


@UNIFI_OS
@pytest.mark.parametrize(
    ("settings", "status"),
    [({"network_version": "9.4.19"}, 401), ({"network_version": "10.4.57"}, 403)],
)
async def test_newer_builds_say_403_to_a_wrong_password(http: HttpClient, status: int) -> None:
    assert (await http.login("wrong")).status == status


@SELF_HOSTED
async def test_a_self_hosted_application_says_invalid_to_a_wrong_password(
    http: HttpClient,
) -> None:
    answer = await http.login("wrong")
    assert answer.status == 400
    assert (await answer.json())["meta"] == {"rc": "error", "msg": "api.err.Invalid"}


async def test_a_second_factor_is_asked_for_and_taken(
    http: HttpClient, controller: SimulatedController, flavour: Flavour
) -> None:
    controller.faults.login_code = "246802"
    answer = await http.login()
    body = await answer.json()
    if flavour is Flavour.UNIFI_OS:
        assert answer.status == 499
        assert (await http.login(token="246802")).status == 499
        name, _, value = body["data"]["mfaCookie"].partition("=")
        http.session.cookie_jar.update_cookies(SimpleCookie({name: value}), answer.url.origin())
        assert (await http.login(token="246802")).status == 200
    else:
        assert body["meta"]["msg"] == "api.err.Ubic2faTokenRequired"
        assert (await http.login(ubic_2fa_token="246802")).status == 200
    assert controller.logins == 1


@UNIFI_OS
async def test_a_request_without_a_session_gets_plain_text_and_loses_its_cookie(
    http: HttpClient,
) -> None:
    answer = await http.get("/api/self/sites")
    assert (answer.status, await answer.text()) == (401, "Unauthorized")
    assert answer.content_type == "text/plain"
    assert "1970" in answer.headers["Set-Cookie"]
    v2 = await http.get("/v2/api/site/default/clients/active")
    assert (await v2.json())["message"] == "api.err.LoginRequired"


@UNIFI_OS
@pytest.mark.parametrize("settings", [{"network_version": "10.4.57"}])
async def test_a_write_needs_the_csrf_value(http: HttpClient) -> None:
    await http.login()
    right = http.csrf
    assert (await http.get("/api/self/sites", csrf=False)).status == 200
    path = "/v2/api/site/default/system-log/all"
    http.csrf = "stale"
    assert (await http.request("POST", f"{http.prefix}{path}", json={})).status == 403
    http.csrf = right
    assert (await http.request("POST", f"{http.prefix}{path}", json={})).status == 200


async def test_a_rotating_csrf_value_is_needed_by_reads_too(
    http: HttpClient, controller: SimulatedController, flavour: Flavour
) -> None:
    controller.faults.rotate_csrf = True
    await http.login()
    if flavour is Flavour.SELF_HOSTED:
        http.csrf = http.cookies["csrf_token"]
    seen = set()
    for _ in range(3):
        stale = http.csrf
        assert (await http.get("/api/self/sites")).status == 200
        seen.add(http.csrf)
    assert len(seen) == 3
    http.csrf = stale
    assert (await http.get("/api/self/sites")).status in (401, 403)


async def test_logins_are_limited_and_good_ones_count(flavour: Flavour) -> None:
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


async def test_a_lock_can_start_anew_with_each_attempt() -> None:
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
async def test_a_session_lives_two_hours_unless_remembered(
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


async def test_an_expired_session_means_401_and_a_restarted_one_403(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    cookies = http.cookies
    await controller.restart()
    assert (await http.get("/api/self/sites")).status == 403
    http.session.cookie_jar.clear()
    await http.login()
    assert http.cookies != cookies
    await controller.expire_sessions()
    assert (await http.get("/api/self/sites")).status == 401


async def test_a_logout_ends_the_session(
    http: HttpClient, controller: SimulatedController, flavour: Flavour
) -> None:
    await http.login()
    unifi_os = flavour is Flavour.UNIFI_OS
    await http.request("POST", "/api/auth/logout" if unifi_os else "/api/logout")
    assert len(controller.state.sessions) == 0
    assert (await http.get("/api/self/sites")).status == 401


@UNIFI_OS
async def test_the_root_can_hand_out_a_stale_cookie(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    await http.request("GET", "/")
    assert (await http.get("/api/self/sites")).status == 200
    controller.faults.stale_root_cookie = True
    await http.request("GET", "/")
    assert (await http.get("/api/self/sites")).status == 401


async def test_a_booting_application_answers_everything_alike(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    for phase in Booting:
        controller.faults.booting = phase
        for path in ("/api/self/sites", "/wss/s/default/events"):
            answer = await http.get(path)
            assert (answer.status, answer.content_type) == (int(phase), "text/html")
    controller.faults.booting = None
    assert (await http.get("/api/self/sites")).status == 200
