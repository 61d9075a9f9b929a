"""Client for a site's event stream: keeps the WebSocket open and passes on its events."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from enum import StrEnum
from inspect import isawaitable
from random import Random
import ssl
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from structlog.stdlib import BoundLogger
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from .backoff import ReconnectPolicy, delay_after
from .buffer import WebSocketEventBuffer
from .endpoints import DeviceType
from .errors import (
    BadCredentialsError,
    CannotConnectError,
    SecondFactorRequiredError,
    SessionExpiredError,
    UnifiError,
)
from .frames import (
    BufferedEvent,
    FrameStatistics,
    parse_large_frame,
    parse_unifi_event,
    parse_unifi_events,
)
from .log import get_logger
from .socket import KindDetection, SessionRenewal, SocketOpener, close_socket
from .tls import TlsMode
from .turns import LARGE

__all__ = [
    "BufferedEvent",
    "DeviceType",
    "ReconnectPolicy",
    "StreamState",
    "UnifiWebSocketClient",
    "WebSocketEventBuffer",
    "parse_unifi_event",
    "parse_unifi_events",
]

_LOGGER = get_logger(__name__)

type EventCallback = Callable[[BufferedEvent], Awaitable[None] | None]

# How long `stop` waits for the tasks that it cancelled.
_STOP_TIMEOUT = 2.0
_RECONNECT = ReconnectPolicy()
# A socket that closes within this time without a frame counts as useless, ...
_AT_ONCE = 10.0  # seconds
# ... and so many in a row may be due to the session.
USELESS_SOCKETS = 3


class StreamState(StrEnum):
    """State of the event stream."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"


class StreamStatus:
    """The state of a stream; logs each failure and recovery once."""

    def __init__(self, logger: BoundLogger, on_state: Callable[[StreamState], None] | None) -> None:
        """Start as stopped; call `on_state` after every change and log its exceptions."""
        self.state = StreamState.STOPPED
        self._logger = logger
        self._on_state = on_state
        self._failing = False

    def set_state(self, state: StreamState) -> None:
        """Set the state; log the recovery after a failure."""
        if state is self.state:
            return
        self.state = state
        if state is StreamState.CONNECTED and self._failing:
            self._failing = False
            self._logger.info("The event stream is up again")
        if self._on_state is not None:
            try:
                self._on_state(state)
            except Exception:
                self._logger.exception("The state callback failed", state=state.value)

    def log_failure(self, error: UnifiError) -> None:
        """Log why the stream is down, once until it recovers."""
        if not self._failing:
            self._failing = True
            self._logger.warning("The event stream is down", reason=str(error))


class UnifiWebSocketClient:
    """Streams the events of a site and reconnects until it is stopped.

    `cookies` are those of a logged-in session; `renew_session` logs in again and returns new ones;
    `detect_kind` detects the kind of controller when its responses cast doubt on `device_type`.
    Without `ssl_context`, one is created from `verify_ssl` off the event loop. A stopped client
    cannot be restarted. `connections` counts how often the socket was opened.
    """

    def __init__(
        self,
        *,
        base_url: str,
        site: str,
        cookies: Mapping[str, str],
        device_type: DeviceType,
        verify_ssl: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        renew_session: SessionRenewal | None = None,
        detect_kind: KindDetection | None = None,
        reconnect: ReconnectPolicy = _RECONNECT,
        on_state: Callable[[StreamState], None] | None = None,
    ) -> None:
        """Store the settings; raise ValueError if `base_url` is not an HTTP(S) URL."""
        self.statistics = FrameStatistics()
        self.connections = 0
        self._opener = SocketOpener(
            _LOGGER,
            base_url=base_url,
            site=site,
            cookies=cookies,
            device_type=device_type,
            tls_mode=TlsMode.VERIFY if verify_ssl else TlsMode.INSECURE,
            ssl_context=ssl_context,
            renew_session=renew_session,
            detect_kind=detect_kind,
        )
        self._reconnect = reconnect
        self._status = StreamStatus(_LOGGER, on_state)
        self._random = Random()  # noqa: S311 - jitter, not security
        self._connection: ClientConnection | None = None
        self._open_lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listening = False
        self._stopped = False
        self._dropped = False
        self._last_frame: float | None = None
        self._opened_at: float | None = None
        self._frames_at_open = 0
        self._useless_sockets = 0

    @property
    def endpoint(self) -> str:
        """The socket's URL; its path depends on the kind of controller."""
        return self._opener.endpoint

    @property
    def state(self) -> StreamState:
        """The state of the stream."""
        return self._status.state

    @property
    def is_connected(self) -> bool:
        """Whether the socket is open."""
        return self._connection is not None and self._connection.state is State.OPEN

    @property
    def last_frame(self) -> float | None:
        """Event-loop time in seconds of the last received frame; None before the first."""
        return self._last_frame

    @property
    def useless_sockets(self) -> int:
        """Number of sockets in a row that were closed at once without a frame."""
        return 0 if self._has_frames else self._useless_sockets

    @property
    def _has_frames(self) -> bool:
        """Whether the latest socket has received a frame."""
        return self.statistics.frames > self._frames_at_open

    async def __aenter__(self) -> Self:
        """Return the client; it is stopped at the end of the block."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the client."""
        await self.stop()

    async def connect(self) -> bool:
        """Try once to open the socket and return whether it is open; network errors are logged.

        Optional: `listen` opens the socket if needed.
        """
        if self._listening:
            return self.is_connected
        return bool(await self._until_stopped(self._try_open()))

    async def listen(self, on_event: EventCallback) -> None:
        """Call `on_event` for every event, across reconnects, until `stop`.

        Exceptions in the callback are logged and otherwise ignored. Raises BadCredentialsError (if
        `definite`) or SecondFactorRequiredError from `renew_session`, SessionExpiredError if the
        session is rejected and there is no `renew_session`, RuntimeError if already listening.
        """
        if self._listening:
            raise RuntimeError("The client is already listening")
        self._listening = True
        try:
            await self._until_stopped(self._stream(on_event))
        finally:
            self._listening = False

    async def drop(self) -> None:
        """Close a socket that has gone silent; `listen` opens another one immediately."""
        if self._connection is not None and self.is_connected:
            self._dropped = True
            await close_socket(self._connection)

    async def stop(self) -> None:
        """Make `connect` and `listen` return and close the socket, within 2 seconds.

        May be called repeatedly and from within the callback.
        """
        self._stopped = True
        others = self._tasks - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await self._close()
        if others:
            await asyncio.wait(others, timeout=_STOP_TIMEOUT)
        self._status.set_state(StreamState.STOPPED)

    async def _until_stopped[T](self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return the result of `work`, None if `stop` cancelled it."""
        if self._stopped:
            work.close()
            return None
        task = asyncio.create_task(work)
        self._tasks.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self._stopped or (current is not None and current.cancelling()):
                raise
            return None
        finally:
            self._tasks.discard(task)

    async def _try_open(self) -> bool:
        try:
            await self._open()
            if self._stopped:
                await self._close()
        except UnifiError as err:
            self._status.log_failure(err)
        finally:
            if not self.is_connected:
                self._status.set_state(StreamState.STOPPED)
        return self.is_connected

    async def _stream(self, on_event: EventCallback) -> None:
        attempt = 0
        try:
            while not self._stopped:
                try:
                    await self._run(on_event)
                except UnifiError as err:
                    dropped, self._dropped = self._dropped, False
                    if not dropped:
                        self._status.log_failure(err)
                    if self._is_final(err):
                        raise
                    await self._close()
                    if self._end_socket():
                        attempt = 0
                    if dropped:
                        continue
                    self._status.set_state(StreamState.WAITING)
                    await asyncio.sleep(delay_after(err, attempt, self._reconnect, self._random))
                    attempt += 1
        finally:
            await self._close()
            self._status.set_state(StreamState.STOPPED)

    async def _run(self, on_event: EventCallback) -> None:
        """Pass on events until the socket closes; raise every failure as a UnifiError."""
        try:
            # A connection lost since `connect` may still hold unread frames.
            if self._connection is None:
                await self._open()
            await self._receive(on_event)
        except UnifiError:
            raise
        except Exception as err:  # noqa: BLE001 - an unforeseen error must not end the stream
            # Drop the cause: its text could contain headers with cookies.
            failure = f"The event stream failed: {type(err).__name__}"
            raise CannotConnectError(failure) from None

    def _is_final(self, err: UnifiError) -> bool:
        if isinstance(err, SessionExpiredError):
            return not self._opener.can_renew_session
        if isinstance(err, BadCredentialsError):
            return err.definite
        return isinstance(err, SecondFactorRequiredError)

    def _end_socket(self) -> bool:
        """Count the latest socket if it was useless; return whether it was stable."""
        opened_at, self._opened_at = self._opened_at, None
        if opened_at is None:
            return False
        open_for = asyncio.get_running_loop().time() - opened_at
        if self._has_frames:
            self._useless_sockets = 0
            return open_for >= self._reconnect.stable_after
        self._useless_sockets = self._useless_sockets + 1 if open_for < _AT_ONCE else 0
        if self._useless_sockets == USELESS_SOCKETS:
            self._opener.doubt_session()
        return False

    async def _open(self) -> None:
        async with self._open_lock:
            if self.is_connected:
                return
            self._status.set_state(StreamState.CONNECTING)
            self._connection = await self._opener.open()
            self.connections += 1
            self._opened_at = asyncio.get_running_loop().time()
            self._frames_at_open = self.statistics.frames
        self._status.set_state(StreamState.CONNECTED)

    async def _receive(self, on_event: EventCallback) -> None:
        """Pass on events until `stop`; raise CannotConnectError when the socket closes."""
        connection = self._connection
        clock = asyncio.get_running_loop().time
        while connection is not None and not self._stopped:
            try:
                # Bytes avoid decoding unwanted frames, and invalid UTF-8 then closes no socket.
                frame = await connection.recv(decode=False)
            except ConnectionClosed as err:
                closed = f"was closed, code {err.rcvd.code}" if err.rcvd else "was lost"
                raise CannotConnectError(f"The connection {closed}") from err
            self._last_frame = clock()
            if len(frame) > LARGE:
                await self._receive_large(frame, on_event)
                continue
            began = perf_counter()
            for event in parse_unifi_events(frame, self.statistics):
                await self._call_back(on_event, event)
                if self._stopped:
                    return
            self.statistics.seconds += perf_counter() - began

    async def _receive_large(self, frame: bytes, on_event: EventCallback) -> None:
        began = perf_counter()
        for events in parse_large_frame(frame, self.statistics):
            for event in events:
                await self._call_back(on_event, event)
                if self._stopped:
                    return
            self.statistics.seconds += perf_counter() - began
            await asyncio.sleep(0)
            began = perf_counter()

    async def _call_back(self, on_event: EventCallback, event: BufferedEvent) -> None:
        try:
            pending = on_event(event)
            if pending is not None and isawaitable(pending):
                await pending
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            _LOGGER.exception("The event callback was cancelled", event_type=event.event_type)
        except Exception:
            _LOGGER.exception("The event callback failed", event_type=event.event_type)

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await close_socket(connection)
