"""One logged-in session per console and account, shared by its sites' entries."""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
import ssl
from time import monotonic
from typing import Any, Self

from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_SSL,
    CONF_URL,
    CONF_USERNAME,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .api.client import UnifiClient
from .api.errors import (
    BadCredentialsError,
    CannotConnectError,
    CertificateNotTrustedError,
    ControllerStartingError,
    RateLimitedError,
    SecondFactorRequiredError,
    SessionExpiredError,
    SiteUnknownError,
    UnifiError,
)
from .api.tls import TlsMode
from .connection import async_ssl_context, create_http_session
from .const import CONF_CERTIFICATE, DOMAIN

# Consoles refuse logins, good ones too, after five or six within a minute (protocol.md 2).
LOGIN_INTERVAL = 60.0  # seconds
# How long to leave a console alone that refuses logins and does not say for how long.
LOCKED_FOR = 300.0  # seconds
# What unloading and Home Assistant's stop may lose on a console that does not answer.
LOGOUT_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleKey:
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


# The translation keys of what can go wrong: errors of the flow's forms, exceptions of the entry.
_ERROR_KEYS: tuple[tuple[type[UnifiError], str], ...] = (
    (CannotConnectError, "cannot_connect"),
    (ControllerStartingError, "controller_starting"),
    (BadCredentialsError, "invalid_auth"),
    (SecondFactorRequiredError, "second_factor"),
    (SessionExpiredError, "no_access"),
    (RateLimitedError, "rate_limited"),
    (CertificateNotTrustedError, "certificate_not_trusted"),
    (SiteUnknownError, "unknown_site"),
)


def describe_error(error: UnifiError, data: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return an error's translation key and placeholders; `data` is the config entry's."""
    placeholders = {"host": str(data[CONF_HOST])}
    if isinstance(error, RateLimitedError):
        placeholders["seconds"] = str(ceil(error.retry_after or LOCKED_FOR))
    elif isinstance(error, SiteUnknownError):
        placeholders["site"] = error.site
    elif isinstance(error, CertificateNotTrustedError) and data[CONF_SSL] == TlsMode.PINNED:
        return "certificate_changed", placeholders
    key = next((key for kind, key in _ERROR_KEYS if isinstance(error, kind)), "unexpected_answer")
    return key, placeholders


@dataclass(slots=True)
class LoginBudget:
    """When an account may next log in by itself; `not_before` is in seconds of `monotonic`."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    not_before: float = 0.0


@dataclass(slots=True)
class Consoles:
    """Every session there is, and every account's budget, which outlives its sessions."""

    sessions: dict[ConsoleKey, ConsoleSession] = field(default_factory=dict)
    budgets: dict[tuple[str, str], LoginBudget] = field(default_factory=dict)


_CONSOLES: HassKey[Consoles] = HassKey(f"{DOMAIN}_consoles")


class ConsoleSession:
    """A console as one account sees it: logs in when needed, and again when the session ended."""

    def __init__(
        self,
        hass: HomeAssistant,
        key: ConsoleKey,
        ssl_context: ssl.SSLContext,
        budget: LoginBudget,
    ) -> None:
        """Prepare a session; nothing is sent yet."""
        self.ssl_context = ssl_context
        self.users = 0
        self._hass = hass
        self._key = key
        self._budget = budget
        self._http = create_http_session(hass)
        self.client = UnifiClient(self._http, key.url, ssl_context)
        self._logged_in = False
        self._proven = False
        self._logins = 0
        self._last_login = 0.0

    async def async_call[T](self, call: Callable[[UnifiClient], Awaitable[T]]) -> T:
        """Return what a call on the client gives, after a login where there is no session.

        A session that ended is renewed once. Raises UnifiError, of which RateLimitedError also
        when the account's own budget of logins is used up.
        """
        if not self._logged_in:
            await self._async_log_in(self._logins)
        seen = self._logins
        try:
            result = await call(self.client)
        except SessionExpiredError:
            if not self._proven and monotonic() < self._budget.not_before:
                # Refused from the start: the account lacks a right, and has just logged in.
                raise
            await self._async_log_in(seen)
            result = await call(self.client)
        self._proven = True
        return result

    async def async_renew(self) -> Mapping[str, str]:
        """Return cookies with which a refused stream can go on.

        They come from a new login, or from one that another site or a REST call has made within
        the last minute: the stream may not have seen that one yet. Raises UnifiError.
        """
        if not self._logged_in or monotonic() - self._last_login >= LOGIN_INTERVAL:
            await self._async_log_in(self._logins)
        return self.client.cookies

    async def async_sign_in(self) -> None:
        """Log in because a person asks, who need not wait for the budget. Raises UnifiError."""
        if not self._logged_in:
            await self._async_log_in(self._logins, asked=True)

    async def async_release(self) -> None:
        """Give the session back; one that no enabled entry needs is logged out.

        A session that an entry will need again is kept, so that a reload does not log in.
        """
        self.users -= 1
        await async_close_unneeded(self._hass)

    async def async_close(self) -> None:
        """Log out, as far as the console answers, and let go of the connection."""
        if self._logged_in:
            self._logged_in = False
            with suppress(TimeoutError):
                async with asyncio.timeout(LOGOUT_TIMEOUT):
                    await self.client.logout()
        self._http.detach()

    async def _async_log_in(self, seen: int, *, asked: bool = False) -> None:
        """Log in, unless someone else has since the caller saw login number `seen`."""
        budget = self._budget
        async with budget.lock:
            if self._logins != seen:
                return
            before = budget.not_before
            if not asked and (wait := before - monotonic()) > 0:
                raise RateLimitedError("The budget of logins is used up", retry_after=wait)
            self._logged_in = False
            self.client.forget_session()
            budget.not_before = monotonic() + LOGIN_INTERVAL
            try:
                await self.client.login(self._key.username, self._key.password)
            except CannotConnectError, CertificateNotTrustedError, ControllerStartingError:
                # It did not reach what counts logins.
                budget.not_before = before
                raise
            except RateLimitedError as error:
                budget.not_before = monotonic() + (error.retry_after or LOCKED_FOR)
                raise
            self._logged_in = True
            self._proven = False
            self._logins += 1
            self._last_login = monotonic()


async def async_acquire_console(hass: HomeAssistant, data: Mapping[str, Any]) -> ConsoleSession:
    """Return the session for a config entry's data; each caller releases it once."""
    key = ConsoleKey.of(data)
    certificate = b64decode(key.certificate) if key.certificate else None
    context = await async_ssl_context(hass, key.ssl, certificate)
    consoles = _async_consoles(hass)
    if (console := consoles.sessions.get(key)) is None:
        budget = consoles.budgets.setdefault((key.url, key.username), LoginBudget())
        console = consoles.sessions[key] = ConsoleSession(hass, key, context, budget)
    console.users += 1
    return console


async def async_close_unneeded(hass: HomeAssistant) -> None:
    """Close every session that nobody holds and no enabled entry names."""
    needed = {
        ConsoleKey.of(entry.data)
        for entry in hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
    }
    sessions = _async_consoles(hass).sessions
    unneeded = [key for key, console in sessions.items() if not console.users and key not in needed]
    for console in [sessions.pop(key) for key in unneeded]:
        await console.async_close()


@callback
def _async_consoles(hass: HomeAssistant) -> Consoles:
    if (consoles := hass.data.get(_CONSOLES)) is not None:
        return consoles
    consoles = hass.data[_CONSOLES] = Consoles()

    async def async_close_all(_event: Event) -> None:
        sessions = list(consoles.sessions.values())
        consoles.sessions.clear()
        await asyncio.gather(*(console.async_close() for console in sessions))

    # Entries stop their streams before this; connections work until after it.
    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, async_close_all)
    return consoles
