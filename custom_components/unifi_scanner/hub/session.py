"""A login session on a controller, renewed whenever it has expired."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
import ssl
from typing import Any, Self

from aiohttp import ClientConnectorError
from homeassistant.const import CONF_PASSWORD, CONF_SSL, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant

from ..api.client import UnifiClient
from ..api.errors import (
    AuthenticationError,
    BadCredentialsError,
    CannotConnectError,
    CertificateNotTrustedError,
    ControllerStartingError,
    NotPermittedError,
    RateLimitedError,
    SecondFactorRequiredError,
    SessionExpiredError,
    UnifiError,
)
from ..api.system_log import ClientLog
from ..api.tls import TlsMode
from ..const import CONF_CERTIFICATE
from ..issues.account import SECOND_FACTOR, Account, async_create_issue, async_delete_issue
from ..issues.certificate import async_create_certificate_issue, async_delete_certificate_issue
from .connection import create_http_session
from .login_budget import SHORT_LIFE, LoginBudget
from .session_conflict import SessionConflict
from .session_state import SessionEvent, SessionState

# Seconds by which a controller that does not answer may delay an unload or a shutdown.
LOGOUT_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKey:
    """Identifies a session: config entries with equal keys share one."""

    url: str
    username: str
    password: str = field(repr=False)
    ssl: TlsMode
    certificate: str | None = field(repr=False)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Return the key for a config entry's data."""
        return cls(
            url=data[CONF_URL],
            username=data[CONF_USERNAME],
            password=data[CONF_PASSWORD],
            ssl=TlsMode(data[CONF_SSL]),
            certificate=data.get(CONF_CERTIFICATE),
        )


class ControllerSession:
    """Access to a controller through one account, logging in whenever that is necessary.

    Logins are numbered: a request that was refused asks for the successor of the login it was made
    with, so requests refused at the same time cause a single new login.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        key: SessionKey,
        ssl_context: ssl.SSLContext,
        budget: LoginBudget,
        on_release: Callable[[], Awaitable[None]],
    ) -> None:
        """Prepare a session without sending anything."""
        self.ssl_context = ssl_context
        self.users = 0
        self._hass = hass
        self._key = key
        self._budget = budget
        self._on_release = on_release
        self._account_logins = budget.account(key.url, key.username)
        self._account = Account(key.url, key.username)
        self._conflict = SessionConflict(hass, self._account)
        self._http = create_http_session(hass)
        self.client = UnifiClient(self._http, key.url, ssl_context)
        self._state = SessionState.LOGGED_OUT
        self._logins = 0
        self._logged_in_at = 0.0  # event-loop time
        # Callers that a new session refused as well.
        self._denied: set[str] = set()
        # Callers that lack a right for sure, and the number of the login which has shown that.
        self._without_right: dict[str, int] = {}
        # Only set in the state REJECTED, in which it is raised again instead of another login.
        self._rejection: AuthenticationError

    @property
    def logins(self) -> int:
        """The number of successful logins so far."""
        return self._logins

    @property
    def in_conflict(self) -> bool:
        """Whether another client, probably one using the same account, keeps ending our sessions.

        False again once a session has lasted.
        """
        has_lasted = self._is_unrefused and self._age >= SHORT_LIFE
        return self._account_logins.in_conflict and not has_lasted

    @property
    def login_wait(self) -> RateLimitedError | None:
        """Why a login that is needed has to wait, and for how long; None if nothing waits."""
        if self._is_unrefused:
            return None
        try:
            self._account_logins.check()
        except RateLimitedError as error:
            return error
        return None

    @property
    def _is_unrefused(self) -> bool:
        return self._state in {SessionState.UNPROVEN, SessionState.PROVEN}

    @property
    def _age(self) -> float:
        return self._hass.loop.time() - self._logged_in_at

    async def async_call[T](
        self, call: Callable[[UnifiClient], Awaitable[T]], *, caller: str = ""
    ) -> T:
        """Return the result of a call on the client, logging in first if there is no session.

        An expired session is renewed once, also if it is only refused what changes something.
        `caller` identifies the config entry, as permissions differ between sites. Raises
        UnifiError: among others RateLimitedError if the account's own login budget is used up, and
        BadCredentialsError without `definite` for a rejection that may only mean that the
        controller is booting.
        """
        try:
            result = await self._async_call_logged_in(call, caller)
        except CertificateNotTrustedError as error:
            if self._key.certificate is not None and error.certificate is not None:
                async_create_certificate_issue(
                    self._hass, self._key.url, self._key.certificate, error.certificate
                )
            raise
        if self._key.certificate is not None:
            async_delete_certificate_issue(self._hass, self._key.url, self._key.certificate)
        return result

    async def client_log(self, site: str, since: float, until: float) -> ClientLog:
        """Return the result of `UnifiClient.client_log`; raise UnifiError like `async_call`."""
        return await self.async_call(
            lambda client: client.client_log(site, since, until), caller=f"system log of {site}"
        )

    def renewal(self) -> Callable[[], Awaitable[Mapping[str, str]]]:
        """Return a callback that supplies one event stream with new cookies after a refusal.

        If a REST call or another site has logged in since, these are the cookies of the current
        session, otherwise those of a new login. The callback raises UnifiError like `async_call`.
        """
        supplied = self.client.cookies

        async def async_renew() -> Mapping[str, str]:
            nonlocal supplied
            if not self._state.is_logged_in or self.client.cookies == supplied:
                login = self._logins
                is_denied = self._state.is_logged_in and await self._async_is_answered()
                await self._async_process_refusal(login)
                await self._async_log_in_after(login, is_denied=is_denied)
            supplied = self.client.cookies
            return supplied

        return async_renew

    async def async_log_in(self) -> None:
        """Log in for a user who is waiting, without regard to the budget. Raises UnifiError."""
        if not self._state.is_logged_in:
            await self._async_log_in_after(self._logins, for_user=True)

    async def async_release(self) -> None:
        """Give the session back, and log out unless an enabled config entry needs it.

        Keeping it for such an entry saves the login when that entry is reloaded.
        """
        self.users -= 1
        await self._on_release()

    async def async_close(self) -> None:
        """Log out if the controller answers in time, and detach the connection."""
        if self._state.is_logged_in:
            self._state = self._state.after(SessionEvent.DISCARDED)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOGOUT_TIMEOUT):
                    await self.client.logout()
        self._http.detach()

    async def _async_call_logged_in[T](
        self, call: Callable[[UnifiClient], Awaitable[T]], caller: str
    ) -> T:
        if not self._state.is_logged_in:
            await self._async_log_in_after(self._logins)
        login = self._logins
        try:
            result = await call(self.client)
        except SessionExpiredError:
            if not self._state.is_unanswered:
                self._conflict.note_refusal(caller, login)
            await self._async_process_refusal(login)
            is_denied = self._state.is_unanswered or caller in self._denied
            if login == self._logins and is_denied and self._account_logins.remaining_if_denied:
                # A new login would not help: the account lacks a permission.
                raise
            await self._async_log_in_after(login)
            login = self._logins
            try:
                result = await call(self.client)
            except SessionExpiredError:
                self._conflict.forget_refusal(caller)
                self._denied.add(caller)
                raise
        except NotPermittedError as error:
            is_known = error.definite or self._without_right.get(caller) == login
            if login == self._logins and (is_known or self._account_logins.remaining):
                raise
            # The CSRF token may have changed unseen.
            await self._async_log_in_after(login)
            login = self._logins
            try:
                result = await call(self.client)
            except NotPermittedError:
                self._without_right[caller] = login
                raise
        self._denied.discard(caller)
        self._state = self._state.after(SessionEvent.REQUEST_ANSWERED)
        self._conflict.async_note_success(caller, login, in_conflict=self.in_conflict)
        return result

    async def _async_process_refusal(self, login: int) -> None:
        """Record that a login's session was refused, and count its first refusal as its end."""
        before = self._state
        if login == self._logins:
            self._state = before.after(SessionEvent.REQUEST_REFUSED)
        if self._state is not before:
            self._account_logins.end_session(self._age)
            await self._budget.async_save()

    async def _async_is_answered(self) -> bool:
        """Return whether the controller still accepts the session for REST requests."""
        try:
            await self.client.sites()
        except UnifiError:
            return False
        return True

    async def _async_log_in_after(
        self, login: int, *, for_user: bool = False, is_denied: bool = False
    ) -> None:
        """Log in, unless there has been another login since the given one.

        `is_denied` says that the session has not ended, so that the login may well not help.
        """
        async with self._account_logins.lock:
            if self._logins != login:
                return
            if not for_user:
                if self._state is SessionState.REJECTED and self._account_logins.remaining:
                    raise self._rejection.with_traceback(None)
                self._account_logins.check(is_denied=is_denied)
            self._state = self._state.after(SessionEvent.DISCARDED)
            self.client.forget_session()
            try:
                await self._async_try_login(for_user=for_user)
            finally:
                await self._budget.async_save()
            self._state = self._state.after(SessionEvent.LOGIN_ACCEPTED)
            self._logins += 1
            self._logged_in_at = self._hass.loop.time()

    async def _async_try_login(self, *, for_user: bool) -> None:
        """Send one login and record its outcome in the account's budget."""
        account = self._account_logins
        undo = account.begin()
        try:
            await self.client.login(self._key.username, self._key.password)
        except (CannotConnectError, CertificateNotTrustedError, ControllerStartingError) as error:
            # Count a login that may have reached the controller's rate limiter, even if its answer
            # timed out.
            if not isinstance(error, CannotConnectError) or _was_unreachable(error):
                undo()
            raise
        except RateLimitedError as error:
            wait = account.refuse(error.retry_after)
            raise RateLimitedError(str(error), retry_after=wait) from error
        except BadCredentialsError as error:
            if not error.definite and (for_user or not account.reject()):
                raise
            rejection = BadCredentialsError(str(error), definite=True)
            self._reject(rejection)
            raise rejection from error
        except SecondFactorRequiredError as error:
            self._reject(error)
            async_create_issue(self._hass, SECOND_FACTOR, self._account)
            raise
        account.accept()
        async_delete_issue(self._hass, SECOND_FACTOR, self._account)

    def _reject(self, error: AuthenticationError) -> None:
        self._state = self._state.after(SessionEvent.LOGIN_REJECTED)
        self._rejection = error


def _was_unreachable(error: CannotConnectError) -> bool:
    return isinstance(error.__cause__, ClientConnectorError)
