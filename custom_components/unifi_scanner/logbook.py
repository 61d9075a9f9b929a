"""The logbook's lines about events on the bus: sentences, whatever is not known left out."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.const import Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .const import DOMAIN
from .roaming import EventKind
from .site.publisher import EVENT_TYPES

_ICONS = {
    EventKind.ROAM: "mdi:walk",
    EventKind.ROAM_RADIO: "mdi:radio-tower",
    EventKind.CONNECTED: "mdi:wifi",
    EventKind.DISCONNECTED: "mdi:wifi-off",
}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, str]]], None],
) -> None:
    """Say how each event is described; anybody may have fired one, with whatever data."""
    registry = er.async_get(hass)

    def describer(kind: EventKind) -> Callable[[Event], dict[str, str]]:
        @callback
        def describe(event: Event) -> dict[str, str]:
            data = event.data
            line = {
                LOGBOOK_ENTRY_NAME: str(data.get("client_name") or data.get("client_mac") or "?"),
                LOGBOOK_ENTRY_MESSAGE: message(kind, data),
                LOGBOOK_ENTRY_ICON: _ICONS[kind],
            }
            if (entity_id := _entity_of(hass, registry, data)) is not None:
                line[LOGBOOK_ENTRY_ENTITY_ID] = entity_id
            return line

        return describe

    for kind, event_type in EVENT_TYPES.items():
        async_describe_event(DOMAIN, event_type, describer(kind))


def message(kind: EventKind, data: Mapping[str, Any]) -> str:
    """Return what a client did, to stand behind its name."""
    origin, destination = (
        data.get(f"ap_{end}_name") or data.get(f"ap_{end}_mac") for end in ("from", "to")
    )
    band_from, band_to = (
        f"{band} GHz" if (band := data.get(f"band_{end}")) else None for end in ("from", "to")
    )
    match kind:
        case EventKind.ROAM:
            words = "roamed", _after("from", origin), _after("to", destination)
        case EventKind.CONNECTED:
            words = "connected", _after("to", destination), ""
        case EventKind.DISCONNECTED:
            words = "left the WiFi", _after("at", origin), ""
        case EventKind.ROAM_RADIO:
            bands = _after("from", band_from) + _after("to", band_to)
            # Otherwise another channel of the same band.
            changes = band_from != band_to and bands
            words = "changed", changes or " its channel", _after("at", destination)
    link = [band_to if kind is not EventKind.ROAM_RADIO else None]
    if (signal := data.get("signal")) is not None and kind is not EventKind.DISCONNECTED:
        link.append(f"{signal} dBm")
    link_known = ", ".join(filter(None, link))
    return "".join(words) + (f" ({link_known})" if link_known else "")


def _after(word: str, value: object) -> str:
    return f" {word} {value}" if value else ""


def _entity_of(
    hass: HomeAssistant, registry: er.EntityRegistry, data: Mapping[str, Any]
) -> str | None:
    """Return the sensor that shows where the client is, None when it has none."""
    entry = hass.config_entries.async_get_entry(str(data.get("entry_id")))
    if entry is None:
        return None
    unique_id = f"{entry.unique_id}_{data.get('client_mac')}_access_point"
    return registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)
