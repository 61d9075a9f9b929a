"""Tests of the backoff between attempts to reopen the event socket."""

from random import Random
from typing import override

import pytest

from custom_components.unifi_scanner.api import (
    CannotConnectError,
    ControllerStartingError,
    RateLimitedError,
    ReconnectPolicy,
    UnifiError,
)
from custom_components.unifi_scanner.api.backoff import delay_after
from custom_components.unifi_scanner.api.responses import handshake_error, parse_retry_after

STEADY = ReconnectPolicy(jitter=0)
RANDOM = Random(1)  # noqa: S311 - not for security
LOST = CannotConnectError("lost")
STARTING = ControllerStartingError("starting")


def test_backoff_doubles_from_five_seconds_to_five_minutes() -> None:
    delays = [STEADY.delay(attempt, RANDOM) for attempt in range(9)]
    assert delays == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert STEADY.delay(10**9, RANDOM) == 300


def test_backoff_jitter_shortens_delays_by_at_most_a_quarter_and_keeps_them_increasing() -> None:
    policy = ReconnectPolicy()
    for seed in range(50):
        random = Random(seed)  # noqa: S311 - not for security
        delays = [policy.delay(attempt, random) for attempt in range(6)]
        for attempt, delay in enumerate(delays):
            assert 0.75 * 5 * 2**attempt <= delay <= 5 * 2**attempt
        assert delays == sorted(delays)
    assert len({policy.delay(0, RANDOM) for _ in range(50)}) > 40


def test_backoff_for_a_booting_controller_is_at_most_forty_seconds() -> None:
    assert [delay_after(STARTING, n, STEADY, RANDOM) for n in (0, 3, 4, 99)] == [5, 40, 40, 40]
    assert delay_after(LOST, 99, STEADY, RANDOM) == 300


@pytest.mark.parametrize(
    ("retry_after", "attempt", "expected"),
    [(None, 0, 60), (None, 9, 300), (2, 0, 5), (90, 0, 90), (0, 0, 5), (900, 9, 900)],
)
def test_backoff_after_a_rate_limit_is_the_longer_of_retry_after_and_backoff(
    retry_after: float | None, attempt: int, expected: float
) -> None:
    error = RateLimitedError("slower", retry_after=retry_after)
    assert delay_after(error, attempt, STEADY, RANDOM) == expected


def test_reconnect_policy_can_be_overridden() -> None:
    class Constant(ReconnectPolicy):
        @override
        def delay(self, attempt: int, random: Random) -> float:
            return 7.0

    assert delay_after(LOST, 3, Constant(), RANDOM) == 7


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("120", 120),
        (" 1.5 ", 1.5),
        ("-3", 0),
        ("1e99", 3600),
        ("nan", 3600),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("Tue, 01 Jan 2999 00:00:00 GMT", 3600),
        ("Tue, 01 Jan 2999 00:00:00", 3600),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_header_is_parsed(value: str | None, expected: float | None) -> None:
    assert parse_retry_after(value) == expected


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (200, "ControllerStartingError"),
        (302, "ControllerStartingError"),
        (400, "CannotConnectError"),
        (401, "SessionExpiredError"),
        (403, "SessionExpiredError"),
        (404, "ControllerStartingError"),
        (418, "CannotConnectError"),
        (429, "RateLimitedError"),
        (500, "ControllerStartingError"),
        (502, "ControllerStartingError"),
        (503, "ControllerStartingError"),
    ],
)
def test_refused_handshake_status_maps_to_an_error(status: int, name: str) -> None:
    error: UnifiError = handshake_error(status, 17)
    assert type(error).__name__ == name
    if isinstance(error, RateLimitedError):
        assert error.retry_after == 17
