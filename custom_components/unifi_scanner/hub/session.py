"""One logged-in session per console and account, shared by its sites' entries."""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
import ssl
from typing import Any, Self

from aiohttp import ClientConnectorError
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import (
    CONF_PASSWORD,
    CONF_SSL,
    CONF_URL,
    CONF_USERNAME,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from ..api.client import UnifiClient
from ..api.errors import (
    AuthenticationError,
    BadCredentialsError,
    CannotConnectError,
    CertificateNotTrustedError,
    ControllerStartingError,
    RateLimitedError,
    SecondFactorRequiredError,
    SessionExpiredError,
)
from ..api.tls import TlsMode
from ..const import CONF_CERTIFICATE, DOMAIN
from ..issues.account import (
    SECOND_FACTOR,
    Account,
    async_create_issue,
    async_delete_issue,
    async_delete_unneeded_issues,
)
from ..issues.certificate import (
    async_create_certificate_issue,
    async_delete_certificate_issue,
    async_delete_outdated_issues,
)
from .connection import async_ssl_context, create_http_session
from .login_budget import SHORT_LIFE, LoginBudget
from .session_conflict import SessionConflict

# What unloading and Home Assistant's stop may lose on a console that does not answer.
LOGOUT_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKey:
    """What makes two entries share a session."""

    url: str
    username: str
    password: str = field(repr=False)
    ssl: TlsMode
    certificate: str | None = field(repr=False)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Return the key of a config entry's data."""
        return cls(
            url=data[CONF_URL],
            username=data[CONF_USERNAME],
            password=data[CONF_PASSWORD],
            ssl=TlsMode(data[CONF_SSL]),
            certificate=data.get(CONF_CERTIFICATE),
        )


@dataclass(slots=True, kw_only=True)
class SessionPool:
    """Every session there is, and the budget of logins, which outlives them."""

    budget: LoginBudget
    sessions: dict[SessionKey, ControllerSession] = field(default_factory=dict)


_SESSION_POOL: HassKey[SessionPool] = HassKey(f"{DOMAIN}_consoles")


class ControllerSession:
    """A console as one account sees it: logs in when needed, and again when the session ended."""

    def __init__(
        self,
        hass: HomeAssistant,
        key: SessionKey,
        ssl_context: ssl.SSLContext,
        budget: LoginBudget,
    ) -> None:
        """Prepare a session; nothing is sent yet."""
        self.ssl_context = ssl_context
        self.users = 0
        self._hass = hass
        self._key = key
        self._budget = budget
        self._account_logins = budget.account(key.url, key.username)
        self._account = Account(key.url, key.username)
        self._contest = SessionConflict(hass, self._account)
        self._http = create_http_session(hass)
        self.client = UnifiClient(self._http, key.url, ssl_context)
        self._logged_in = False
        self._proven = False
        self._ended = False
        self._logins = 0
        # By the event loop's clock.
        self._last_login = hass.loop.time()
        # Why nothing but a person's doing can help.
        self._rejection: AuthenticationError | None = None

    @property
    def logins(self) -> int:
        """How often a login has succeeded."""
        return self._logins

    @property
    def contested(self) -> bool:
        """Whether somebody else, most likely a client with the same account, ends our sessions."""
        lasts = not self._ended and self._age >= SHORT_LIFE
        return self._account_logins.contested and not lasts

    @property
    def _age(self) -> float:
        return self._hass.loop.time() - self._last_login

    async def async_call[T](
        self, call: Callable[[UnifiClient], Awaitable[T]], *, asker: str = ""
    ) -> T:
        """Return what a call on the client gives, after a login where there is no session.

        A session that ended is renewed once. Raises UnifiError, of which RateLimitedError also
        when the account's own budget of logins is used up, and BadCredentialsError that is not
        `definite` for a rejection that may be a booting console's. `asker` tells apart who has
        which rights.
        """
        try:
            result = await self._async_call(call, asker)
        except CertificateNotTrustedError as error:
            if self._key.certificate is not None and error.certificate is not None:
                async_create_certificate_issue(
                    self._hass, self._key.url, self._key.certificate, error.certificate
                )
            raise
        if self._key.certificate is not None:
            async_delete_certificate_issue(self._hass, self._key.url, self._key.certificate)
        return result

    def renewal(self) -> Callable[[], Awaitable[Mapping[str, str]]]:
        """Return what gives one stream the cookies with which it can go on when it was refused.

        They are those of the present session as long as the stream has not had them: a REST call
        or another site may have logged in. Else they come from a new login. Raises UnifiError as
        `async_call` does.
        """
        handed = self.client.cookies

        async def async_renew() -> Mapping[str, str]:
            nonlocal handed
            if not self._logged_in or self.client.cookies == handed:
                seen = self._logins
                await self._async_note_end(seen)
                await self._async_log_in(seen)
            handed = self.client.cookies
            return handed

        return async_renew

    async def async_sign_in(self) -> None:
        """Log in because a person asks, who need not wait for the budget. Raises UnifiError."""
        if not self._logged_in:
            await self._async_log_in(self._logins, asked=True)

    async def async_release(self) -> None:
        """Give the session back; one that no enabled entry needs is logged out.

        A session that an entry will need again is kept, so that a reload does not log in.
        """
        self.users -= 1
        await async_close_unused_sessions(self._hass)

    async def async_close(self) -> None:
        """Log out, as far as the console answers, and let go of the connection."""
        if self._logged_in:
            self._logged_in = False
            with suppress(TimeoutError):
                async with asyncio.timeout(LOGOUT_TIMEOUT):
                    await self.client.logout()
        self._http.detach()

    async def _async_call[T](self, call: Callable[[UnifiClient], Awaitable[T]], asker: str) -> T:
        if not self._logged_in:
            await self._async_log_in(self._logins)
        seen = self._logins
        try:
            result = await call(self.client)
        except SessionExpiredError:
            if self._proven:
                self._contest.note_refusal(asker, seen)
            await self._async_note_end(seen)
            if seen == self._logins and not self._proven and self._account_logins.remaining:
                # Refused from the start: the account lacks a right, and has just logged in.
                raise
            await self._async_log_in(seen)
            seen = self._logins
            try:
                result = await call(self.client)
            except SessionExpiredError:
                self._contest.forget_refusal(asker)
                raise
        self._proven = True
        self._contest.async_note_success(asker, seen, contested=self.contested)
        return result

    async def _async_note_end(self, seen: int) -> None:
        """Take note, once, that the session of login number `seen` has ended."""
        if self._logged_in and seen == self._logins and not self._ended:
            self._ended = True
            self._account_logins.end_session(self._age)
            await self._budget.async_save()

    async def _async_log_in(self, seen: int, *, asked: bool = False) -> None:
        """Log in, unless someone else has since the caller saw login number `seen`."""
        async with self._account_logins.lock:
            if self._logins != seen:
                return
            if not asked:
                if self._rejection is not None and self._account_logins.remaining:
                    raise self._rejection.with_traceback(None)
                self._account_logins.check()
            self._logged_in = False
            self.client.forget_session()
            try:
                await self._async_try_login(asked=asked)
            finally:
                await self._budget.async_save()
            self._logged_in = True
            self._proven = False
            self._ended = False
            self._logins += 1
            self._last_login = self._hass.loop.time()

    async def _async_try_login(self, *, asked: bool) -> None:
        """Send one login, and let the account know what became of it."""
        account = self._account_logins
        undo = account.begin()
        self._rejection = None
        try:
            await self.client.login(self._key.username, self._key.password)
        except (CannotConnectError, CertificateNotTrustedError, ControllerStartingError) as error:
            # One that may have reached what counts logins counts: a slow console answers too late.
            if not isinstance(error, CannotConnectError) or _was_unreachable(error):
                undo()
            raise
        except RateLimitedError as error:
            wait = account.refuse(error.retry_after)
            raise RateLimitedError(str(error), retry_after=wait) from error
        except BadCredentialsError as error:
            if not error.definite and (asked or not account.reject()):
                raise
            self._rejection = BadCredentialsError(str(error), definite=True)
            raise self._rejection from error
        except SecondFactorRequiredError as error:
            self._rejection = error
            async_create_issue(self._hass, SECOND_FACTOR, self._account)
            raise
        account.accept()
        async_delete_issue(self._hass, SECOND_FACTOR, self._account)


def _was_unreachable(error: CannotConnectError) -> bool:
    return isinstance(error.__cause__, ClientConnectorError)


async def async_acquire_session(hass: HomeAssistant, data: Mapping[str, Any]) -> ControllerSession:
    """Return the session for a config entry's data; each caller releases it once."""
    key = SessionKey.of(data)
    certificate = b64decode(key.certificate) if key.certificate else None
    context = await async_ssl_context(hass, key.ssl, certificate)
    pool = await _async_session_pool(hass)
    if (session := pool.sessions.get(key)) is None:
        session = pool.sessions[key] = ControllerSession(hass, key, context, pool.budget)
    session.users += 1
    return session


async def async_close_unused_sessions(hass: HomeAssistant) -> None:
    """Close every session that nobody holds and no enabled entry names; forget what was of it."""
    needed = {
        SessionKey.of(entry.data)
        for entry in hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
    }
    pool = await _async_session_pool(hass)
    sessions = pool.sessions
    unneeded = [key for key, session in sessions.items() if not session.users and key not in needed]
    for session in [sessions.pop(key) for key in unneeded]:
        await session.async_close()
    await pool.budget.async_save()


@singleton(_SESSION_POOL, async_=True)
async def _async_session_pool(hass: HomeAssistant) -> SessionPool:
    pool = SessionPool(budget=LoginBudget(hass))
    await pool.budget.async_load()

    async def async_close_all(_event: Event) -> None:
        sessions = list(pool.sessions.values())
        pool.sessions.clear()
        await asyncio.gather(*(session.async_close() for session in sessions))

    @callback
    def async_tidy_issues(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            async_delete_outdated_issues(hass)
            async_delete_unneeded_issues(hass)

    # Entries stop their streams before this; connections work until after it.
    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, async_close_all)
    # An entry that failed to be set up is disabled without a word to us.
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, async_tidy_issues)
    return pool
