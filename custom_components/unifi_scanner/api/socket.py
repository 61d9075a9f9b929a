"""Open the event socket, renewing the session or redetecting the controller's kind if needed.

The socket is one of the `websockets` library, which was asked for by name.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import logging
import ssl
from typing import override

from structlog.stdlib import BoundLogger
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from .endpoints import DeviceType, websocket_url
from .errors import (
    CannotConnectError,
    CertificateNotTrustedError,
    ControllerStartingError,
    SessionExpiredError,
    UnifiError,
)
from .responses import handshake_error, parse_retry_after
from .tls import TlsMode, create_context

# The library logs handshakes with their cookies, and frames that contain the controller's keys.
_DISABLED_LOGGER = logging.getLogger(f"{__name__}.websockets")
_DISABLED_LOGGER.disabled = True

# Frames larger than 4 MiB exist (docs/protocol.md 3.1).
_MAX_FRAME_SIZE = 32 * 2**20
_OPEN_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 2.0
_PING_INTERVAL = 20.0
_PING_TIMEOUT = 20.0


class _ConnectWithoutRedirects(connect):
    """A handshake that follows no redirect, which could send the cookies to another host."""

    @override
    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def open_socket(
    url: str, cookies: Mapping[str, str], ssl_context: ssl.SSLContext | None
) -> ClientConnection:
    """Return an open connection to `url`; a `wss` URL requires an `ssl_context`.

    Raises SessionExpiredError, RateLimitedError, ControllerStartingError,
    CertificateNotTrustedError or CannotConnectError.
    """
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    try:
        return await _ConnectWithoutRedirects(
            url,
            additional_headers={"Cookie": header} if header else None,
            compression=None,
            proxy=None,
            ssl=ssl_context,
            open_timeout=_OPEN_TIMEOUT,
            ping_interval=_PING_INTERVAL,
            ping_timeout=_PING_TIMEOUT,
            close_timeout=_CLOSE_TIMEOUT,
            max_size=_MAX_FRAME_SIZE,
            logger=_DISABLED_LOGGER,
        )
    except InvalidStatus as err:
        response = err.response
        retry_after = parse_retry_after(response.headers.get("Retry-After"))
        error = handshake_error(response.status_code, retry_after)
    except ssl.SSLCertVerificationError as err:
        raise CertificateNotTrustedError("The controller's certificate is not trusted") from err
    except TimeoutError as err:
        raise CannotConnectError("The handshake timed out") from err
    except (OSError, WebSocketException, EOFError) as err:
        raise CannotConnectError(f"The handshake failed: {type(err).__name__}") from err
    # Raised here so that it is not chained to InvalidStatus, whose response contains cookies.
    raise error


async def close_socket(connection: ClientConnection) -> None:
    """Close a connection; abort it if the closing handshake takes more than 2 seconds."""
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await connection.close()
    except TimeoutError:
        pass
    finally:
        connection.transport.abort()


type SessionRenewal = Callable[[], Awaitable[Mapping[str, str]]]
type KindDetection = Callable[[], Awaitable[DeviceType]]


class SocketOpener:
    """Opens the event socket of one site.

    A refused session is renewed once per attempt. A controller that seems to be starting may be of
    another kind than assumed (docs/protocol.md 1), so `detect_kind` runs before the next attempt.
    """

    def __init__(
        self,
        logger: BoundLogger,
        *,
        base_url: str,
        site: str,
        cookies: Mapping[str, str],
        device_type: DeviceType,
        tls_mode: TlsMode,
        ssl_context: ssl.SSLContext | None,
        renew_session: SessionRenewal | None,
        detect_kind: KindDetection | None,
    ) -> None:
        """Store the settings; raise ValueError if `base_url` is not an HTTP(S) URL."""
        self.endpoint = websocket_url(base_url, site, device_type)
        self.cookies = dict(cookies)
        self.can_renew_session = renew_session is not None
        self._logger = logger
        self._base_url = base_url
        self._site = site
        self._tls_mode = tls_mode
        self._ssl_context = ssl_context
        self._renew_session = renew_session
        self._detect_kind = detect_kind
        self._is_kind_uncertain = False
        self._is_session_doubtful = False

    def doubt_session(self) -> None:
        """Renew the session and detect the kind of controller before the next attempt."""
        self._is_session_doubtful = True
        self._is_kind_uncertain = True

    async def open(self) -> ClientConnection:
        """Return an open connection; raise UnifiError."""
        if self._detect_kind is not None and self._is_kind_uncertain:
            kind = await self._call(self._detect_kind, "Detecting the kind of controller failed")
            self.endpoint = websocket_url(self._base_url, self._site, kind)
        if self._is_session_doubtful and self._renew_session is not None:
            await self._renew(self._renew_session)
        try:
            return await self._try_handshake()
        except SessionExpiredError:
            if self._renew_session is None:
                raise
        await self._renew(self._renew_session)
        return await self._try_handshake()

    async def _renew(self, renew_session: SessionRenewal) -> None:
        self.cookies = dict(await self._call(renew_session, "Renewing the session failed"))
        self._is_session_doubtful = False

    async def _try_handshake(self) -> ClientConnection:
        secure = self.endpoint.startswith("wss:")
        if self._ssl_context is None and secure:
            self._ssl_context = await asyncio.to_thread(create_context, self._tls_mode)
        self._is_kind_uncertain = False
        try:
            context = self._ssl_context if secure else None
            return await open_socket(self.endpoint, self.cookies, context)
        except ControllerStartingError:
            self._is_kind_uncertain = True
            raise

    async def _call[T](self, callback: Callable[[], Awaitable[T]], failure: str) -> T:
        """Await a callback; log an unexpected exception and raise it as CannotConnectError."""
        try:
            return await callback()
        except UnifiError:
            raise
        except Exception as err:
            self._logger.exception(failure)
            raise CannotConnectError(failure) from err
