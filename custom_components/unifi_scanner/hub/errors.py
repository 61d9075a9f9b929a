"""A call on the console whose failure Home Assistant understands, and people too."""

from collections.abc import Awaitable, Callable, Mapping
from math import ceil
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
    ControllerStartingError,
    RateLimitedError,
    SecondFactorRequiredError,
    SessionExpiredError,
    SiteUnknownError,
    UnifiError,
)
from ..api.tls import TlsMode
from ..const import DOMAIN
from .login_budget import LOCKED_FOR, LoginBudgetError
from .session import ControllerSession

# Home Assistant counts a wait from the whole second before: one of less than a second would be over
# at once, again and again.
_SOONEST = 5.0

# The translation keys of what can go wrong: errors of the flow's forms, exceptions of the entry.
_ERROR_KEYS: tuple[tuple[type[UnifiError], str], ...] = (
    (CannotConnectError, "cannot_connect"),
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
    """Return an error's translation key and placeholders; `data` is the config entry's."""
    placeholders = {"host": str(data[CONF_HOST])}
    if isinstance(error, RateLimitedError):
        placeholders["seconds"] = str(ceil(error.retry_after or LOCKED_FOR))
    elif isinstance(error, SiteUnknownError):
        placeholders["site"] = error.site
    elif isinstance(error, CertificateNotTrustedError) and data[CONF_SSL] == TlsMode.PINNED:
        return "certificate_changed", placeholders
    elif isinstance(error.__cause__, ClientConnectorDNSError):
        return "unknown_name", placeholders
    key = next((key for kind, key in _ERROR_KEYS if isinstance(error, kind)), "unexpected_answer")
    return key, placeholders


async def async_request[T](
    session: ControllerSession, entry: ConfigEntry, call: Callable[[UnifiClient], Awaitable[T]]
) -> T:
    """Return what a call gives.

    Raises ConfigEntryAuthFailed when only the user can help, else UpdateFailed, both translated.
    """
    try:
        return await session.async_call(call, asker=entry.entry_id)
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
    return max(error.retry_after, _SOONEST)


def needs_user(error: UnifiError) -> bool:
    """Tell whether another login without the user's help would be rejected as well."""
    if isinstance(error, BadCredentialsError):
        return error.definite
    return isinstance(error, SecondFactorRequiredError)
