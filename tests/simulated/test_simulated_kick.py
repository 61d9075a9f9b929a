"""Tests of the simulated controller's kick command."""

import aiohttp
import pytest

from tests.controller import Flavour, SimulatedController

from .conftest import HttpClient, next_frame

PHONE = "02:00:00:00:00:0a"
QUICK = pytest.mark.parametrize("settings", [{"kicked_seconds": 0.01}])


@pytest.fixture(autouse=True)
def _phone(controller: SimulatedController) -> None:
    controller.world.add_client("Ben's phone", mac=PHONE, ap="Kitchen", signal=-61)


async def kick(
    http: HttpClient, mac: str = PHONE, *, site: str = "default", csrf: bool = True
) -> aiohttp.ClientResponse:
    return await http.request(
        "POST",
        f"{http.prefix}/api/s/{site}/cmd/stamgr",
        csrf=csrf,
        json={"cmd": "kick-sta", "mac": mac},
    )


@QUICK
async def test_kicked_client_disconnects_and_reconnects_to_the_same_access_point(
    controller: SimulatedController, http: HttpClient
) -> None:
    await http.login()
    link = controller.world.client(PHONE).link
    async with await http.open_socket() as socket:
        response = await kick(http)
        assert (response.status, await response.json()) == (200, {"meta": {"rc": "ok"}, "data": []})
        keys = [(await next_frame(socket, "events"))["data"][0]["key"] for _ in range(2)]
    assert keys == ["EVT_WU_Disconnected", "EVT_WU_Connected"]
    assert controller.world.client(PHONE).link == link


async def test_kicked_client_stays_away_for_a_while(http: HttpClient) -> None:
    await http.login()
    await kick(http)
    assert [row["name"] for row in await http.records("/api/s/default/stat/sta")] == [
        "Anna's phone"
    ]
    assert (await (await kick(http)).json())["meta"]["msg"] == "api.err.UnknownStation"


@pytest.mark.parametrize(
    ("mac", "site", "code"),
    [
        ("02:00:00:00:00:ff", "default", "api.err.UnknownStation"),
        (PHONE, "elsewhere", "api.err.NoSiteContext"),
    ],
)
async def test_kick_of_an_unknown_client_or_site_is_refused(
    http: HttpClient, mac: str, site: str, code: str
) -> None:
    await http.login()
    response = await kick(http, mac, site=site)
    assert (response.status, (await response.json())["meta"]["msg"]) == (400, code)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"cmd": "block-sta"}', b'{"cmd": "dance-sta", "mac": "0a"}']
)
async def test_unknown_or_incomplete_command_is_refused(http: HttpClient, body: bytes) -> None:
    await http.login()
    response = await http.request("POST", f"{http.prefix}/api/s/default/cmd/stamgr", data=body)
    assert (response.status, (await response.json())["meta"]["msg"]) == (
        400,
        "api.err.InvalidPayload",
    )


@pytest.mark.parametrize("settings", [{"role": "readonly"}])
async def test_kick_by_a_read_only_account_is_refused(
    controller: SimulatedController, http: HttpClient
) -> None:
    await http.login()
    assert [site["role"] for site in await http.records("/api/self/sites")] == ["readonly"]
    response = await kick(http)
    assert (response.status, (await response.json())["meta"]["msg"]) == (
        403,
        "api.err.NoPermission",
    )
    assert controller.world.client(PHONE).connected


async def test_kick_needs_the_csrf_token_on_unifi_os(flavour: Flavour, http: HttpClient) -> None:
    await http.login()
    response = await kick(http, csrf=False)
    assert response.status == (403 if flavour is Flavour.UNIFI_OS else 200)


async def test_kick_needs_a_session(http: HttpClient) -> None:
    assert (await kick(http)).status == 401
