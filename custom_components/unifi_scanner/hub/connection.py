"""Find a controller's address and certificate, and create HTTP sessions and TLS contexts."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
import ssl

from aiohttp import ClientSession, CookieJar
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.util.ssl import get_default_context, get_default_no_verify_context
from yarl import URL

from ..api.client import UnifiClient
from ..api.errors import (
    CannotConnectError,
    ResponseTimeoutError,
    UnifiError,
    UnrecognizedServerError,
)
from ..api.tls import Certificate, TlsMode, create_context, fetch_certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address at which a controller answered, and how to check its certificate.

    `certificate` is the one to pin, set if `ssl` is `pinned`.
    """

    url: str
    ssl: TlsMode
    certificate: Certificate | None = None


async def async_find_controller(
    hass: HomeAssistant, urls: Sequence[str], mode: TlsMode
) -> Endpoint:
    """Return the first of the base URLs at which a controller answers.

    Sends no credentials. Raises the most informative UnifiError if no URL works.
    """
    session = create_http_session(hass)

    async def async_try(url: str) -> Endpoint | UnifiError:
        try:
            return await _async_try_endpoint(hass, session, url, mode)
        except UnifiError as error:
            return error

    failures: list[UnifiError] = []
    try:
        # In parallel, as a host that silently drops packets takes ten seconds per URL.
        async with TaskGroup() as group:
            tries = [group.create_task(async_try(url)) for url in urls]
            for attempt in tries:
                result = await attempt
                if isinstance(result, Endpoint):
                    for other in tries:
                        other.cancel()
                    return result
                failures.append(result)
    finally:
        session.detach()
    raise min(failures, key=_rank)


def _rank(error: UnifiError) -> int:
    """Return a higher rank for a failure that says less about the controller."""
    # Most of the usual ports are closed, and some belong to another server.
    if isinstance(error, ResponseTimeoutError):
        return 2
    if isinstance(error, CannotConnectError):
        return 3
    return 1 if isinstance(error, UnrecognizedServerError) else 0


async def _async_try_endpoint(
    hass: HomeAssistant, session: ClientSession, url: str, mode: TlsMode
) -> Endpoint:
    certificate = None
    if mode is TlsMode.PINNED:
        # Also if it is publicly trusted: a pin must never turn into a weaker check by itself.
        address = URL(url)
        certificate = await fetch_certificate(address.raw_host or "", address.port or 443)
    context = await async_ssl_context(hass, mode, certificate.der if certificate else None)
    await UnifiClient(session, url, context).detect()
    return Endpoint(url=url, ssl=mode, certificate=certificate)


def create_http_session(hass: HomeAssistant) -> ClientSession:
    """Return a private HTTP session that accepts cookies from IP addresses.

    The caller has to detach it.
    """
    # Automatic cleanup would close it together with the first entry that is unloaded.
    return async_create_clientsession(hass, auto_cleanup=False, cookie_jar=CookieJar(unsafe=True))


async def async_ssl_context(
    hass: HomeAssistant, mode: TlsMode, certificate: bytes | None = None
) -> ssl.SSLContext:
    """Return the SSL context for a TLS mode; `certificate` is the pinned one in DER form."""
    if mode is TlsMode.VERIFY:
        return get_default_context()
    if mode is TlsMode.INSECURE:
        return get_default_no_verify_context()
    return await hass.async_add_executor_job(create_context, mode, certificate)
