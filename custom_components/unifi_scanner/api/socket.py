"""How the event socket is opened, again and again: with a valid session, at the right path."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import ssl

from structlog.stdlib import BoundLogger
from websockets.asyncio.client import ClientConnection

from .endpoints import DeviceType, websocket_url
from .errors import CannotConnectError, ControllerStartingError, SessionExpiredError, UnifiError
from .handshake import open_socket
from .tls import TlsMode, create_context

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
