"""Conditions for automations that are made in the editor: where clients are."""

from abc import abstractmethod
from typing import ClassVar, Unpack, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    Condition,
    ConditionCheckParams,
    ConditionConfig,
)
from homeassistant.helpers.typing import ConfigType
import probatio

from .automation.device_filter import (
    AT_LEAST_ONE,
    CONF_ACCESS_POINTS,
    CONF_AREAS,
    CONF_SSID,
    SEVERAL,
    Fields,
    LocationFilter,
    async_check_devices,
    async_find,
)
from .const import CONF_CLIENTS
from .coordinator import UnifiScannerCoordinator
from .site.devices import mac_of

_OF_ALL: Fields = {
    probatio.Required(CONF_CLIENTS): AT_LEAST_ONE,
    probatio.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): probatio.In(
        [BEHAVIOR_ANY, BEHAVIOR_ALL]
    ),
}


class ClientCondition(Condition):
    """A condition on where any or all of the chosen clients are.

    It is not met by a client of which nothing is known, as when the controller cannot be reached.
    """

    fields: ClassVar[Fields]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate what is chosen, as far as it can be known before the entry is set up."""
        validated: ConfigType = probatio.Schema({probatio.Required(CONF_OPTIONS): cls.fields})(
            config
        )
        async_check_devices(hass, validated[CONF_OPTIONS])
        return validated

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take what is chosen."""
        super().__init__(hass, config)
        self._options = config.options or {}

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        check = all if self._options[ATTR_BEHAVIOR] == BEHAVIOR_ALL else any
        return check(self._is_met_by(device_id) for device_id in self._options[CONF_CLIENTS])

    def _is_met_by(self, device_id: str) -> bool:
        device, entry = async_find(self._hass, device_id)
        if device is None or entry is None or entry.state is not ConfigEntryState.LOADED:
            return False
        mac = mac_of(entry, device)
        coordinator: UnifiScannerCoordinator = entry.runtime_data
        return mac is not None and coordinator.available and self._is_true(coordinator, mac)

    @abstractmethod
    def _is_true(self, coordinator: UnifiScannerCoordinator, mac: str) -> bool:
        """Return whether the client with that MAC is where it is to be."""


class ClientIsConnectedToCondition(ClientCondition):
    """Whether clients are connected, at all or to certain access points or a certain network."""

    fields: ClassVar[Fields] = {
        **_OF_ALL,
        probatio.Optional(CONF_ACCESS_POINTS): SEVERAL,
        probatio.Optional(CONF_AREAS): SEVERAL,
        probatio.Optional(CONF_SSID): cv.string,
    }

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Take what is chosen."""
        super().__init__(hass, config)
        self._places = LocationFilter(
            hass,
            self._options.get(CONF_ACCESS_POINTS, ()),
            self._options.get(CONF_AREAS, ()),
        )

    @override
    def _is_true(self, coordinator: UnifiScannerCoordinator, mac: str) -> bool:
        state = coordinator.client(mac)
        if state is None or state.link is None:
            return False
        if (ssid := self._options.get(CONF_SSID)) and ssid != state.link.ssid:
            return False
        place = coordinator.devices.location(state.link.ap_mac)
        entry_id = coordinator.config_entry.entry_id
        return self._places.async_matches(entry_id, place.mac, place.area)


class ClientIsInAreaCondition(ClientCondition):
    """Whether clients are in certain areas; it has settled as for their sensors (rooms.py)."""

    fields: ClassVar[Fields] = {**_OF_ALL, probatio.Required(CONF_AREAS): AT_LEAST_ONE}

    @override
    def _is_true(self, coordinator: UnifiScannerCoordinator, mac: str) -> bool:
        return coordinator.areas.area_of(mac) in self._options[CONF_AREAS]


CONDITIONS: dict[str, type[ClientCondition]] = {
    "client_is_connected_to": ClientIsConnectedToCondition,
    "client_is_in_area": ClientIsInAreaCondition,
}


async def async_get_conditions(_hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions by their names."""
    return dict(CONDITIONS)
