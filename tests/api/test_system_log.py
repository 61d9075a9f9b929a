"""Tests of reading the v2 system log, and of controllers without one."""

from itertools import cycle
import time
from typing import Any

import orjson
import pytest

from custom_components.unifi_scanner.api import (
    ControllerStartingError,
    NotSupportedError,
    RateLimitedError,
    SessionExpiredError,
    UnexpectedResponseError,
    UnifiClient,
    UnifiError,
    system_log,
)
from tests.controller import Flavour, SimulatedController

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
    (row,) = await logged_in.client_log("default", before - 1, time.time() + 1)
    assert row.id is not None
    assert (row.event.mac, row.event.ap_to, row.event.signal) == (
        happening.mac,
        controller.world.access_point("Kitchen").mac,
        -61,
    )
    assert row.event.logged
    assert row.event.received >= before
    assert await logged_in.client_log("default", before - 100, before - 1) == ()


async def test_client_log_reads_every_page(
    controller: SimulatedController, logged_in: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_log, "_PAGE_SIZE", 10)
    roam_repeatedly(controller, 35)
    rows = await logged_in.client_log("default", 0, time.time() + 1)
    assert len({row.id for row in rows}) == len(rows) == 35
    assert len(controller.requests("/v2/")) == 4


async def test_client_log_reads_a_limited_number_of_pages(
    controller: SimulatedController, logged_in: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_log, "_PAGE_SIZE", 1)
    roam_repeatedly(controller, 50)
    rows = await logged_in.client_log("default", 0, time.time() + 1)
    assert len(rows) == len(controller.requests("/v2/")) == system_log.MAX_PAGES


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
    assert await logged_in.client_log("default", 0, 1) == ()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"<html>", NotSupportedError),
        (405, b"", NotSupportedError),
        (400, {"errorCode": 400, "message": "api.err.InvalidPayload"}, NotSupportedError),
        (400, {"errorCode": 400, "message": "api.err.LoginRequired"}, SessionExpiredError),
        (401, b"Unauthorized", SessionExpiredError),
        (403, b"", SessionExpiredError),
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
    assert await logged_in.client_log("default", 0, 1) == ()
