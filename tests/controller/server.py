"""The simulated UniFi controller: an HTTPS and WebSocket server on loopback, driven by tests."""

import asyncio
from collections.abc import Callable, Iterable
import time
from typing import Any, Self

from .actions import Actions
from .certificate import ServerCertificate, make_certificate
from .faults import Booting
from .https_server import HOST, HttpsServer
from .models import Site
from .state import ControllerState, Request, Settings
from .walk_simulation import WalkOptions, WalkSimulation


class SimulatedController(Actions):
    """A controller for tests: `async with SimulatedController() as controller`.

    `controller.world.roam(...)` moves a client silently; `await controller.roam(...)` also reports
    it in a frame of the controller's generation. Further keyword arguments are those of `Settings`.
    `clock` returns POSIX seconds and is used for records, session lifetimes and the login limit.
    With `walk`, people walk around the first site; otherwise the world is empty and nothing moves
    by itself.
    """

    def __init__(
        self,
        *,
        sites: Iterable[str | Site] = ("default",),
        clock: Callable[[], float] = time.time,
        port: int = 0,
        certificate: ServerCertificate | None = None,
        walk: WalkOptions | None = None,
        **settings: Any,
    ) -> None:
        """Create a controller that does not listen yet; port 0 picks a free one and keeps it."""
        named = [Site.named(site) if isinstance(site, str) else site for site in sites]
        super().__init__(
            ControllerState(Settings(**settings), {site.name: site for site in named}, clock)
        )
        self.certificate = certificate or make_certificate()
        self.port = port
        self._server = HttpsServer(self.state)
        self._walk = WalkSimulation(self, walk) if walk is not None else None

    @property
    def base_url(self) -> str:
        """Base URL without a path, such as `https://127.0.0.1:8443`."""
        return f"https://{HOST}:{self.port}"

    @property
    def username(self) -> str:
        """Username of the only account."""
        return self.settings.username

    @property
    def password(self) -> str:
        """Password of the only account."""
        return self.settings.password

    @property
    def certificate_der(self) -> bytes:
        """The server certificate, DER encoded."""
        return self.certificate.der

    @property
    def logins(self) -> int:
        """Number of successful logins."""
        return len(self.state.request_log.logins)

    @property
    def login_attempts(self) -> int:
        """Number of login attempts, successful or not."""
        return len(self.state.request_log.login_attempts)

    @property
    def open_sockets(self) -> int:
        """Number of open event sockets, not counting half-open ones."""
        return self.state.hub.live

    @property
    def last_handshake(self) -> Request | None:
        """The last request for an event socket, with its headers and cookies."""
        handshakes = self.state.request_log.handshakes
        return handshakes[-1] if handshakes else None

    def requests(self, part: str = "", *, method: str | None = None) -> list[Request]:
        """Return the requests whose path contains `part`, optionally of one method."""
        return [
            request
            for request in self.state.request_log.matching(part)
            if method in (None, request.method)
        ]

    async def __aenter__(self) -> Self:
        """Start listening."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop for good."""
        await self.stop()

    async def start(self) -> None:
        """Start listening, or resume after `stop_listening`; OSError if the port is taken."""
        self.port = await self._server.start(self.port, self.certificate.context())
        if self._walk is not None:
            self._walk.start()

    async def stop_listening(self, code: int | None = None) -> None:
        """Go down: abort all connections and refuse new ones.

        With `code`, the sockets are closed with it first.
        """
        await self._server.stop_listening(code)

    async def stop(self) -> None:
        """Stop for good and release everything."""
        if self._walk is not None:
            await self._walk.stop()
        await self._server.stop()

    async def restart(
        self,
        down: float = 0.0,
        *,
        booting: Booting | None = None,
        boot_seconds: float = 0.0,
        forget_sessions: bool = True,
        certificate: ServerCertificate | None = None,
    ) -> None:
        """Go down for `down` real seconds and come back on the same port.

        Then every request is answered with `booting` for `boot_seconds`, or if 0 until
        `faults.booting` is set to None. The sessions survive, or with `forget_sessions` lead to
        401 (docs/protocol.md 13). `certificate` replaces the server certificate.
        """
        await self.stop_listening()
        if forget_sessions:
            if self.faults.forbid_after_restart:
                self.state.sessions.forbid()
            else:
                self.state.sessions.expire()
        if certificate is not None:
            self.certificate = certificate
        await asyncio.sleep(down)
        self.faults.booting = booting
        await self.start()
        if booting is not None and boot_seconds:
            await asyncio.sleep(boot_seconds)
            self.faults.booting = None

    async def expire_sessions(self, *, close_code: int | None = None, cut: bool = True) -> None:
        """End all sessions: REST requests and handshakes get 401.

        Sockets are aborted (1006) or closed with `close_code`; without `cut` they stay open.
        """
        self.state.sessions.expire()
        if cut:
            await self.state.hub.close(close_code)

    async def wait_for_sockets(self, count: int = 1, *, seconds: float = 5.0) -> None:
        """Wait until `count` sockets are open; TimeoutError after `seconds` of real time."""
        async with asyncio.timeout(seconds):
            await self.state.hub.wait_for(count)
