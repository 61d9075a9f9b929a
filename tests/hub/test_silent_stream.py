"""A controller that tells nothing, a quiet night, and one that only tells when somebody moves."""

from collections.abc import Iterable

import pytest

from custom_components.unifi_scanner.hub.silent_stream import SILENT_FOR, SilenceDetector
from tests.roaming.observations import HALL, station

MINUTE = 60.0
HOUR = 60


class Site:
    """A site whose snapshots are taken once a minute; by its clients' records all are active."""

    def __init__(self) -> None:
        """Open the stream."""
        self.silence = SilenceDetector()
        self.now = 5000.0
        self.seen = 1_000_000.0
        self.told = 0
        self.opened: float | None = self.now

    def snapshots(
        self, minutes: int, *, moves: Iterable[int] = (), tells: bool = False, active: bool = True
    ) -> list[bool]:
        """Let minutes pass, in some of which somebody moves; return what is thought after each."""
        moves = set(moves)
        thought = []
        for minute in range(minutes):
            self.now += MINUTE
            self.seen += MINUTE if active else 0.0
            self.told += tells
            self.silence.update(
                [station(0.0, HALL, seen_at=self.seen)],
                missed=minute in moves,
                told=self.told,
                opened=self.opened,
                now=self.now,
            )
            thought.append(self.silence.is_proven)
        return thought


@pytest.fixture
def site() -> Site:
    site = Site()
    site.snapshots(2, tells=True)
    return site


def test_moves_that_are_never_told_prove_it_after_an_hour_of_activity(site: Site) -> None:
    thought = site.snapshots(90, moves=(5, 30))
    assert thought.index(True) == 5 + SILENT_FOR / MINUTE


def test_one_move_may_have_got_lost(site: Site) -> None:
    assert not any(site.snapshots(12 * HOUR, moves=(5,)))
    assert site.snapshots(1, moves=(0,)) == [True]


def test_who_only_stays_proves_nothing(site: Site) -> None:
    """Where only events come they come when somebody moves."""
    assert not any(site.snapshots(10 * HOUR))


def test_a_night_in_which_nobody_is_active_proves_nothing(site: Site) -> None:
    assert not any(site.snapshots(10, moves=(1, 2)))
    assert not any(site.snapshots(10 * HOUR, active=False))


def test_a_word_of_the_stream_ends_it(site: Site) -> None:
    assert site.snapshots(90, moves=(5, 30))[-1]
    assert site.snapshots(1, tells=True) == [False]
    assert not any(site.snapshots(50, moves=(5, 30)))


def test_moves_while_the_stream_was_down_are_not_missed(site: Site) -> None:
    for _ in range(30):
        site.opened = None
        site.snapshots(2, moves=(0, 1))
        site.opened = site.now + 1
        site.snapshots(1, moves=(0,))
        site.snapshots(3)
    assert not site.silence.is_proven
    # Reopened between two snapshots.
    for _ in range(90):
        site.opened = site.now + 1
        assert site.snapshots(1, moves=(0,)) == [False]


def test_opening_it_anew_in_vain_does_not_hide_it(site: Site) -> None:
    thought = []
    for minutes in (2, 4, 8, 16, 32, 64):
        thought += site.snapshots(minutes, moves=(1,))
        site.opened = None
        thought += site.snapshots(1)
        site.opened = site.now + 1
    assert thought[-1]


def test_a_time_without_a_stream_does_not_count(site: Site) -> None:
    site.snapshots(30, moves=(0, 1))
    site.opened = None
    assert not any(site.snapshots(5 * HOUR, moves=(3,)))
    site.opened = site.now + 1
    assert not any(site.snapshots(25))
    assert any(site.snapshots(15))
