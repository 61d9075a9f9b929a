"""Fixtures: a small simulated controller and a plain HTTP client for it."""

from collections.abc import AsyncGenerator
import ssl
from typing import Any

import aiohttp
import pytest

from tests.controller import Flavour, SimulatedController


class HttpClient:
    """A plain aiohttp client that only keeps cookies and the CSRF token."""

    def __init__(self, controller: SimulatedController) -> None:
        """Trust only the controller's certificate."""
        self._controller = controller
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(cadata=controller.certificate_der)
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.csrf: str | None = None

    @property
    def prefix(self) -> str:
        return self._controller.settings.prefix

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.session.cookie_jar}

    async def request(
        self, method: str, path: str, *, csrf: bool = True, **arguments: Any
    ) -> aiohttp.ClientResponse:
        headers = {"X-CSRF-Token": self.csrf} if csrf and self.csrf else {}
        response = await self.session.request(
            method,
            f"{self._controller.base_url}{path}",
            headers=headers | arguments.pop("headers", {}),
            ssl=self._context,
            allow_redirects=False,
            **arguments,
        )
        await response.read()
        for name in ("X-CSRF-Token", "X-Updated-CSRF-Token"):
            self.csrf = response.headers.get(name, self.csrf)
        return response

    async def get(self, path: str, **arguments: Any) -> aiohttp.ClientResponse:
        return await self.request("GET", f"{self.prefix}{path}", **arguments)

    async def records(self, path: str) -> list[dict[str, Any]]:
        response = await self.get(path)
        assert response.status == 200, await response.text()
        data: list[dict[str, Any]] = (await response.json())["data"]
        return data

    async def login(self, password: str | None = None, **fields: Any) -> aiohttp.ClientResponse:
        unifi_os = self._controller.settings.flavour is Flavour.UNIFI_OS
        return await self.request(
            "POST",
            "/api/auth/login" if unifi_os else "/api/login",
            json={
                "username": self._controller.username,
                "password": password or self._controller.password,
                **fields,
            },
        )

    async def open_socket(
        self, query: str = "", site: str = "default", **arguments: Any
    ) -> aiohttp.ClientWebSocketResponse:
        url = self._controller.base_url.replace("https", "wss")
        return await self.session.ws_connect(
            f"{url}{self.prefix}/wss/s/{site}/events{query}", ssl=self._context, **arguments
        )


async def next_frame(socket: aiohttp.ClientWebSocketResponse, message: str) -> dict[str, Any]:
    """Return the next frame of a type."""
    while True:
        frame: dict[str, Any] = await socket.receive_json(timeout=5)
        if frame["meta"]["message"] == message:
            return frame


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Allow real sockets."""


@pytest.fixture(params=list(Flavour))
def flavour(request: pytest.FixtureRequest) -> Flavour:
    chosen: Flavour = request.param
    return chosen


@pytest.fixture
def settings() -> dict[str, Any]:
    """Return further settings of the controller; tests override this by parametrization."""
    return {}


@pytest.fixture
async def controller(
    flavour: Flavour, settings: dict[str, Any]
) -> AsyncGenerator[SimulatedController]:
    async with SimulatedController(flavour=flavour, **settings) as controller:
        controller.world.add_access_point("Hall")
        controller.world.add_access_point("Kitchen")
        controller.world.add_client("Anna's phone", ap="Hall")
        yield controller


@pytest.fixture
async def http(controller: SimulatedController) -> AsyncGenerator[HttpClient]:
    http = HttpClient(controller)
    yield http
    await http.session.close()
