"""Tests of parsing large JSON in turns, and of how long that blocks the event loop."""

import asyncio
from collections.abc import Callable, Generator
import json
import time
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.unifi_scanner.api import BufferedEvent, UnifiClient, turns
from custom_components.unifi_scanner.api.damaged_json import load_json
from custom_components.unifi_scanner.api.frames import (
    FrameStatistics,
    parse_large_frame,
    parse_unifi_events,
)
from custom_components.unifi_scanner.api.turns import in_turns, parse_large_json, parse_records
from tests.controller import SimulatedController
from tests.controller.frames import sync_frame
from tests.controller.records import station_record
from tests.faults.test_load import LoopBlocks

from .conftest import MakeSocket, until
from .frames import DAMAGE, STATION

MAX_BLOCKED = 0.020  # seconds

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('ab"\\{}[],: ', max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text('a"}{,', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
documents = st.fixed_dictionaries(
    {"data": st.lists(st.dictionaries(st.text(max_size=3), values, max_size=4), max_size=40)},
    optional={"meta": st.just({"rc": "ok"}) | values, "total": values},
)


def finish[T](work: Generator[Any, None, T]) -> tuple[T, int]:
    """Do work without an event loop; return its result and the number of turns."""
    count = 1
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value, count
        count += 1


def parsed_as_a_whole(body: bytes) -> object:
    try:
        return load_json(body)
    except orjson.JSONDecodeError:
        return "not JSON"


def parsed_in_turns(body: bytes) -> object:
    try:
        return finish(parse_large_json(body))[0]
    except orjson.JSONDecodeError:
        return "not JSON"


@given(documents, st.booleans(), st.sampled_from([None, 1]), st.data())
def test_large_json_is_parsed_like_small_json(
    document: dict[str, Any],
    meta_first: bool,  # noqa: FBT001 - drawn by hypothesis
    indent: int | None,
    data: st.DataObject,
) -> None:
    keys = sorted(document, reverse=meta_first)
    body = json.dumps({key: document[key] for key in keys}, indent=indent).encode()
    start = data.draw(st.integers(0, len(body)))
    inserted = data.draw(st.just(b"") | st.sampled_from([*DAMAGE.values()]))
    damaged = body[:start] + inserted + body[start + data.draw(st.integers(0, 3)) :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "_BYTES_PER_TURN", 20)
        for each in (body, damaged):
            assert parsed_in_turns(each) == parsed_as_a_whole(each)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[{"a":1}],"data":5}',
        b'{"data":[{"a":1}],"data":[{"b":2}]}',
        b'{"data":[{"a":1},{"b":2}}',
        b'{"data":[{"a":1} {"b":2}]}',
        b'{"data":[{"a":1}],"other":[{"c":3},{"d":4}]}',
        b'{"meta":{"a":"}"},"data":[{"a":1},{"b":2}]}',
        b'{"data":[]}',
        b'{"data":[1,"x",[{},{}]]}',
        b'[{"data":[{"a":1},{"b":2}]}]',
        b'{"data":{"a":[{},{}]}}',
        b"",
        b"\xff",
    ],
)
def test_unusual_json_is_parsed_like_small_json(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(turns, "_BYTES_PER_TURN", 1)
    assert parsed_in_turns(body) == parsed_as_a_whole(body)


def test_records_are_parsed_in_order_without_those_that_are_unusable() -> None:
    numbers = [*range(1_000)]
    parsed, count = finish(parse_records(numbers, lambda number: number if number % 3 else None))
    assert parsed == [number for number in range(1_000) if number % 3]
    assert count == 6
    assert numbers == []


async def test_other_tasks_run_between_turns() -> None:
    steps: list[str] = []

    def work() -> Generator[None, None, str]:
        for _ in range(3):
            steps.append("turn")
            yield
        return "result"

    async def other() -> None:
        while len(steps) < 5:
            steps.append("other")
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    assert await in_turns(work()) == "result"
    assert steps == ["turn", "other", "turn", "other", "turn"]
    await task


def large_frame(count: int, meta: str = '{"message":"sta:sync","rc":"ok"}') -> bytes:
    record = {**STATION, "padding": "x" * 1_000, "list": [{"a": 1}, {"b": [{}, {}]}]}
    data = json.dumps([record | {"hostname": str(number)} for number in range(count)])
    return f'{{"meta":{meta},"data":{data}}}'.encode()


@pytest.mark.parametrize(
    "frame",
    [
        large_frame(500),
        large_frame(500)[:-1],
        large_frame(500, '{"message":"device:sync"}'),
        large_frame(500, '{"message":"events"}'),
        large_frame(500, "{}"),
        large_frame(500).replace(b'{"meta"', b' { "meta"'),
        large_frame(0),
        b"",
    ],
)
def test_large_frame_is_parsed_like_a_small_one(frame: bytes) -> None:
    counted, expected_counts = FrameStatistics(), FrameStatistics()
    events = [event for part in parse_large_frame(frame, counted) for event in part]
    expected = parse_unifi_events(frame, expected_counts)
    assert [(event.event_type, event.data) for event in events] == [
        (event.event_type, event.data) for event in expected
    ]
    assert counted == expected_counts


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("number", [0, 250, 499])
def test_damaged_name_leaves_the_other_records_of_a_large_frame_readable(
    damage: bytes, number: int
) -> None:
    name = f'"hostname": "{number}'.encode()
    frame = large_frame(500).replace(name + b'"', name + damage + b'"')
    statistics = FrameStatistics()
    parts = [*parse_large_frame(frame, statistics)]
    names = [event.data["hostname"] for part in parts for event in part]
    assert names.pop(number).startswith(str(number))
    assert names == [str(other) for other in range(500) if other != number]
    assert statistics.unreadable == 0
    # One for every 64 KiB, and one for every 200 events.
    assert len(parts) > len(frame) / 2**16 + 2


async def test_socket_keeps_the_order_of_large_and_small_frames(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    events: list[BufferedEvent] = []
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(events.append))
    await controller.wait_for_sockets()
    small = json.dumps({"meta": {"message": "sta:sync"}, "data": [STATION | {"hostname": "last"}]})
    await controller.send(large_frame(4_000).decode())
    await controller.send(small)
    await until(lambda: len(events) == 4_001)
    assert [event.data["hostname"] for event in events] == [*map(str, range(4_000)), "last"]
    assert (socket.statistics.types["sta:sync"], socket.statistics.unreadable) == (2, 0)
    assert socket.statistics.seconds > 0
    await socket.stop()
    await listening


async def test_socket_stops_within_a_large_frame(
    controller: SimulatedController, make_socket: MakeSocket
) -> None:
    events: list[BufferedEvent] = []
    socket = make_socket()

    async def stop_at_once(event: BufferedEvent) -> None:
        events.append(event)
        await socket.stop()

    listening = asyncio.create_task(socket.listen(stop_at_once))
    await controller.wait_for_sockets()
    await controller.send(large_frame(4_000).decode())
    await asyncio.wait_for(listening, 5)
    assert len(events) == 1


def crowd(controller: SimulatedController, count: int) -> None:
    for number in range(count):
        controller.world.add_client(f"Phone {number}", ap=("Hall", "Kitchen")[number % 2])


async def longest_block(
    monkeypatch: pytest.MonkeyPatch, name: str, action: Callable[[], Any]
) -> float:
    """Return for how long a coroutine blocked the loop at most, in the best of some attempts."""
    worst = []
    for _ in range(4):
        with monkeypatch.context() as patch:
            blocks = LoopBlocks(patch)
            await action()
            (block,) = (value for key, value in blocks.longest.items() if key.endswith(name))
            worst.append(block)
    return min(worst)


async def test_reading_5000_clients_does_not_block_the_loop(
    controller: SimulatedController, logged_in: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(controller, 5_000)

    async def read() -> None:
        began = time.perf_counter()
        stations = await asyncio.create_task(logged_in.stations("default"))
        assert len(stations) == 5_001
        assert time.perf_counter() - began < 10

    assert await longest_block(monkeypatch, "UnifiClient.stations", read) < MAX_BLOCKED


async def test_reading_5000_clients_of_whom_one_has_a_damaged_name_does_not_block_the_loop(
    controller: SimulatedController, logged_in: UnifiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(controller, 5_000)
    world = controller.world
    records = [station_record(client, world) for client in world.online()]
    records[2_500]["hostname"] = "phone-@@"
    body = orjson.dumps({"meta": {"rc": "ok"}, "data": records}).replace(b"@@", b"\xfb")
    controller.faults.refuse("*stat/sta", status=200, body=body)

    async def read() -> None:
        stations = await asyncio.create_task(logged_in.stations("default"))
        assert len(stations) == 5_001
        assert "phone-\ufffd" in {station.hostname for station in stations}

    assert await longest_block(monkeypatch, "UnifiClient.stations", read) < MAX_BLOCKED


async def test_receiving_a_frame_of_8_mib_does_not_block_the_loop(
    controller: SimulatedController, make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(controller, 6_000)
    text = json.dumps(sync_frame(controller.world, controller.world.online()))
    assert len(text) > 8 * 2**20
    events: list[BufferedEvent] = []
    socket = make_socket()
    listening = asyncio.create_task(socket.listen(events.append))
    await controller.wait_for_sockets()

    async def receive() -> None:
        events.clear()
        await controller.send(text)
        await until(lambda: len(events) == 6_001)

    assert await longest_block(monkeypatch, "UnifiWebSocketClient._stream", receive) < MAX_BLOCKED
    await socket.stop()
    await listening
