"""REST endpoints of the Network application and the event socket (docs/protocol.md 5)."""

from collections.abc import Callable
from typing import Any

from aiohttp import web
import orjson

from .device_records import device_record
from .event_log import REMOVED_SINCE, event_rows
from .frames import session_metadata_frame
from .login import Authentication, Handler, meta_error
from .models import Flavour, Json
from .records import (
    SYSINFO_SECRETS,
    device_basic_record,
    health_records,
    station_record,
    station_record_v2,
    user_record,
    wlan_record,
)
from .state import ControllerState
from .system_log import CATEGORIES, OLD_CATEGORIES, system_log_page
from .world import World

LOGS = ("all", "client-alert")
# Lists of settings that nobody has made here; aiounifi requests them.
EMPTY = ("dpiapp", "dpigroup", "portforward")
EMPTY_V2 = (
    "firewall-policies",
    "object-oriented-network-configs",
    "trafficroutes",
    "trafficrules",
)
# Of `stat/alluser`: clients seen within a year.
DEFAULT_HOURS = 8760

type Records = Callable[[World], list[Json]]
type Search = Callable[[World, Json], list[Json]]


class RestApi:
    """Read requests and the event socket of a controller."""

    def __init__(self, state: ControllerState, authentication: Authentication) -> None:
        """Serve this controller; `authentication` guards the routes."""
        self._state = state
        self._authentication = authentication

    def routes(self) -> list[web.RouteDef]:
        """Return the routes served by this class."""
        prefix, guarded = self._state.settings.prefix, self._authentication.guarded
        site, site_v2 = f"{prefix}/api/s/{{site}}", f"{prefix}/v2/api/site/{{site}}"
        routes = [
            web.get(f"{prefix}/api/self/sites", guarded(self._sites)),
            web.get(f"{site}/stat/sta", guarded(self._listed(_stations))),
            web.get(f"{site}/stat/device-basic", guarded(self._listed(_devices_basic))),
            web.get(f"{site}/stat/device", guarded(self._listed(_devices))),
            web.get(f"{site}/rest/user", guarded(self._listed(_users))),
            web.get(f"{site}/list/user", guarded(self._listed(_users))),
            web.get(f"{site}/rest/wlanconf", guarded(self._listed(_wlans))),
            web.get(f"{site}/list/wlanconf", guarded(self._listed(_wlans))),
            web.get(f"{site}/stat/health", guarded(self._listed(health_records))),
            web.post(f"{site}/stat/alluser", guarded(self._found(_users_within))),
            web.get(f"{site}/stat/sysinfo", guarded(self._listed(self._system_information))),
            web.get(f"{site_v2}/clients/active", guarded(self._listed_v2(_active), v2=True)),
            *(web.get(f"{site}/rest/{name}", guarded(self._listed(_empty))) for name in EMPTY),
            *(
                web.get(f"{site_v2}/{name}", guarded(self._listed_v2(_empty), v2=True))
                for name in EMPTY_V2
            ),
            web.get(f"{prefix}/wss/s/{{site}}/events", guarded(self._events, stream=True)),
        ]
        if self._state.settings.version < REMOVED_SINCE:
            events = guarded(self._found(self._stored_events))
            routes += [
                web.get(f"{site}/stat/event", events),
                web.post(f"{site}/stat/event", events),
            ]
        if self._state.has_system_log:
            # POST only: a GET is answered with 405 (docs/protocol.md 4).
            log = guarded(self._system_log, v2=True)
            routes += [web.post(f"{site_v2}/system-log/{kind}", log) for kind in LOGS]
        return routes

    async def _sites(self, _: web.Request) -> web.Response:
        rows = []
        for world in self._state.worlds.values():
            row: Json = {
                "_id": world.site.id,
                "name": world.site.name,
                "desc": world.site.desc,
                "role": self._state.settings.role,
                "device_count": len(world.devices),
            }
            if world.site.name == "default":
                row |= {"attr_hidden_id": "default", "attr_no_delete": True}
            rows.append(row)
        return ok(rows)

    def _listed(self, records: Records) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            world = self._state.worlds.get(request.match_info["site"])
            if world is None:
                return meta_error("api.err.NoSiteContext", 400)
            return ok(records(world))

        return answer

    def _found(self, search: Search) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            world = self._state.worlds.get(request.match_info["site"])
            if world is None:
                return meta_error("api.err.NoSiteContext", 400)
            query = await json_object(request)
            if query is None:
                return meta_error("api.err.InvalidPayload", 400)
            return ok(search(world, query))

        return answer

    def _stored_events(self, world: World, query: Json) -> list[Json]:
        return event_rows(world, query, self._state.settings.version)

    def _system_information(self, world: World) -> list[Json]:
        settings = self._state.settings
        unifi_os = settings.flavour is Flavour.UNIFI_OS
        return [
            {
                "anonymous_controller_id": settings.controller_id,
                "name": settings.name,
                "hostname": settings.name.replace(" ", "-"),
                "version": settings.network_version,
                "previous_version": settings.network_version,
                "build": f"atag_{settings.network_version}_27000",
                "console_display_version": "4.3.6" if unifi_os else "",
                "udm_version": "4.3.6.23456" if unifi_os else "",
                "ubnt_device_type": "UDMPRO" if unifi_os else "unknown",
                "is_cloud_state": False,
                "https_port": 443 if unifi_os else 8443,
                "inform_port": 8080,
                "ip_addrs": ["10.0.0.1"],
                "timezone": "Europe/Berlin",
                "autobackup": False,
                "data_retention_days": 90,
                "live_chat": "super-only",
                "store_enabled": "super-only",
                "unsupported_device_count": 0,
                "unsupported_device_list": [],
                "update_available": False,
                "update_downloaded": False,
                "uptime": int(world.clock()) % 1_000_000,
                **SYSINFO_SECRETS,
            }
        ]

    def _listed_v2(self, records: Records) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            world = self._state.worlds.get(request.match_info["site"])
            if world is None:
                return _v2_error(404, "api.err.NoSiteContext")
            return web.json_response(records(world), dumps=_dumps)

        return answer

    async def _system_log(self, request: web.Request) -> web.Response:
        world = self._state.worlds.get(request.match_info["site"])
        if world is None:
            return _v2_error(404, "api.err.NoSiteContext")
        query = await json_object(request)
        if query is None:
            return _v2_error(400, "api.err.InvalidPayload")
        categories = set(query.get("categories") or ())
        if categories & OLD_CATEGORIES or not categories <= CATEGORIES:
            return _v2_error(400, "api.err.InvalidPayload")
        return web.json_response(system_log_page(world, query), dumps=_dumps)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        site = request.match_info["site"]
        if site not in self._state.worlds:
            return web.Response(status=404)
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            return web.Response(status=400)
        return await self._state.hub.serve(request, site, session_metadata_frame())


def _stations(world: World) -> list[Json]:
    return [*(station_record(c, world) for c in world.online()), *world.raw_stations]


def _active(world: World) -> list[Json]:
    return [station_record_v2(client, world) for client in world.online()]


def _empty(_: World) -> list[Json]:
    return []


def _devices_basic(world: World) -> list[Json]:
    return [device_basic_record(device) for device in world.devices.values()]


def _devices(world: World) -> list[Json]:
    return [device_record(device, world) for device in world.devices.values()]


def _users(world: World) -> list[Json]:
    return [user_record(client, world) for client in world.clients.values()]


def _users_within(world: World, query: Json) -> list[Json]:
    since = world.clock() - 3600 * query.get("within", DEFAULT_HOURS)
    only_blocked = query.get("type") == "blocked"
    return [
        user_record(client, world)
        for client in world.clients.values()
        if client.last_seen >= since and (client.blocked or not only_blocked)
    ]


def _wlans(world: World) -> list[Json]:
    return [wlan_record(wlan, world) for wlan in world.wlans.values()]


async def json_object(request: web.Request) -> Json | None:
    """Return the JSON object in a request's body, by default an empty one; None if it is none."""
    try:
        body: Any = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _dumps(data: object) -> str:
    return orjson.dumps(data).decode()


def ok(rows: list[Json]) -> web.Response:
    """Return a successful response of the classic API."""
    return web.json_response({"meta": {"rc": "ok"}, "data": rows}, dumps=_dumps)


def _v2_error(status: int, message: str) -> web.Response:
    return web.json_response({"errorCode": status, "message": message}, status=status)
