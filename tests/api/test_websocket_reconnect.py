"""The stream comes back: after closes, silence, restarts and expired sessions."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import logging
from random import Random
from typing import override
from unittest.mock import patch

import pytest

from custom_components.unifi_scanner.api import (
    BadCredentialsError,
    BufferedEvent,
    CannotConnectError,
    DeviceType,
    RateLimitedError,
    ReconnectPolicy,
    SecondFactorRequiredError,
    SessionExpiredError,
    StreamState,
    UnifiClient,
    UnifiError,
    UnifiWebSocketClient,
)
from tests.controller import Booting, Flavour, SimulatedController, make_certificate

from .conftest import MakeSocket, until

DICE = Random(1)  # noqa: S311 - dice
LOGGER = "custom_components.unifi_scanner.api.websocket"


@dataclass(frozen=True, kw_only=True)
class Recorded(ReconnectPolicy):
    """Waits hardly at all and keeps which attempts it was asked about."""

    attempts: list[int] = field(default_factory=list)
    stable_after: float = 60

    @override
    def delay(self, attempt: int, random: Random) -> float:
        self.attempts.append(attempt)
        return 0.005


@asynccontextmanager
async def streaming(
    socket: UnifiWebSocketClient, on_event: Callable[[BufferedEvent], None] = lambda _: None
) -> AsyncGenerator[asyncio.Task[None]]:
    """Listen during a block."""
    listening = asyncio.create_task(socket.listen(on_event))
    try:
        yield listening
    finally:
        await socket.stop()
        await asyncio.wait([listening])


@pytest.fixture
def renew(
    controller: SimulatedController, logged_in: UnifiClient
) -> Callable[[], Awaitable[dict[str, str]]]:
    """Log in anew and return the fresh cookies."""

    async def renew() -> dict[str, str]:
        await logged_in.login(controller.username, controller.password)
        return logged_in.cookies

    return renew


@pytest.mark.parametrize("code", [None, 1000, 1001, 1008, 1011])
async def test_after_a_close_of_any_kind_the_stream_goes_on(
    controller: SimulatedController, make_socket: MakeSocket, code: int | None
) -> None:
    events: list[BufferedEvent] = []
    socket = make_socket()
    async with streaming(socket, events.append):
        for round_trip in range(3):
            await controller.wait_for_sockets()
            await until(lambda: socket.is_connected)
            await controller.roam("Phone", "Kitchen" if round_trip % 2 else "Hall")
            await until(lambda count=round_trip + 1: len(events) == count)
            await controller.close_sockets(code)
            await until(lambda: not socket.is_connected)


async def test_after_a_restart_the_stream_goes_on(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    async with streaming(socket):
        await controller.wait_for_sockets()
        await controller.restart(0.05, forget_sessions=False)
        await controller.wait_for_sockets()


@pytest.mark.parametrize("booting", list(Booting))
async def test_a_booting_controller_is_waited_for(
    controller: SimulatedController, make_socket: MakeSocket, booting: Booting
) -> None:
    socket = make_socket()
    controller.faults.booting = booting
    async with streaming(socket):
        await until(lambda: len(controller.requests("/events")) >= 3)
        controller.faults.booting = None
        await controller.wait_for_sockets()
    assert controller.login_attempts == 1


async def test_a_peer_that_answers_no_ping_is_left(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    handshake = "custom_components.unifi_scanner.api.socket"
    with patch.multiple(handshake, _PING_INTERVAL=0.05, _PING_TIMEOUT=0.05, _CLOSE_TIMEOUT=0.05):
        socket = make_socket()
        async with streaming(socket):
            await controller.wait_for_sockets()
            await until(lambda: socket.is_connected)
            await asyncio.sleep(0.15)
            assert len(controller.requests("/events")) == 1
            controller.half_open()
            await controller.wait_for_sockets()
            assert len(controller.requests("/events")) == 2


def test_a_dead_peer_is_noticed_within_a_minute() -> None:
    from custom_components.unifi_scanner.api import socket  # noqa: PLC0415 - its constants only

    noticed = socket._PING_INTERVAL + socket._PING_TIMEOUT + socket._CLOSE_TIMEOUT
    assert noticed + ReconnectPolicy(jitter=0).delay(0, DICE) < 60


async def test_attempts_are_counted_on_while_nothing_is_stable(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    policy = Recorded()
    socket = make_socket(reconnect=policy)
    async with streaming(socket):
        for _ in range(5):
            await controller.wait_for_sockets()
            await until(lambda: socket.is_connected)
            await controller.close_sockets()
            await until(lambda: not socket.is_connected)
        await controller.wait_for_sockets()
    assert policy.attempts == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("stable_after", "told", "attempts"),
    [(0.02, True, [0, 0]), (0.02, False, [0, 1]), (60, True, [0, 1])],
)
async def test_attempts_are_counted_anew_after_stable_time_with_frames(
    controller: SimulatedController,
    make_socket: MakeSocket,
    stable_after: float,
    attempts: list[int],
    *,
    told: bool,
) -> None:
    policy = Recorded(stable_after=stable_after)
    socket = make_socket(reconnect=policy)
    controller.faults.silent = True
    await controller.close_sockets()
    controller.faults.refuse("*/events", status=503, times=1)
    async with streaming(socket):
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        if told:
            controller.faults.silent = False
            before = socket.statistics.frames
            await controller.send("pong")
            await until(lambda: socket.statistics.frames > before)
        await asyncio.sleep(0.04)
        await controller.close_sockets()
        await until(lambda: len(policy.attempts) == 2)
    assert policy.attempts == attempts


async def test_a_session_that_expired_is_renewed_once_and_at_once(
    controller: SimulatedController,
    make_socket: MakeSocket,
    renew: Callable[[], Awaitable[dict[str, str]]],
) -> None:
    policy = Recorded()
    events: list[BufferedEvent] = []
    socket = make_socket(renew_session=renew, reconnect=policy)
    async with streaming(socket, events.append):
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        await controller.expire_sessions(close_code=1008)
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        await controller.roam("Phone", "Kitchen")
        await until(lambda: events)
    assert controller.login_attempts == 2
    # One wait for the close, none for the renewal.
    assert policy.attempts == [0]


@pytest.mark.parametrize("status", [401, 403])
async def test_connect_renews_an_expired_session_too(
    controller: SimulatedController,
    make_socket: MakeSocket,
    renew: Callable[[], Awaitable[dict[str, str]]],
    status: int,
) -> None:
    controller.faults.refuse("*/events", status=status, times=1)
    socket = make_socket(renew_session=renew)
    assert await socket.connect() is True
    assert controller.login_attempts == 2


async def test_a_session_rejected_after_its_renewal_is_tried_again_later(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    renewals: list[int] = []
    policy = Recorded()

    async def renew() -> dict[str, str]:
        renewals.append(len(policy.attempts))
        return {"TOKEN": "useless"}

    socket = make_socket(renew_session=renew, reconnect=policy)
    await controller.expire_sessions()
    async with streaming(socket):
        await until(lambda: len(renewals) == 3)
    # Each round asks for one renewal, and the rounds get rarer.
    assert renewals == [0, 1, 2]
    assert policy.attempts[:2] == [0, 1]


@pytest.mark.parametrize("status", [401, 403])
async def test_without_a_renewal_an_expired_session_is_reported(
    controller: SimulatedController, make_socket: MakeSocket, status: int
) -> None:
    controller.faults.refuse("*/events", status=status)
    socket = make_socket()
    assert await socket.connect() is False
    with pytest.raises(SessionExpiredError):
        await socket.listen(print)
    assert socket.state is StreamState.STOPPED


@pytest.mark.parametrize(
    "error",
    [BadCredentialsError("no", definite=True), SecondFactorRequiredError("code, please")],
)
async def test_credentials_that_are_rejected_end_the_stream(
    controller: SimulatedController, make_socket: MakeSocket, error: UnifiError
) -> None:
    async def renew() -> dict[str, str]:
        raise error

    await controller.expire_sessions()
    socket = make_socket(renew_session=renew)
    assert await socket.connect() is False
    with pytest.raises(type(error)) as caught:
        await socket.listen(print)
    assert caught.value is error
    assert socket.state is StreamState.STOPPED


@pytest.mark.parametrize(
    "error", [CannotConnectError("down"), OSError("down"), TimeoutError(), RuntimeError("a bug")]
)
async def test_a_renewal_that_fails_otherwise_is_tried_again(
    controller: SimulatedController,
    make_socket: MakeSocket,
    renew: Callable[[], Awaitable[dict[str, str]]],
    error: Exception,
) -> None:
    failures = 2

    async def renew_at_last() -> dict[str, str]:
        nonlocal failures
        if failures:
            failures -= 1
            raise error
        return await renew()

    await controller.expire_sessions()
    async with streaming(make_socket(renew_session=renew_at_last)):
        await controller.wait_for_sockets()
    assert failures == 0


@pytest.mark.parametrize("by_handshake", [True, False])
async def test_a_limit_is_waited_for(
    controller: SimulatedController, make_socket: MakeSocket, *, by_handshake: bool
) -> None:
    async def renew() -> dict[str, str]:
        raise RateLimitedError("slower", retry_after=123)

    waits: list[float] = []
    sleep = asyncio.sleep

    async def quick(delay: float) -> None:
        if delay > 1:
            waits.append(delay)
        await sleep(0.005)

    if by_handshake:
        controller.faults.refuse("*/events", status=429, headers={"Retry-After": "123"})
    else:
        await controller.expire_sessions()
    socket = make_socket(renew_session=renew)
    module = "custom_components.unifi_scanner.api.websocket"
    with patch(f"{module}.asyncio.sleep", quick):
        async with streaming(socket):
            async with asyncio.timeout(5):
                while len(waits) < 2:
                    await sleep(0.002)
    assert waits[:2] == [123, 123]


async def test_a_failure_is_logged_once_and_the_recovery_once(
    controller: SimulatedController, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)

    def told() -> list[tuple[int, str]]:
        return [(r.levelno, r.getMessage()) for r in caplog.records if r.name == LOGGER]

    socket = make_socket()
    async with streaming(socket):
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        assert told() == []
        controller.faults.booting = Booting.BAD_GATEWAY
        await controller.close_sockets(1001)
        await until(lambda: len(controller.requests("/events")) >= 5)
        down = (
            logging.WARNING,
            "The event stream is down: reason='The connection was closed, code 1001'",
        )
        assert told() == [down]
        controller.faults.booting = None
        await until(lambda: socket.is_connected)
        assert told() == [down, (logging.INFO, "The event stream is up again")]
        await controller.close_sockets(1001)
        await until(lambda: not socket.is_connected)
        await until(lambda: socket.is_connected)
    assert len(told()) == 4


@pytest.mark.parametrize("flavour", list(Flavour))
async def test_the_path_follows_the_controllers_kind(
    controller: SimulatedController, make_socket: MakeSocket, logged_in: UnifiClient
) -> None:
    (wrong,) = set(DeviceType) - {logged_in.device_type}
    socket = make_socket(device_type=wrong, find_kind=logged_in.detect)
    guessed = socket.endpoint
    controller.faults.refuse("*/events", status=404, times=1)
    async with streaming(socket):
        await controller.wait_for_sockets()
    assert socket.endpoint != guessed
    assert controller.last_handshake is not None
    assert controller.last_handshake.cookies == logged_in.cookies
    assert [request.path for request in controller.requests()].count("/") == 2


@pytest.mark.parametrize("status", [200, 404, 502, 503])
async def test_the_kind_is_asked_after_each_answer_of_a_booting_controller(
    controller: SimulatedController, make_socket: MakeSocket, status: int
) -> None:
    asked: list[int] = []
    refused = controller.faults.refuse("*/events", status=status, times=3)

    async def find_kind() -> DeviceType:
        asked.append(refused.hits)
        if len(asked) == 1:
            raise CannotConnectError("down")
        if len(asked) == 2:
            raise RuntimeError("a bug")
        return DeviceType.UNIFI_OS

    async with streaming(make_socket(find_kind=find_kind)):
        await controller.wait_for_sockets()
    # Without an answer no handshake is tried: it could go to the wrong path again.
    assert asked == [1, 1, 1, 2, 3]


async def test_a_closed_socket_leaves_no_doubt_about_the_kind(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    async def find_kind() -> DeviceType:
        raise AssertionError("Nobody asked")

    socket = make_socket(find_kind=find_kind)
    async with streaming(socket):
        await controller.wait_for_sockets()
        await controller.close_sockets()
        await until(lambda: len(controller.requests("/events")) == 2)
        await controller.wait_for_sockets()


async def test_a_dropped_socket_is_opened_anew_at_once_and_in_silence(
    controller: SimulatedController, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    policy = Recorded()
    states: list[StreamState] = []
    socket = make_socket(reconnect=policy, on_state=states.append)
    async with streaming(socket):
        await socket.drop()
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        await socket.drop()
        await until(lambda: len(controller.requests("/events")) == 2)
        await until(lambda: socket.is_connected)
        assert controller.open_sockets == 1
        await controller.close_sockets()
        await until(lambda: policy.attempts)
    assert states[:5] == [
        StreamState.CONNECTING,
        StreamState.CONNECTED,
        StreamState.CONNECTING,
        StreamState.CONNECTED,
        StreamState.WAITING,
    ]
    assert policy.attempts[0] == 0
    assert caplog.text.count("stream is down") == 1


async def test_a_rejection_that_leaves_doubts_does_not_end_the_stream(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    rejections: list[int] = []

    async def renew() -> dict[str, str]:
        rejections.append(1)
        raise BadCredentialsError("no", definite=False)

    await controller.expire_sessions()
    async with streaming(make_socket(renew_session=renew)) as listening:
        await until(lambda: len(rejections) == 3)
        assert not listening.done()


async def test_another_certificate_keeps_the_cookies_at_home(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    policy = Recorded()
    socket = make_socket(reconnect=policy)
    async with streaming(socket):
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        await controller.restart(certificate=make_certificate())
        await until(lambda: len(policy.attempts) >= 3)
    assert len(controller.requests("/events")) == 1


async def test_fifty_short_connections_leave_no_task_behind(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket(reconnect=Recorded())
    async with streaming(socket):
        counts = []
        for _ in range(50):
            await controller.wait_for_sockets()
            await until(lambda: socket.is_connected)
            counts.append(len(asyncio.all_tasks()))
            await controller.close_sockets()
            await until(lambda: not socket.is_connected)
    assert max(counts[10:]) <= max(counts[:10]) + 2
