"""When a lost event socket is opened again."""

from dataclasses import dataclass
from random import Random

from .errors import ControllerStartingError, RateLimitedError, UnifiError

# What a controller that limits us without naming a time is given (protocol.md 2).
_RATE_LIMIT_WAIT = 60.0


@dataclass(frozen=True, kw_only=True)
class ReconnectPolicy:
    """Exponential backoff with jitter; all times in seconds. Override `delay` for another.

    Attempts are counted anew only after the socket has delivered frames and lasted for
    `stable_after`. A controller that is only booting is not left alone for longer than at
    `starting_attempt`, so that the stream is back within a minute of it.
    """

    initial: float = 5
    maximum: float = 300
    jitter: float = 0.25
    stable_after: float = 60
    starting_attempt: int = 3

    def delay(self, attempt: int, random: Random) -> float:
        """Return the wait before the next try; `attempt` counts from 0."""
        # The power is bounded, for it to stay a number: 2**16 seconds are beyond any maximum.
        full: float = min(self.maximum, self.initial * 2 ** min(attempt, 16))
        return full * (1 - self.jitter * random.random())


def delay_after(error: UnifiError, attempt: int, policy: ReconnectPolicy, random: Random) -> float:
    """Return the wait in seconds after `error` ended the stream or kept it from opening."""
    if isinstance(error, ControllerStartingError):
        attempt = min(attempt, policy.starting_attempt)
    delay = policy.delay(attempt, random)
    if isinstance(error, RateLimitedError):
        asked = _RATE_LIMIT_WAIT if error.retry_after is None else error.retry_after
        return max(delay, asked)
    return delay
