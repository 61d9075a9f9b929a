"""The frames of the event socket, as protocol.md section 3 describes them."""

from datetime import UTC, datetime

from .models import Band, Client, Happening, Json, Kind, Link, object_id
from .records import client_id, station_record, station_record_v2
from .world import World

# `_id` was on events until 2023 and is absent in the captures of 2025 (protocol.md 3.2).
LAST_MAJOR_WITH_EVENT_ID = 7
# Access point names on Connected and Disconnected.
FIRST_MAJOR_WITH_NAMES = 7

VERBS = {
    Kind.CONNECTED: "Connected",
    Kind.DISCONNECTED: "Disconnected",
    Kind.ROAM: "Roam",
    Kind.ROAM_RADIO: "RoamRadio",
}


def frame(message: str, data: list[Json], **meta: str) -> Json:
    """Wrap records in the envelope of the socket."""
    return {"meta": {"rc": "ok", "message": message, **meta}, "data": data}


def events_frame(*events: Json) -> Json:
    """Wrap one or several EVT records in one frame."""
    return frame("events", list(events))


def sync_frame(world: World, clients: list[Client], *, v2: bool = False) -> Json:
    """Build a `sta:sync` frame, or a `client:sync` one for sockets opened with `clients=v2`."""
    if v2:
        return frame("client:sync", [station_record_v2(client, world) for client in clients])
    return frame("sta:sync", [station_record(client, world) for client in clients])


def user_sync_frame(client: Client, world: World) -> Json:
    """Build the `user:sync` frame that tells of a changed alias."""
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
            }
        ],
    )


def session_metadata_frame() -> Json:
    """Build the frame a socket gets when it is opened."""
    return frame("session-metadata:sync", [{"client_mac": "02:00:00:00:00:01"}])


def event_record(happening: Happening, world: World, major: int) -> Json:
    """Build the EVT record of a happening, for a Network application of this major version.

    `channel*` are strings, `time` is in ms; there is no signal. A Disconnected has neither radio
    nor channel and its `time` has no milliseconds (protocol.md 3.2).
    """
    who = "guest" if happening.guest else "user"
    scope = ("L" if happening.wired else "W") + ("G" if happening.guest else "U")
    milliseconds = round(happening.time * 1000)
    record: Json = {who: happening.mac}
    record |= _wired_fields(happening) if happening.wired else _FIELDS[happening.kind](happening)
    if happening.kind in (Kind.CONNECTED, Kind.DISCONNECTED) and not happening.wired:
        if happening.hostname is not None:
            record["hostname"] = happening.hostname
        if major >= FIRST_MAJOR_WITH_NAMES:
            record |= _names(happening.after or happening.before, world)
    record |= {
        "key": f"EVT_{scope}_{VERBS[happening.kind]}",
        "subsystem": "lan" if happening.wired else "wlan",
        "is_negative": False,
        "site_id": world.site.id,
        "time": milliseconds,
        "datetime": datetime.fromtimestamp(happening.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "msg": _message(happening),
    }
    if major <= LAST_MAJOR_WITH_EVENT_ID:
        record["_id"] = object_id("event", happening.mac, str(happening.number))
    return record


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
    # A happening by hand may lack an end: then the frame names an access point nobody knows.
    return link or Link(ap="00:00:00:00:00:00", band=Band.NA, channel=36, signal=-70)


def _connected(happening: Happening) -> Json:
    link = _require(happening.after)
    return {
        "ssid": happening.ssid,
        "ap": link.ap,
        "radio": link.band.value,
        "channel": str(link.channel),
        "channelWidth": str(link.band.width),
    }


def _disconnected(happening: Happening) -> Json:
    return {
        "ssid": happening.ssid,
        "ap": _require(happening.before).ap,
        "duration": happening.duration,
        "bytes": 40_000 + 1_000 * happening.duration,
    }


def _roam(happening: Happening) -> Json:
    before, after = _require(happening.before), _require(happening.after)
    return {
        "ap_from": before.ap,
        "ap_to": after.ap,
        "radio_from": before.band.value,
        "radio_to": after.band.value,
        "radio": after.band.value,
        "channel_from": str(before.channel),
        "channel_to": str(after.channel),
        "channel": str(after.channel),
        "ssid": happening.ssid,
    }


def _roam_radio(happening: Happening) -> Json:
    before, after = _require(happening.before), _require(happening.after)
    return {
        "ap": after.ap,
        "radio_from": before.band.value,
        "radio_to": after.band.value,
        "channel_from": str(before.channel),
        "channel_to": str(after.channel),
    }


_FIELDS = {
    Kind.CONNECTED: _connected,
    Kind.DISCONNECTED: _disconnected,
    Kind.ROAM: _roam,
    Kind.ROAM_RADIO: _roam_radio,
}


def _wired_fields(happening: Happening) -> Json:
    if happening.kind is Kind.CONNECTED:
        return {"network": "LAN"}
    return {
        "network": "LAN",
        "hostname": happening.hostname or "",
        "duration": happening.duration,
        "bytes": 40_000,
    }


def _message(happening: Happening) -> str:
    who = f"{'Guest' if happening.guest else 'User'}[{happening.mac}]"
    if happening.wired:
        verb = "has connected to" if happening.kind is Kind.CONNECTED else "disconnected from"
        return f"{who} {verb} LAN"
    before, after = _require(happening.before), _require(happening.after)
    source = f'"channel {before.channel}({before.band})"'
    target = f'"channel {after.channel}({after.band})"'
    match happening.kind:
        case Kind.ROAM:
            return (
                f"{who} roams from AP[{before.ap}] to AP[{after.ap}] "
                f'from {source} to {target} on "{happening.ssid}"'
            )
        case Kind.ROAM_RADIO:
            return f"{who} roams from {source} to {target} at AP[{after.ap}]"
        case Kind.CONNECTED:
            return f'{who} has connected to AP[{after.ap}] with SSID "{happening.ssid}" on {target}'
    return (
        f'{who} disconnected from "{happening.ssid}" '
        f"({happening.duration}s connected, last AP[{before.ap}])"
    )
