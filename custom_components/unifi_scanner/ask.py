"""A call on the console whose failure Home Assistant understands."""

from collections.abc import Awaitable, Callable

from homeassistant.config_entries import ConfigEntry
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import UpdateFailed

from .api import (
    BadCredentialsError,
    RateLimitedError,
    SecondFactorRequiredError,
    UnifiClient,
    UnifiError,
)
from .const import DOMAIN
from .session import ConsoleSession, describe_error


async def async_ask[T](
    console: ConsoleSession, entry: ConfigEntry, call: Callable[[UnifiClient], Awaitable[T]]
) -> T:
    """Return what a call gives.

    Raises ConfigEntryAuthFailed when a login was rejected, else UpdateFailed, both translated.
    """
    try:
        return await console.async_call(call)
    except UnifiError as err:
        key, placeholders = describe_error(err, entry.data)
        if isinstance(err, (BadCredentialsError, SecondFactorRequiredError)):
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders=placeholders,
            ) from err
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=placeholders,
            retry_after=err.retry_after if isinstance(err, RateLimitedError) else None,
        ) from err
