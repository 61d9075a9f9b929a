"""Logins, cookies, CSRF and sessions of the simulated controller (protocol.md 2)."""

import base64
from http.cookies import SimpleCookie
import json
from typing import Any

import pytest

from tests.controller import Booting, Flavour, Rejection, SimulatedController

from .conftest import Visitor

UNIFI_OS = pytest.mark.parametrize("flavour", [Flavour.UNIFI_OS])
SELF_HOSTED = pytest.mark.parametrize("flavour", [Flavour.SELF_HOSTED])


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return decoded


@UNIFI_OS
async def test_unifi_os_shows_itself_and_its_first_cookie_opens_nothing(visitor: Visitor) -> None:
    root = await visitor.ask("GET", "/")
    assert (root.status, root.content_type) == (200, "text/html")
    assert root.headers["X-CSRF-Token"] == claims(visitor.cookies["TOKEN"])["csrfToken"]
    assert (await visitor.get("/api/self/sites")).status == 401


@SELF_HOSTED
async def test_a_self_hosted_application_redirects_to_manage(visitor: Visitor) -> None:
    root = await visitor.ask("GET", "/")
    assert (root.status, root.headers["Location"]) == (302, "/manage")


@UNIFI_OS
@pytest.mark.parametrize("settings", [{}, {"cookie": "UOS_TOKEN", "partitioned": True}])
async def test_unifi_os_sets_a_jwt_with_the_csrf_value(
    visitor: Visitor, controller: SimulatedController
) -> None:
    answer = await visitor.login(rememberMe=True)
    name = controller.settings.cookie
    assert answer.status == 200
    assert answer.headers["X-CSRF-Token"] == claims(visitor.cookies[name])["csrfToken"]
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Strict"))
    assert ("Partitioned" in cookie) is controller.settings.partitioned
    assert (await visitor.get("/api/self/sites")).status == 200


@SELF_HOSTED
async def test_a_self_hosted_application_sets_two_cookies(visitor: Visitor) -> None:
    answer = await visitor.login()
    assert await answer.json() == {"meta": {"rc": "ok"}, "data": []}
    assert set(visitor.cookies) == {"unifises", "csrf_token"}
    assert len(answer.headers.getall("Set-Cookie")) == 2
    assert (await visitor.get("/api/self/sites")).status == 200


@UNIFI_OS
@pytest.mark.parametrize(
    ("rejection", "status", "key"),
    [(Rejection.ERRORS_401, 401, "errors"), (Rejection.CODE_403, 403, "code")],
)
async def test_a_wrong_password_is_told_in_the_words_of_the_build(
    visitor: Visitor,
    controller: SimulatedController,
    rejection: Rejection,
    status: int,
    key: str,
) -> None:
    controller.faults.rejection = rejection
    answer = await visitor.login("wrong")
    assert answer.status == status
    assert key in await answer.json()
    assert (controller.login_attempts, controller.logins) == (1, 0)


@UNIFI_OS
@pytest.mark.parametrize(
    ("settings", "status"),
    [({"network_version": "9.4.19"}, 401), ({"network_version": "10.4.57"}, 403)],
)
async def test_newer_builds_say_403_to_a_wrong_password(visitor: Visitor, status: int) -> None:
    assert (await visitor.login("wrong")).status == status


@SELF_HOSTED
async def test_a_self_hosted_application_says_invalid_to_a_wrong_password(
    visitor: Visitor,
) -> None:
    answer = await visitor.login("wrong")
    assert answer.status == 400
    assert (await answer.json())["meta"] == {"rc": "error", "msg": "api.err.Invalid"}


async def test_a_second_factor_is_asked_for_and_taken(
    visitor: Visitor, controller: SimulatedController, flavour: Flavour
) -> None:
    controller.faults.login_code = "246802"
    answer = await visitor.login()
    body = await answer.json()
    if flavour is Flavour.UNIFI_OS:
        assert answer.status == 499
        assert (await visitor.login(token="246802")).status == 499
        name, _, value = body["data"]["mfaCookie"].partition("=")
        visitor.session.cookie_jar.update_cookies(SimpleCookie({name: value}), answer.url.origin())
        assert (await visitor.login(token="246802")).status == 200
    else:
        assert body["meta"]["msg"] == "api.err.Ubic2faTokenRequired"
        assert (await visitor.login(ubic_2fa_token="246802")).status == 200
    assert controller.logins == 1


@UNIFI_OS
async def test_a_request_without_a_session_gets_plain_text_and_loses_its_cookie(
    visitor: Visitor,
) -> None:
    answer = await visitor.get("/api/self/sites")
    assert (answer.status, await answer.text()) == (401, "Unauthorized")
    assert answer.content_type == "text/plain"
    assert "1970" in answer.headers["Set-Cookie"]
    v2 = await visitor.get("/v2/api/site/default/clients/active")
    assert (await v2.json())["message"] == "api.err.LoginRequired"


@UNIFI_OS
@pytest.mark.parametrize("settings", [{"network_version": "10.4.57"}])
async def test_a_write_needs_the_csrf_value(visitor: Visitor) -> None:
    await visitor.login()
    right = visitor.csrf
    assert (await visitor.get("/api/self/sites", csrf=False)).status == 200
    path = "/v2/api/site/default/system-log/all"
    visitor.csrf = "stale"
    assert (await visitor.ask("POST", f"{visitor.prefix}{path}", json={})).status == 403
    visitor.csrf = right
    assert (await visitor.ask("POST", f"{visitor.prefix}{path}", json={})).status == 200


async def test_a_rotating_csrf_value_is_needed_by_reads_too(
    visitor: Visitor, controller: SimulatedController, flavour: Flavour
) -> None:
    controller.faults.rotate_csrf = True
    await visitor.login()
    if flavour is Flavour.SELF_HOSTED:
        visitor.csrf = visitor.cookies["csrf_token"]
    seen = set()
    for _ in range(3):
        stale = visitor.csrf
        assert (await visitor.get("/api/self/sites")).status == 200
        seen.add(visitor.csrf)
    assert len(seen) == 3
    visitor.csrf = stale
    assert (await visitor.get("/api/self/sites")).status in (401, 403)


async def test_logins_are_limited_and_good_ones_count(flavour: Flavour) -> None:
    now = [1_000_000.0]
    async with SimulatedController(flavour=flavour, clock=lambda: now[0]) as controller:
        visitor = Visitor(controller)
        controller.faults.limit_logins(3, lock_seconds=90, retry_after=77)
        assert [(await visitor.login()).status for _ in range(4)] == [200, 200, 200, 429]
        refused = await visitor.login()
        assert refused.headers["Retry-After"] == "77"
        assert (await refused.json())["code"] == "AUTHENTICATION_FAILED_LIMIT_REACHED"
        now[0] += 91
        assert (await visitor.login()).status == 200
        await visitor.session.close()


async def test_a_lock_can_start_anew_with_each_attempt() -> None:
    now = [1_000_000.0]
    async with SimulatedController(clock=lambda: now[0]) as controller:
        visitor = Visitor(controller)
        controller.faults.limit_logins(lock_seconds=600, extends=True, locked_until=now[0] + 600)
        now[0] += 599
        assert (await visitor.login()).status == 429
        now[0] += 599
        assert (await visitor.login()).status == 429
        now[0] += 601
        assert (await visitor.login()).status == 200
        await visitor.session.close()


@pytest.mark.parametrize(
    ("fields", "days"), [({}, 0), ({"remember": True}, 0), ({"rememberMe": True}, 29)]
)
async def test_a_session_lives_two_hours_unless_remembered(
    fields: dict[str, bool], days: int
) -> None:
    now = [1_000_000.0]
    async with SimulatedController(clock=lambda: now[0]) as controller:
        visitor = Visitor(controller)
        await visitor.login(**fields)
        now[0] += 7000
        assert (await visitor.get("/api/self/sites")).status == 200
        now[0] += 300
        assert (await visitor.get("/api/self/sites")).status == (200 if days else 401)
        now[0] += days * 86_400
        assert (await visitor.get("/api/self/sites")).status == (200 if days else 401)
        await visitor.session.close()


async def test_an_expired_session_means_401_and_a_restarted_one_403(
    visitor: Visitor, controller: SimulatedController
) -> None:
    await visitor.login()
    cookies = visitor.cookies
    await controller.restart()
    assert (await visitor.get("/api/self/sites")).status == 403
    visitor.session.cookie_jar.clear()
    await visitor.login()
    assert visitor.cookies != cookies
    await controller.expire_sessions()
    assert (await visitor.get("/api/self/sites")).status == 401


async def test_a_logout_ends_the_session(
    visitor: Visitor, controller: SimulatedController, flavour: Flavour
) -> None:
    await visitor.login()
    unifi_os = flavour is Flavour.UNIFI_OS
    await visitor.ask("POST", "/api/auth/logout" if unifi_os else "/api/logout")
    assert len(controller.console.sessions) == 0
    assert (await visitor.get("/api/self/sites")).status == 401


@UNIFI_OS
async def test_the_root_can_hand_out_a_stale_cookie(
    visitor: Visitor, controller: SimulatedController
) -> None:
    await visitor.login()
    await visitor.ask("GET", "/")
    assert (await visitor.get("/api/self/sites")).status == 200
    controller.faults.stale_root_cookie = True
    await visitor.ask("GET", "/")
    assert (await visitor.get("/api/self/sites")).status == 401


async def test_a_booting_application_answers_everything_alike(
    visitor: Visitor, controller: SimulatedController
) -> None:
    await visitor.login()
    for phase in Booting:
        controller.faults.booting = phase
        for path in ("/api/self/sites", "/wss/s/default/events"):
            answer = await visitor.get(path)
            assert (answer.status, answer.content_type) == (int(phase), "text/html")
    controller.faults.booting = None
    assert (await visitor.get("/api/self/sites")).status == 200
