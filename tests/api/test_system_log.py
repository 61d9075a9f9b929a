"""Tests of reading the v2 system log, and of controllers without one."""

import asyncio
from itertools import cycle
import time
from typing import Any

import orjson
import pytest

from custom_components.unifi_scanner.api import (
    CannotConnectError,
    ClientLog,
    ControllerStartingError,
    NotPermittedError,
    NotSupportedError,
    RateLimitedError,
    UnexpectedResponseError,
    UnifiClient,
    UnifiError,
    client,
    system_log,
)
from tests.controller import Flavour, SimulatedController, rest
from tests.controller.models import Json
from tests.controller.system_log import system_log_page
from tests.controller.world import World

from .frames import DAMAGE

VERSION_WITH_LOG = {"network_version": "10.4.57"}


@pytest.fixture
def settings() -> dict[str, Any]:
    return VERSION_WITH_LOG


def roam_repeatedly(controller: SimulatedController, roams: int) -> None:
    places = cycle(("Kitchen", "Hall"))
    for _ in range(roams):
        controller.world.roam("Phone", next(places))


@pytest.mark.parametrize("flavour", list(Flavour))
async def test_client_log_has_a_roam_with_its_signal(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    before = time.time()
    happening = controller.world.roam("Phone", "Kitchen", signal=-61)
    (row,) = (await logged_in.client_log("default", before - 1, time.time() + 1)).rows
    assert row.id is not None
    assert (row.event.mac, row.event.ap_to, row.event.signal) == (
        happening.mac,
        controller.world.access_point("Kitchen").mac,
        -61,
    )
    assert row.event.logged
    assert row.event.received >= before
    earlier = await logged_in.client_log("default", before - 100, before - 1)
    assert earlier == ClientLog(rows=[], unread=0)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_damaged_name_leaves_the_other_rows_of_the_log_readable(
    controller: SimulatedController, logged_in: UnifiClient, damage: bytes
) -> None:
    roam_repeatedly(controller, 3)
    body = system_log_page(controller.world, {})
    body["data"][1]["parameters"]["CLIENT"]["name"] = "phone@@"
    raw = orjson.dumps(body).replace(b"@@", damage)
    controller.faults.refuse("*/v2/*", status=200, body=raw)
    rows = (await logged_in.client_log("default", 0, time.time() + 1)).rows
    assert [row.id for row in rows] == [row["id"] for row in body["data"]]
    hostname = rows[1].event.hostname
    assert hostname is not None
    assert hostname.startswith("phone")


async def test_client_log_reads_every_page(
    controller: SimulatedController, logged_in: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_log, "_PAGE_SIZE", 10)
    roam_repeatedly(controller, 35)
    log = await logged_in.client_log("default", 0, time.time() + 1)
    times = [row.event.time or 0 for row in log.rows]
    assert len({row.id for row in log.rows}) == len(times) == 35
    assert times == sorted(times, reverse=True)
    assert log.unread == 0
    assert len(controller.requests("/v2/")) == 4


async def test_client_log_of_more_than_4000_rows_is_complete(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    roam_repeatedly(controller, 4_500)
    log = await logged_in.client_log("default", 0, time.time() + 1)
    assert (len({row.id for row in log.rows}), log.unread) == (4_500, 0)


async def test_client_log_reads_a_limited_number_of_rows(
    controller: SimulatedController, logged_in: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_log, "_PAGE_SIZE", 10)
    monkeypatch.setattr(system_log, "_MAX_ROWS", 30)
    roam_repeatedly(controller, 50)
    newest = list(controller.world.truth)[-30]
    log = await logged_in.client_log("default", 0, time.time() + 1)
    assert (len(log.rows), log.unread) == (30, 20)
    assert log.rows[-1].event.time == pytest.approx(newest.time, abs=0.001)
    assert len(controller.requests("/v2/")) == 3


async def test_client_log_that_takes_too_long_is_read_in_part(
    controller: SimulatedController, logged_in: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_log, "_PAGE_SIZE", 10)
    monkeypatch.setattr(client, "_LOG_TIMEOUT", 0.5)
    roam_repeatedly(controller, 35)
    page = rest.system_log_page

    def answer(world: World, query: Json) -> Json:
        if query["pageNumber"] == 2:
            controller.faults.hang("*/v2/*")
        return page(world, query)

    monkeypatch.setattr(rest, "system_log_page", answer)
    log = await logged_in.client_log("default", 0, time.time() + 1)
    assert (len(log.rows), log.unread) == (30, 5)
    with pytest.raises(CannotConnectError):
        await logged_in.client_log("default", 0, time.time() + 1)


async def test_client_log_stops_at_pages_that_repeat(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    """Otherwise a controller that ignores page numbers would be asked hundreds of times."""
    roam_repeatedly(controller, 3)
    body = {"data": system_log_page(controller.world, {})["data"]}
    controller.faults.refuse("*/v2/*", status=200, body=body)
    log = await logged_in.client_log("default", 0, time.time() + 1)
    assert {row.id for row in log.rows} == {row["id"] for row in body["data"]}
    assert len(controller.requests("/v2/")) == 2


async def test_client_log_stops_at_rows_from_before_the_range(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    """Otherwise a controller that ignores the range would be asked hundreds of times."""
    row = {"key": "ADMIN_LOGIN", "timestamp": 1_700_000_000_000}
    body = {"data": [row], "total_page_count": 400}
    controller.faults.refuse("*/v2/*", status=200, body=body)
    assert (await logged_in.client_log("default", 1_700_000_001, 1_800_000_000)).unread == 0
    assert len(controller.requests("/v2/")) == 1


async def test_client_log_page_that_is_larger_than_requested_lets_other_tasks_run(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    roam_repeatedly(controller, 3_000)
    body = system_log_page(controller.world, {"pageSize": 3_000})
    controller.faults.refuse("*/v2/*", status=200, body=body)
    task = asyncio.ensure_future(logged_in.client_log("default", 0, time.time() + 1))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert len((await task).rows) == 3_000
    assert turns > 15 + len(orjson.dumps(body)) / 70_000


@pytest.mark.parametrize(
    "body",
    [
        {"data": [None, 7, {"key": "CLIENT_ROAMED_2"}, {"id": 5, "parameters": []}]},
        {"data": [], "total_page_count": 400},
        {"data": [{"key": "ADMIN_LOGIN"}], "total_page_count": 1},
    ],
)
async def test_client_log_skips_rows_that_are_not_about_wifi_clients(
    controller: SimulatedController, logged_in: UnifiClient, body: object
) -> None:
    controller.faults.refuse("*/v2/*", status=200, body=body, times=1)
    assert (await logged_in.client_log("default", 0, 1)).rows == []


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"<html>", NotSupportedError),
        (405, b"", NotSupportedError),
        (400, {"errorCode": 400, "message": "api.err.InvalidPayload"}, NotSupportedError),
        (400, {"errorCode": 400, "message": "api.err.LoginRequired"}, NotPermittedError),
        (401, b"Unauthorized", NotPermittedError),
        (403, b"", NotPermittedError),
        (429, b"", RateLimitedError),
        (502, b"<html>", ControllerStartingError),
        (418, b"", UnexpectedResponseError),
        (200, b"<html>", UnexpectedResponseError),
        (200, [], UnexpectedResponseError),
        (200, {"data": {}}, UnexpectedResponseError),
    ],
)
async def test_response_to_client_log_maps_to_an_error(
    controller: SimulatedController,
    logged_in: UnifiClient,
    status: int,
    body: object,
    error: type[UnifiError],
) -> None:
    controller.faults.refuse("*/v2/*", status=status, body=body)
    with pytest.raises(error):
        await logged_in.client_log("default", 0, 1)
    assert len(controller.requests("/v2/")) == 1


def test_log_query_times_are_in_milliseconds() -> None:
    body = orjson.loads(orjson.dumps(system_log.log_query(1_700_000_000.25, 1_700_000_060.5, 3)))
    assert body["timestampFrom"] == 1_700_000_000_250
    assert body["timestampTo"] == 1_700_000_060_500
    assert body["pageNumber"] == 3


async def test_client_log_is_readable_after_detecting_the_kind(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.faults.stale_root_cookie = True
    await logged_in.detect()
    assert (await logged_in.client_log("default", 0, 1)).rows == []
