"""Client commands: a kicked client is disconnected and soon reconnects by itself."""

import asyncio
from typing import Any

from aiohttp import web
import orjson

from .actions import Actions
from .login import Authentication, meta_error
from .models import Link
from .rest import ok
from .state import ControllerState


class Commands:
    """The client commands of a site, `cmd/stamgr`.

    Public clients of this API show that a kick is answered without records, with
    `api.err.UnknownStation` if the client is not connected, and with 403 and
    `api.err.NoPermission` if the account is read-only.
    """

    def __init__(self, state: ControllerState, authentication: Authentication) -> None:
        """Serve this controller; `authentication` guards the routes."""
        self._state = state
        self._authentication = authentication
        self._actions = Actions(state)
        self._reconnects: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes served by this class."""
        path = f"{self._state.settings.prefix}/api/s/{{site}}/cmd/stamgr"
        return [web.post(path, self._authentication.guarded(self._handle_command))]

    async def stop(self) -> None:
        """Cancel the pending reconnects."""
        reconnects, self._reconnects = self._reconnects, set()
        for task in reconnects:
            task.cancel()
        await asyncio.gather(*reconnects, return_exceptions=True)

    async def _handle_command(self, request: web.Request) -> web.Response:
        site = request.match_info["site"]
        if (world := self._state.worlds.get(site)) is None:
            return meta_error("api.err.NoSiteContext", 400)
        if self._state.settings.role == "readonly":
            return meta_error("api.err.NoPermission", 403)
        try:
            body: Any = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict) or body.get("cmd") != "kick-sta":
            return meta_error("api.err.InvalidPayload", 400)
        client = world.clients.get(str(body.get("mac")))
        if client is None or client.link is None:
            return meta_error("api.err.UnknownStation", 400)
        link = client.link
        await self._actions.disconnect(client.mac, site=site)
        task = asyncio.create_task(self._reconnect(site, client.mac, link))
        self._reconnects.add(task)
        task.add_done_callback(self._reconnects.discard)
        return ok([])

    async def _reconnect(self, site: str, mac: str, link: Link) -> None:
        await asyncio.sleep(self._state.settings.kicked_seconds)
        # It may have connected to another access point in the meantime.
        if not self._state.worlds[site].clients[mac].connected:
            await self._actions.connect(mac, link.ap, band=link.band, signal=link.signal, site=site)
