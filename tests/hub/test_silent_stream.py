"""Detection of a stream that reports nothing, as opposed to a quiet night or rare events."""

from collections.abc import Iterable

import pytest

from custom_components.unifi_scanner.hub.silent_stream import SILENT_FOR, SilenceDetector
from tests.roaming.observations import HALL, station

MINUTE = 60.0
HOUR = 60


class Site:
    """A site with a snapshot every minute, in which all clients are active unless stated."""

    def __init__(self) -> None:
        """Open the stream."""
        self.detector = SilenceDetector()
        self.now = 5000.0
        self.newest_activity = 1_000_000.0
        self.reports = 0
        self.opened_at: float | None = self.now

    def snapshots(
        self,
        minutes: int,
        *,
        moves: Iterable[int] = (),
        reports: bool = False,
        active: bool = True,
    ) -> list[bool]:
        """Let minutes pass and return whether silence is proven after each of them.

        In the minutes of `moves` a client moves. If `reports` is set, the stream reports something.
        """
        moves = set(moves)
        proven = []
        for minute in range(minutes):
            self.now += MINUTE
            self.newest_activity += MINUTE if active else 0.0
            self.reports += reports
            self.detector.update(
                [station(0.0, HALL, seen_at=self.newest_activity)],
                missed=minute in moves,
                last_report=self.reports,
                opened_at=self.opened_at,
                now=self.now,
            )
            proven.append(self.detector.is_proven)
        return proven


@pytest.fixture
def site() -> Site:
    site = Site()
    site.snapshots(2, reports=True)
    return site


def test_silence_is_proven_by_unreported_moves_and_an_hour_of_activity(site: Site) -> None:
    proven = site.snapshots(90, moves=(5, 30))
    assert proven.index(True) == 5 + SILENT_FOR / MINUTE


def test_silence_is_not_proven_by_a_single_unreported_move(site: Site) -> None:
    assert not any(site.snapshots(12 * HOUR, moves=(5,)))
    assert site.snapshots(1, moves=(0,)) == [True]


def test_silence_is_not_proven_by_clients_that_do_not_move(site: Site) -> None:
    """Some controllers only send events, and those only when a client moves."""
    assert not any(site.snapshots(10 * HOUR))


def test_silence_is_not_proven_by_a_night_without_activity(site: Site) -> None:
    assert not any(site.snapshots(10, moves=(1, 2)))
    assert not any(site.snapshots(10 * HOUR, active=False))


def test_silence_ends_with_a_report(site: Site) -> None:
    assert site.snapshots(90, moves=(5, 30))[-1]
    assert site.snapshots(1, reports=True) == [False]
    assert not any(site.snapshots(50, moves=(5, 30)))


def test_silence_excludes_moves_while_the_stream_was_down(site: Site) -> None:
    for _ in range(30):
        site.opened_at = None
        site.snapshots(2, moves=(0, 1))
        site.opened_at = site.now + 1
        site.snapshots(1, moves=(0,))
        site.snapshots(3)
    assert not site.detector.is_proven
    # Reopened between two snapshots.
    for _ in range(90):
        site.opened_at = site.now + 1
        assert site.snapshots(1, moves=(0,)) == [False]


def test_silence_is_not_hidden_by_reopening_the_stream(site: Site) -> None:
    proven = []
    for minutes in (2, 4, 8, 16, 32, 64):
        proven += site.snapshots(minutes, moves=(1,))
        site.opened_at = None
        proven += site.snapshots(1)
        site.opened_at = site.now + 1
    assert proven[-1]


def test_silence_does_not_include_time_without_a_stream(site: Site) -> None:
    site.snapshots(30, moves=(0, 1))
    site.opened_at = None
    assert not any(site.snapshots(5 * HOUR, moves=(3,)))
    site.opened_at = site.now + 1
    assert not any(site.snapshots(25))
    assert any(site.snapshots(15))
