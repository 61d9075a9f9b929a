"""Backfill from the system log: which rows are read, and which are new."""

import asyncio

import pytest

from custom_components.unifi_scanner.api import LogRow, NotSupportedError
from custom_components.unifi_scanner.hub import backfill
from custom_components.unifi_scanner.hub.backfill import SystemLogBackfill
from custom_components.unifi_scanner.roaming import RoamTracker
from tests.roaming.observations import BEDROOM, HALL, roam

NOW = 1_700_000_000.0


class LogClient:
    """A client that only supports reading the system log."""

    def __init__(self, *ids: str | None) -> None:
        """Hold rows with these ids, newest first, each a second older than the one before."""
        self.rows = tuple(
            LogRow(id=row_id, event=roam(NOW - number, HALL, BEDROOM))
            for number, row_id in enumerate(ids)
        )
        self.requests: list[tuple[float, float]] = []

    async def client_log(self, site: str, since: float, until: float) -> tuple[LogRow, ...]:
        assert site == "default"
        self.requests.append((since, until))
        return self.rows


class MissingLogClient(LogClient):
    """A client whose controller has no system log, as while the application starts."""

    async def client_log(self, site: str, since: float, until: float) -> tuple[LogRow, ...]:
        await super().client_log(site, since, until)
        raise NotSupportedError("404")


@pytest.fixture
def log() -> SystemLogBackfill:
    return SystemLogBackfill("default", RoamTracker())


async def read_gap(log: SystemLogBackfill, client: LogClient) -> list[float | None]:
    """Open a gap, read it, and return the times of the events."""
    log.open_gap(NOW)
    return [event.time for event in await log.async_read(client, is_over=True)]


async def test_backfill_returns_events_in_the_order_they_happened(log: SystemLogBackfill) -> None:
    assert await read_gap(log, LogClient("c", "b", "a")) == [NOW - 2, NOW - 1, NOW]


async def test_backfill_returns_a_row_with_an_id_only_once(log: SystemLogBackfill) -> None:
    client = LogClient("b", None, "a")
    assert len(await read_gap(log, client)) == 3
    assert await read_gap(log, client) == [NOW - 1]


async def test_backfill_remembers_a_limited_number_of_row_ids(
    log: SystemLogBackfill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "_MAX_IDS", 2)
    await read_gap(log, LogClient("c", "b", "a"))
    assert await read_gap(log, LogClient("c", "b")) == []
    assert await read_gap(log, LogClient("a")) == [NOW]


async def test_backfill_sends_no_request_without_a_gap(log: SystemLogBackfill) -> None:
    client = LogClient("a")
    assert await log.async_read(client, is_over=True) == ()
    await read_gap(log, client)
    assert await log.async_read(client, is_over=True) == ()
    assert len(client.requests) == 1


async def test_backfill_starts_at_the_earliest_start_of_the_gap(log: SystemLogBackfill) -> None:
    client = LogClient()
    now = asyncio.get_running_loop().time()
    log.open_gap(now - 50)
    log.open_gap(now - 100)
    log.open_gap(now - 20)
    await log.async_read(client, is_over=True)
    ((since, until),) = client.requests
    assert since < now - 100
    assert until > since


async def test_backfill_requests_a_missing_log_only_once(log: SystemLogBackfill) -> None:
    client = MissingLogClient()
    for _ in range(3):
        assert await read_gap(log, client) == []
    assert len(client.requests) == 1


async def test_backfill_retries_a_log_that_could_be_read_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backfill, "_FIRST_WAIT", 0.0)
    log = SystemLogBackfill("default", RoamTracker())
    assert await read_gap(log, LogClient("a")) == [NOW]
    assert await read_gap(log, MissingLogClient()) == []
    assert await read_gap(log, LogClient("b")) == [NOW]
