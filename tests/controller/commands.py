"""Commands about clients: a kick cuts a client off, and it comes back by itself."""

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
    """The site's manager of clients, `cmd/stamgr`.

    What is known of it, by public clients of this API: a kick is answered with no records;
    `api.err.UnknownStation` says that the client has no link, `api.err.NoPermission` with 403 that
    the account may only look.
    """

    def __init__(self, state: ControllerState, authentication: Authentication) -> None:
        """CannedResponse for this console, behind this authentication."""
        self._state = state
        self._authentication = authentication
        self._actions = Actions(state)
        self._returns: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of this part."""
        path = f"{self._state.settings.prefix}/api/s/{{site}}/cmd/stamgr"
        return [web.post(path, self._authentication.guarded(self._manage))]

    async def stop(self) -> None:
        """Let nobody come back any more."""
        returns, self._returns = self._returns, set()
        for task in returns:
            task.cancel()
        await asyncio.gather(*returns, return_exceptions=True)

    async def _manage(self, request: web.Request) -> web.Response:
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
        task = asyncio.create_task(self._return(site, client.mac, link))
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)
        return ok([])

    async def _return(self, site: str, mac: str, link: Link) -> None:
        await asyncio.sleep(self._state.settings.kicked_seconds)
        # It may have walked to another access point meanwhile.
        if not self._state.worlds[site].clients[mac].connected:
            await self._actions.connect(mac, link.ap, band=link.band, signal=link.signal, site=site)
