"""A rate limiter for logins, saved so that restarting Home Assistant does not reset it.

Controllers refuse further logins, valid ones too, after five or six within a minute, and some
extend the lockout with every attempt (docs/protocol.md 2). Without a saved budget, restarting in a
loop would lock the account out.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import re
import time
from typing import Any, Self

from homeassistant.core import HomeAssistant

from ..api.errors import RateLimitedError
from ..api.parsing import as_integer, as_number
from ..const import DOMAIN
from ..issues.account import Account
from ..site.store import TolerantStore, dict_or_empty, list_or_empty

LOGIN_INTERVAL = 60.0  # seconds
# The first wait after a controller has limited logins without saying for how long.
LOCKED_FOR = 300.0  # seconds
LONGEST_WAIT = 3600.0  # seconds
# The longest wait for a new session while the controller has not limited logins. It leaves a minute
# to resume, so that clients are not lost from view for more than five minutes.
_LONGEST_OWN_WAIT = 240.0  # seconds
# Limits login attempts while the controller refuses them, whatever wait it asks for.
_REFUSALS_AN_HOUR = 3
# A booting controller also rejects correct passwords: this many rejections in a row are not final.
_TOLERATED_REJECTIONS = 3
# Sessions last for hours. One that ends sooner was probably ended by another client.
SHORT_LIFE = 600.0  # seconds
_CONFLICT_AFTER = 3
# After this many doublings, every wait has reached its maximum.
_DOUBLINGS = 6
_COUNT_LIMIT = 1_000_000
# The keys of an account that are saved.
_SAVED_KEYS = ("since", "wait", "refusals", "rejections", "short_lives")
# The keys of the file are those of accounts (see `Account.key`).
_ACCOUNT_KEY = re.compile("[0-9a-f]{64}")


class LoginBudgetError(RateLimitedError):
    """The next login is delayed by our own budget; the controller has not refused one."""


@dataclass
class AccountLogins:
    """The login history of one account, and the wait before its next login that follows from it.

    The account must not log in for `wait` seconds from `since`. `clock` returns monotonic seconds;
    all other times are POSIX seconds, so that they can be saved. `refusals` are the times of the
    latest rate-limited logins since one succeeded. `rejections` counts consecutive rejected
    passwords, `short_lives` consecutive sessions that ended early.
    """

    clock: Callable[[], float] = field(repr=False, compare=False)
    since: float = 0.0
    wait: float = 0.0
    refusals: list[float] = field(default_factory=list)
    rejections: int = 0
    short_lives: int = 0
    # Saved keys of a later release.
    other_keys: Mapping[str, Any] = field(repr=False, default_factory=dict)
    # Held during a login.
    lock: asyncio.Lock = field(init=False, repr=False, compare=False, default_factory=asyncio.Lock)
    # `since` as a time of `clock`.
    _began: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Resume a saved wait, treating a start in the future as now."""
        self._began = self.clock() - max(0.0, time.time() - self.since)

    @property
    def remaining(self) -> float:
        """Seconds until the account may log in again without a user's request."""
        wait = self.wait if self.refusals else min(self.wait, _LONGEST_OWN_WAIT)
        return max(0.0, self._began + wait - self.clock())

    @property
    def remaining_if_denied(self) -> float:
        """Seconds until it may log in for a request that other sessions have been refused too."""
        return max(0.0, self._began + self.wait - self.clock())

    def check(self, *, is_denied: bool = False) -> None:
        """Raise if the account must wait, with `is_denied` for `remaining_if_denied`.

        Raises RateLimitedError if the controller has refused a login, LoginBudgetError if not.
        """
        if not (wait := self.remaining_if_denied if is_denied else self.remaining):
            return
        if self.refusals:
            raise RateLimitedError("The controller refused an earlier login", retry_after=wait)
        raise LoginBudgetError(
            "Home Assistant itself delays the next login, the controller does not", retry_after=wait
        )

    @property
    def in_conflict(self) -> bool:
        """Whether so many consecutive sessions ended early that another client must end them."""
        return self.short_lives >= _CONFLICT_AFTER

    def begin(self) -> Callable[[], None]:
        """Count a login that is about to be sent; return a function that undoes this."""
        before = self.since, self._began, self.wait
        self._wait_from_now(LOGIN_INTERVAL)

        def undo() -> None:
            self.since, self._began, self.wait = before

        return undo

    def accept(self) -> None:
        """Record that the login succeeded."""
        self.refusals.clear()
        self.rejections = 0

    def refuse(self, retry_after: float | None) -> float:
        """Record that the controller limits logins; return the seconds to wait from now on."""
        now = time.time()
        self.refusals = [*self.refusals, now][-_DOUBLINGS:]
        if retry_after is None:
            retry_after = LOCKED_FOR * 2 ** (len(self.refusals) - 1)
        if len(self.refusals) >= _REFUSALS_AN_HOUR:
            retry_after = max(retry_after, self.refusals[-_REFUSALS_AN_HOUR] + 3600 - now)
        self._wait_from_now(min(max(retry_after, LOGIN_INTERVAL), LONGEST_WAIT))
        return self.wait

    def reject(self) -> bool:
        """Record a rejection that may be temporary; return whether to treat it as final."""
        self.rejections += 1
        return self.rejections > _TOLERATED_REJECTIONS

    def end_session(self, age: float) -> None:
        """Record that the latest session has ended at this age in seconds.

        The wait doubles with every short session, so that two clients that log each other out do
        not keep doing so every minute.
        """
        self.short_lives = self.short_lives + 1 if age < SHORT_LIFE else 0
        doublings = min(max(self.short_lives - 1, 0), _DOUBLINGS)
        self.wait = max(self.wait, min(LOGIN_INTERVAL * 2**doublings, LONGEST_WAIT))

    @classmethod
    def from_dict(cls, clock: Callable[[], float], saved: Mapping[str, Any]) -> Self:
        """Return a saved account, with defaults for missing and unusable values."""
        refusals = map(as_number, list_or_empty(saved.get("refusals")))
        return cls(
            clock,
            since=as_number(saved.get("since")) or 0.0,
            wait=min(max(as_number(saved.get("wait")) or 0.0, 0.0), LONGEST_WAIT),
            refusals=[refused_at for refused_at in refusals if refused_at is not None],
            rejections=as_integer(saved.get("rejections"), 0, _COUNT_LIMIT) or 0,
            short_lives=as_integer(saved.get("short_lives"), 0, _COUNT_LIMIT) or 0,
            other_keys={key: saved[key] for key in saved if key not in _SAVED_KEYS},
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what is saved."""
        return {**self.other_keys, **{key: getattr(self, key) for key in _SAVED_KEYS}}

    def _wait_from_now(self, wait: float) -> None:
        self.since = time.time()
        self._began = self.clock()
        self.wait = wait


class LoginBudget:
    """The logins of all accounts; those of accounts used by a config entry are saved."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start without accounts; `async_load` reads the saved ones."""
        self._hass = hass
        self._accounts: dict[str, AccountLogins] = {}
        self._saved: dict[str, dict[str, Any]] = {}
        self._store = TolerantStore(
            hass,
            f"{DOMAIN}.logins",
            lambda: self._saved,
            is_own_key=_ACCOUNT_KEY.fullmatch,
        )

    async def async_load(self) -> None:
        """Load the saved accounts."""
        saved = await self._store.async_load()
        self._saved = {key: saved[key] for key in saved if _ACCOUNT_KEY.fullmatch(key)}
        self._accounts = {
            key: AccountLogins.from_dict(self._hass.loop.time, dict_or_empty(account))
            for key, account in self._saved.items()
        }

    def account(self, url: str, username: str) -> AccountLogins:
        """Return the logins of an account, which are none for a new one."""
        return self._accounts.setdefault(
            Account(url, username).key, AccountLogins(self._hass.loop.time)
        )

    async def async_save(self) -> None:
        """Save the accounts immediately if anything has changed."""
        entries = self._hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        used = {Account.of(entry).key for entry in entries}
        accounts = {
            key: account.as_dict()
            for key, account in self._accounts.items()
            if key in used and account.since
        }
        if accounts == self._saved:
            return
        self._saved = accounts
        if accounts:
            await self._store.async_save()
        else:
            await self._store.async_remove()
