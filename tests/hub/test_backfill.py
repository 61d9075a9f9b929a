"""Backfill from the system log: when and what is read, and which rows are new."""

import asyncio
from collections.abc import Coroutine
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from custom_components.unifi_scanner.api import (
    ClientLog,
    ControllerStartingError,
    EventRecord,
    LogRow,
    NotSupportedError,
    SessionExpiredError,
    UnifiError,
)
from custom_components.unifi_scanner.api.records import parse_log_row
from custom_components.unifi_scanner.hub.backfill import SystemLogBackfill
from tests.faults.clock import VirtualTime
from tests.roaming.observations import BEDROOM, HALL, PHONE, roam

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"


class Controller:
    """A controller's clock and system log, with rows that are written late."""

    def __init__(self) -> None:
        """Start with an empty log, and a clock that is years ahead of the event loop's."""
        self.offset = 1_700_000_000.0
        self.rows: list[tuple[float, LogRow]] = []
        self.requests: list[tuple[float, float]] = []
        self.error: UnifiError | None = None
        self.unread = 0

    def time(self, now: float) -> float:
        """Convert an event-loop time."""
        return now + self.offset

    @property
    def now(self) -> float:
        return self.time(loop_time())

    def log(self, *ids: str | None, ago: float = 0.0, delay: float = 0.0) -> list[float]:
        """Write a row per id, after a delay; return the times, which are a second apart."""
        times = [self.now - ago + number for number in range(len(ids))]
        for row_id, time in zip(ids, times, strict=True):
            row = LogRow(id=row_id, event=roam(time, HALL, BEDROOM))
            self.rows.insert(0, (loop_time() + delay, row))
        return times

    async def client_log(self, site: str, since: float, until: float) -> ClientLog:
        assert site == "default"
        self.requests.append((since, until))
        await asyncio.sleep(0.01)
        if self.error is not None:
            raise self.error
        rows = [
            row
            for written, row in self.rows
            if written <= loop_time() and since <= (row.event.time or since) <= until
        ]
        return ClientLog(rows=rows, unread=self.unread)


class Site:
    """A backfill, read as the coordinator does."""

    def __init__(self) -> None:
        """Start without a gap."""
        self.controller = Controller()
        self.backfill = SystemLogBackfill("default", self.controller.time)

    async def read(self, *, is_over: bool = True, **options: Any) -> list[float | None]:
        """Read the log and return the times of the events."""
        return [event.time for event in await self.events(is_over=is_over, **options)]

    async def events(self, *, is_over: bool = True, **options: Any) -> list[EventRecord]:
        client: Any = self.controller
        return [*await self.backfill.async_read(client, is_over=is_over, **options)]

    async def read_until_quiet(self) -> tuple[list[float | None], list[float]]:
        """Read whenever that is due; return the events' times, and the times of the reads."""
        began, times, reads = loop_time(), await self.read(), [0.0]
        while (due := self.backfill.next_read_due) is not None:
            await asyncio.sleep(due - loop_time())
            reads.append(round(loop_time() - began))
            times += await self.read()
        return times, reads


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a site in virtual time."""
    VirtualTime(monkeypatch)
    return Site()


def loop_time() -> float:
    return asyncio.get_running_loop().time()


async def test_backfill_returns_events_in_the_order_they_happened(site: Site) -> None:
    times = site.controller.log("a", "b", "c", ago=30)
    site.backfill.open_gap(loop_time() - 60)
    assert await site.read() == times


async def test_backfill_returns_a_row_with_an_id_only_once(site: Site) -> None:
    times = site.controller.log("a", None, "b", ago=30)
    site.backfill.open_gap(loop_time() - 60)
    assert await site.read() == times
    assert await site.read() == []
    site.backfill.open_gap(loop_time() - 60)
    assert await site.read() == []


async def test_backfill_sends_no_request_without_a_gap(site: Site) -> None:
    assert await site.read() == []
    assert site.backfill.next_read_due is None
    assert site.controller.requests == []


async def test_backfill_starts_at_the_earliest_start_of_the_gap(site: Site) -> None:
    now = loop_time()
    for ago in (50, 100, 20):
        site.backfill.open_gap(now - ago)
    await site.read()
    ((since, until),) = site.controller.requests
    assert site.controller.time(now - 131) <= since < site.controller.time(now - 100)
    assert site.controller.time(now) < until


@pytest.mark.parametrize("delay", [1, 4, 12, 29, 58])
async def test_backfill_finds_rows_that_are_written_late(site: Site, delay: float) -> None:
    site.backfill.open_gap(loop_time() - 60)
    early = site.controller.log("a", ago=30)
    late = site.controller.log("b", "c", ago=45, delay=delay)
    times, _ = await site.read_until_quiet()
    assert times == early + late


async def test_backfill_reads_until_the_log_has_been_quiet_for_a_while(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    _, reads = await site.read_until_quiet()
    assert reads == [0, 5, 15, 30, 60]


async def test_backfill_reads_on_while_rows_appear(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    for number in range(4):
        site.controller.log(f"{number}", ago=20, delay=50 + 50 * number)
    times, reads = await site.read_until_quiet()
    assert len(times) == 4
    assert reads == [0, 5, 15, 30, 60, 65, 125, 130, 190, 195, 255, 260, 320]


async def test_backfill_returns_late_rows_together(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    first = site.controller.log("a", ago=30)
    late = [*site.controller.log("b", ago=20, delay=3), *site.controller.log("c", ago=15, delay=8)]
    assert await site.read() == first
    found = []
    for _ in range(3):
        due = site.backfill.next_read_due
        assert due is not None
        await asyncio.sleep(due - loop_time())
        found.append(await site.read())
    assert found == [[], [], late]
    assert site.controller.now - late[1] < 31


async def test_backfill_returns_late_rows_when_the_log_fails_or_the_stream_is_lost(
    site: Site,
) -> None:
    for failure in (True, False):
        site.backfill.open_gap(loop_time() - 60)
        late = site.controller.log(f"{failure}", ago=20, delay=3)
        assert await site.read() == []
        await asyncio.sleep(5)
        assert await site.read() == []
        if failure:
            site.controller.error = ControllerStartingError("502")
            assert await site.read() == late
            await asyncio.sleep(100)
            site.controller.error = None
        else:
            site.backfill.open_gap(loop_time())
            assert await site.read(is_over=False) == late


async def test_backfill_of_a_busy_site_ends_although_new_rows_appear(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    for number in range(300):
        site.controller.log(f"{number}", ago=-number, delay=number)
    _, reads = await site.read_until_quiet()
    assert reads[-1] <= 120


async def test_backfill_reads_only_the_end_of_the_gap_again(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 3600)
    began = site.controller.now
    await site.read_until_quiet()
    (first, until), *others = site.controller.requests
    assert until - first == pytest.approx(3660)
    assert all(began - 340 < since < began - 300 for since, _ in others)
    assert all(until == pytest.approx(began + 30) for _, until in others)


async def test_backfill_of_a_second_gap_reads_both(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    late = site.controller.log("a", ago=30, delay=10)
    await site.read()
    await asyncio.sleep(7)
    site.backfill.open_gap(loop_time() - 2)
    await asyncio.sleep(600)
    in_second = site.controller.log("b", ago=590)
    times, reads = await site.read_until_quiet()
    assert times == late + in_second
    assert reads == [0, 5, 15, 30, 60]


async def test_backfill_keeps_a_gap_that_is_opened_during_a_read(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    reading = asyncio.ensure_future(site.read())
    await asyncio.sleep(0.005)
    began = site.controller.now
    site.backfill.open_gap(loop_time())
    await reading
    await asyncio.sleep(1_000)
    row = site.controller.log("a", ago=999)
    assert await site.read() == row
    assert site.controller.requests[-1][0] < began


async def test_backfill_continues_while_the_stream_is_down(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 10)
    for number in range(10):
        times = site.controller.log(f"{number}", ago=5)
        assert await site.read(is_over=False) == times
        await asyncio.sleep(60)
    assert site.controller.requests[-1][0] > site.controller.requests[0][0]


async def test_backfill_requests_a_missing_log_only_once(site: Site) -> None:
    site.controller.error = NotSupportedError("404")
    for _ in range(3):
        site.backfill.open_gap(loop_time() - 60)
        assert await site.read() == []
        assert site.backfill.next_read_due is None
        await asyncio.sleep(4_000)
    assert site.backfill.supported is False
    assert len(site.controller.requests) == 1


@pytest.mark.parametrize(
    "error", [NotSupportedError("404"), SessionExpiredError("401"), ControllerStartingError("502")]
)
async def test_backfill_keeps_the_gap_while_the_log_cannot_be_read(
    site: Site, error: UnifiError
) -> None:
    site.backfill.open_gap(loop_time() - 60)
    await site.read_until_quiet()
    await asyncio.sleep(1_000)

    times = site.controller.log("a", ago=30)
    site.controller.error = error
    site.backfill.open_gap(loop_time() - 60)
    began, before = loop_time(), len(site.controller.requests)
    while loop_time() < began + 3_600:
        assert await site.read() == []
        due = site.backfill.next_read_due
        assert due is not None
        await asyncio.sleep(due - loop_time())
    assert len(site.controller.requests) - before <= 7
    site.controller.error = None
    found, _ = await site.read_until_quiet()
    assert found == times


async def test_backfill_waits_after_a_failure_however_often_it_is_read(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    site.controller.error = ControllerStartingError("502")
    for _ in range(59):
        await site.read()
        await asyncio.sleep(1)
    assert len(site.controller.requests) == 3


async def test_log_of_a_gap_is_known_once_rows_that_were_written_late_have_been_read(
    site: Site,
) -> None:
    began = loop_time() - 60
    assert site.backfill.known_until is None
    site.backfill.open_gap(began)
    assert site.backfill.known_until == began
    await site.read(is_over=False)
    assert site.backfill.known_until == pytest.approx(loop_time() - 5, abs=0.1)
    await asyncio.sleep(10)
    await site.read()
    assert site.backfill.known_until == pytest.approx(loop_time() - 5, abs=0.1)
    site.controller.log("a", ago=3)
    await asyncio.sleep(5)
    assert await site.read() == []
    assert site.backfill.known_until == pytest.approx(loop_time() - 10, abs=0.1)
    await asyncio.sleep(5)
    assert len(await site.read()) == 1
    assert site.backfill.known_until is None


async def test_no_log_is_expected_after_three_failures(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    site.controller.error = ControllerStartingError("502")
    began = loop_time()
    while site.backfill.known_until is not None:
        await site.read()
        await asyncio.sleep(1)
    assert 20 < loop_time() - began < 30


async def test_log_that_always_fails_is_requested_hourly_forever(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    site.controller.error = ControllerStartingError("502")
    for _ in range(700):
        await site.read()
        await asyncio.sleep(3_600)
    assert len(site.controller.requests) == 700


async def test_gap_begins_where_rows_may_still_be_found(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    for _ in range(120):
        await site.read(is_over=False)
        await asyncio.sleep(60)
    assert site.backfill.gap_began is not None
    assert loop_time() - site.backfill.gap_began < 400


async def test_no_log_is_expected_of_a_gap_that_is_too_long_to_be_read(site: Site) -> None:
    site.backfill.open_gap(loop_time())
    assert site.backfill.known_until is not None
    await asyncio.sleep(2 * 3_600 + 1)
    assert site.backfill.known_until is None


async def test_no_gap_is_opened_without_a_log(site: Site) -> None:
    site.backfill.open_gap(loop_time() - 60)
    site.controller.error = NotSupportedError("404")
    await site.read()
    site.backfill.open_gap(loop_time() - 60)
    assert (site.backfill.gap_began, site.backfill.known_until) == (None, None)


async def test_backfill_reports_once_that_a_gap_was_too_long(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    site.backfill.open_gap(loop_time() - 86_400)
    times = site.controller.log("a", ago=7_000)
    site.controller.log("b", ago=8_000)
    found, _ = await site.read_until_quiet()
    assert found == times
    assert site.backfill.truncated == 1
    (record,) = [record for record in caplog.records if "too long" in record.message]
    assert record.levelno == logging.INFO
    site.controller.unread = 5
    site.backfill.open_gap(loop_time() - 60)
    await site.read_until_quiet()
    assert site.backfill.truncated == 2


async def test_backfill_marks_the_events_of_guests(site: Site) -> None:
    site.controller.log("a", "b", ago=30)
    site.backfill.open_gap(loop_time() - 60)
    assert [event.guest for event in await site.events(guests={PHONE})] == [True, True]


@pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not part of the repository")
async def test_backfill_marks_the_captured_guest_of_an_outage(site: Site) -> None:
    capture = json.loads((CAPTURES / "guest_of_an_outage.json").read_text(encoding="utf-8"))
    (row,), (station,) = capture["system-log/all"], capture["stat/sta"]
    event = parse_log_row(row, 0.0)
    assert event is not None
    assert event.time is not None
    site.controller.offset = event.time - loop_time() + 30
    site.controller.rows = [(0.0, LogRow(id="a", event=event))]
    site.backfill.open_gap(loop_time() - 60)
    (found,) = await site.events(guests={station["mac"]})
    assert found == event._replace(guest=True)


@pytest.mark.parametrize("step", [-3_600, -60, 60, 3_600])
async def test_backfill_follows_a_step_of_the_controllers_clock(site: Site, step: float) -> None:
    site.backfill.open_gap(loop_time() - 60)
    site.controller.offset += step
    times = site.controller.log("a", "b", ago=50)
    late = site.controller.log("c", ago=10, delay=8)
    found, _ = await site.read_until_quiet()
    assert found == times + late


async def test_backfill_drops_rows_outside_the_range(site: Site) -> None:
    """A controller may ignore the requested range."""
    site.controller.log("a", ago=600)
    times = site.controller.log("b", ago=30)
    site.controller.log("c", ago=-7_200)

    async def ignore_range(_site: str, _since: float, _until: float) -> ClientLog:
        return ClientLog(rows=[row for _, row in site.controller.rows])

    site.controller.client_log = ignore_range  # type: ignore[method-assign]
    site.backfill.open_gap(loop_time() - 60)
    assert await site.read() == times


async def test_backfill_of_many_rows_is_one_batch_and_lets_other_tasks_run(site: Site) -> None:
    count = 20_000
    now = site.controller.now
    site.controller.rows = [
        (0.0, LogRow(id=str(number), event=roam(now - number / 100, HALL, BEDROOM)))
        for number in range(count)
    ]
    site.backfill.open_gap(loop_time() - 300)
    turns = await turns_during(site.read())
    assert turns >= count / 200
    assert len(site.controller.requests) == 1


async def turns_during(work: Coroutine[Any, Any, list[float | None]]) -> int:
    """Return how many turns of the event loop some work takes."""
    task = asyncio.ensure_future(work)
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    times = [time for time in await task if time is not None]
    assert times == sorted(times)
    assert len(times) == 20_000
    return turns
