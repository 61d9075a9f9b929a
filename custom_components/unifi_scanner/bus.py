"""A ClientEvent as it stands on Home Assistant's event bus: the one place that knows the keys."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .const import DOMAIN
from .roaming import ClientEvent, EventKind

EVENT_TYPES: dict[EventKind, str] = {kind: f"{DOMAIN}_{kind.value}" for kind in EventKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An access point as people know it; `area` is the id of its device's area."""

    mac: str | None = None
    name: str | None = None
    area: str | None = None


def payload(
    event: ClientEvent,
    *,
    entry_id: str,
    site: str,
    device_id: str | None,
    origin: Place,
    destination: Place,
) -> dict[str, Any]:
    """Return the event's data: flat, every key always there, None for what is not known.

    `signal` is in dBm, `time` ISO 8601 in UTC, `roam_gap` in seconds; `device_id` is that of the
    client's device, None when the client is not tracked.
    """
    return {
        "entry_id": entry_id,
        "site": site,
        "client_mac": event.mac,
        "client_name": event.name,
        "device_id": device_id,
        "ssid": event.ssid,
        "guest": event.guest,
        "ap_from_mac": origin.mac,
        "ap_from_name": origin.name,
        "ap_to_mac": destination.mac,
        "ap_to_name": destination.name,
        "area_from": origin.area,
        "area_to": destination.area,
        "band_from": event.band_from,
        "band_to": event.band_to,
        "channel_from": event.channel_from,
        "channel_to": event.channel_to,
        "signal": event.signal,
        "time": datetime.fromtimestamp(event.time, UTC).isoformat(),
        "source": event.source.value,
        "inferred": event.inferred,
        "roam_gap": event.roam_gap,
    }
