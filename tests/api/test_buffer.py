"""The buffer between the socket and the coordinator."""

from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest

from custom_components.unifi_scanner.api import BufferedEvent, WebSocketEventBuffer

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(n: int) -> BufferedEvent:
    return BufferedEvent(NOW, "wu.roam", {"n": n})


def sync(n: int, event_type: str = "sta:sync") -> BufferedEvent:
    return BufferedEvent(NOW, event_type, {"n": n})


def filled(size: int, *events: BufferedEvent) -> WebSocketEventBuffer:
    buffer = WebSocketEventBuffer(max_size=size)
    for each in events:
        buffer.add(each)
    return buffer


def test_events_come_out_once_in_the_order_they_came_in() -> None:
    mixed = [event(n) if n % 3 else sync(n) for n in range(100)]
    buffer = filled(100, *mixed)
    assert len(buffer) == 100
    assert buffer.drain() == mixed
    assert len(buffer) == 0
    assert buffer.drain() == []
    assert buffer.dropped == 0


def test_a_drained_buffer_takes_more() -> None:
    buffer = filled(3, sync(0), event(1))
    buffer.drain()
    buffer.add(event(2))
    buffer.add(sync(3))
    assert buffer.drain() == [event(2), sync(3)]


def test_a_slice_holds_all_events_and_the_oldest_sync_records() -> None:
    buffer = filled(9, sync(0), event(1), sync(2), sync(3), event(4), sync(5))
    assert buffer.drain(2) == [sync(0), event(1), sync(2), event(4)]
    assert len(buffer) == 2
    buffer.add(event(6))
    assert buffer.drain(2) == [sync(3), sync(5), event(6)]
    assert len(buffer) == 0


@pytest.mark.parametrize("kind", ["sta:sync", "client:sync"])
def test_when_full_the_oldest_sync_record_gives_way(kind: str) -> None:
    buffer = filled(3, event(0), sync(1, kind), sync(2, kind), event(3))
    assert buffer.drain() == [event(0), sync(2, kind), event(3)]
    assert buffer.dropped == 1


def test_an_event_gives_way_only_to_events() -> None:
    buffer = filled(2, event(0), event(1), event(2))
    assert buffer.drain() == [event(1), event(2)]


def test_a_sync_record_does_not_push_out_an_event() -> None:
    buffer = filled(2, event(0), event(1), sync(2))
    assert buffer.drain() == [event(0), event(1)]
    assert buffer.dropped == 1


def test_a_flood_of_sync_records_costs_no_event() -> None:
    buffer = WebSocketEventBuffer()
    for n in range(50_000):
        buffer.add(event(n) if n % 100 == 0 else sync(n))
    assert len(buffer) == 10_000
    drained = buffer.drain()
    assert [e.data["n"] for e in drained if e.event_type == "wu.roam"] == list(
        range(0, 50_000, 100)
    )
    assert [e.data["n"] for e in drained] == sorted(e.data["n"] for e in drained)
    assert buffer.dropped == 40_000


@pytest.mark.parametrize("size", [0, -1])
def test_a_buffer_for_nothing_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        WebSocketEventBuffer(max_size=size)


def test_threads_lose_and_double_nothing() -> None:
    writers, each = 4, 2_000
    buffer = WebSocketEventBuffer(max_size=writers * each)
    barrier = Barrier(writers + 1)

    def write(writer: int) -> None:
        barrier.wait()
        for n in range(each):
            buffer.add((sync if n % 2 else event)(writer * each + n))

    threads = [Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    barrier.wait()
    drained = []
    while any(thread.is_alive() for thread in threads):
        drained += buffer.drain()
    for thread in threads:
        thread.join()
    drained += buffer.drain()
    numbers = [each.data["n"] for each in drained]
    assert sorted(numbers) == list(range(writers * each))
    for writer in range(writers):
        own = [n for n in numbers if n // each == writer]
        assert own == sorted(own)
