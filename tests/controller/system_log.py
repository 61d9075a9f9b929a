"""The v2 system log of Network 10: client movements with signals (docs/protocol.md 4)."""

from typing import Any

from .models import Json, Link, Movement, MovementKind, object_id
from .world import World

OLD_CATEGORIES = {"MONITORING", "INTERNET", "SYSTEM"}
CATEGORIES = {"CLIENT_DEVICES", "UNIFI_DEVICES", "SECURITY", "SOFTWARE_UPDATES"}
DEFAULT_PAGE_SIZE = 100
SEVERITY = "LOW"

TEXTS = {
    MovementKind.CONNECTED: ("CLIENT_CONNECTED_WIRELESS", "WiFi Client Connected"),
    MovementKind.DISCONNECTED: ("CLIENT_DISCONNECTED_WIRELESS", "WiFi Client Disconnected"),
    MovementKind.ROAM: ("CLIENT_ROAMED", "WiFi Client Roamed"),
    MovementKind.ROAM_RADIO: ("CLIENT_ROAMED", "WiFi Client Roamed"),
}
MESSAGES = {
    MovementKind.CONNECTED: (
        "{CLIENT} connected to {WLAN} on {DEVICE}. Connection Info: {WIFI_STATS}."
    ),
    MovementKind.DISCONNECTED: "{CLIENT} disconnected from {WLAN}. Time Connected: {DURATION}.",
    MovementKind.ROAM: (
        "{CLIENT} roamed from {DEVICE_FROM} to {DEVICE_TO}. Connection Info: {WIFI_STATS}. "
        "Roaming Decision: {PREVIOUS_SIGNAL_STRENGTH} dBm to {SIGNAL_STRENGTH} dBm."
    ),
}
MESSAGES[MovementKind.ROAM_RADIO] = MESSAGES[MovementKind.ROAM]


def system_log_page(world: World, query: dict[str, Any]) -> Json:
    """Answer a POST with one page of rows between two times (ms), newest first."""
    since, until = query.get("timestampFrom") or 0, query.get("timestampTo") or float("inf")
    keys = set(query.get("keys") or ())
    severities = set(query.get("severities") or ())
    size = max(1, int(query.get("pageSize") or DEFAULT_PAGE_SIZE))
    number = max(0, int(query.get("pageNumber") or 0))
    written = world.clock() - world.log_delay
    movements = [
        item
        for item in world.truth
        if since <= round(item.time * 1000) <= until
        and item.time <= written
        and (not keys or f"{_event(item)}_2" in keys)
        and (not severities or SEVERITY in severities)
    ]
    movements.sort(key=lambda item: (item.time, item.number), reverse=True)
    return {
        "data": [
            system_log_row(movement, world)
            for movement in movements[number * size : (number + 1) * size]
        ],
        "page_number": number,
        "total_element_count": len(movements),
        "total_page_count": -(-len(movements) // size),
    }


def _event(movement: Movement) -> str:
    event, _ = TEXTS[movement.kind]
    return event.replace("WIRELESS", "WIRED") if movement.wired else event


def system_log_row(movement: Movement, world: World) -> Json:
    """Build the system log row of a movement."""
    event, (_, title) = _event(movement), TEXTS[movement.kind]
    timestamp = round(movement.time * 1000)
    return {
        "id": object_id("log", movement.mac, str(movement.number)),
        "category": "CLIENT_DEVICES",
        "subcategory": "MONITORING_WIRED" if movement.wired else "MONITORING_WIFI",
        "event": event,
        "key": f"{event}_2",
        "type": "CLIENT_CONNECTION",
        "target": "CLIENT",
        "severity": SEVERITY,
        "status": "NEW",
        "show_on_dashboard": False,
        "title_raw": title,
        "message_raw": MESSAGES[movement.kind],
        "timestamp": timestamp,
        "parameters": {
            world.log_names.get(name, name): value
            for name, value in _parameters(movement, world).items()
        },
    }


def _parameters(movement: Movement, world: World) -> Json:
    client: Json = {
        "id": movement.mac,
        "name": movement.name or movement.hostname or movement.mac,
    }
    if movement.hostname is not None:
        client["hostname"] = movement.hostname
    known = world.clients.get(movement.mac)
    if known is not None and known.ip is not None:
        client["ip"] = known.ip
    parameters: Json = {"CLIENT": client}
    if movement.wired:
        return parameters
    parameters["WLAN"] = {"id": object_id("wlan", movement.ssid), "name": movement.ssid}
    before, after = movement.before, movement.after
    moved = movement.kind in (MovementKind.ROAM, MovementKind.ROAM_RADIO)
    if moved and before is not None and after is not None:
        parameters |= {
            "DEVICE_FROM": _device(before, world),
            "DEVICE_TO": _device(after, world),
            "PREVIOUS_RADIO_BAND": _value(before.band.value, before.band.frequency),
            "PREVIOUS_CHANNEL": _value(str(before.channel)),
            "PREVIOUS_SIGNAL_STRENGTH": _value(str(before.signal)),
        }
    elif (link := after or before) is not None:
        parameters["DEVICE"] = _device(link, world)
    if after is not None:
        band = after.band
        parameters |= {
            "RADIO_BAND": _value(band.value, band.frequency),
            "CHANNEL": _value(str(after.channel)),
            "CHANNEL_WIDTH": _value(str(band.width)),
            "SIGNAL_STRENGTH": _value(str(after.signal)),
            "WIFI_STATS": _value(
                "wifi", f"Ch. {after.channel} ({band.frequency}, {band.width} MHz)"
            ),
        }
    if movement.kind is MovementKind.DISCONNECTED:
        parameters["DURATION"] = _value(str(movement.duration), f"{movement.duration}s")
    return parameters


def _device(link: Link, world: World) -> Json:
    device = world.devices.get(link.ap)
    if device is None:
        return {"id": link.ap, "name": link.ap}
    return {
        "id": device.mac,
        "name": device.name or device.model,
        "model": device.model,
        "ip": device.ip,
    }


def _value(identifier: str, name: str | None = None) -> Json:
    return {"id": identifier, "name": identifier if name is None else name}
