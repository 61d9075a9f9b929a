"""Which rows of the system log are new."""

import pytest

from custom_components.unifi_scanner.api import LogRow, NotSupportedError
from custom_components.unifi_scanner.hub import backfill
from custom_components.unifi_scanner.hub.backfill import SystemLogBackfill
from custom_components.unifi_scanner.roaming import RoamTracker
from tests.roaming.observations import BEDROOM, HALL, roam

NOW = 1_700_000_000.0


class Log:
    """A client that has nothing but a system log, the newest row first."""

    def __init__(self, *ids: str | None) -> None:
        """Hold rows with these ids, each a second older than the one before."""
        self.rows = tuple(
            LogRow(id=row_id, event=roam(NOW - number, HALL, BEDROOM))
            for number, row_id in enumerate(ids)
        )
        self.asked: list[tuple[float, float]] = []

    async def client_log(self, site: str, since: float, until: float) -> tuple[LogRow, ...]:
        assert site == "default"
        self.asked.append((since, until))
        return self.rows


async def read(log: SystemLogBackfill, rows: Log) -> list[float | None]:
    log.open(NOW)
    return [event.time for event in await log.async_read(rows, is_over=True)]


async def test_rows_come_in_the_order_in_which_they_happened() -> None:
    assert await read(SystemLogBackfill("default", RoamTracker()), Log("c", "b", "a")) == [
        NOW - 2,
        NOW - 1,
        NOW,
    ]


async def test_a_row_is_told_once_if_it_can_be_known_again() -> None:
    log = SystemLogBackfill("default", RoamTracker())
    rows = Log("b", None, "a")
    assert len(await read(log, rows)) == 3
    assert await read(log, rows) == [NOW - 1]


async def test_only_so_many_rows_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "_MOST_IDS", 2)
    log = SystemLogBackfill("default", RoamTracker())
    await read(log, Log("c", "b", "a"))
    assert await read(log, Log("c", "b")) == []
    assert await read(log, Log("a")) == [NOW]


async def test_nothing_is_asked_without_a_gap() -> None:
    log, rows = SystemLogBackfill("default", RoamTracker()), Log("a")
    assert await log.async_read(rows, is_over=True) == ()
    await read(log, rows)
    assert await log.async_read(rows, is_over=True) == ()
    assert len(rows.asked) == 1


async def test_a_gap_begins_at_its_earliest_moment() -> None:
    log, rows = SystemLogBackfill("default", RoamTracker()), Log()
    log.open(NOW)
    log.open(NOW - 100)
    log.open(NOW + 100)
    await log.async_read(rows, is_over=True)
    ((since, until),) = rows.asked
    assert since < NOW - 100
    assert until > since


class Refusing(Log):
    """A system log that is not there, as while the application starts."""

    async def client_log(self, site: str, since: float, until: float) -> tuple[LogRow, ...]:
        await super().client_log(site, since, until)
        raise NotSupportedError("404")


async def test_a_log_that_is_not_there_is_asked_for_once() -> None:
    log, rows = SystemLogBackfill("default", RoamTracker()), Refusing()
    for _ in range(3):
        assert await read(log, rows) == []
    assert len(rows.asked) == 1


async def test_a_log_that_was_there_before_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "_FIRST_WAIT", 0.0)
    log = SystemLogBackfill("default", RoamTracker())
    assert await read(log, Log("a")) == [NOW]
    assert await read(log, Refusing()) == []
    assert await read(log, Log("b")) == [NOW]
