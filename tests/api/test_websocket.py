"""Tests of the event stream client over real TLS connections."""

import asyncio
import logging
from unittest.mock import patch

import pytest

from custom_components.unifi_scanner.api import (
    BufferedEvent,
    StreamState,
    UnifiClient,
    WebSocketEventBuffer,
)
from tests.controller import Flavour, SimulatedController, make_certificate

from .conftest import MakeSocket, until
from .frames import STATION, frame

BOTH_KINDS = pytest.mark.parametrize("flavour", list(Flavour))


def test_public_names_are_importable_from_the_websocket_module() -> None:
    from custom_components.unifi_scanner.api import websocket  # noqa: PLC0415 - as a user of the API would

    for name in (
        "BufferedEvent",
        "DeviceType",
        "UnifiWebSocketClient",
        "WebSocketEventBuffer",
        "parse_unifi_event",
        "parse_unifi_events",
    ):
        assert name in websocket.__all__
        assert hasattr(websocket, name)


@BOTH_KINDS
async def test_listen_receives_a_roam(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    events: list[BufferedEvent] = []
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(events.append))
    await controller.wait_for_sockets()
    roam = await controller.roam("Phone", "Kitchen")
    await until(lambda: events)
    assert events[0].event_type == "wu.roam"
    assert events[0].data["user"] == roam.mac
    await socket.stop()
    assert listening.done()


async def test_connect_returns_whether_the_socket_is_open(make_socket: MakeSocket) -> None:
    socket = make_socket()
    assert not socket.is_connected
    assert await socket.connect() is True
    assert socket.is_connected
    assert await socket.connect() is True
    await socket.stop()
    assert not socket.is_connected


async def test_listen_continues_on_the_socket_that_connect_opened(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    events: list[BufferedEvent] = []
    socket = make_socket()
    await socket.connect()
    await controller.roam("Phone", "Kitchen")
    listening = asyncio.create_task(socket.listen(events.append))
    await until(lambda: events)
    assert len(controller.requests("/events")) == 1
    assert await socket.connect() is True
    await socket.stop()
    await listening


async def test_listen_receives_frames_of_a_socket_that_closed_before(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    events: list[BufferedEvent] = []
    socket = make_socket()
    await socket.connect()
    await controller.roam("Phone", "Kitchen")
    await controller.close_sockets()
    await until(lambda: not socket.is_connected)
    listening = asyncio.create_task(socket.listen(events.append))
    await until(lambda: events)
    await socket.stop()
    await listening


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500, 502, 503])
async def test_connect_is_false_when_the_handshake_is_refused(
    controller: SimulatedController, make_socket: MakeSocket, status: int
) -> None:
    controller.faults.refuse("*/events", status=status, body="<html>")
    socket = make_socket()
    assert await socket.connect() is False
    assert not socket.is_connected
    assert socket.state is StreamState.STOPPED


async def test_connect_is_false_when_the_port_is_closed(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    await controller.stop_listening()
    assert await make_socket().connect() is False


async def test_connect_is_false_when_the_handshake_times_out(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    controller.faults.hang("*/events")
    with patch("custom_components.unifi_scanner.api.socket._OPEN_TIMEOUT", 0.05):
        assert await make_socket().connect() is False


async def test_connect_is_false_when_the_response_is_not_http(make_socket: MakeSocket) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"what?\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await make_socket(base_url=f"http://127.0.0.1:{port}").connect() is False
        assert await make_socket(base_url=f"https://127.0.0.1:{port}").connect() is False


async def test_untrusted_certificate_receives_no_cookies(
    controller: SimulatedController, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    await controller.restart(certificate=make_certificate())
    assert await make_socket().connect() is False
    assert controller.requests("/events") == []
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "certificate is not trusted" in record.getMessage()
    assert record.name == "custom_components.unifi_scanner.api.websocket"


@pytest.mark.parametrize(("verify_ssl", "expected"), [(False, True), (True, False)])
async def test_ssl_context_is_created_from_verify_ssl_off_the_event_loop(
    make_socket: MakeSocket, *, verify_ssl: bool, expected: bool
) -> None:
    with patch(
        "custom_components.unifi_scanner.api.websocket.asyncio.to_thread", wraps=asyncio.to_thread
    ) as to_thread:
        socket = make_socket(ssl_context=None, verify_ssl=verify_ssl)
        assert to_thread.call_count == 0
        assert await socket.connect() is expected
        await socket.connect()
        assert to_thread.call_count == 1


async def test_verify_ssl_is_the_default(
    make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    assert await make_socket(ssl_context=None).connect() is False
    assert "certificate is not trusted" in caplog.text


@BOTH_KINDS
async def test_handshake_sends_the_cookies(
    controller: SimulatedController, logged_in: UnifiClient, make_socket: MakeSocket
) -> None:
    await make_socket().connect()
    assert controller.last_handshake is not None
    assert controller.last_handshake.cookies == logged_in.cookies


async def test_handshake_follows_no_redirect(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    elsewhere = f"{controller.base_url.replace('https', 'wss')}/elsewhere"
    controller.faults.refuse("*/events", status=302, headers={"Location": elsewhere})
    assert await make_socket().connect() is False
    assert controller.requests("elsewhere") == []


async def test_http_base_url_uses_a_plain_socket(make_socket: MakeSocket) -> None:
    # Only for test servers: the base URLs of users are always https.
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        socket = make_socket(base_url=f"http://127.0.0.1:{port}")
        assert socket.endpoint.startswith("ws://")
        assert await socket.connect() is False


async def test_odd_frames_are_counted_and_keep_the_socket_open(
    controller: SimulatedController, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components")
    events: list[BufferedEvent] = []
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(events.append))
    await controller.wait_for_sockets()
    odd: list[str | bytes] = ["", "pong", "{", "[]", "null", b"\x00\xff", b"", '{"meta":1}']
    for text in odd:
        await controller.send(text)
    await controller.send(frame("sta:sync", STATION).encode())
    await until(lambda: events)
    assert socket.statistics.unreadable == len(odd)
    assert len(controller.requests("/events")) == 1
    assert len([r for r in caplog.records if "could not be read" in r.getMessage()]) == 1
    await socket.stop()
    await listening


async def test_large_frames_are_received(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    events: list[BufferedEvent] = []
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(events.append))
    await controller.wait_for_sockets()
    await controller.send(frame("device:sync", {"x": "y" * 5_000_000}))
    await controller.send(frame("sta:sync", STATION | {"x": "y" * 5_000_000}))
    await until(lambda: events)
    assert len(events[0].data["x"]) == 5_000_000
    assert socket.statistics.skipped == 2  # the other one is session-metadata:sync
    await socket.stop()
    await listening


async def test_frames_over_the_size_limit_close_the_socket_but_not_the_stream(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    with patch("custom_components.unifi_scanner.api.socket._MAX_FRAME_SIZE", 10_000):
        events: list[BufferedEvent] = []
        socket = make_socket()
        listening = asyncio.create_task(socket.listen(events.append))
        await controller.wait_for_sockets()
        await controller.send(frame("device:sync", {"x": "y" * 20_000}))
        await until(lambda: len(controller.requests("/events")) == 2)
        await controller.wait_for_sockets()
        await controller.roam("Phone", "Kitchen")
        await until(lambda: events)
        await socket.stop()
        await listening


async def test_burst_of_events_is_received_completely_and_in_order(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    buffer = WebSocketEventBuffer()
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(buffer.add))
    await controller.wait_for_sockets()
    for n in range(5_000):
        await controller.send(frame("events", {"key": "EVT_WU_Roam", "n": n}))
    await until(lambda: len(buffer) == 5_000)
    assert [event.data["n"] for event in buffer.drain()] == list(range(5_000))
    await socket.stop()
    await listening


async def test_last_frame_is_the_event_loop_time_of_receipt(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    assert socket.last_frame is None
    listening = asyncio.create_task(socket.listen(lambda _: None))
    await until(lambda: socket.last_frame)
    first = socket.last_frame
    await asyncio.sleep(0.01)
    await controller.send("pong")
    await until(lambda: socket.last_frame != first)
    assert 0 <= asyncio.get_running_loop().time() - (socket.last_frame or 0) < 5
    await socket.stop()
    await listening


async def test_async_callbacks_are_awaited_one_at_a_time(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    received: list[int] = []

    async def record_slowly(event: BufferedEvent) -> None:
        await asyncio.sleep(0.01 if event.data["n"] == 0 else 0)
        received.append(event.data["n"])

    socket = make_socket()
    listening = asyncio.create_task(socket.listen(record_slowly))
    await controller.wait_for_sockets()
    for n in range(5):
        await controller.send(frame("events", {"key": "EVT_WU_Roam", "n": n}))
    await until(lambda: len(received) == 5)
    assert received == [0, 1, 2, 3, 4]
    await socket.stop()
    await listening


@pytest.mark.parametrize("error", [ValueError("from the callback"), asyncio.CancelledError()])
@pytest.mark.parametrize("is_async", [True, False])
async def test_exception_in_the_callback_is_logged_and_otherwise_ignored(
    controller: SimulatedController,
    make_socket: MakeSocket,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
    *,
    is_async: bool,
) -> None:
    received: list[BufferedEvent] = []

    def fail(event: BufferedEvent) -> None:
        received.append(event)
        raise error

    async def fail_later(event: BufferedEvent) -> None:
        fail(event)

    socket = make_socket()
    listening = asyncio.create_task(socket.listen(fail_later if is_async else fail))
    await controller.wait_for_sockets()
    await controller.roam("Phone", "Kitchen")
    await controller.roam("Phone", "Hall")
    await until(lambda: len(received) == 2)
    assert len(controller.requests("/events")) == 1
    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(failures) == 2
    assert all(record.exc_info and record.exc_info[1] is error for record in failures)
    assert {record.name for record in failures} == {"custom_components.unifi_scanner.api.websocket"}
    await socket.stop()
    await listening


async def test_callback_may_return_anything(
    controller: SimulatedController, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    received: list[BufferedEvent] = []
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(lambda event: received.append(event) or received))
    await controller.wait_for_sockets()
    await controller.roam("Phone", "Kitchen")
    await until(lambda: received)
    await socket.stop()
    await listening
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_state_callback_receives_every_state_in_order(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    states: list[StreamState] = []
    socket = make_socket(on_state=states.append)
    listening = asyncio.create_task(socket.listen(lambda _: None))
    await controller.wait_for_sockets()
    await controller.close_sockets()
    await until(lambda: states.count(StreamState.CONNECTED) == 2)
    await socket.stop()
    await listening
    assert states == ["connecting", "connected", "waiting", "connecting", "connected", "stopped"]
    assert socket.state is StreamState.STOPPED


async def test_exception_in_the_state_callback_is_logged(
    make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(state: StreamState) -> None:
        raise ValueError(state)

    socket = make_socket(on_state=fail)
    assert await socket.connect() is True
    assert "The state callback failed: state='connected'" in caplog.text


async def test_cookies_and_frames_are_never_logged(
    controller: SimulatedController, make_socket: MakeSocket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = {"TOKEN": "planted-cookie-secret"}
    assert await make_socket(cookies=secrets).connect() is False
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(lambda _: 1 / 0))
    await controller.wait_for_sockets()
    await controller.send(frame("device:sync", {"x_authkey": "planted-frame-secret"}))
    await controller.send(frame("sta:sync", {"x_authkey": "planted-frame-secret"}))
    await controller.send('{"x_authkey":"planted-frame-secret"}')
    await until(lambda: socket.statistics.frames == 4)
    assert socket.statistics.unreadable == 1
    await socket.stop()
    await listening
    records = [record for record in caplog.records if not record.name.startswith("tests.")]
    assert any(record.name.startswith("custom_components") for record in records)
    assert "planted" not in "\n".join(f"{r.name} {r.getMessage()} {r.exc_text}" for r in records)
    assert socket._opener.cookies["TOKEN"] not in caplog.text
