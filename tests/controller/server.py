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

    Scripting comes in pairs: `controller.world.roam(...)` lets a roam happen that no frame tells,
    `await controller.roam(...)` lets it happen and tells it, by the frames of its generation.
    Further keywords are those of `Settings`. `clock` gives POSIX seconds for everything: the times
    in records, the life of sessions, the login limit. With `walking` the first site becomes a
    house in which people walk; without it the world is empty and nothing happens by itself.
    """

    def __init__(
        self,
        *,
        sites: Iterable[str | Site] = ("default",),
        clock: Callable[[], float] = time.time,
        port: int = 0,
        certificate: ServerCertificate | None = None,
        walking: WalkOptions | None = None,
        **settings: Any,
    ) -> None:
        """Make a controller that does not listen yet; port 0 takes a free one and keeps it."""
        named = [Site.named(site) if isinstance(site, str) else site for site in sites]
        super().__init__(
            ControllerState(Settings(**settings), {site.name: site for site in named}, clock)
        )
        self.certificate = certificate or make_certificate()
        self.port = port
        self._server = HttpsServer(self.state)
        self._life = WalkSimulation(self, walking) if walking is not None else None

    @property
    def base_url(self) -> str:
        """Address without a path, as `https://127.0.0.1:PORT`."""
        return f"https://{HOST}:{self.port}"

    @property
    def username(self) -> str:
        """Name of the one account."""
        return self.settings.username

    @property
    def password(self) -> str:
        """Password of the one account."""
        return self.settings.password

    @property
    def certificate_der(self) -> bytes:
        """The certificate that is shown, DER encoded."""
        return self.certificate.der

    @property
    def logins(self) -> int:
        """Number of logins that were let in."""
        return len(self.state.request_log.logins)

    @property
    def login_attempts(self) -> int:
        """Number of logins that were tried."""
        return len(self.state.request_log.login_attempts)

    @property
    def open_sockets(self) -> int:
        """Number of event sockets now open, half-open ones left out."""
        return self.state.hub.live

    @property
    def last_handshake(self) -> Request | None:
        """The last request for an event socket, with its headers and cookies."""
        handshakes = self.state.request_log.handshakes
        return handshakes[-1] if handshakes else None

    def requests(self, part: str = "", *, method: str | None = None) -> list[Request]:
        """Return the requests, with their times, whose path holds this text."""
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
        """Start listening; OSError when the port is taken. Also the end of a `stop_listening`."""
        self.port = await self._server.start(self.port, self.certificate.context())
        if self._life is not None:
            self._life.start()

    async def stop_listening(self, code: int | None = None) -> None:
        """Stop as a controller that goes down: connections are cut, new ones refused.

        With `code` the sockets are closed with it first.
        """
        await self._server.stop_listening(code)

    async def stop(self) -> None:
        """Stop for good and leave nothing behind."""
        if self._life is not None:
            await self._life.stop()
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

        `booting` is what everything answers for `boot_seconds` after it; with 0 of them it stays
        so until `faults.booting` is set to None. `certificate` replaces the one shown.
        """
        await self.stop_listening()
        if forget_sessions:
            self.state.sessions.forget()
        if certificate is not None:
            self.certificate = certificate
        await asyncio.sleep(down)
        self.faults.booting = booting
        await self.start()
        if booting is not None and boot_seconds:
            await asyncio.sleep(boot_seconds)
            self.faults.booting = None

    async def expire_sessions(self, *, close_code: int | None = None, cut: bool = True) -> None:
        """End all sessions: REST and handshakes get 401.

        The sockets are cut off (1006) or closed with a code; with `cut` False they stay open.
        """
        self.state.sessions.expire()
        if cut:
            await self.state.hub.close(close_code)

    async def wait_for_sockets(self, count: int = 1, *, seconds: float = 5.0) -> None:
        """Wait until so many sockets are open; TimeoutError after so many real seconds."""
        async with asyncio.timeout(seconds):
            await self.state.hub.wait_for(count)
