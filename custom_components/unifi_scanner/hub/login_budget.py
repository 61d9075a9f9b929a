"""When an account may log in by itself: a ledger that a restart of Home Assistant does not empty.

Sessions refuse logins, good ones too, after five or six within a minute, and some begin the wait
anew with every attempt (protocol.md 2). Whoever restarts in a loop would be locked out.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from ..api.errors import RateLimitedError
from ..const import DOMAIN
from ..issues.account import Account

LOGIN_INTERVAL = 60.0  # seconds
# How long to leave a console alone that refuses logins and does not say for how long, at first.
LOCKED_FOR = 300.0  # seconds
LONGEST_WAIT = 3600.0  # seconds
# What a console refuses is not asked for more often than this within an hour, whatever it says.
_REFUSALS_AN_HOUR = 3
# A booting console rejects right passwords too. The next rejection in a row is believed.
_TOLERATED_REJECTIONS = 3
# Sessions last for hours. One that ends sooner was ended by somebody, who may do it again.
SHORT_LIFE = 600.0  # seconds
_CONTESTED_AFTER = 3
# Doublings after which every wait has reached the longest.
_DOUBLINGS = 6
_VERSION = 1
# What of an account goes to the disk.
_KEPT = ("since", "wait", "refusals", "rejections", "short_lives")


class LoginBudgetError(RateLimitedError):
    """It is ourselves who wait before the next login; the controller has refused nothing."""


@dataclass
class AccountLogins:
    """An account's logins: since when it has to wait, for how long, and what may make it longer.

    `clock` gives seconds that nobody sets; all other times are POSIX seconds, for the disk.
    `refusals` are the latest since the last good login; `rejections` and `short_lives` count what
    has happened in a row.
    """

    clock: Callable[[], float] = field(repr=False, compare=False)
    since: float = 0.0
    wait: float = 0.0
    refusals: list[float] = field(default_factory=list)
    rejections: int = 0
    short_lives: int = 0
    # Whoever logs in holds it.
    lock: asyncio.Lock = field(init=False, repr=False, compare=False, default_factory=asyncio.Lock)
    # `since` by `clock`.
    _began: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Go on with a wait that was read from disk, whose beginning lies in no future."""
        self._began = self.clock() - max(0.0, time.time() - self.since)

    @property
    def remaining(self) -> float:
        """For how many more seconds the account must not log in by itself."""
        return max(0.0, self._began + self.wait - self.clock())

    def check(self) -> None:
        """Raise RateLimitedError when it must wait, LoginBudgetError when for our own sake."""
        if not (wait := self.remaining):
            return
        if self.refusals:
            raise RateLimitedError("The controller refused a login before", retry_after=wait)
        raise LoginBudgetError("The budget of logins is used up", retry_after=wait)

    @property
    def contested(self) -> bool:
        """Whether session after session has ended so soon that somebody must be ending them."""
        return self.short_lives >= _CONTESTED_AFTER

    def begin(self) -> Callable[[], None]:
        """Take note of a login that is about to be sent; return what takes that note back."""
        before = self.since, self._began, self.wait
        self._wait_from_now(LOGIN_INTERVAL)

        def undo() -> None:
            self.since, self._began, self.wait = before

        return undo

    def accept(self) -> None:
        """Take note that it was accepted."""
        self.refusals.clear()
        self.rejections = 0

    def refuse(self, retry_after: float | None) -> float:
        """Take note that it was refused, as one too many; return the seconds to wait now."""
        now = time.time()
        self.refusals = [*self.refusals, now][-_DOUBLINGS:]
        if retry_after is None:
            retry_after = LOCKED_FOR * 2 ** (len(self.refusals) - 1)
        if len(self.refusals) >= _REFUSALS_AN_HOUR:
            retry_after = max(retry_after, self.refusals[-_REFUSALS_AN_HOUR] + 3600 - now)
        self._wait_from_now(min(max(retry_after, LOGIN_INTERVAL), LONGEST_WAIT))
        return self.wait

    def reject(self) -> bool:
        """Take note of a rejection that may pass; return whether it is to be believed now."""
        self.rejections += 1
        return self.rejections > _TOLERATED_REJECTIONS

    def end_session(self, age: float) -> None:
        """Take note that the session of the last login has ended, at this age in seconds.

        Two clients that end each other's sessions must not do so every minute.
        """
        self.short_lives = self.short_lives + 1 if age < SHORT_LIFE else 0
        doublings = min(max(self.short_lives - 1, 0), _DOUBLINGS)
        self.wait = max(self.wait, min(LOGIN_INTERVAL * 2**doublings, LONGEST_WAIT))

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept on disk."""
        return {name: getattr(self, name) for name in _KEPT}

    def _wait_from_now(self, wait: float) -> None:
        self.since = time.time()
        self._began = self.clock()
        self.wait = wait


class LoginBudget:
    """The accounts by console and user name, on disk as far as an entry names them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare an empty ledger; nothing is read yet."""
        self._hass = hass
        self._accounts: dict[str, AccountLogins] = {}
        self._saved: dict[str, dict[str, Any]] = {}
        self._store: Store[dict[str, Any]] = Store(hass, _VERSION, f"{DOMAIN}.logins")

    async def async_load(self) -> None:
        """Read what was saved."""
        self._saved = await self._store.async_load() or {}
        self._accounts = {key: self._new(saved) for key, saved in self._saved.items()}

    def account(self, url: str, username: str) -> AccountLogins:
        """Return what is known of an account."""
        return self._accounts.setdefault(Account(url, username).key, self._new({}))

    async def async_save(self) -> None:
        """Write what has changed, now."""
        entries = self._hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        named = {Account.of(entry).key for entry in entries}
        accounts = {
            key: account.as_dict()
            for key, account in self._accounts.items()
            if key in named and account.since
        }
        if accounts == self._saved:
            return
        self._saved = accounts
        if accounts:
            await self._store.async_save(accounts)
        else:
            await self._store.async_remove()

    def _new(self, saved: dict[str, Any]) -> AccountLogins:
        return AccountLogins(self._hass.loop.time, **saved)
