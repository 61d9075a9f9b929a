"""Tests of the buffer between the event socket and the coordinator."""

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
    for item in events:
        buffer.add(item)
    return buffer


def test_buffer_drains_each_event_once_in_order_of_arrival() -> None:
    mixed = [event(n) if n % 3 else sync(n) for n in range(100)]
    buffer = filled(100, *mixed)
    assert len(buffer) == 100
    assert buffer.drain() == mixed
    assert len(buffer) == 0
    assert buffer.drain() == []
    assert buffer.dropped == 0


def test_buffer_accepts_events_after_a_drain() -> None:
    buffer = filled(3, sync(0), event(1))
    buffer.drain()
    buffer.add(event(2))
    buffer.add(sync(3))
    assert buffer.drain() == [event(2), sync(3)]


def test_drain_with_max_syncs_returns_all_events_and_the_oldest_sync_records() -> None:
    buffer = filled(9, sync(0), event(1), sync(2), sync(3), event(4), sync(5))
    assert buffer.drain(2) == [sync(0), event(1), sync(2), event(4)]
    assert len(buffer) == 2
    buffer.add(event(6))
    assert buffer.drain(2) == [sync(3), sync(5), event(6)]
    assert len(buffer) == 0


@pytest.mark.parametrize("kind", ["sta:sync", "client:sync"])
def test_full_buffer_drops_the_oldest_sync_record(kind: str) -> None:
    buffer = filled(3, event(0), sync(1, kind), sync(2, kind), event(3))
    assert buffer.drain() == [event(0), sync(2, kind), event(3)]
    assert buffer.dropped == 1


def test_full_buffer_drops_the_oldest_event_if_it_holds_only_events() -> None:
    buffer = filled(2, event(0), event(1), event(2))
    assert buffer.drain() == [event(1), event(2)]


def test_full_buffer_drops_a_new_sync_record_rather_than_an_event() -> None:
    buffer = filled(2, event(0), event(1), sync(2))
    assert buffer.drain() == [event(0), event(1)]
    assert buffer.dropped == 1


def test_flood_of_sync_records_drops_no_event() -> None:
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
def test_buffer_size_below_one_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        WebSocketEventBuffer(max_size=size)


def test_buffer_shared_by_threads_loses_and_duplicates_nothing() -> None:
    writers, per_writer = 4, 2_000
    buffer = WebSocketEventBuffer(max_size=writers * per_writer)
    barrier = Barrier(writers + 1)

    def write(writer: int) -> None:
        barrier.wait()
        for n in range(per_writer):
            buffer.add((sync if n % 2 else event)(writer * per_writer + n))

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
    numbers = [item.data["n"] for item in drained]
    assert sorted(numbers) == list(range(writers * per_writer))
    for writer in range(writers):
        own = [n for n in numbers if n // per_writer == writer]
        assert own == sorted(own)
