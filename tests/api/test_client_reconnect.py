"""Tests of the command that makes a client reconnect, against a simulated controller."""

from typing import Any

import pytest

from custom_components.unifi_scanner.api import (
    ClientNotConnectedError,
    ControllerStartingError,
    NotPermittedError,
    SessionExpiredError,
    SiteUnknownError,
    UnexpectedResponseError,
    UnifiClient,
    UnifiError,
)
from tests.controller import Flavour, SimulatedController

BOTH_KINDS = pytest.mark.parametrize("flavour", list(Flavour))
READ_ONLY = pytest.mark.parametrize("settings", [{"role": "readonly"}])
COMMAND = "cmd/stamgr"


def phone(controller: SimulatedController) -> str:
    return controller.world.client("Phone").mac


def error(code: str) -> dict[str, Any]:
    return {"meta": {"rc": "error", "msg": code}, "data": []}


@BOTH_KINDS
async def test_reconnect_client_disconnects_it(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    await logged_in.reconnect_client("default", phone(controller))
    assert not controller.world.client("Phone").connected
    assert [request.status for request in controller.requests(COMMAND)] == [200]


async def test_reconnect_client_sends_the_updated_csrf_token(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.faults.rotate_csrf = True
    await logged_in.stations("default")
    await logged_in.reconnect_client("default", phone(controller))
    assert not controller.world.client("Phone").connected


@BOTH_KINDS
async def test_reconnect_client_raises_if_it_is_not_connected(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.world.disconnect("Phone")
    with pytest.raises(ClientNotConnectedError):
        await logged_in.reconnect_client("default", phone(controller))


@BOTH_KINDS
@READ_ONLY
async def test_reconnect_client_with_a_read_only_account_raises_without_another_request(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    with pytest.raises(NotPermittedError):
        await logged_in.reconnect_client("default", phone(controller))
    assert len(controller.requests(COMMAND)) == 1
    assert controller.requests("self/sites") == []
    assert controller.world.client("Phone").connected


@BOTH_KINDS
async def test_reconnect_client_tells_a_missing_permission_from_an_expired_session_by_reading(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.faults.refuse(f"*{COMMAND}", status=403, body="Forbidden")
    with pytest.raises(NotPermittedError):
        await logged_in.reconnect_client("default", phone(controller))
    assert len(controller.requests("self/sites")) == 1


@BOTH_KINDS
@READ_ONLY
async def test_reconnect_client_with_an_expired_session_raises_session_expired(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    await controller.expire_sessions()
    with pytest.raises(SessionExpiredError):
        await logged_in.reconnect_client("default", phone(controller))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, error("api.err.UnknownStation"), ClientNotConnectedError),
        (400, error("api.err.UnknownUser"), ClientNotConnectedError),
        (200, error("api.err.NoPermission"), NotPermittedError),
        (401, error("api.err.NoPermission"), NotPermittedError),
        (400, error("api.err.NoSiteContext"), SiteUnknownError),
        (400, error("api.err.ServerBusy"), UnexpectedResponseError),
        (200, {"meta": {"rc": "ok"}}, UnexpectedResponseError),
        (502, "Bad Gateway", ControllerStartingError),
    ],
)
async def test_response_to_reconnect_client_maps_to_an_error(
    controller: SimulatedController,
    logged_in: UnifiClient,
    status: int,
    body: object,
    kind: type[UnifiError],
) -> None:
    controller.faults.refuse(f"*{COMMAND}", status=status, body=body)
    with pytest.raises(kind):
        await logged_in.reconnect_client("default", phone(controller))
