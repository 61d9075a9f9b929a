"""What the fault tests let a controller tell that is not, or no longer, the truth."""

from dataclasses import replace
from typing import Any

from homeassistant.helpers import entity_registry as er

from custom_components.unifi_scanner.const import DOMAIN
from tests.controller.frames import event_record
from tests.controller.models import Json, Movement, MovementKind
from tests.home import UNIQUE_ID, Home


def departure(home: Home, mac: str, *, ap: str | None = None, ago: float = 0.0) -> Movement:
    """Return that a client has left its access point, or another; it truly stays."""
    client, now = home.world.clients[mac], home.world.clock()
    assert client.link is not None
    link = client.link if ap is None else replace(client.link, ap=ap)
    return Movement(
        number=0,
        kind=MovementKind.DISCONNECTED,
        # As access points date it (docs/protocol.md 3.2).
        time=float(int(now - ago)),
        mac=mac,
        name=client.name,
        hostname=client.hostname,
        guest=client.is_guest,
        wired=False,
        ssid=client.ssid,
        before=link,
        after=None,
    )


def arrival(roam: Movement) -> Movement:
    """Return a roam as some access points tell it: as a connection (docs/protocol.md 3.2)."""
    return replace(roam, kind=MovementKind.CONNECTED, before=None)


def record(home: Home, movement: Movement, **fields: Any) -> Json:
    """Return the entry of a frame that tells it, with other fields in it."""
    return event_record(movement, home.world, home.controller.settings.major) | fields


def frame(*entries: Json) -> Json:
    """Return an `events` frame."""
    return {"meta": {"rc": "ok", "message": "events"}, "data": list(entries)}


def kinds(home: Home) -> list[tuple[str, str | None, str | None]]:
    """Return what was told on the bus: what, from where, to where."""
    return [
        (
            str(event.event_type).removeprefix("unifi_scanner_"),
            event.data["ap_from_name"],
            event.data["ap_to_name"],
        )
        for event in home.events
    ]


def enable(home: Home, key: str, mac: str) -> None:
    """Enable, before the set-up, a sensor that is disabled by default."""
    er.async_get(home.hass).async_get_or_create(
        "sensor", DOMAIN, f"{UNIQUE_ID}_{mac}_{key}", disabled_by=None
    )
