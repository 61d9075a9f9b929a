"""A simulated controller and the sessions of the tests with it, all on loopback."""

import asyncio
from collections.abc import AsyncGenerator, Callable
import ssl
from typing import Any

import aiohttp
import pytest

from custom_components.unifi_scanner.api import (
    DeviceType,
    ReconnectPolicy,
    TlsMode,
    UnifiClient,
    UnifiWebSocketClient,
    create_context,
)
from tests.controller import Flavour, SimulatedController

type MakeSocket = Callable[..., UnifiWebSocketClient]

QUICK = ReconnectPolicy(initial=0.01, maximum=0.05, jitter=0, stable_after=60)


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no events
            await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Let the tests open sockets; those to other hosts stay refused."""


@pytest.fixture
def flavour() -> Flavour:
    """Return which kind of controller to run; a test may parametrise it."""
    return Flavour.UNIFI_OS


@pytest.fixture
def settings() -> dict[str, Any]:
    """Return what else the controller is; a test module may have its own."""
    return {}


@pytest.fixture
async def controller(
    flavour: Flavour, settings: dict[str, Any]
) -> AsyncGenerator[SimulatedController]:
    """Run a controller with two access points and one phone at the first."""
    async with SimulatedController(flavour=flavour, **settings) as running:
        running.world.add_access_point("Hall")
        running.world.add_access_point("Kitchen")
        running.world.add_client("Phone", ap="Hall")
        yield running


@pytest.fixture
def pinned(controller: SimulatedController) -> ssl.SSLContext:
    """Return a TLS context that accepts the controller's certificate."""
    return create_context(TlsMode.PINNED, controller.certificate_der)


@pytest.fixture
async def session() -> AsyncGenerator[aiohttp.ClientSession]:
    """Open a private session, as a client wants it."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as private:
        yield private


@pytest.fixture
def client(
    controller: SimulatedController, session: aiohttp.ClientSession, pinned: ssl.SSLContext
) -> UnifiClient:
    """Return a client that has not yet asked anything."""
    return UnifiClient(session, controller.base_url, pinned)


@pytest.fixture
async def logged_in(controller: SimulatedController, client: UnifiClient) -> UnifiClient:
    """Return a client with a session."""
    await client.login(controller.username, controller.password)
    return client


@pytest.fixture
async def make_socket(
    controller: SimulatedController, logged_in: UnifiClient, pinned: ssl.SSLContext
) -> AsyncGenerator[MakeSocket]:
    """Make socket clients of the logged-in session, stopped at the end of the test."""
    made: list[UnifiWebSocketClient] = []

    def make(**options: object) -> UnifiWebSocketClient:
        settings: dict[str, object] = {
            "base_url": controller.base_url,
            "site": "default",
            "cookies": logged_in.cookies,
            "device_type": logged_in.device_type or DeviceType.UNIFI_OS,
            "ssl_context": pinned,
            "reconnect": QUICK,
        }
        made.append(UnifiWebSocketClient(**(settings | options)))
        return made[-1]

    yield make
    for socket in made:
        await socket.stop()
