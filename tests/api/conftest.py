"""Fixtures: a simulated controller on loopback, and clients connected to it."""

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
    """Wait up to 5 seconds until a condition is true."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the conditions have no event to wait for
            await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Let the tests open sockets; only connections to loopback are allowed."""


@pytest.fixture
def flavour() -> Flavour:
    """Return the kind of controller to run; tests may parametrize it."""
    return Flavour.UNIFI_OS


@pytest.fixture
def settings() -> dict[str, Any]:
    """Return further settings of the controller; test modules may override them."""
    return {}


@pytest.fixture
async def controller(
    flavour: Flavour, settings: dict[str, Any]
) -> AsyncGenerator[SimulatedController]:
    """Run a controller with two access points and a phone connected to the first."""
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
    """Open a session of the form that UnifiClient requires."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client_session:
        yield client_session


@pytest.fixture
def client(
    controller: SimulatedController, session: aiohttp.ClientSession, pinned: ssl.SSLContext
) -> UnifiClient:
    """Return a client that has not made a request yet."""
    return UnifiClient(session, controller.base_url, pinned)


@pytest.fixture
async def logged_in(controller: SimulatedController, client: UnifiClient) -> UnifiClient:
    """Return a client that is logged in."""
    await client.login(controller.username, controller.password)
    return client


@pytest.fixture
async def make_socket(
    controller: SimulatedController, logged_in: UnifiClient, pinned: ssl.SSLContext
) -> AsyncGenerator[MakeSocket]:
    """Return a factory of socket clients that are stopped at the end of the test."""
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
