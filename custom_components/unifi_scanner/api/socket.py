"""How the event socket is opened, again and again: with a valid session, at the right path."""

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
from .responses import parse_retry_after, refusal
from .tls import TlsMode, create_context

# The library would log handshakes with their cookies, and frames with the controller's keys.
_SILENT = logging.getLogger(f"{__name__}.websockets")
_SILENT.disabled = True

# Frames over 4 MiB exist (protocol.md 3.1).
_LARGEST_FRAME = 32 * 2**20
_OPEN_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 2.0
_PING_INTERVAL = 20.0
_PING_TIMEOUT = 20.0


class _Connect(connect):
    """A handshake that stays where it was sent: a redirect must not carry the cookies elsewhere."""

    @override
    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def open_socket(
    url: str, cookies: Mapping[str, str], ssl_context: ssl.SSLContext | None
) -> ClientConnection:
    """Return an open connection to `url`; `ssl_context` belongs to a `wss` one.

    Raises SessionExpiredError, RateLimitedError, ControllerStartingError,
    CertificateNotTrustedError or CannotConnectError.
    """
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    try:
        return await _Connect(
            url,
            additional_headers={"Cookie": header} if header else None,
            compression=None,
            proxy=None,
            ssl=ssl_context,
            open_timeout=_OPEN_TIMEOUT,
            ping_interval=_PING_INTERVAL,
            ping_timeout=_PING_TIMEOUT,
            close_timeout=_CLOSE_TIMEOUT,
            max_size=_LARGEST_FRAME,
            logger=_SILENT,
        )
    except InvalidStatus as err:
        answer = err.response
        wait = parse_retry_after(answer.headers.get("Retry-After"))
        refused = refusal(answer.status_code, wait)
    except ssl.SSLCertVerificationError as err:
        raise CertificateNotTrustedError("The controller's certificate is not trusted") from err
    except TimeoutError as err:
        raise CannotConnectError("The handshake was not answered in time") from err
    except (OSError, WebSocketException, EOFError) as err:
        raise CannotConnectError(f"The handshake failed: {type(err).__name__}") from err
    # Not as a consequence of the library's error, which holds the answer with its cookies.
    raise refused


async def close_socket(connection: ClientConnection) -> None:
    """Close a connection, politely for 2 seconds, then anyhow; a dead peer holds nobody up."""
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

    A session that is refused is renewed once per attempt. A controller that answers as one that is
    starting may not be of the kind that it was taken for (protocol.md 1): `find_kind` is asked
    before the next attempt.
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
        find_kind: KindDetection | None,
    ) -> None:
        """Prepare; raise ValueError when `base_url` is not an HTTP(S) URL."""
        self.endpoint = websocket_url(base_url, site, device_type)
        self.cookies = dict(cookies)
        self.renews = renew_session is not None
        self._logger = logger
        self._base_url = base_url
        self._site = site
        self._tls_mode = tls_mode
        self._ssl_context = ssl_context
        self._renew_session = renew_session
        self._find_kind = find_kind
        self._doubts_kind = False

    async def open(self) -> ClientConnection:
        """Return an open connection; raise UnifiError."""
        if self._find_kind is not None and self._doubts_kind:
            kind = await self._ask(self._find_kind, "The controller's kind could not be found out")
            self.endpoint = websocket_url(self._base_url, self._site, kind)
        try:
            return await self._try_handshake()
        except SessionExpiredError:
            if self._renew_session is None:
                raise
        cookies = await self._ask(self._renew_session, "The session could not be renewed")
        self.cookies = dict(cookies)
        return await self._try_handshake()

    async def _try_handshake(self) -> ClientConnection:
        secure = self.endpoint.startswith("wss:")
        if self._ssl_context is None and secure:
            self._ssl_context = await asyncio.to_thread(create_context, self._tls_mode)
        self._doubts_kind = False
        try:
            context = self._ssl_context if secure else None
            return await open_socket(self.endpoint, self.cookies, context)
        except ControllerStartingError:
            self._doubts_kind = True
            raise

    async def _ask[T](self, question: Callable[[], Awaitable[T]], failure: str) -> T:
        try:
            return await question()
        except UnifiError:
            raise
        except Exception as err:
            self._logger.exception(failure)
            raise CannotConnectError(failure) from err
