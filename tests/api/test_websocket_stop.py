"""Tests that `stop` ends the stream promptly in every state and leaves nothing behind."""

import asyncio
from collections.abc import AsyncGenerator
import time

import pytest

from custom_components.unifi_scanner.api import (
    BufferedEvent,
    ReconnectPolicy,
    StreamState,
    UnifiWebSocketClient,
)
from tests.controller import SimulatedController

from .conftest import MakeSocket, until

PROMPT = 1.0
NEVER = ReconnectPolicy(initial=1000, maximum=1000)


@pytest.fixture(autouse=True)
async def _check_leftovers(controller: SimulatedController) -> AsyncGenerator[None]:
    """Check that the test leaves neither tasks nor open sockets behind."""
    before = asyncio.all_tasks()
    yield
    remaining = asyncio.all_tasks() - before
    assert not [task for task in remaining if "unifi_scanner" in repr(task.get_coro())]
    await until(lambda: controller.open_sockets == 0)


async def stop_promptly(socket: UnifiWebSocketClient, listening: asyncio.Task[None]) -> None:
    """Stop the stream and check that `listen` has returned."""
    started = time.monotonic()
    await socket.stop()
    assert time.monotonic() - started < PROMPT
    assert listening.done()
    assert listening.result() is None
    assert not socket.is_connected
    assert socket.state is StreamState.STOPPED


async def test_stop_before_connect_and_listen(make_socket: MakeSocket) -> None:
    socket = make_socket()
    await socket.stop()
    await socket.stop()
    await socket.listen(print)
    assert await socket.connect() is False


async def test_stop_before_listen_has_started(make_socket: MakeSocket) -> None:
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(print))
    await socket.stop()
    async with asyncio.timeout(PROMPT):
        await listening


async def test_stop_after_connect(make_socket: MakeSocket) -> None:
    socket = make_socket()
    await socket.connect()
    await socket.stop()
    assert not socket.is_connected


async def test_stop_while_connected(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(print))
    await controller.wait_for_sockets()
    await until(lambda: socket.is_connected)
    await stop_promptly(socket, listening)
    await socket.stop()


async def test_stop_while_connect_waits_for_the_handshake(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    controller.faults.hang("*/events")
    socket = make_socket()
    connecting = asyncio.create_task(socket.connect())
    await until(lambda: controller.requests("/events"))
    await socket.stop()
    assert connecting.done()
    assert connecting.result() is False


async def test_stop_while_listen_waits_for_the_handshake(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    controller.faults.hang("*/events")
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(print))
    await until(lambda: controller.requests("/events"))
    await stop_promptly(socket, listening)


async def test_stop_during_the_tls_handshake(make_socket: MakeSocket) -> None:
    accepted = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        socket = make_socket(base_url=f"https://127.0.0.1:{port}")
        listening = asyncio.create_task(socket.listen(print))
        await accepted.wait()
        await stop_promptly(socket, listening)


async def test_stop_during_the_backoff(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    await controller.stop_listening()
    socket = make_socket(reconnect=NEVER)
    listening = asyncio.create_task(socket.listen(print))
    await until(lambda: socket.state is StreamState.WAITING)
    await stop_promptly(socket, listening)


async def test_stop_while_the_session_is_renewed(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    renewing = asyncio.Event()

    async def renew() -> dict[str, str]:
        renewing.set()
        await asyncio.sleep(1000)
        return {}

    await controller.expire_sessions()
    socket = make_socket(renew_session=renew)
    listening = asyncio.create_task(socket.listen(print))
    await renewing.wait()
    await stop_promptly(socket, listening)


@pytest.mark.parametrize("by_connect", [True, False])
async def test_stop_from_within_the_session_renewal(
    controller: SimulatedController, make_socket: MakeSocket, *, by_connect: bool
) -> None:
    cookies = make_socket()._opener.cookies

    async def renew() -> dict[str, str]:
        await socket.stop()
        return cookies

    controller.faults.refuse("*/events", status=401, times=1)
    socket = make_socket(renew_session=renew, cookies=cookies)
    async with asyncio.timeout(PROMPT):
        if by_connect:
            assert await socket.connect() is False
        else:
            await socket.listen(print)
    assert not socket.is_connected
    assert socket.state is StreamState.STOPPED


@pytest.mark.parametrize("is_async", [True, False])
async def test_stop_from_within_the_event_callback(
    controller: SimulatedController, make_socket: MakeSocket, *, is_async: bool
) -> None:
    events: list[BufferedEvent] = []
    stops: list[asyncio.Task[None]] = []
    socket = make_socket()

    async def stop(event: BufferedEvent) -> None:
        await socket.stop()
        events.append(event)

    def stop_soon(event: BufferedEvent) -> None:
        events.append(event)
        stops.append(asyncio.create_task(socket.stop()))

    listening = asyncio.create_task(socket.listen(stop if is_async else stop_soon))
    await controller.wait_for_sockets()
    # A synchronous callback still receives the second event of the frame.
    first, second = (controller.world.roam("Phone", ap) for ap in ("Kitchen", "Hall"))
    await controller.send_events(first, second)
    async with asyncio.timeout(PROMPT):
        await listening
    await asyncio.gather(*stops)
    assert len(events) == (1 if is_async else 2)
    assert socket.state is StreamState.STOPPED


async def test_stop_from_a_task_that_the_event_callback_awaits(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()

    async def stop(_: BufferedEvent) -> None:
        await asyncio.gather(socket.stop())

    listening = asyncio.create_task(socket.listen(stop))
    await controller.wait_for_sockets()
    await controller.roam("Phone", "Kitchen")
    async with asyncio.timeout(PROMPT):
        await listening


async def test_stop_while_the_event_callback_is_running(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    busy = asyncio.Event()

    async def work(_: BufferedEvent) -> None:
        busy.set()
        await asyncio.sleep(1000)

    socket = make_socket()
    listening = asyncio.create_task(socket.listen(work))
    await controller.wait_for_sockets()
    await controller.roam("Phone", "Kitchen")
    await busy.wait()
    await stop_promptly(socket, listening)


async def test_stop_while_the_connection_is_half_open(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(print))
    await controller.wait_for_sockets()
    await until(lambda: socket.is_connected)
    controller.half_open()
    started = time.monotonic()
    stopping = asyncio.create_task(socket.stop())
    async with asyncio.timeout(PROMPT):
        await listening
    await stopping
    assert time.monotonic() - started < 3


async def test_stop_twice_at_the_same_time(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(print))
    await controller.wait_for_sockets()
    async with asyncio.timeout(PROMPT):
        await asyncio.gather(socket.stop(), socket.stop(), listening)


async def test_stop_at_the_end_of_an_async_with_block(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    async with make_socket() as socket:
        listening = asyncio.create_task(socket.listen(print))
        await controller.wait_for_sockets()
    assert listening.done()


@pytest.mark.parametrize("half_open", [False, True])
async def test_cancelled_listen_closes_its_socket(
    controller: SimulatedController, make_socket: MakeSocket, *, half_open: bool
) -> None:
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(print))
    await controller.wait_for_sockets()
    await until(lambda: socket.is_connected)
    if half_open:
        controller.half_open()
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert not socket.is_connected
    assert socket.state is StreamState.STOPPED


async def test_cancelled_stop_aborts_the_connection(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    await socket.connect()
    connection = socket._connection
    assert connection is not None
    controller.half_open()
    stopping = asyncio.create_task(socket.stop())
    await asyncio.sleep(0.05)
    stopping.cancel()
    async with asyncio.timeout(PROMPT):
        await connection.wait_closed()


async def test_listen_cancelled_before_stop_raises_cancelled_error(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(print))
    await controller.wait_for_sockets()
    listening.cancel()
    await socket.stop()
    with pytest.raises(asyncio.CancelledError):
        await listening


async def test_cancelled_connect_leaves_the_stream_stopped(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    controller.faults.hang("*/events")
    socket = make_socket()
    connecting = asyncio.create_task(socket.connect())
    await until(lambda: controller.requests("/events"))
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert socket.state is StreamState.STOPPED


async def test_second_listen_is_refused(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(print))
    await controller.wait_for_sockets()
    with pytest.raises(RuntimeError, match="already listening"):
        await socket.listen(print)
    await stop_promptly(socket, listening)
