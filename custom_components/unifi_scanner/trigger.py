"""Automation triggers: clients that roam, connect, disconnect, or change area or band."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal, override

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar, config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.trigger import Trigger, TriggerConfig
from homeassistant.helpers.typing import ConfigType
import probatio

from .api.records import Band
from .automation.device_filter import (
    CONF_ACCESS_POINTS,
    CONF_AREAS,
    CONF_SSID,
    STRINGS,
    Fields,
    LocationFilter,
    async_find_device,
)
from .automation.path_progress import PathProgress
from .automation.trigger_base import (
    INCLUDE_LATE,
    ClientEventTrigger,
    ClientTrigger,
    End,
    MovementTrigger,
    is_at,
)
from .const import BAND_STATES, CONF_CLIENTS, DOMAIN
from .roaming import EventKind
from .site.devices import mac_of
from .site.publisher import (
    SIGNAL_AREA,
    SIGNAL_NEW_CLIENT,
    AreaChangeData,
    ClientEventData,
    NewClientData,
)

CONF_BAND: Final = "band"
CONF_FROM_ACCESS_POINTS: Final = f"from_{CONF_ACCESS_POINTS}"
CONF_FROM_AREAS: Final = f"from_{CONF_AREAS}"
CONF_FROM_BAND: Final = "from_band"
CONF_INCLUDE_GUESTS: Final = "include_guests"
CONF_SIGNAL_BELOW: Final = "signal_below"
CONF_TO_ACCESS_POINTS: Final = f"to_{CONF_ACCESS_POINTS}"
CONF_TO_AREAS: Final = f"to_{CONF_AREAS}"
CONF_TO_BAND: Final = "to_band"
CONF_WITHIN: Final = "within"

_BANDS = probatio.All(probatio.EnsureList(), [probatio.In(list(BAND_STATES.values()))])
# Signals in dBm are negative: reject a value without its minus sign.
_SIGNAL = probatio.All(probatio.Coerce(float), probatio.Range(max=0))


class ClientRoamedTrigger(ClientEventTrigger):
    """Trigger when a client moves to another access point."""

    fields: ClassVar[Fields] = {
        probatio.Optional(CONF_CLIENTS): STRINGS,
        probatio.Optional(CONF_FROM_ACCESS_POINTS): STRINGS,
        probatio.Optional(CONF_FROM_AREAS): STRINGS,
        probatio.Optional(CONF_TO_ACCESS_POINTS): STRINGS,
        probatio.Optional(CONF_TO_AREAS): STRINGS,
        probatio.Optional(CONF_SSID): STRINGS,
        probatio.Optional(CONF_BAND): _BANDS,
        probatio.Optional(CONF_SIGNAL_BELOW): _SIGNAL,
        **INCLUDE_LATE,
    }
    kinds = (EventKind.ROAM,)
    ends: ClassVar[Mapping[End, str]] = {"from": "from_", "to": "to_"}
    sentence = "{client_name} roamed from {ap_from_name} to {ap_to_name}"

    @override
    def _matches(self, data: ClientEventData) -> bool:
        return (
            super()._matches(data)
            and self._is_selected(CONF_BAND, _band_state(data["band_to"]))
            and self._is_weak(data["signal"])
        )

    def _is_weak(self, signal: int | None) -> bool:
        if (limit := self._options.get(CONF_SIGNAL_BELOW)) is None:
            return True
        return signal is not None and signal < limit


class ClientConnectedTrigger(ClientEventTrigger):
    """Trigger when a client connects that was not connected."""

    fields: ClassVar[Fields] = {
        probatio.Optional(CONF_CLIENTS): STRINGS,
        probatio.Optional(CONF_ACCESS_POINTS): STRINGS,
        probatio.Optional(CONF_AREAS): STRINGS,
        probatio.Optional(CONF_SSID): STRINGS,
        probatio.Optional(CONF_BAND): _BANDS,
        **INCLUDE_LATE,
    }
    kinds = (EventKind.CONNECTED,)
    ends: ClassVar[Mapping[End, str]] = {"to": ""}
    sentence = "{client_name} connected to {ap_to_name}"

    @override
    def _matches(self, data: ClientEventData) -> bool:
        band = _band_state(data["band_to"])
        return super()._matches(data) and self._is_selected(CONF_BAND, band)


class GuestConnectedTrigger(ClientEventTrigger):
    """Trigger when a guest connects."""

    fields: ClassVar[Fields] = {
        probatio.Optional(CONF_ACCESS_POINTS): STRINGS,
        probatio.Optional(CONF_AREAS): STRINGS,
        probatio.Optional(CONF_SSID): STRINGS,
        **INCLUDE_LATE,
    }
    kinds = (EventKind.CONNECTED,)
    ends: ClassVar[Mapping[End, str]] = {"to": ""}
    sentence = "Guest {client_name} connected to {ap_to_name}"

    @override
    def _matches(self, data: ClientEventData) -> bool:
        return data["guest"] is True and super()._matches(data)


class ClientDisconnectedTrigger(ClientEventTrigger):
    """Trigger when a client disconnects."""

    fields: ClassVar[Fields] = {
        probatio.Optional(CONF_CLIENTS): STRINGS,
        probatio.Optional(CONF_ACCESS_POINTS): STRINGS,
        probatio.Optional(CONF_AREAS): STRINGS,
        probatio.Optional(CONF_SSID): STRINGS,
        **INCLUDE_LATE,
    }
    kinds = (EventKind.DISCONNECTED,)
    ends: ClassVar[Mapping[End, str]] = {"from": ""}
    sentence = "{client_name} disconnected from {ap_from_name}"


class ClientChangedBandTrigger(ClientEventTrigger):
    """Trigger when a client changes band, on the same access point or by roaming."""

    fields: ClassVar[Fields] = {
        probatio.Optional(CONF_CLIENTS): STRINGS,
        probatio.Optional(CONF_FROM_BAND): _BANDS,
        probatio.Optional(CONF_TO_BAND): _BANDS,
        **INCLUDE_LATE,
    }
    kinds = (EventKind.ROAM, EventKind.ROAM_RADIO)
    sentence = "{client_name} changed from {band_from} to {band_to} GHz"

    @override
    def _matches(self, data: ClientEventData) -> bool:
        before, after = _band_state(data["band_from"]), _band_state(data["band_to"])
        return (
            None not in {before, after}
            and before != after
            and self._is_selected(CONF_FROM_BAND, before)
            and self._is_selected(CONF_TO_BAND, after)
        )


class ClientFollowedPathTrigger(ClientEventTrigger):
    """Trigger when a client has visited several locations in order, within a time limit."""

    fields: ClassVar[Fields] = {
        probatio.Optional(CONF_CLIENTS): STRINGS,
        probatio.Optional(CONF_ACCESS_POINTS): STRINGS,
        probatio.Optional(CONF_AREAS): STRINGS,
        probatio.Required(CONF_WITHIN): cv.positive_time_period,
        **INCLUDE_LATE,
    }
    kinds = tuple(EventKind)
    sentence = "{client_name} followed the path to {ap_to_name}"

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the options: either access points or areas, at least two of them."""
        validated = await super().async_validate_config(hass, config)
        options = validated[CONF_OPTIONS]
        counts = [len(options.get(option, ())) for option in (CONF_ACCESS_POINTS, CONF_AREAS)]
        if min(counts) > 0 or max(counts) == 1 or not any(counts):
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_a_path")
        for device_id in options.get(CONF_ACCESS_POINTS, ()):
            device, entry = async_find_device(hass, device_id)
            if device is not None and entry is not None and mac_of(entry, device) is None:
                # It matches all access points, so every client would always be at that step.
                raise HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key="controller_on_path",
                    translation_placeholders={"device": device.name_by_user or str(device.name)},
                )
        return validated

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Initialize the trigger without any progress."""
        super().__init__(hass, config)
        access_points = self._options.get(CONF_ACCESS_POINTS, ())
        areas = self._options.get(CONF_AREAS, ())
        self._path = [
            LocationFilter(hass, access_points=[device_id]) for device_id in access_points
        ]
        self._path += [LocationFilter(hass, areas=[area]) for area in areas]
        within: timedelta = self._options[CONF_WITHIN]
        self._progress = PathProgress(len(self._path), within.total_seconds())

    @override
    def _matches(self, data: ClientEventData) -> bool:
        return self._progress.move(
            data["client_mac"],
            self._steps_at(data, "from"),
            self._steps_at(data, "to"),
            at=datetime.fromisoformat(data["time"]).timestamp(),
            now=self._hass.loop.time(),
        )

    def _steps_at(self, data: ClientEventData, end: End) -> list[int]:
        return [step for step, location in enumerate(self._path) if is_at(location, data, end)]


class AreaTrigger(MovementTrigger[AreaChangeData]):
    """A trigger on clients changing area, after debouncing (site/area_debounce.py).

    `end` is the key of the area that has to match, `area_from` or `area_to`.
    """

    fields: ClassVar[Fields] = {
        probatio.Optional(CONF_CLIENTS): STRINGS,
        probatio.Optional(CONF_AREAS): STRINGS,
        **INCLUDE_LATE,
    }
    end: ClassVar[Literal["area_from", "area_to"]]

    @override
    def _async_listen(self, listener: Callable[[AreaChangeData], None]) -> CALLBACK_TYPE:
        return async_dispatcher_connect(self._hass, SIGNAL_AREA, listener)

    @override
    def _matches(self, data: AreaChangeData) -> bool:
        area = data[self.end]
        return area is not None and self._is_selected(CONF_AREAS, area)

    @override
    def _describe(self, data: AreaChangeData) -> str:
        area_id = str(data[self.end])
        area = ar.async_get(self._hass).async_get_area(area_id)
        return self.sentence.format_map({**data, "area": area.name if area else area_id})


class ClientEnteredAreaTrigger(AreaTrigger):
    """Trigger when a client enters one of the selected areas, or any area."""

    end = "area_to"
    sentence = "{client_name} entered {area}"


class ClientLeftAreaTrigger(AreaTrigger):
    """Trigger when a client leaves one of the selected areas, or any area."""

    end = "area_from"
    sentence = "{client_name} left {area}"


class NewClientSeenTrigger(ClientTrigger[NewClientData]):
    """Trigger when a client connects for the first time."""

    fields: ClassVar[Fields] = {probatio.Optional(CONF_INCLUDE_GUESTS, default=False): cv.boolean}
    sentence = "{client_name} was seen for the first time"

    @override
    def _async_listen(self, listener: Callable[[NewClientData], None]) -> CALLBACK_TYPE:
        return async_dispatcher_connect(self._hass, SIGNAL_NEW_CLIENT, listener)

    @override
    def _matches(self, data: NewClientData) -> bool:
        return self._options[CONF_INCLUDE_GUESTS] or not data["guest"]


TRIGGERS: dict[str, type[ClientTrigger[Any]]] = {
    "client_changed_band": ClientChangedBandTrigger,
    "client_connected": ClientConnectedTrigger,
    "client_disconnected": ClientDisconnectedTrigger,
    "client_entered_area": ClientEnteredAreaTrigger,
    "client_followed_path": ClientFollowedPathTrigger,
    "client_left_area": ClientLeftAreaTrigger,
    "client_roamed": ClientRoamedTrigger,
    "guest_connected": GuestConnectedTrigger,
    "new_client_seen": NewClientSeenTrigger,
}


async def async_get_triggers(_hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the trigger classes by name."""
    return dict(TRIGGERS)


def _band_state(band: Band | None) -> str | None:
    return None if band is None else BAND_STATES[band]
