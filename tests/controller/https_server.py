"""The network side of the simulated controller: an HTTPS server on loopback."""

import asyncio
import ssl

from aiohttp import WSCloseCode, web

from .commands import Commands
from .login import Authentication, Handler
from .rest import RestApi
from .state import ControllerState, Request

HOST = "127.0.0.1"
SHUTDOWN_SECONDS = 0.2


class HttpsServer:
    """HTTPS server of a controller; can stop and start again on the same port."""

    def __init__(self, state: ControllerState) -> None:
        """Create a server that does not listen yet."""
        self._state = state
        self._authentication = Authentication(state)
        self._commands = Commands(state, self._authentication)
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None

    async def start(self, port: int, context: ssl.SSLContext) -> int:
        """Listen on a port (0: any free one) and return it; OSError if it is taken."""
        if self._server is not None:
            raise RuntimeError("the server is already listening")
        if self._runner is None:
            self._runner = web.AppRunner(
                self._application(),
                access_log=None,
                handler_cancellation=True,
                shutdown_timeout=SHUTDOWN_SECONDS,
            )
            await self._runner.setup()
        protocol_factory = self._runner.server
        if protocol_factory is None:
            raise RuntimeError("the runner is not set up")
        self._server = await asyncio.get_running_loop().create_server(
            protocol_factory,
            HOST,
            port,
            ssl=context,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )
        bound_port: int = self._server.sockets[0].getsockname()[1]
        return bound_port

    async def stop_listening(self, code: int | None = None) -> None:
        """Abort all connections and refuse new ones; `code` closes the sockets with it first."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        await self._state.hub.close(code)
        server.abort_clients()
        await server.wait_closed()

    async def stop(self) -> None:
        """Stop for good and release everything."""
        await self._commands.stop()
        await self.stop_listening(WSCloseCode.GOING_AWAY)
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._middleware])
        for route in (
            *self._authentication.routes(),
            *RestApi(self._state, self._authentication).routes(),
            *self._commands.routes(),
        ):
            # A slash at the end is accepted (docs/protocol.md 13).
            application.add_routes(
                web.RouteDef(route.method, path, route.handler, route.kwargs)
                for path in {route.path, f"{route.path.rstrip('/')}/"}
            )
        return application

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log every request, and let faults answer before the real handler."""
        entry = Request(
            time=self._state.clock(),
            method=request.method,
            path=request.path,
            query=request.query_string,
            headers=request.headers,
            cookies=dict(request.cookies),
        )
        self._state.request_log.add(entry)
        faults = self._state.faults
        canned_response = faults.canned_response(request)
        response = await canned_response.respond(request) if canned_response is not None else None
        if response is None:
            try:
                response = faults.boot_response() or await handler(request)
            except web.HTTPException as refusal:
                entry.status = refusal.status
                raise
        entry.status = response.status
        return response
