"""Tests that the event stream reconnects: after closes, silence, restarts, expired sessions."""

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

RANDOM = Random(1)  # noqa: S311 - not for security
LOGGER = "custom_components.unifi_scanner.api.websocket"


@dataclass(frozen=True, kw_only=True)
class RecordingPolicy(ReconnectPolicy):
    """Hardly waits, and records the attempts it is called with."""

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
    """Listen until the end of the block."""
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
    """Return a callback that logs in again and returns the new cookies."""

    async def renew() -> dict[str, str]:
        await logged_in.login(controller.username, controller.password)
        return logged_in.cookies

    return renew


@pytest.mark.parametrize("code", [None, 1000, 1001, 1008, 1011])
async def test_stream_reconnects_after_a_close_of_any_kind(
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


async def test_stream_reconnects_after_a_controller_restart(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    async with streaming(socket):
        await controller.wait_for_sockets()
        await controller.restart(0.05, forget_sessions=False)
        await controller.wait_for_sockets()


@pytest.mark.parametrize("booting", list(Booting))
async def test_stream_reconnects_once_a_booting_controller_is_ready(
    controller: SimulatedController, make_socket: MakeSocket, booting: Booting
) -> None:
    socket = make_socket()
    controller.faults.booting = booting
    async with streaming(socket):
        await until(lambda: len(controller.requests("/events")) >= 3)
        controller.faults.booting = None
        await controller.wait_for_sockets()
    assert controller.login_attempts == 1


async def test_stream_reconnects_when_the_peer_does_not_answer_pings(
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


def test_dead_peer_is_detected_within_a_minute() -> None:
    from custom_components.unifi_scanner.api import socket  # noqa: PLC0415 - hides no local `socket`

    detected = socket._PING_INTERVAL + socket._PING_TIMEOUT + socket._CLOSE_TIMEOUT
    assert detected + ReconnectPolicy(jitter=0).delay(0, RANDOM) < 60


async def test_backoff_attempts_increase_while_no_connection_is_stable(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    policy = RecordingPolicy()
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
    ("stable_after", "with_frames", "attempts"),
    [(0.02, True, [0, 0]), (0.02, False, [0, 1]), (60, True, [0, 1])],
)
async def test_backoff_attempts_restart_after_a_stable_connection_with_frames(
    controller: SimulatedController,
    make_socket: MakeSocket,
    stable_after: float,
    attempts: list[int],
    *,
    with_frames: bool,
) -> None:
    policy = RecordingPolicy(stable_after=stable_after)
    socket = make_socket(reconnect=policy)
    controller.faults.silent = True
    await controller.close_sockets()
    controller.faults.refuse("*/events", status=503, times=1)
    async with streaming(socket):
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        if with_frames:
            controller.faults.silent = False
            before = socket.statistics.frames
            await controller.send("pong")
            await until(lambda: socket.statistics.frames > before)
        await asyncio.sleep(0.04)
        await controller.close_sockets()
        await until(lambda: len(policy.attempts) == 2)
    assert policy.attempts == attempts


async def test_expired_session_is_renewed_once_and_immediately(
    controller: SimulatedController,
    make_socket: MakeSocket,
    renew: Callable[[], Awaitable[dict[str, str]]],
) -> None:
    policy = RecordingPolicy()
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
async def test_connect_renews_an_expired_session(
    controller: SimulatedController,
    make_socket: MakeSocket,
    renew: Callable[[], Awaitable[dict[str, str]]],
    status: int,
) -> None:
    controller.faults.refuse("*/events", status=status, times=1)
    socket = make_socket(renew_session=renew)
    assert await socket.connect() is True
    assert controller.login_attempts == 2


async def test_session_rejected_after_its_renewal_is_retried_with_backoff(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    renewals: list[int] = []
    policy = RecordingPolicy()

    async def renew() -> dict[str, str]:
        renewals.append(len(policy.attempts))
        return {"TOKEN": "useless"}

    socket = make_socket(renew_session=renew, reconnect=policy)
    await controller.expire_sessions()
    async with streaming(socket):
        await until(lambda: len(renewals) == 3)
    # One renewal per attempt, with increasing backoff.
    assert renewals == [0, 1, 2]
    assert policy.attempts[:2] == [0, 1]


@pytest.mark.parametrize("status", [401, 403])
async def test_expired_session_without_a_renewal_callback_ends_the_stream(
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
async def test_rejected_credentials_end_the_stream(
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
async def test_session_renewal_that_fails_otherwise_is_retried(
    controller: SimulatedController,
    make_socket: MakeSocket,
    renew: Callable[[], Awaitable[dict[str, str]]],
    error: Exception,
) -> None:
    failures = 2

    async def renew_after_failures() -> dict[str, str]:
        nonlocal failures
        if failures:
            failures -= 1
            raise error
        return await renew()

    await controller.expire_sessions()
    async with streaming(make_socket(renew_session=renew_after_failures)):
        await controller.wait_for_sockets()
    assert failures == 0


@pytest.mark.parametrize("by_handshake", [True, False])
async def test_rate_limit_delays_the_reconnect_by_its_retry_after(
    controller: SimulatedController, make_socket: MakeSocket, *, by_handshake: bool
) -> None:
    async def renew() -> dict[str, str]:
        raise RateLimitedError("slower", retry_after=123)

    waits: list[float] = []
    sleep = asyncio.sleep

    async def short_sleep(delay: float) -> None:
        if delay > 1:
            waits.append(delay)
        await sleep(0.005)

    if by_handshake:
        controller.faults.refuse("*/events", status=429, headers={"Retry-After": "123"})
    else:
        await controller.expire_sessions()
    socket = make_socket(renew_session=renew)
    module = "custom_components.unifi_scanner.api.websocket"
    with patch(f"{module}.asyncio.sleep", short_sleep):
        async with streaming(socket):
            async with asyncio.timeout(5):
                while len(waits) < 2:
                    await sleep(0.002)
    assert waits[:2] == [123, 123]


async def test_stream_failure_and_recovery_are_each_logged_once(
    controller: SimulatedController, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)

    def logged() -> list[tuple[int, str]]:
        return [(r.levelno, r.getMessage()) for r in caplog.records if r.name == LOGGER]

    socket = make_socket()
    async with streaming(socket):
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        assert logged() == []
        controller.faults.booting = Booting.BAD_GATEWAY
        await controller.close_sockets(1001)
        await until(lambda: len(controller.requests("/events")) >= 5)
        down = (
            logging.WARNING,
            "The event stream is down: reason='The connection was closed, code 1001'",
        )
        assert logged() == [down]
        controller.faults.booting = None
        await until(lambda: socket.is_connected)
        assert logged() == [down, (logging.INFO, "The event stream is up again")]
        await controller.close_sockets(1001)
        await until(lambda: not socket.is_connected)
        await until(lambda: socket.is_connected)
    assert len(logged()) == 4


@pytest.mark.parametrize("flavour", list(Flavour))
async def test_endpoint_changes_with_the_detected_kind(
    controller: SimulatedController, make_socket: MakeSocket, logged_in: UnifiClient
) -> None:
    (wrong,) = set(DeviceType) - {logged_in.device_type}
    socket = make_socket(device_type=wrong, detect_kind=logged_in.detect)
    guessed = socket.endpoint
    controller.faults.refuse("*/events", status=404, times=1)
    async with streaming(socket):
        await controller.wait_for_sockets()
    assert socket.endpoint != guessed
    assert controller.last_handshake is not None
    assert controller.last_handshake.cookies == logged_in.cookies
    assert [request.path for request in controller.requests()].count("/") == 2


@pytest.mark.parametrize("status", [200, 404, 502, 503])
async def test_kind_is_detected_after_each_response_of_a_booting_controller(
    controller: SimulatedController, make_socket: MakeSocket, status: int
) -> None:
    detections: list[int] = []
    refused = controller.faults.refuse("*/events", status=status, times=3)

    async def detect_kind() -> DeviceType:
        detections.append(refused.hits)
        if len(detections) == 1:
            raise CannotConnectError("down")
        if len(detections) == 2:
            raise RuntimeError("a bug")
        return DeviceType.UNIFI_OS

    async with streaming(make_socket(detect_kind=detect_kind)):
        await controller.wait_for_sockets()
    # No handshake is attempted when detection fails: it could go to the wrong path again.
    assert detections == [1, 1, 1, 2, 3]


async def test_kind_is_not_detected_after_a_close(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    async def detect_kind() -> DeviceType:
        raise AssertionError("The kind was detected")

    socket = make_socket(detect_kind=detect_kind)
    async with streaming(socket):
        await controller.wait_for_sockets()
        await controller.close_sockets()
        await until(lambda: len(controller.requests("/events")) == 2)
        await controller.wait_for_sockets()


async def test_dropped_socket_is_reopened_immediately_and_without_a_warning(
    controller: SimulatedController, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    policy = RecordingPolicy()
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


async def test_login_rejection_that_is_not_definite_does_not_end_the_stream(
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


async def test_reconnect_to_an_untrusted_certificate_sends_no_cookies(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    policy = RecordingPolicy()
    socket = make_socket(reconnect=policy)
    async with streaming(socket):
        await controller.wait_for_sockets()
        await until(lambda: socket.is_connected)
        await controller.restart(certificate=make_certificate())
        await until(lambda: len(policy.attempts) >= 3)
    assert len(controller.requests("/events")) == 1


async def test_short_connections_leave_no_tasks_behind(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket(reconnect=RecordingPolicy())
    async with streaming(socket):
        counts = []
        for _ in range(50):
            await controller.wait_for_sockets()
            await until(lambda: socket.is_connected)
            counts.append(len(asyncio.all_tasks()))
            await controller.close_sockets()
            await until(lambda: not socket.is_connected)
    assert max(counts[10:]) <= max(counts[:10]) + 2
