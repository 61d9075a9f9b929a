"""The command that makes a client connect anew, against a simulated controller."""

from typing import Any

import pytest

from custom_components.unifi_scanner.api import (
    ClientNotConnectedError,
    ControllerStartingError,
    NotPermittedError,
    SessionExpiredError,
    SiteUnknownError,
    UnexpectedAnswerError,
    UnifiClient,
    UnifiError,
)
from tests.controller import Flavour, SimulatedController

BOTH_KINDS = pytest.mark.parametrize("flavour", list(Flavour))
LOOKS_ONLY = pytest.mark.parametrize("settings", [{"role": "readonly"}])
COMMAND = "cmd/stamgr"


def phone(controller: SimulatedController) -> str:
    return controller.world.client("Phone").mac


def error(code: str) -> dict[str, Any]:
    return {"meta": {"rc": "error", "msg": code}, "data": []}


@BOTH_KINDS
async def test_a_client_is_cut_off(controller: SimulatedController, logged_in: UnifiClient) -> None:
    await logged_in.reconnect_client("default", phone(controller))
    assert not controller.world.client("Phone").connected
    assert [request.status for request in controller.requests(COMMAND)] == [200]


async def test_a_csrf_token_that_changes_is_followed(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.faults.rotate_csrf = True
    await logged_in.stations("default")
    await logged_in.reconnect_client("default", phone(controller))
    assert not controller.world.client("Phone").connected


@BOTH_KINDS
async def test_a_client_without_a_link_is_told(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.world.disconnect("Phone")
    with pytest.raises(ClientNotConnectedError):
        await logged_in.reconnect_client("default", phone(controller))


@BOTH_KINDS
@LOOKS_ONLY
async def test_an_account_that_may_only_look_is_told_at_once(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    with pytest.raises(NotPermittedError):
        await logged_in.reconnect_client("default", phone(controller))
    assert len(controller.requests(COMMAND)) == 1
    assert controller.requests("self/sites") == []
    assert controller.world.client("Phone").connected


@BOTH_KINDS
async def test_a_missing_right_in_the_words_of_an_ended_session_is_told_apart_by_reading(
    controller: SimulatedController, logged_in: UnifiClient
) -> None:
    controller.faults.refuse(f"*{COMMAND}", status=403, body="Forbidden")
    with pytest.raises(NotPermittedError):
        await logged_in.reconnect_client("default", phone(controller))
    assert len(controller.requests("self/sites")) == 1


@BOTH_KINDS
@LOOKS_ONLY
async def test_a_session_that_has_ended_is_no_missing_right(
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
        (400, error("api.err.ServerBusy"), UnexpectedAnswerError),
        (200, {"meta": {"rc": "ok"}}, UnexpectedAnswerError),
        (502, "Bad Gateway", ControllerStartingError),
    ],
)
async def test_what_the_answer_means(
    controller: SimulatedController,
    logged_in: UnifiClient,
    status: int,
    body: object,
    kind: type[UnifiError],
) -> None:
    controller.faults.refuse(f"*{COMMAND}", status=status, body=body)
    with pytest.raises(kind):
        await logged_in.reconnect_client("default", phone(controller))
