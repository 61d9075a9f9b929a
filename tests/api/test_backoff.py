"""When a lost event socket is opened again: pure arithmetic."""

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
from custom_components.unifi_scanner.api.responses import parse_retry_after, refusal

STEADY = ReconnectPolicy(jitter=0)
DICE = Random(1)  # noqa: S311 - dice
LOST = CannotConnectError("lost")
STARTING = ControllerStartingError("starting")


def test_the_wait_doubles_from_five_seconds_to_five_minutes() -> None:
    delays = [STEADY.delay(attempt, DICE) for attempt in range(9)]
    assert delays == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert STEADY.delay(10**9, DICE) == 300


def test_jitter_shortens_the_wait_by_a_quarter_at_most_and_keeps_it_growing() -> None:
    policy = ReconnectPolicy()
    for seed in range(50):
        random = Random(seed)  # noqa: S311 - dice
        delays = [policy.delay(attempt, random) for attempt in range(6)]
        for attempt, delay in enumerate(delays):
            assert 0.75 * 5 * 2**attempt <= delay <= 5 * 2**attempt
        assert delays == sorted(delays)
    assert len({policy.delay(0, DICE) for _ in range(50)}) > 40


def test_a_booting_controller_is_asked_at_least_every_forty_seconds() -> None:
    assert [delay_after(STARTING, n, STEADY, DICE) for n in (0, 3, 4, 99)] == [5, 40, 40, 40]
    assert delay_after(LOST, 99, STEADY, DICE) == 300


@pytest.mark.parametrize(
    ("retry_after", "attempt", "expected"),
    [(None, 0, 60), (None, 9, 300), (2, 0, 5), (90, 0, 90), (0, 0, 5), (900, 9, 900)],
)
def test_a_limit_is_waited_for_and_the_backoff_too(
    retry_after: float | None, attempt: int, expected: float
) -> None:
    error = RateLimitedError("slower", retry_after=retry_after)
    assert delay_after(error, attempt, STEADY, DICE) == expected


def test_another_policy_may_be_given() -> None:
    class Always(ReconnectPolicy):
        @override
        def delay(self, attempt: int, random: Random) -> float:
            return 7.0

    assert delay_after(LOST, 3, Always(), DICE) == 7


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
def test_what_retry_after_says(value: str | None, expected: float | None) -> None:
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
def test_what_a_refused_handshake_means(status: int, name: str) -> None:
    error: UnifiError = refusal(status, 17)
    assert type(error).__name__ == name
    if isinstance(error, RateLimitedError):
        assert error.retry_after == 17
