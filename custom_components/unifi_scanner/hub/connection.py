"""How a controller is reached: its address, its certificate, a private HTTP session."""

from asyncio import TaskGroup
from collections.abc import Sequence
from dataclasses import dataclass
import ssl

from aiohttp import ClientSession, CookieJar
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.util.ssl import get_default_context, get_default_no_verify_context

from ..api.client import UnifiClient
from ..api.errors import CannotConnectError, CertificateNotTrustedError, UnifiError
from ..api.tls import Certificate, TlsMode, create_context


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a controller answered, and how its certificate can be checked.

    `ssl` is `verify` for a publicly trusted certificate, whatever was asked for but `insecure`;
    `certificate` is there when it is `pinned`.
    """

    url: str
    ssl: TlsMode
    certificate: Certificate | None = None


async def async_find_controller(
    hass: HomeAssistant, urls: Sequence[str], mode: TlsMode
) -> Endpoint:
    """Return the first of the base URLs at which a controller answers.

    No credential is sent. Raises the UnifiError that tells most about why there is none.
    """
    session = create_http_session(hass)

    async def async_try(url: str) -> Endpoint | UnifiError:
        try:
            return await _async_try_endpoint(hass, session, url, mode)
        except UnifiError as error:
            return error

    failures: list[UnifiError] = []
    try:
        # All at once: a host that swallows what it is sent takes ten seconds for each.
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
    # Nothing listens at most of the usual ports: that of the one where something does counts.
    raise min(failures, key=lambda error: isinstance(error, CannotConnectError))


async def _async_try_endpoint(
    hass: HomeAssistant, session: ClientSession, url: str, mode: TlsMode
) -> Endpoint:
    if mode is TlsMode.INSECURE:
        context = await async_ssl_context(hass, mode)
        await UnifiClient(session, url, context).detect()
        return Endpoint(url=url, ssl=mode)
    context = await async_ssl_context(hass, TlsMode.VERIFY)
    try:
        await UnifiClient(session, url, context).detect()
    except CertificateNotTrustedError as error:
        if mode is TlsMode.VERIFY or (certificate := error.certificate) is None:
            raise
    else:
        return Endpoint(url=url, ssl=TlsMode.VERIFY)
    context = await async_ssl_context(hass, TlsMode.PINNED, certificate.der)
    await UnifiClient(session, url, context).detect()
    return Endpoint(url=url, ssl=TlsMode.PINNED, certificate=certificate)


def create_http_session(hass: HomeAssistant) -> ClientSession:
    """Return a private HTTP session that keeps cookies of IP addresses; its user detaches it."""
    # Without the automatic cleanup, which would end it with the first entry that is unloaded.
    return async_create_clientsession(hass, auto_cleanup=False, cookie_jar=CookieJar(unsafe=True))


async def async_ssl_context(
    hass: HomeAssistant, mode: TlsMode, certificate: bytes | None = None
) -> ssl.SSLContext:
    """Return the context of a TLS setting; `certificate` is the DER form of a pinned one."""
    if mode is TlsMode.VERIFY:
        return get_default_context()
    if mode is TlsMode.INSECURE:
        return get_default_no_verify_context()
    return await hass.async_add_executor_job(create_context, mode, certificate)
