"""Frames with false or outdated movements, for the fault tests."""

from dataclasses import replace
from typing import Any

from homeassistant.helpers import entity_registry as er

from custom_components.unifi_scanner.const import DOMAIN
from tests.controller.frames import event_record
from tests.controller.models import Json, Movement, MovementKind
from tests.home import UNIQUE_ID, Home


def departure(home: Home, mac: str, *, ap: str | None = None, ago: float = 0.0) -> Movement:
    """Return a disconnect from a client's access point, or another; the client really stays."""
    client, now = home.world.clients[mac], home.world.clock()
    assert client.link is not None
    link = client.link if ap is None else replace(client.link, ap=ap)
    return Movement(
        number=0,
        kind=MovementKind.DISCONNECTED,
        # Access points date it in whole seconds (docs/protocol.md 3.2).
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
    """Return a roam as a connect, as some access points report it (docs/protocol.md 3.2)."""
    return replace(roam, kind=MovementKind.CONNECTED, before=None)


def record(home: Home, movement: Movement, **fields: Any) -> Json:
    """Return the EVT record of a movement, with some fields overridden."""
    return event_record(movement, home.world, home.controller.settings.major) | fields


def frame(*entries: Json) -> Json:
    """Return an `events` frame."""
    return {"meta": {"rc": "ok", "message": "events"}, "data": list(entries)}


def kinds(home: Home) -> list[tuple[str, str | None, str | None]]:
    """Return the events on the bus as (kind, access point left, access point reached)."""
    return [
        (
            str(event.event_type).removeprefix("unifi_scanner_"),
            event.data["ap_from_name"],
            event.data["ap_to_name"],
        )
        for event in home.events
    ]


def enable(home: Home, key: str, mac: str) -> None:
    """Enable a sensor that is disabled by default; call this before setup."""
    er.async_get(home.hass).async_get_or_create(
        "sensor", DOMAIN, f"{UNIQUE_ID}_{mac}_{key}", disabled_by=None
    )
