"""The event socket: opens it, keeps it open, hands over what the controller tells."""

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
    Passed,
    parse_unifi_event,
    parse_unifi_events,
)
from .log import get_logger
from .socket import KindDetection, SessionRenewal, SocketOpener, close_socket
from .tls import TlsMode


class StreamState(StrEnum):
    """What the event stream is doing."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"


class StreamStatus:
    """The state of one stream."""

    def __init__(self, logger: BoundLogger, on_state: Callable[[StreamState], None] | None) -> None:
        """Begin stopped; `on_state` is called after every change, its exceptions are logged."""
        self.state = StreamState.STOPPED
        self._logger = logger
        self._on_state = on_state
        self._failing = False

    def change(self, state: StreamState) -> None:
        """Take a state; log the recovery when the stream had failed before."""
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

    def fail(self, error: UnifiError) -> None:
        """Log why the stream is down, once until it is up again."""
        if not self._failing:
            self._failing = True
            self._logger.warning("The event stream is down", reason=str(error))


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

# `stop` waits no longer than this for what it has ended.
_STOP_TIMEOUT = 2.0
_RECONNECT = ReconnectPolicy()


class UnifiWebSocketClient:
    """The events of one site, as long as it is wanted.

    `cookies` are those of a logged-in session; `renew_session` logs in anew and returns fresh ones;
    `find_kind` asks the controller what it is when its answers make `device_type` doubtful.
    Without `ssl_context` one is made from `verify_ssl`, off the event loop. After `stop` a client
    stays stopped. `connections` counts how often the socket was opened; `recorder` hears of frames
    that are of no use.
    """

    def __init__(
        self,
        *,
        base_url: str,
        site: str,
        cookies: Mapping[str, str],
        device_type: DeviceType,
        verify_ssl: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        renew_session: SessionRenewal | None = None,
        find_kind: KindDetection | None = None,
        reconnect: ReconnectPolicy = _RECONNECT,
        on_state: Callable[[StreamState], None] | None = None,
        recorder: Passed | None = None,
    ) -> None:
        """Prepare, without a connection; raise ValueError when `base_url` is not an HTTP(S) URL."""
        self.statistics = FrameStatistics()
        self.connections = 0
        self._recorder = recorder
        self._opener = SocketOpener(
            _LOGGER,
            base_url=base_url,
            site=site,
            cookies=cookies,
            device_type=device_type,
            tls_mode=TlsMode.VERIFY if verify_ssl else TlsMode.INSECURE,
            ssl_context=ssl_context,
            renew_session=renew_session,
            find_kind=find_kind,
        )
        self._reconnect = reconnect
        self._status = StreamStatus(_LOGGER, on_state)
        self._random = Random()  # noqa: S311 - spreads load, guards nothing
        self._connection: ClientConnection | None = None
        self._opening = asyncio.Lock()
        self._work: set[asyncio.Task[Any]] = set()
        self._listening = False
        self._stopped = False
        self._dropped = False
        self._last_frame: float | None = None
        self._opened: float | None = None
        self._frames_before = 0

    @property
    def endpoint(self) -> str:
        """The socket's URL; its path follows the controller's kind."""
        return self._opener.endpoint

    @property
    def state(self) -> StreamState:
        """What the stream is doing now."""
        return self._status.state

    @property
    def is_connected(self) -> bool:
        """Whether the socket is open."""
        return self._connection is not None and self._connection.state is State.OPEN

    @property
    def last_frame(self) -> float | None:
        """When the last frame came, by the event loop's clock in seconds; None before the first."""
        return self._last_frame

    async def __aenter__(self) -> Self:
        """Return the client, which is stopped at the end of the block."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def connect(self) -> bool:
        """Open the socket once and return whether it is open; never raises for the network's sake.

        Not needed before `listen`, which opens it by itself.
        """
        if self._listening:
            return self.is_connected
        return bool(await self._until_stopped(self._try_open()))

    async def listen(self, on_event: EventCallback) -> None:
        """Call `on_event` for every event, over reconnects, until `stop`.

        An exception in the callback is logged and changes nothing. Raises BadCredentialsError and
        SecondFactorRequiredError when `renew_session` does (the former only if it is `definite`),
        SessionExpiredError when the session is rejected and there is no `renew_session`,
        RuntimeError when it listens already.
        """
        if self._listening:
            raise RuntimeError("The client listens already")
        self._listening = True
        try:
            await self._until_stopped(self._stream(on_event))
        finally:
            self._listening = False

    async def drop(self) -> None:
        """Close the socket, for one that has gone mute; `listen` opens another at once."""
        if self._connection is not None and self.is_connected:
            self._dropped = True
            await close_socket(self._connection)

    async def stop(self) -> None:
        """End `connect` and `listen` at once and close the socket, within 2 seconds.

        May be called from the callback, and repeatedly.
        """
        self._stopped = True
        others = self._work - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await self._close()
        if others:
            await asyncio.wait(others, timeout=_STOP_TIMEOUT)
        self._status.change(StreamState.STOPPED)

    async def _until_stopped[T](self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return what `work` returns, None when `stop` ended it."""
        if self._stopped:
            work.close()
            return None
        task = asyncio.create_task(work)
        self._work.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self._stopped or (current is not None and current.cancelling()):
                raise
            return None
        finally:
            self._work.discard(task)

    async def _try_open(self) -> bool:
        try:
            await self._open()
            if self._stopped:
                await self._close()
        except UnifiError as err:
            self._status.fail(err)
        finally:
            if not self.is_connected:
                self._status.change(StreamState.STOPPED)
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
                        self._status.fail(err)
                    if self._is_final(err):
                        raise
                    await self._close()
                    if self._was_stable():
                        attempt = 0
                    if dropped:
                        continue
                    self._status.change(StreamState.WAITING)
                    await asyncio.sleep(delay_after(err, attempt, self._reconnect, self._random))
                    attempt += 1
        finally:
            await self._close()
            self._status.change(StreamState.STOPPED)

    async def _run(self, on_event: EventCallback) -> None:
        """Hand over events until the socket closes; whatever goes wrong is a UnifiError."""
        try:
            # One that has just been lost may still hold frames.
            if self._connection is None:
                await self._open()
            await self._receive(on_event)
        except UnifiError:
            raise
        except Exception as err:  # noqa: BLE001 - nothing unforeseen may end the stream for good
            # Without the cause: its text could hold headers, and with them secrets.
            failure = f"The event stream failed: {type(err).__name__}"
            raise CannotConnectError(failure) from None

    def _is_final(self, err: UnifiError) -> bool:
        if isinstance(err, SessionExpiredError):
            return not self._opener.renews
        if isinstance(err, BadCredentialsError):
            return err.definite
        return isinstance(err, SecondFactorRequiredError)

    def _was_stable(self) -> bool:
        opened, self._opened = self._opened, None
        if opened is None or self.statistics.frames == self._frames_before:
            return False
        return asyncio.get_running_loop().time() - opened >= self._reconnect.stable_after

    async def _open(self) -> None:
        async with self._opening:
            if self.is_connected:
                return
            self._status.change(StreamState.CONNECTING)
            self._connection = await self._opener.open()
            self.connections += 1
            self._opened = asyncio.get_running_loop().time()
            self._frames_before = self.statistics.frames
        self._status.change(StreamState.CONNECTED)

    async def _receive(self, on_event: EventCallback) -> None:
        """Hand over events until `stop`; raise CannotConnectError when the socket closes."""
        connection = self._connection
        clock = asyncio.get_running_loop().time
        while connection is not None and not self._stopped:
            try:
                # Bytes save decoding what is not wanted, and broken UTF-8 closes nothing.
                frame = await connection.recv(decode=False)
            except ConnectionClosed as err:
                closed = f"was closed, code {err.rcvd.code}" if err.rcvd else "was lost"
                raise CannotConnectError(f"The connection {closed}") from err
            self._last_frame = clock()
            began = perf_counter()
            for event in parse_unifi_events(frame, self.statistics, self._recorder):
                await self._hand_over(on_event, event)
                if self._stopped:
                    return
            self.statistics.seconds += perf_counter() - began

    async def _hand_over(self, on_event: EventCallback, event: BufferedEvent) -> None:
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
