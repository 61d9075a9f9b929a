"""Call the controller and translate its errors into Home Assistant exceptions."""

from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from socket import gaierror
from typing import Any

from aiohttp import ClientConnectorDNSError
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_SSL
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import UpdateFailed

from ..api.client import UnifiClient
from ..api.errors import (
    BadCredentialsError,
    CannotConnectError,
    CertificateNotTrustedError,
    CertificateTooWeakError,
    ControllerStartingError,
    NoNetworkApplicationError,
    RateLimitedError,
    ResponseTimeoutError,
    SecondFactorRequiredError,
    SessionExpiredError,
    SiteUnknownError,
    UnifiError,
    UnrecognizedServerError,
)
from ..api.tls import TlsMode
from ..const import DOMAIN
from .login_budget import LOCKED_FOR, LoginBudgetError
from .session import ControllerSession

# Home Assistant truncates the current time to whole seconds before adding a wait, so waits below a
# second would end at once, over and over.
_SHORTEST_WAIT = 5.0  # seconds

# Translation keys, used both for errors in the config flow's forms and for exceptions. The first
# match counts, as some of the errors are kinds of others.
_ERROR_KEYS: tuple[tuple[type[UnifiError], str], ...] = (
    (ResponseTimeoutError, "timeout"),
    (CannotConnectError, "cannot_connect"),
    (NoNetworkApplicationError, "no_network_application"),
    (UnrecognizedServerError, "not_a_controller"),
    (ControllerStartingError, "controller_starting"),
    (BadCredentialsError, "invalid_auth"),
    (SecondFactorRequiredError, "second_factor"),
    (SessionExpiredError, "no_access"),
    (LoginBudgetError, "login_budget"),
    (RateLimitedError, "rate_limited"),
    (CertificateNotTrustedError, "certificate_not_trusted"),
    (SiteUnknownError, "unknown_site"),
)


def error_translation(error: UnifiError, data: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the translation key and placeholders of an error; `data` is the config entry's."""
    placeholders = {"host": str(data[CONF_HOST])}
    if isinstance(error, RateLimitedError):
        placeholders["seconds"] = str(ceil(error.retry_after or LOCKED_FOR))
    elif isinstance(error, SiteUnknownError):
        placeholders["site"] = error.site
    elif isinstance(error, CertificateTooWeakError):
        return "certificate_too_weak", placeholders
    elif isinstance(error, CertificateNotTrustedError) and data[CONF_SSL] == TlsMode.PINNED:
        return "certificate_changed", placeholders
    elif isinstance(error.__cause__, (ClientConnectorDNSError, gaierror)):
        return "unknown_name", placeholders
    key = next((key for kind, key in _ERROR_KEYS if isinstance(error, kind)), "unexpected_answer")
    return key, placeholders


async def async_request[T](
    session: ControllerSession, entry: ConfigEntry, call: Callable[[UnifiClient], Awaitable[T]]
) -> T:
    """Return the result of a call on the client.

    Raises ConfigEntryAuthFailed if the user has to log in again, otherwise UpdateFailed, both
    translated.
    """
    try:
        return await session.async_call(call, caller=entry.entry_id)
    except UnifiError as err:
        key, placeholders = error_translation(err, entry.data)
        if needs_user(err):
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders=placeholders,
            ) from err
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=placeholders,
            retry_after=_retry_after(err),
        ) from err


def _retry_after(error: UnifiError) -> float | None:
    if not isinstance(error, RateLimitedError) or error.retry_after is None:
        return None
    return max(error.retry_after, _SHORTEST_WAIT)


def needs_user(error: UnifiError) -> bool:
    """Return whether logging in again is pointless until the user has intervened."""
    if isinstance(error, BadCredentialsError):
        return error.definite
    return isinstance(error, SecondFactorRequiredError)
