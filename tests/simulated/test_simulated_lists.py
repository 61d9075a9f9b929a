"""Tests of the lists that our client does not request, but others do."""

from typing import Any

import pytest

from tests.controller import Band, SimulatedController

from .conftest import HttpClient

SITE = "/api/s/default"


@pytest.fixture(autouse=True)
async def _login(http: HttpClient) -> None:
    await http.login()


async def posted(http: HttpClient, path: str, **query: Any) -> list[dict[str, Any]]:
    response = await http.request("POST", f"{http.prefix}{SITE}/{path}", json=query)
    assert response.status == 200
    rows: list[dict[str, Any]] = (await response.json())["data"]
    return rows


@pytest.mark.parametrize(
    ("settings", "method", "count"),
    [
        ({"network_version": "9.5.21"}, "GET", 2),
        ({"network_version": "9.5.21"}, "POST", 2),
        ({"network_version": "10.0.162"}, "GET", 0),
        ({"network_version": "10.2.104"}, "POST", 0),
        ({"network_version": "10.2.105"}, "GET", None),
        ({"network_version": "10.2.105"}, "POST", None),
    ],
)
async def test_event_log_becomes_empty_and_then_not_found(
    http: HttpClient, controller: SimulatedController, method: str, count: int | None
) -> None:
    controller.world.roam("Anna's phone", "Kitchen")
    controller.world.roam_radio("Anna's phone", Band.NG)
    response = await http.request(method, f"{http.prefix}{SITE}/stat/event")
    if count is None:
        assert response.status == 404
    else:
        keys = [row["key"] for row in (await response.json())["data"]]
        assert keys == ["EVT_WU_RoamRadio", "EVT_WU_Roam"][:count]


async def test_event_log_can_be_limited_in_number_and_time(
    http: HttpClient, controller: SimulatedController
) -> None:
    controller.world.disconnect("Anna's phone", left=controller.world.clock() - 2 * 3600)
    controller.world.connect("Anna's phone", "Hall")
    assert len({row["_id"] for row in await posted(http, "stat/event", within=3)}) == 2
    for query in ({"within": 1}, {"_limit": 1}):
        assert [row["key"] for row in await posted(http, "stat/event", **query)] == [
            "EVT_WU_Connected"
        ]
    rows = await posted(http, "stat/event", _start=1)
    assert [row["key"] for row in rows] == ["EVT_WU_Disconnected"]


async def test_all_known_clients_are_listed_by_three_requests(
    http: HttpClient, controller: SimulatedController
) -> None:
    controller.world.add_client("Tablet")
    names = {"Anna's phone", "Tablet"}
    for rows in (
        await http.records(f"{SITE}/rest/user"),
        await http.records(f"{SITE}/list/user"),
        await posted(http, "stat/alluser", type="all", conn="all", within=24),
    ):
        assert {row["name"] for row in rows} == names
    assert await posted(http, "stat/alluser", type="blocked") == []
    controller.world.client("Tablet").blocked = True
    rows = await posted(http, "stat/alluser", type="blocked")
    assert [row["name"] for row in rows] == ["Tablet"]
    controller.world.client("Tablet").last_seen -= 25 * 3600
    rows = await posted(http, "stat/alluser", within=24)
    assert {row["name"] for row in rows} == {"Anna's phone"}


async def test_wireless_networks_are_listed_with_their_secrets(http: HttpClient) -> None:
    rows = await http.records(f"{SITE}/rest/wlanconf")
    assert {(row["name"], row["is_guest"]) for row in rows} == {("Home", False), ("Guests", True)}
    [client] = await http.records(f"{SITE}/stat/sta")
    assert client["wlanconf_id"] in {row["_id"] for row in rows if row["x_passphrase"]}


async def test_health_counts_clients_and_access_points(
    http: HttpClient, controller: SimulatedController
) -> None:
    controller.world.add_client("Guest", is_guest=True, ap="Hall")
    controller.world.add_client("Desktop", is_wired=True)
    controller.world.access_point("Kitchen").state = 0
    health = {row["subsystem"]: row for row in await http.records(f"{SITE}/stat/health")}
    assert set(health) == {"wlan", "wan", "www", "lan", "vpn"}
    assert (health["wlan"]["num_user"], health["wlan"]["num_guest"]) == (1, 1)
    assert (health["wlan"]["num_ap"], health["wlan"]["num_disconnected"]) == (2, 1)
    assert (health["lan"]["num_user"], health["wlan"]["status"]) == (1, "error")


@pytest.mark.parametrize("body", [b"{", b"[]"])
async def test_search_with_a_body_that_is_no_object_is_refused(
    http: HttpClient, body: bytes
) -> None:
    response = await http.request("POST", f"{http.prefix}{SITE}/stat/alluser", data=body)
    assert (response.status, (await response.json())["meta"]["msg"]) == (
        400,
        "api.err.InvalidPayload",
    )
