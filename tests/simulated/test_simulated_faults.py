"""The faults of the simulated controller do what their names say."""

import asyncio
from datetime import UTC, datetime, timedelta
import time
from typing import Any

import aiohttp
import pytest

from tests.controller import Booting, Flavour, FrameFaults, SimulatedController, make_certificate

from .conftest import HttpClient, next_frame

ONE_KIND = pytest.mark.parametrize("flavour", [Flavour.UNIFI_OS])


@ONE_KIND
async def test_a_refusal_holds_for_its_path_and_so_many_times(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    empty = {"meta": {"rc": "ok"}, "data": []}
    refusal = controller.faults.refuse("*/stat/sta", status=200, body=empty, times=2)
    counts = [len(await http.records("/api/s/default/stat/sta")) for _ in range(3)]
    assert counts == [0, 0, 1]
    assert refusal.hits == 2
    assert len(await http.records("/api/self/sites")) == 1


@ONE_KIND
async def test_a_refusal_gives_status_body_and_headers(
    http: HttpClient, controller: SimulatedController
) -> None:
    refusal = controller.faults.refuse(
        status=503, body="<html>nginx</html>", headers={"Retry-After": "9"}
    )
    answer = await http.login()
    assert (answer.status, answer.content_type) == (503, "text/html")
    assert answer.headers["Retry-After"] == "9"
    assert (await http.request("GET", "/")).status == 503
    controller.faults.remove(refusal)
    assert (await http.login()).status == 200


@ONE_KIND
async def test_a_login_can_fail_some_times_before_it_works(
    http: HttpClient, controller: SimulatedController
) -> None:
    controller.faults.refuse("*/login", status=401, times=3)
    assert [(await http.login()).status for _ in range(4)] == [401, 401, 401, 200]


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 502])
async def test_a_handshake_can_be_refused(
    http: HttpClient, controller: SimulatedController, status: int
) -> None:
    await http.login()
    controller.faults.refuse("*/wss/*", status=status, body="<html></html>", times=1)
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.listen()
    assert caught.value.status == status
    async with await http.listen() as socket:
        assert await next_frame(socket, "session-metadata:sync")


async def test_a_handshake_without_a_session_or_to_nowhere_is_refused(http: HttpClient) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.listen()
    assert caught.value.status == 401
    await http.login()
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.listen(site="nowhere")
    assert caught.value.status == 404


async def test_sockets_are_closed_with_a_code_or_cut(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    for code in (1001, 1008, 1011, None):
        socket = await http.listen()
        await controller.wait_for_sockets(1)
        reading = asyncio.create_task(next_frame(socket, "never"))
        await controller.close_sockets(code)
        with pytest.raises((TypeError, aiohttp.ClientError)):
            await reading
        assert socket.close_code == (code or 1006)
        await controller.wait_for_sockets(0)


@ONE_KIND
async def test_a_silent_socket_answers_pings_and_tells_nothing(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.listen() as socket:
        await next_frame(socket, "session-metadata:sync")
        controller.faults.silent = True
        await controller.roam("Anna's phone", "Kitchen")
        await socket.send_str("ping")
        assert (await socket.receive_str(timeout=5)) == "pong"
        assert controller.faults.withheld == 1
        controller.faults.silent = False
        await controller.roam("Anna's phone", "Hall")
        assert (await next_frame(socket, "events"))["data"][0]["key"] == "EVT_WU_Roam"


@ONE_KIND
async def test_a_half_open_socket_answers_nothing_and_a_new_one_works(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    socket = await http.listen(heartbeat=0.2)
    await next_frame(socket, "session-metadata:sync")
    started = time.monotonic()
    controller.half_open()
    await controller.roam("Anna's phone", "Kitchen")
    message = await socket.receive(timeout=5)
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
    assert time.monotonic() - started > 0.2
    async with await http.listen() as fresh:
        await next_frame(fresh, "session-metadata:sync")
        await controller.roam("Anna's phone", "Hall")
        assert await next_frame(fresh, "events")


@ONE_KIND
async def test_a_half_open_socket_does_not_hold_up_the_stop(flavour: Flavour) -> None:
    controller = SimulatedController(flavour=flavour)
    await controller.start()
    http = HttpClient(controller)
    await http.login()
    await http.listen()
    await controller.wait_for_sockets(1)
    controller.half_open()
    started = time.monotonic()
    await controller.stop()
    assert time.monotonic() - started < 2
    await http.session.close()


@ONE_KIND
async def test_sessions_can_end_while_the_socket_stays_open(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.listen() as socket:
        await next_frame(socket, "session-metadata:sync")
        await controller.expire_sessions(cut=False)
        assert (await http.get("/api/self/sites")).status == 401
        await controller.roam("Anna's phone", "Kitchen")
        assert await next_frame(socket, "events")


async def test_a_restart_keeps_the_port_forgets_sessions_and_can_change_the_certificate(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    socket = await http.listen()
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
    stranger = await http.session.get(f"{controller.base_url}/", ssl=False)
    assert stranger.status == 502
    assert socket.closed or (await socket.receive(timeout=5)).type is not aiohttp.WSMsgType.TEXT


@ONE_KIND
async def test_an_answer_can_be_late_or_never_come_or_drip(
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


@ONE_KIND
async def test_any_frame_can_be_sent(http: HttpClient, controller: SimulatedController) -> None:
    await http.login()
    async with await http.listen(max_msg_size=0) as socket:
        await next_frame(socket, "session-metadata:sync")
        frames: list[Any] = ["", "{", "null", b"\x00\xff", "x" * 5_000_000]
        for frame in frames:
            await controller.send(frame)
        assert [(await socket.receive(timeout=5)).data for _ in frames] == frames


def test_a_shaker_is_repeatable_and_accounts_for_every_frame() -> None:
    def outcome(seed: int) -> tuple[list[str], dict[str, int]]:
        frame_faults = FrameFaults(seed=seed, drop=0.1, double=0.1, late=0.1)
        sent = [text for number in range(1000) for text in frame_faults.apply(str(number))]
        return sent + frame_faults.flush(), frame_faults.counts

    sent, counts = outcome(1)
    assert outcome(1) == (sent, counts)
    assert outcome(2)[0] != sent
    assert sum(counts.values()) == 1000
    assert len(sent) == 1000 - counts["dropped"] + counts["doubled"]
    assert len(set(sent)) == 1000 - counts["dropped"]
    assert sent != sorted(sent, key=int)
    assert min(counts.values()) > 50


@ONE_KIND
async def test_all_faults_can_be_taken_back(
    http: HttpClient, controller: SimulatedController
) -> None:
    controller.faults.refuse()
    controller.faults.silent = True
    controller.faults.limit_logins(1)
    controller.faults.clear()
    assert (await http.login()).status == 200
    assert (await http.login()).status == 200


@ONE_KIND
async def test_requests_and_handshakes_are_recorded(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    await http.records("/api/self/sites")
    async with await http.listen("?clients=v2"):
        await controller.wait_for_sockets(1)
    assert [(r.method, r.status) for r in controller.requests("sites")] == [("GET", 200)]
    assert len(controller.requests(method="POST")) == 1
    handshake = controller.last_handshake
    assert handshake is not None
    assert handshake.query == "clients=v2"
    assert handshake.cookies["TOKEN"] == http.cookies["TOKEN"]
    assert http.cookies["TOKEN"] not in repr(handshake)


async def test_a_taken_port_is_an_os_error(controller: SimulatedController) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await SimulatedController(port=controller.port).start()


@ONE_KIND
async def test_5000_frames_go_out_in_a_second(
    http: HttpClient, controller: SimulatedController
) -> None:
    await http.login()
    async with await http.listen() as socket:
        await next_frame(socket, "session-metadata:sync")
        read = 0

        async def reading() -> None:
            nonlocal read
            while read < 5000:
                await socket.receive_str(timeout=5)
                read += 1

        reader = asyncio.create_task(reading())
        started = time.monotonic()
        for number in range(5000):
            await controller.send(f'{{"number":{number}}}')
        await reader
        # A loop in debug mode on a shared machine: the bar is generous.
        assert time.monotonic() - started < 6
