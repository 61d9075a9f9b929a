"""The stream watchdog: when a silent stream is reopened, and how often."""

import itertools

from custom_components.unifi_scanner.api import StationRecord
from custom_components.unifi_scanner.hub.stream_watchdog import LONGEST_TIMEOUT, StreamWatchdog
from tests.roaming.observations import HALL, station


def stations_active_at(time: float | None) -> list[StationRecord]:
    """Return the records of a snapshot in which a client was last active at this time."""
    return [
        station(0.0, HALL, seen_at=None),
        station(0.0, HALL, seen_at=time),
        station(0.0, None, seen_at=9_999.0, is_wired=True),
    ]


def test_watchdog_suspects_silence_while_a_client_is_active() -> None:
    watchdog = StreamWatchdog()
    results = [
        watchdog.is_silent(
            stations_active_at(active_at),
            opened_at=-1000.0,
            last_activity=0.0,
            regular_frame_count=5,
            now=now,
        )
        for now, active_at in ((30.0, 1000.0), (50.0, 1020.0), (90.0, 1060.0), (100.0, 1070.0))
    ]
    assert results == [False, False, True, False]


def test_watchdog_accepts_silence_while_no_client_is_active() -> None:
    watchdog = StreamWatchdog()

    def is_silent(stations: list[StationRecord], now: float) -> bool:
        return watchdog.is_silent(
            stations, opened_at=-1000.0, last_activity=0.0, regular_frame_count=5, now=now
        )

    for now in range(0, 36_000, 60):
        # Records are up to a few seconds old.
        assert not is_silent(stations_active_at(1000.0 + now % 4), now)
    assert not is_silent(stations_active_at(None), 36_000)
    assert not is_silent([], 36_060)


def test_watchdog_accepts_a_stream_that_received_a_frame_lately() -> None:
    watchdog = StreamWatchdog()
    for now in range(0, 600, 60):
        assert not watchdog.is_silent(
            stations_active_at(1000.0 + now),
            opened_at=-1000.0,
            last_activity=now - 30.0,
            regular_frame_count=5,
            now=now,
        )


def times_reopened(watchdog: StreamWatchdog, times: range, regular_frame_count: int) -> list[int]:
    """Return when the watchdog reopens a stream that only ever receives its greeting."""
    last_activity, reopened = 0.0, []
    for now in times:
        if watchdog.is_silent(
            stations_active_at(1000.0 + now),
            opened_at=-1000.0,
            last_activity=last_activity,
            regular_frame_count=regular_frame_count,
            now=now,
        ):
            last_activity = now
            reopened.append(now)
    return reopened


def test_watchdog_reopens_in_vain_less_and_less_often_until_regular_frames_arrive() -> None:
    watchdog = StreamWatchdog()
    reopened = times_reopened(watchdog, range(0, 40_000, 60), regular_frame_count=0)
    waits = [after - before for before, after in itertools.pairwise(reopened)]
    assert waits == sorted(waits)
    assert waits[-1] >= LONGEST_TIMEOUT
    assert waits[-1] < LONGEST_TIMEOUT + 120
    assert len(reopened) < 18
    reopened = times_reopened(watchdog, range(40_020, 40_400, 60), regular_frame_count=7)
    assert len(reopened) > 1


def test_watchdog_is_not_reset_by_the_greeting_of_each_new_socket() -> None:
    watchdog, opened_at, reopened = StreamWatchdog(), 0.0, 0
    for minute in range(480):
        now = minute * 60.0
        if watchdog.is_silent(
            stations_active_at(1000.0 + now),
            opened_at=opened_at,
            last_activity=opened_at,
            regular_frame_count=reopened,
            now=now,
        ):
            opened_at, reopened = now, reopened + 1
    # In eight hours with active clients, only the greetings arrived.
    assert reopened < 15


def test_watchdog_ignores_a_client_last_active_in_the_future() -> None:
    watchdog = StreamWatchdog()
    results = [
        watchdog.is_silent(
            [*stations_active_at(1000.0 + now), *stations_active_at(90_000.0)],
            opened_at=0.0,
            last_activity=0.0,
            regular_frame_count=0,
            now=now,
        )
        for now in (60.0, 120.0, 180.0)
    ]
    assert any(results)
