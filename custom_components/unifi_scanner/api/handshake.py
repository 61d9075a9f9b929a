"""Opening and closing one WebSocket, with what can go wrong said in our own errors."""

import asyncio
from collections.abc import Mapping
import logging
import ssl
from typing import override

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from .errors import CannotConnectError, CertificateNotTrustedError
from .responses import parse_retry_after, refusal

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
