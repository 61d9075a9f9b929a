"""The frames of the event socket (docs/protocol.md 3)."""

from datetime import UTC, datetime

from .models import Band, Client, Json, Link, Movement, MovementKind, object_id
from .records import client_id, station_record, station_record_v2, user_record
from .world import World

# Events had an `_id` until 2023; the captures of 2025 have none (docs/protocol.md 3.2).
LAST_MAJOR_WITH_EVENT_ID = 7
# Connected and Disconnected carry access point names from this version on.
FIRST_MAJOR_WITH_NAMES = 7

VERBS = {
    MovementKind.CONNECTED: "Connected",
    MovementKind.DISCONNECTED: "Disconnected",
    MovementKind.ROAM: "Roam",
    MovementKind.ROAM_RADIO: "RoamRadio",
}


def frame(message: str, data: list[Json], **meta: str) -> Json:
    """Wrap records in a frame of the event socket."""
    return {"meta": {"rc": "ok", "message": message, **meta}, "data": data}


def events_frame(*events: Json) -> Json:
    """Wrap EVT records in one `events` frame."""
    return frame("events", list(events))


def sync_frame(world: World, clients: list[Client], *, v2: bool = False) -> Json:
    """Build a `sta:sync` frame, or a `client:sync` one for sockets opened with `clients=v2`."""
    if v2:
        return frame("client:sync", [station_record_v2(client, world) for client in clients])
    return frame("sta:sync", [station_record(client, world) for client in clients])


def user_sync_frame(client: Client, world: World) -> Json:
    """Build the `user:sync` frame of a changed alias."""
    return frame(
        "user:sync",
        [
            {
                "_id": client_id(client),
                "mac": client.mac,
                "site_id": world.site.id,
                "oui": client.oui,
                "is_guest": client.is_guest,
                "first_seen": int(client.first_seen),
                "last_seen": int(client.last_seen),
                "is_wired": client.is_wired,
                "usergroup_id": "",
                "hostname": client.hostname,
                "name": client.name,
                "noted": True,
                "blocked": client.blocked,
            }
        ],
    )


def user_delete_frame(client: Client, world: World) -> Json:
    """Build the `user:delete` frame of a client that the controller has forgotten."""
    return frame("user:delete", [user_record(client, world)])


def block_record(client: Client, world: World, admin: str) -> Json:
    """Build the EVT record of a client that `admin` has blocked or unblocked just now."""
    milliseconds = round(world.clock() * 1000)
    verb = "Blocked" if client.blocked else "Unblocked"
    return {
        "client": client.mac,
        "admin": admin,
        "key": f"EVT_{'L' if client.is_wired else 'W'}C_{verb}",
        "subsystem": "lan" if client.is_wired else "wlan",
        "is_negative": False,
        "site_id": world.site.id,
        "time": milliseconds,
        "datetime": _datetime(world.clock()),
        "msg": f"Client[{client.mac}] was {verb.lower()} by Admin[{admin}]",
    }


def session_metadata_frame() -> Json:
    """Build the frame that every socket gets first."""
    return frame("session-metadata:sync", [{"client_mac": "02:00:00:00:00:01"}])


def event_record(movement: Movement, world: World, major: int) -> Json:
    """Build the EVT record of a movement for a major version of the Network application.

    `channel*` are strings, `time` is in ms, and there is no signal. A Disconnected has neither
    radio nor channel, and its `time` is in whole seconds (docs/protocol.md 3.2).
    """
    who = "guest" if movement.guest else "user"
    scope = ("L" if movement.wired else "W") + ("G" if movement.guest else "U")
    milliseconds = round(movement.time * 1000)
    record: Json = {who: movement.mac}
    record |= _wired_fields(movement) if movement.wired else _FIELDS[movement.kind](movement)
    if movement.kind in (MovementKind.CONNECTED, MovementKind.DISCONNECTED) and not movement.wired:
        if movement.hostname is not None:
            record["hostname"] = movement.hostname
        if major >= FIRST_MAJOR_WITH_NAMES:
            record |= _names(movement.after or movement.before, world)
    record |= {
        "key": f"EVT_{scope}_{VERBS[movement.kind]}",
        "subsystem": "lan" if movement.wired else "wlan",
        "is_negative": False,
        "site_id": world.site.id,
        "time": milliseconds,
        "datetime": _datetime(movement.time),
        "msg": _message(movement),
    }
    if major <= LAST_MAJOR_WITH_EVENT_ID:
        record["_id"] = object_id("event", movement.mac, str(movement.number))
    return record


def _datetime(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _names(link: Link | None, world: World) -> Json:
    if link is None or link.ap not in world.devices:
        return {}
    device = world.devices[link.ap]
    return {
        "ap_model": device.model,
        "ap_name": device.name or "",
        "ap_displayName": device.name or device.model,
    }


def _require(link: Link | None) -> Link:
    # A handmade movement may lack a link: the frame then names an unknown access point.
    return link or Link(ap="00:00:00:00:00:00", band=Band.NA, channel=36, signal=-70)


def _connected(movement: Movement) -> Json:
    link = _require(movement.after)
    return {
        "ssid": movement.ssid,
        "ap": link.ap,
        "radio": link.band.value,
        "channel": str(link.channel),
        "channelWidth": str(link.band.width),
    }


def _disconnected(movement: Movement) -> Json:
    return {
        "ssid": movement.ssid,
        "ap": _require(movement.before).ap,
        "duration": movement.duration,
        "bytes": 40_000 + 1_000 * movement.duration,
    }


def _roam(movement: Movement) -> Json:
    before, after = _require(movement.before), _require(movement.after)
    return {
        "ap_from": before.ap,
        "ap_to": after.ap,
        "radio_from": before.band.value,
        "radio_to": after.band.value,
        "radio": after.band.value,
        "channel_from": str(before.channel),
        "channel_to": str(after.channel),
        "channel": str(after.channel),
        "ssid": movement.ssid,
    }


def _roam_radio(movement: Movement) -> Json:
    before, after = _require(movement.before), _require(movement.after)
    return {
        "ap": after.ap,
        "radio_from": before.band.value,
        "radio_to": after.band.value,
        "channel_from": str(before.channel),
        "channel_to": str(after.channel),
    }


_FIELDS = {
    MovementKind.CONNECTED: _connected,
    MovementKind.DISCONNECTED: _disconnected,
    MovementKind.ROAM: _roam,
    MovementKind.ROAM_RADIO: _roam_radio,
}


def _wired_fields(movement: Movement) -> Json:
    if movement.kind is MovementKind.CONNECTED:
        return {"network": "LAN"}
    return {
        "network": "LAN",
        "hostname": movement.hostname or "",
        "duration": movement.duration,
        "bytes": 40_000,
    }


def _message(movement: Movement) -> str:
    who = f"{'Guest' if movement.guest else 'User'}[{movement.mac}]"
    if movement.wired:
        verb = (
            "has connected to" if movement.kind is MovementKind.CONNECTED else "disconnected from"
        )
        return f"{who} {verb} LAN"
    before, after = _require(movement.before), _require(movement.after)
    source = f'"channel {before.channel}({before.band})"'
    target = f'"channel {after.channel}({after.band})"'
    match movement.kind:
        case MovementKind.ROAM:
            return (
                f"{who} roams from AP[{before.ap}] to AP[{after.ap}] "
                f'from {source} to {target} on "{movement.ssid}"'
            )
        case MovementKind.ROAM_RADIO:
            return f"{who} roams from {source} to {target} at AP[{after.ap}]"
        case MovementKind.CONNECTED:
            return f'{who} has connected to AP[{after.ap}] with SSID "{movement.ssid}" on {target}'
    return (
        f'{who} disconnected from "{movement.ssid}" '
        f"({movement.duration}s connected, last AP[{before.ap}])"
    )
