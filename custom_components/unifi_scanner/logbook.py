"""Describe our events on the bus as sentences in the logbook."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_ICON,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN
from .roaming import EventKind
from .site.devices import CLIENT_SENSOR_KEY, sensor_id
from .site.publisher import EVENT_TYPES, ClientEventData

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
    """Register the description of each event type."""

    def describer(kind: EventKind) -> Callable[[Event], dict[str, str]]:
        @callback
        def describe(event: Event) -> dict[str, str]:
            data = _complete(event.data)
            line = {
                LOGBOOK_ENTRY_NAME: str(data["client_name"] or data["client_mac"] or "?"),
                LOGBOOK_ENTRY_MESSAGE: message(kind, data),
                LOGBOOK_ENTRY_ICON: _ICONS[kind],
            }
            if (entity_id := _entity_id(hass, data)) is not None:
                line[LOGBOOK_ENTRY_ENTITY_ID] = entity_id
            return line

        return describe

    for kind, event_type in EVENT_TYPES.items():
        async_describe_event(DOMAIN, event_type, describer(kind))


def message(kind: EventKind, data: ClientEventData) -> str:
    """Return what a client did, as a sentence without its subject and without unknown parts."""
    origin = data["ap_from_name"] or data["ap_from_mac"]
    destination = data["ap_to_name"] or data["ap_to_mac"]
    band_from = f"{data['band_from']} GHz" if data["band_from"] else None
    band_to = f"{data['band_to']} GHz" if data["band_to"] else None
    match kind:
        case EventKind.ROAM:
            words = "roamed", _after("from", origin), _after("to", destination)
        case EventKind.CONNECTED:
            words = "connected", _after("to", destination), ""
        case EventKind.DISCONNECTED:
            words = "left the WiFi", _after("at", origin), ""
        case EventKind.ROAM_RADIO:
            bands = _after("from", band_from) + _after("to", band_to)
            # Within a band only the channel changes.
            changes = band_from != band_to and bands
            words = "changed", changes or " its channel", _after("at", destination)
    link = [band_to if kind is not EventKind.ROAM_RADIO else None]
    if (signal := data["signal"]) is not None and kind is not EventKind.DISCONNECTED:
        link.append(f"{signal} dBm")
    known_link = ", ".join(filter(None, link))
    return "".join(words) + (f" ({known_link})" if known_link else "")


def _complete(data: Mapping[str, Any]) -> ClientEventData:
    """Return a payload with every key: anyone may fire an event of our types, with any data."""
    complete = {key: data.get(key) for key in ClientEventData.__required_keys__}
    return cast("ClientEventData", complete)


def _after(word: str, value: object) -> str:
    return f" {word} {value}" if value else ""


def _entity_id(hass: HomeAssistant, data: ClientEventData) -> str | None:
    """Return the client's access point sensor, None if it has none."""
    entry = hass.config_entries.async_get_entry(str(data["entry_id"]))
    if entry is None:
        return None
    return sensor_id(hass, entry, str(data["client_mac"]), CLIENT_SENSOR_KEY)
