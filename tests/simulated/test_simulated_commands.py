"""Tests of the simulated controller's commands other than the kick."""

from typing import Any

import aiohttp
import pytest

from tests.controller import SimulatedController

from .conftest import HttpClient, next_frame

PHONE = "02:00:00:00:00:0a"
UNKNOWN = "02:00:00:00:00:ff"


@pytest.fixture(autouse=True)
async def _phone(controller: SimulatedController, http: HttpClient) -> None:
    controller.world.add_client("Ben's phone", mac=PHONE, ap="Kitchen")
    await http.login()


async def command(http: HttpClient, name: str, **fields: Any) -> aiohttp.ClientResponse:
    path = f"{http.prefix}/api/s/default/cmd/stamgr"
    return await http.request("POST", path, json={"cmd": name, **fields})


async def data(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    assert response.status == 200
    rows: list[dict[str, Any]] = (await response.json())["data"]
    return rows


async def connected(http: HttpClient) -> set[str]:
    return {row["mac"] for row in await http.records("/api/s/default/stat/sta")}


async def test_blocked_client_is_disconnected_and_known_as_blocked_until_unblocked(
    http: HttpClient,
) -> None:
    async with await http.open_socket() as socket:
        [row] = await data(await command(http, "block-sta", mac=PHONE))
        assert (row["mac"], row["blocked"]) == (PHONE, True)
        keys = [(await next_frame(socket, "events"))["data"][0]["key"] for _ in range(2)]
        assert keys == ["EVT_WU_Disconnected", "EVT_WC_Blocked"]
        assert (await next_frame(socket, "user:sync"))["data"][0]["blocked"] is True
        assert PHONE not in await connected(http)
        users = await http.records("/api/s/default/rest/user")
        assert [user["mac"] for user in users if user["blocked"]] == [PHONE]

        [row] = await data(await command(http, "unblock-sta", mac=PHONE))
        assert row["blocked"] is False
        event = (await next_frame(socket, "events"))["data"][0]
        assert (event["key"], event["client"]) == ("EVT_WC_Unblocked", PHONE)
        assert (await next_frame(socket, "user:sync"))["data"][0]["blocked"] is False


@pytest.mark.parametrize("settings", [{"kicked_seconds": 0.05}])
@pytest.mark.parametrize("then", ["block-sta", "forget-sta"])
async def test_kicked_client_that_is_blocked_or_forgotten_does_not_reconnect(
    http: HttpClient, controller: SimulatedController, then: str
) -> None:
    await command(http, "kick-sta", mac=PHONE)
    await command(http, then, mac=PHONE, macs=[PHONE])
    tasks = controller._server._commands._reconnects
    assert len(tasks) == 1
    [await task for task in list(tasks)]
    assert PHONE not in await connected(http)


async def test_forgotten_client_is_in_no_list_any_more(http: HttpClient) -> None:
    async with await http.open_socket() as socket:
        rows = await data(await command(http, "forget-sta", macs=[PHONE, UNKNOWN]))
        assert [row["mac"] for row in rows] == [PHONE]
        assert [r["mac"] for r in (await next_frame(socket, "user:delete"))["data"]] == [PHONE]
    users = await http.records("/api/s/default/rest/user")
    assert PHONE not in await connected(http) | {user["mac"] for user in users}


async def test_guest_is_unauthorized_until_the_command(
    http: HttpClient, controller: SimulatedController
) -> None:
    guest = controller.world.add_client("Guest", is_guest=True, authorized=False, ap="Hall")

    async def authorized() -> bool:
        rows = await http.records("/api/s/default/stat/sta")
        return [row["authorized"] for row in rows if row["mac"] == guest.mac] == [True]

    assert not await authorized()
    async with await http.open_socket() as socket:
        [row] = await data(await command(http, "authorize-guest", mac=guest.mac, minutes=5))
        assert (row["mac"], row["end"] - row["start"]) == (guest.mac, 300)
        assert (await next_frame(socket, "sta:sync"))["data"][0]["authorized"] is True
    assert await authorized()


@pytest.mark.parametrize("name", ["block-sta", "unblock-sta"])
async def test_command_for_an_unknown_client_is_answered_without_records(
    http: HttpClient, name: str
) -> None:
    assert await data(await command(http, name, mac=UNKNOWN)) == []
