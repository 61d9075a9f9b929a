"""The event sockets and sending frames to them."""

import asyncio
from dataclasses import dataclass, field

from aiohttp import WSCloseCode, WSMsgType, web
import orjson

from .faults import Faults
from .models import Json

SEND_TIMEOUT = 10.0


@dataclass(slots=True, eq=False, kw_only=True)
class Socket:
    """An open event socket; with `v2` it receives `client:sync` instead of `sta:sync`."""

    site: str
    v2: bool
    response: web.WebSocketResponse
    transport: asyncio.Transport | None
    stuck: bool = False
    sent: int = field(default=0)

    async def send(self, message: str | bytes) -> None:
        """Send a frame; abort the socket if the peer does not read."""
        if self.stuck or self.response.closed:
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                if isinstance(message, str):
                    await self.response.send_str(message)
                else:
                    await self.response.send_bytes(message)
        except TimeoutError:
            self.abort()
        except ConnectionError:
            return
        self.sent += 1

    def freeze(self) -> None:
        """Become half-open: TCP stays up, nothing is read or sent, pings go unanswered."""
        self.stuck = True
        if self.transport is not None:
            self.transport.pause_reading()

    def abort(self) -> None:
        """Abort the connection without a close frame (the peer sees 1006)."""
        if self.transport is not None:
            self.transport.abort()


class Hub:
    """All open sockets of a controller."""

    def __init__(self, faults: Faults) -> None:
        """Start without sockets."""
        self._faults = faults
        self.sockets: set[Socket] = set()
        self._changed = asyncio.Event()

    @property
    def live(self) -> int:
        """Number of open sockets that are not half-open."""
        return sum(not socket.stuck for socket in self.sockets)

    async def serve(self, request: web.Request, site: str, greeting: Json) -> web.WebSocketResponse:
        """Serve a socket until it closes; text `ping` gets text `pong` (docs/protocol.md 1)."""
        response = web.WebSocketResponse(timeout=1.0)
        await response.prepare(request)
        if self._faults.closes_sockets:
            await response.close()
            return response
        socket = Socket(
            site=site,
            v2=request.query.get("clients") == "v2",
            response=response,
            transport=request.transport,
        )
        self.sockets.add(socket)
        self._changed.set()
        try:
            await self.send(greeting, only=socket)
            async for message in response:
                if message.type is WSMsgType.TEXT and message.data == "ping":
                    await socket.send("pong")
        finally:
            self.sockets.discard(socket)
            self._changed.set()
        return response

    async def send(
        self,
        frame: Json | str | bytes,
        *,
        site: str | None = None,
        v2: bool | None = None,
        only: Socket | None = None,
    ) -> None:
        """Send a frame to all sockets, or to those of one site or one kind of sync record.

        Text and bytes are sent unchanged, bytes as a binary frame. Faults may withhold frames.
        """
        sockets = [
            socket
            for socket in ([only] if only else self.sockets)
            if (site is None or socket.site == site) and (v2 is None or socket.v2 is v2)
        ]
        if not sockets:
            return
        if self._faults.silent:
            self._faults.withheld += 1
            return
        message = orjson.dumps(frame).decode() if isinstance(frame, dict) else frame
        messages: list[str | bytes] = [message]
        if self._faults.frame_faults is not None and isinstance(message, str):
            messages = [*self._faults.frame_faults.apply(message)]
        for socket in sockets:
            for text in messages:
                await socket.send(text)

    async def close(self, code: int | None = WSCloseCode.GOING_AWAY) -> None:
        """Close all sockets with a code; None aborts them without one."""
        sockets = tuple(self.sockets)
        for socket in sockets:
            if code is None or socket.stuck:
                socket.abort()
        if code is not None:
            await asyncio.gather(
                *(socket.response.close(code=code) for socket in sockets if not socket.stuck)
            )

    async def wait_for(self, count: int) -> None:
        """Wait until exactly this number of sockets is live."""
        while self.live != count:
            self._changed.clear()
            await self._changed.wait()

    def half_open(self) -> None:
        """Freeze all open sockets; new ones work."""
        for socket in self.sockets:
            socket.freeze()
