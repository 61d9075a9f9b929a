"""Backoff between attempts to reopen the event socket."""

from dataclasses import dataclass
from random import Random

from .errors import ControllerStartingError, RateLimitedError, UnifiError

# Wait in seconds after a rate limit without a Retry-After header (docs/protocol.md 2).
_DEFAULT_RATE_LIMIT_WAIT = 60.0


@dataclass(frozen=True, kw_only=True)
class ReconnectPolicy:
    """Exponential backoff with jitter, in seconds. Override `delay` for a different scheme.

    The attempt counter restarts only after a socket has delivered frames and stayed open for
    `stable_after`. While a controller is booting, the attempt counts as `starting_attempt` at
    most, so that the stream is back within a minute of the controller being ready.
    """

    initial: float = 5
    maximum: float = 300
    jitter: float = 0.25
    stable_after: float = 60
    starting_attempt: int = 3

    def delay(self, attempt: int, random: Random) -> float:
        """Return the wait before the next attempt; `attempt` counts from 0."""
        # Cap the exponent to avoid an overflow; 2**16 seconds exceeds any sensible maximum.
        full: float = min(self.maximum, self.initial * 2 ** min(attempt, 16))
        return full * (1 - self.jitter * random.random())


def delay_after(error: UnifiError, attempt: int, policy: ReconnectPolicy, random: Random) -> float:
    """Return the wait in seconds after `error` closed the stream or prevented it from opening."""
    if isinstance(error, ControllerStartingError):
        attempt = min(attempt, policy.starting_attempt)
    delay = policy.delay(attempt, random)
    if isinstance(error, RateLimitedError):
        retry_after = _DEFAULT_RATE_LIMIT_WAIT if error.retry_after is None else error.retry_after
        return max(delay, retry_after)
    return delay
