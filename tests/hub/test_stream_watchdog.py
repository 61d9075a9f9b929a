"""A mute stream, a quiet night, and a site that never says much."""

import itertools

from custom_components.unifi_scanner.api import StationRecord
from custom_components.unifi_scanner.hub.stream_watchdog import LONGEST_PATIENCE, StreamWatchdog
from tests.roaming.observations import HALL, station


def people(seen: float | None) -> list[StationRecord]:
    return [
        station(0.0, HALL, seen_at=None),
        station(0.0, HALL, seen_at=seen),
        station(0.0, None, seen_at=9_999.0, is_wired=True),
    ]


def test_silence_is_suspicious_when_somebody_was_active() -> None:
    watchdog = StreamWatchdog()
    looks = [
        watchdog.is_silent(people(seen), opened=-1000.0, heard=0.0, traffic=5, now=now)
        for now, seen in ((30.0, 1000.0), (50.0, 1020.0), (90.0, 1060.0), (100.0, 1070.0))
    ]
    assert looks == [False, False, True, False]


def test_silence_is_not_suspicious_when_nobody_was() -> None:
    watchdog = StreamWatchdog()
    for now in range(0, 36_000, 60):
        # Some seconds are a record's own delay.
        assert not watchdog.is_silent(
            people(1000.0 + now % 4), opened=-1000.0, heard=0.0, traffic=5, now=now
        )
    assert not watchdog.is_silent(people(None), opened=-1000.0, heard=0.0, traffic=5, now=36_000)
    assert not watchdog.is_silent([], opened=-1000.0, heard=0.0, traffic=5, now=36_060)


def test_a_frame_ends_the_suspicion() -> None:
    watchdog = StreamWatchdog()
    for now in range(0, 600, 60):
        heard = now - 30.0
        assert not watchdog.is_silent(
            people(1000.0 + now), opened=-1000.0, heard=heard, traffic=5, now=now
        )


def reopened(watchdog: StreamWatchdog, times: range, traffic: int) -> list[int]:
    """Return when a socket that tells nothing but its greeting is opened anew."""
    heard, found = 0.0, []
    for now in times:
        if watchdog.is_silent(
            people(1000.0 + now), opened=-1000.0, heard=heard, traffic=traffic, now=now
        ):
            heard = now
            found.append(now)
    return found


def test_opening_it_anew_in_vain_is_done_ever_more_rarely_until_traffic_comes() -> None:
    watchdog = StreamWatchdog()
    found = reopened(watchdog, range(0, 40_000, 60), traffic=0)
    waits = [after - before for before, after in itertools.pairwise(found)]
    assert waits == sorted(waits)
    assert waits[-1] >= LONGEST_PATIENCE
    assert waits[-1] < LONGEST_PATIENCE + 120
    assert len(found) < 18
    found = reopened(watchdog, range(40_020, 40_400, 60), traffic=7)
    assert len(found) > 1


def test_a_greeting_at_each_opening_does_not_make_it_impatient() -> None:
    watchdog, opened, reopened = StreamWatchdog(), 0.0, 0
    for minute in range(480):
        now = minute * 60.0
        if watchdog.is_silent(
            people(1000.0 + now), opened=opened, heard=opened, traffic=reopened, now=now
        ):
            opened, reopened = now, reopened + 1
    # Eight hours in which clients were about and nothing came but the greetings.
    assert reopened < 15


def test_a_client_that_was_seen_in_the_future_hides_nobody() -> None:
    watchdog = StreamWatchdog()
    mute = [
        watchdog.is_silent(
            [*people(1000.0 + now), *people(90_000.0)],
            opened=0.0,
            heard=0.0,
            traffic=0,
            now=now,
        )
        for now in (60.0, 120.0, 180.0)
    ]
    assert any(mute)
