"""Tests of the simulated controller's faults."""

import asyncio
from datetime import UTC, datetime, timedelta
import time
from typing import Any

import aiohttp
import pytest

from tests.controller import Booting, Flavour, FrameFaults, SimulatedController, make_certificate

from .conftest import HttpClient, next_frame

UNIFI_OS = pytest.mark.parametrize("flavour", [Flavour.UNIFI_OS])


@UNIFI_OS
async def test_canned_response_applies_to_its_path_a_limited_number_of_times(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    empty = {"meta": {"rc": "ok"}, "data": []}
    response = controller.faults.refuse("*/stat/sta", status=200, body=empty, times=2)
    counts = [len(await http.records("/api/s/default/stat/sta")) for _ in range(3)]
    assert counts == [0, 0, 1]
    assert response.hits == 2
    assert len(await http.records("/api/self/sites")) == 1


@UNIFI_OS
async def test_canned_response_has_status_body_and_headers(
    http: HttpClient, controller: SimulatedController
) -> None:
    refusal = controller.faults.refuse(
        status=503, body="<html>nginx</html>", headers={"Retry-After": "9"}
    )
    response = await http.login()
    assert (response.status, response.content_type) == (503, "text/html")
    assert response.headers["Retry-After"] == "9"
    assert (await http.request("GET", "/")).status == 503
    controller.faults.remove(refusal)
    assert (await http.login()).status == 200


@UNIFI_OS
async def test_login_can_fail_a_number_of_times_before_it_succeeds(
    http: HttpClient, controller: SimulatedController
) -> None:
    controller.faults.refuse("*/login", status=401, times=3)
    assert [(await http.login()).status for _ in range(4)] == [401, 401, 401, 200]


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 502])
async def test_handshake_can_be_refused_with_any_status(
    http: HttpClient, controller: SimulatedController, status: int
) -> None:
    await http.login()
    controller.faults.refuse("*/wss/*", status=status, body="<html></html>", times=1)
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.open_socket()
    assert caught.value.status == status
    async with await http.open_socket() as socket:
        assert await next_frame(socket, "session-metadata:sync")


async def test_handshake_without_a_session_or_to_an_unknown_site_is_refused(
    http: HttpClient,
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.open_socket()
    assert caught.value.status == 401
    await http.login()
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.open_socket(site="nowhere")
    assert caught.value.status == 404


async def test_sockets_are_closed_with_a_code_or_aborted(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    for code in (1001, 1008, 1011, None):
        socket = await http.open_socket()
        await controller.wait_for_sockets(1)
        reading = asyncio.create_task(next_frame(socket, "never"))
        await controller.close_sockets(code)
        with pytest.raises((TypeError, aiohttp.ClientError)):
            await reading
        assert socket.close_code == (code or 1006)
        await controller.wait_for_sockets(0)


@UNIFI_OS
async def test_silent_socket_answers_pings_but_sends_no_frames(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.open_socket() as socket:
        await next_frame(socket, "session-metadata:sync")
        controller.faults.silent = True
        await controller.roam("Anna's phone", "Kitchen")
        await socket.send_str("ping")
        assert (await socket.receive_str(timeout=5)) == "pong"
        assert controller.faults.withheld == 1
        controller.faults.silent = False
        await controller.roam("Anna's phone", "Hall")
        assert (await next_frame(socket, "events"))["data"][0]["key"] == "EVT_WU_Roam"


@UNIFI_OS
async def test_half_open_socket_answers_nothing_and_a_new_one_works(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    socket = await http.open_socket(heartbeat=0.2)
    await next_frame(socket, "session-metadata:sync")
    started = time.monotonic()
    controller.half_open()
    await controller.roam("Anna's phone", "Kitchen")
    message = await socket.receive(timeout=5)
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert time.monotonic() - started > 0.2
    async with await http.open_socket() as fresh:
        await next_frame(fresh, "session-metadata:sync")
        await controller.roam("Anna's phone", "Hall")
        assert await next_frame(fresh, "events")


@UNIFI_OS
async def test_half_open_socket_does_not_delay_stopping_the_controller(flavour: Flavour) -> None:
    controller = SimulatedController(flavour=flavour)
    await controller.start()
    http = HttpClient(controller)
    await http.login()
    await http.open_socket()
    await controller.wait_for_sockets(1)
    controller.half_open()
    started = time.monotonic()
    await controller.stop()
    assert time.monotonic() - started < 2
    await http.session.close()


@UNIFI_OS
async def test_sessions_can_expire_while_the_socket_stays_open(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.open_socket() as socket:
        await next_frame(socket, "session-metadata:sync")
        await controller.expire_sessions(cut=False)
        assert (await http.get("/api/self/sites")).status == 401
        await controller.roam("Anna's phone", "Kitchen")
        assert await next_frame(socket, "events")


async def test_restart_keeps_the_port_forgets_sessions_and_can_change_the_certificate(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    socket = await http.open_socket()
    await next_frame(socket, "session-metadata:sync")
    port = controller.port
    other = make_certificate(not_after=datetime.now(UTC) - timedelta(hours=1))
    restart = asyncio.create_task(
        controller.restart(0.2, booting=Booting.BAD_GATEWAY, certificate=other)
    )
    await asyncio.sleep(0.1)
    with pytest.raises(aiohttp.ClientConnectorError):
        await http.request("GET", "/")
    await restart
    assert controller.port == port
    assert controller.certificate_der == other.der
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await http.request("GET", "/")
    unverified = await http.session.get(f"{controller.base_url}/", ssl=False)
    assert unverified.status == 502
    assert socket.closed or (await socket.receive(timeout=5)).type is not aiohttp.WSMsgType.TEXT


@UNIFI_OS
async def test_response_can_be_delayed_or_hang_or_drip(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    controller.faults.delay("*/sites", 0.1, times=1)
    started = time.monotonic()
    assert (await http.get("/api/self/sites")).status == 200
    assert time.monotonic() - started >= 0.1
    timeout = aiohttp.ClientTimeout(total=0.2)
    controller.faults.hang("*/sites", times=1)
    with pytest.raises(TimeoutError):
        await http.get("/api/self/sites", timeout=timeout)
    controller.faults.refuse("*/sites", status=200, body=b"x" * 100, drip=0.01, times=1)
    with pytest.raises(TimeoutError):
        await http.get("/api/self/sites", timeout=timeout)
    assert (await http.get("/api/self/sites")).status == 200


@UNIFI_OS
async def test_any_frame_can_be_sent(http: HttpClient, controller: SimulatedController) -> None:
    await http.login()
    async with await http.open_socket(max_msg_size=0) as socket:
        await next_frame(socket, "session-metadata:sync")
        frames: list[Any] = ["", "{", "null", b"\x00\xff", "x" * 5_000_000]
        for frame in frames:
            await controller.send(frame)
        assert [(await socket.receive(timeout=5)).data for _ in frames] == frames


def test_frame_faults_are_repeatable_and_count_every_frame() -> None:
    def run(seed: int) -> tuple[list[str], dict[str, int]]:
        frame_faults = FrameFaults(seed=seed, drop=0.1, double=0.1, late=0.1)
        sent = [text for number in range(1000) for text in frame_faults.apply(str(number))]
        return sent + frame_faults.flush(), frame_faults.counts

    sent, counts = run(1)
    assert run(1) == (sent, counts)
    assert run(2)[0] != sent
    assert sum(counts.values()) == 1000
    assert len(sent) == 1000 - counts["dropped"] + counts["doubled"]
    assert len(set(sent)) == 1000 - counts["dropped"]
    assert sent != sorted(sent, key=int)
    assert min(counts.values()) > 50


@UNIFI_OS
async def test_faults_clear_turns_all_faults_off(
    http: HttpClient, controller: SimulatedController
) -> None:
    controller.faults.refuse()
    controller.faults.silent = True
    controller.faults.limit_logins(1)
    controller.faults.clear()
    assert (await http.login()).status == 200
    assert (await http.login()).status == 200


@UNIFI_OS
async def test_requests_and_handshakes_are_logged(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    await http.records("/api/self/sites")
    async with await http.open_socket("?clients=v2"):
        await controller.wait_for_sockets(1)
    assert [(r.method, r.status) for r in controller.requests("sites")] == [("GET", 200)]
    assert len(controller.requests(method="POST")) == 1
    handshake = controller.last_handshake
    assert handshake is not None
    assert handshake.query == "clients=v2"
    assert handshake.cookies["TOKEN"] == http.cookies["TOKEN"]
    assert http.cookies["TOKEN"] not in repr(handshake)


async def test_port_in_use_raises_os_error(controller: SimulatedController) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await SimulatedController(port=controller.port).start()


@UNIFI_OS
async def test_sending_5000_frames_takes_seconds(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.open_socket() as socket:
        await next_frame(socket, "session-metadata:sync")
        received = 0

        async def receive() -> None:
            nonlocal received
            while received < 5000:
                await socket.receive_str(timeout=5)
                received += 1

        receiver = asyncio.create_task(receive())
        started = time.monotonic()
        for number in range(5000):
            await controller.send(f'{{"number":{number}}}')
        await receiver
        # Generous, for an event loop in debug mode on a shared machine.
        assert time.monotonic() - started < 6
