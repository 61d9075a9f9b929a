"""Automation conditions: whether clients are connected, or in an area."""

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
    CONF_ACCESS_POINTS,
    CONF_AREAS,
    CONF_SSID,
    NON_EMPTY_STRINGS,
    STRINGS,
    Fields,
    LocationFilter,
    async_check_devices,
    async_find_device,
)
from .const import CONF_CLIENTS
from .coordinator import UnifiScannerCoordinator
from .site.devices import mac_of

_COMMON_FIELDS: Fields = {
    probatio.Required(CONF_CLIENTS): NON_EMPTY_STRINGS,
    probatio.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): probatio.In(
        [BEHAVIOR_ANY, BEHAVIOR_ALL]
    ),
}


class ClientCondition(Condition):
    """A condition that any or all of the selected clients have to meet.

    A client whose state is unknown, for instance while the controller is unreachable, never does.
    """

    fields: ClassVar[Fields]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the options, as far as possible before the config entry is set up."""
        validated: ConfigType = probatio.Schema({probatio.Required(CONF_OPTIONS): cls.fields})(
            config
        )
        async_check_devices(hass, validated[CONF_OPTIONS])
        return validated

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Initialize the condition."""
        super().__init__(hass, config)
        self._options = config.options or {}

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        check = all if self._options[ATTR_BEHAVIOR] == BEHAVIOR_ALL else any
        return check(self._is_met_by_device(device_id) for device_id in self._options[CONF_CLIENTS])

    def _is_met_by_device(self, device_id: str) -> bool:
        device, entry = async_find_device(self._hass, device_id)
        if device is None or entry is None or entry.state is not ConfigEntryState.LOADED:
            return False
        mac = mac_of(entry, device)
        coordinator: UnifiScannerCoordinator = entry.runtime_data
        return (
            mac is not None and coordinator.available and self._is_met_by_client(coordinator, mac)
        )

    @abstractmethod
    def _is_met_by_client(self, coordinator: UnifiScannerCoordinator, mac: str) -> bool:
        """Return whether the client with that MAC meets the condition."""


class ClientIsConnectedToCondition(ClientCondition):
    """Whether clients are connected, optionally to certain access points, areas or an SSID."""

    fields: ClassVar[Fields] = {
        **_COMMON_FIELDS,
        probatio.Optional(CONF_ACCESS_POINTS): STRINGS,
        probatio.Optional(CONF_AREAS): STRINGS,
        probatio.Optional(CONF_SSID): cv.string,
    }

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Initialize the condition."""
        super().__init__(hass, config)
        self._locations = LocationFilter(
            hass,
            self._options.get(CONF_ACCESS_POINTS, ()),
            self._options.get(CONF_AREAS, ()),
        )

    @override
    def _is_met_by_client(self, coordinator: UnifiScannerCoordinator, mac: str) -> bool:
        state = coordinator.client(mac)
        if state is None or state.link is None:
            return False
        if (ssid := self._options.get(CONF_SSID)) and ssid != state.link.ssid:
            return False
        location = coordinator.devices.location(state.link.ap_mac)
        entry_id = coordinator.config_entry.entry_id
        return self._locations.async_matches(entry_id, location.mac, location.area)


class ClientIsInAreaCondition(ClientCondition):
    """Whether clients are in certain areas, debounced like their area sensors."""

    fields: ClassVar[Fields] = {**_COMMON_FIELDS, probatio.Required(CONF_AREAS): NON_EMPTY_STRINGS}

    @override
    def _is_met_by_client(self, coordinator: UnifiScannerCoordinator, mac: str) -> bool:
        return coordinator.areas.area_of(mac) in self._options[CONF_AREAS]


CONDITIONS: dict[str, type[ClientCondition]] = {
    "client_is_connected_to": ClientIsConnectedToCondition,
    "client_is_in_area": ClientIsInAreaCondition,
}


async def async_get_conditions(_hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the condition classes by name."""
    return dict(CONDITIONS)
