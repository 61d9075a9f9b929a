"""A client for Home Assistant's REST and WebSocket APIs, as used by the frontend."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Self

from aiohttp import ClientConnectionError, ClientSession, ClientWebSocketResponse, WSMsgType

from .process import DemoError

type Json = dict[str, Any]
# Its shape depends on the path or command.
type Answer = Any


class HomeAssistant:
    """Connection of a user: `async with HomeAssistant(url)`, then `create_owner`."""

    def __init__(self, url: str) -> None:
        """Prepare a client for a base URL such as `http://127.0.0.1:8123`."""
        self.url = url
        self._headers: dict[str, str] = {}
        self._results: dict[int, asyncio.Future[Answer]] = {}
        self._on_event: dict[int, Callable[[Json], None]] = {}
        self._socket: ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the HTTP session."""
        self._session = ClientSession(self.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the socket and the session."""
        if self._reader:
            self._reader.cancel()
        if self._socket:
            await self._socket.close()
        await self._session.close()

    async def wait_until_up(self) -> None:
        """Wait until the HTTP API responds."""
        while True:
            try:
                async with self._session.get("/api/onboarding") as response:
                    if response.ok:
                        return
            except ClientConnectionError:
                pass
            await asyncio.sleep(0.1)

    async def create_owner(self, name: str, username: str, password: str) -> None:
        """Create the first account, log in with it and connect the WebSocket."""
        client_id = f"{self.url}/"
        person = {"name": name, "username": username, "password": password, "language": "en"}
        created = await self.post("/api/onboarding/users", {"client_id": client_id, **person})
        form = {"grant_type": "authorization_code", "code": created["auth_code"]}
        async with self._session.post("/auth/token", data={**form, "client_id": client_id}) as got:
            got.raise_for_status()
            token = (await got.json())["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._socket = await self._session.ws_connect("/api/websocket", max_msg_size=0)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": token})
        if (await self._socket.receive_json())["type"] != "auth_ok":
            raise DemoError("Home Assistant rejected its own access token")
        self._reader = asyncio.create_task(self._read(self._socket))

    async def wait_until_running(self) -> None:
        """Wait until all integrations are loaded."""
        while True:
            if (await self.get("/api/config"))["state"] == "RUNNING":
                return
            await asyncio.sleep(0.1)

    async def get(self, path: str) -> Answer:
        """GET a path of the REST API and return the JSON response."""
        async with self._session.get(path, headers=self._headers) as response:
            response.raise_for_status()
            return await response.json()

    async def post(self, path: str, body: Mapping[str, object]) -> Answer:
        """POST JSON to a path of the REST API and return the JSON response."""
        async with self._session.post(path, json=body, headers=self._headers) as response:
            if not response.ok:
                raise DemoError(f"{path} returned {response.status}: {await response.text()}")
            return await response.json()

    async def command(self, kind: str, /, **fields: object) -> Answer:
        """Send a command of the WebSocket API and return its result."""
        number = len(self._results) + 1
        return await self._send(number, {"type": kind, **fields})

    async def subscribe(self, event_type: str, on_event: Callable[[Json], None]) -> None:
        """Call `on_event` with every future event of this type on the event bus."""
        number = len(self._results) + 1
        self._on_event[number] = on_event
        await self._send(number, {"type": "subscribe_events", "event_type": event_type})

    async def _send(self, number: int, message: Json) -> Answer:
        assert self._socket is not None
        self._results[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, **message})
        return await self._results[number]

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            answer: Json = message.json()
            if answer["type"] == "event":
                self._on_event[answer["id"]](answer["event"])
            elif answer["success"]:
                self._results[answer["id"]].set_result(answer["result"])
            else:
                problem = DemoError(f"Home Assistant reported: {answer['error']['message']}")
                self._results[answer["id"]].set_exception(problem)
