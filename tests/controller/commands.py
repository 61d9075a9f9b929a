"""Client commands: kick, block, unblock and forget a client, and authorize a guest."""

import asyncio

from aiohttp import web

from .actions import Actions
from .login import Authentication, meta_error
from .models import Client, Json, Link, object_id
from .records import user_record
from .rest import json_object, ok
from .state import ControllerState
from .world import World

DEFAULT_GUEST_MINUTES = 480


class Commands:
    """The client commands of a site, `cmd/stamgr`.

    Public clients of this API show that a kick is answered without records, with
    `api.err.UnknownStation` if the client is not connected, and with 403 and
    `api.err.NoPermission` if the account is read-only. Blocking, unblocking and forgetting are
    answered with the records of the clients found. A kicked client soon reconnects by itself.
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
        if (world := self._state.worlds.get(request.match_info["site"])) is None:
            return meta_error("api.err.NoSiteContext", 400)
        if self._state.settings.role == "readonly":
            return meta_error("api.err.NoPermission", 403)
        return await self._run(world, await json_object(request) or {})

    async def _run(self, world: World, body: Json) -> web.Response:
        site = world.site.name
        match body:
            case {"cmd": "kick-sta"}:
                return await self._kick(world, world.clients.get(str(body.get("mac"))))
            case {"cmd": "block-sta" | "unblock-sta" as command, "mac": str(mac)}:
                if mac not in world.clients:
                    return ok([])
                client = await self._actions.set_blocked(
                    mac, blocked=command == "block-sta", site=site
                )
                return ok([user_record(client, world)])
            case {"cmd": "forget-sta", "macs": list(macs)}:
                known = [mac for mac in macs if mac in world.clients]
                forgotten = [await self._actions.forget(mac, site=site) for mac in known]
                return ok([user_record(client, world) for client in forgotten])
            case {"cmd": "authorize-guest", "mac": str(mac)}:
                return await self._authorize(world, mac, body)
        return meta_error("api.err.InvalidPayload", 400)

    async def _kick(self, world: World, client: Client | None) -> web.Response:
        if client is None or client.link is None:
            return meta_error("api.err.UnknownStation", 400)
        link = client.link
        await self._actions.disconnect(client.mac, site=world.site.name)
        task = asyncio.create_task(self._reconnect(world, client, link))
        self._reconnects.add(task)
        task.add_done_callback(self._reconnects.discard)
        return ok([])

    async def _authorize(self, world: World, mac: str, body: Json) -> web.Response:
        # A guest may be authorized before it is seen for the first time.
        if (client := world.clients.get(mac)) is not None:
            client.authorized = True
            if client.connected:
                await self._actions.sync(mac, site=world.site.name)
        start = int(world.clock())
        record = {
            "_id": object_id("guest", mac, str(start)),
            "site_id": world.site.id,
            "mac": mac,
            "start": start,
            "end": start + 60 * body.get("minutes", DEFAULT_GUEST_MINUTES),
            "authorized_by": "api",
        }
        return ok([record])

    async def _reconnect(self, world: World, client: Client, link: Link) -> None:
        await asyncio.sleep(self._state.settings.kicked_seconds)
        # It may have connected to another access point in the meantime, or may no longer do so.
        if client.mac in world.clients and not (client.connected or client.blocked):
            await self._actions.connect(
                client.mac, link.ap, band=link.band, signal=link.signal, site=world.site.name
            )
