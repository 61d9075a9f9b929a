"""Base classes of the triggers.

Triggers listen to dispatcher signals rather than to a config entry, so they can be set up before
the entry and keep working when it is reloaded.
"""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import ClassVar, Final, Literal, override

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
import probatio

from ..const import CONF_CLIENTS
from ..roaming import EventKind
from ..site.publisher import SIGNAL_EVENT, ClientData, ClientEventData, MovementData
from .device_filter import (
    CONF_ACCESS_POINTS,
    CONF_AREAS,
    CONF_SSID,
    Fields,
    LocationFilter,
    async_check_devices,
)

CONF_INCLUDE_LATE: Final = "include_late"
INCLUDE_LATE: Final[Fields] = {probatio.Optional(CONF_INCLUDE_LATE, default=False): cv.boolean}

# The two ends of an event: where the client was before, and where it is after.
type End = Literal["from", "to"]


class ClientTrigger[DataT: ClientData](Trigger):
    """A trigger on a dispatcher signal about clients; an empty field matches anything.

    `fields` is the schema of the trigger's options. `sentence` is formatted with the signal's data
    and becomes `trigger.description` in templates; the data itself becomes `trigger`.
    """

    fields: ClassVar[Fields]
    sentence: ClassVar[str]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate the options, as far as possible before the config entry is set up."""
        options = {probatio.Required(CONF_OPTIONS, default={}): dict(cls.fields)}
        validated: ConfigType = probatio.Schema(options)(config)
        async_check_devices(hass, validated[CONF_OPTIONS])
        return validated

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Initialize the trigger."""
        super().__init__(hass, config)
        self._options = config.options or {}

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Run the action whenever the trigger matches; return a callback that unsubscribes."""

        @callback
        def run_if_matching(data: DataT) -> None:
            if (
                self._is_selected(CONF_CLIENTS, data["device_id"])
                and self._matches(data)
                and not self._is_left_out(data)
            ):
                run_action(dict(data), self._describe(data))

        return self._async_listen(run_if_matching)

    @abstractmethod
    def _async_listen(self, listener: Callable[[DataT], None]) -> CALLBACK_TYPE:
        """Call a listener with the data of each signal; return a callback that unsubscribes."""

    @abstractmethod
    def _matches(self, data: DataT) -> bool:
        """Return whether the data match the options other than the clients, checked before."""

    def _is_left_out(self, _data: DataT) -> bool:
        """Return whether matching data do not run the action after all."""
        return False

    def _describe(self, data: DataT) -> str:
        return self.sentence.format_map(data)

    def _is_selected(self, option: str, value: object) -> bool:
        selected = self._options.get(option, ())
        # The editor saves a text field that was cleared as an empty string.
        return value in selected or not any(selected)


class MovementTrigger[DataT: MovementData](ClientTrigger[DataT]):
    """A trigger on something that a client did, unless that is reported late.

    After an outage or a restart, things are reported that happened minutes ago. By default, they
    must not switch anything. `fields` has to contain `INCLUDE_LATE`.
    """

    @override
    def _is_left_out(self, data: DataT) -> bool:
        return data["late"] and not self._options[CONF_INCLUDE_LATE]


class ClientEventTrigger(MovementTrigger[ClientEventData]):
    """A trigger on client events of certain kinds, with the same data as on the event bus.

    `ends` maps the ends of an event that can be filtered to the prefixes of the fields for their
    access points and areas.
    """

    kinds: ClassVar[Collection[EventKind]]
    ends: ClassVar[Mapping[End, str]] = {}

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Initialize the trigger."""
        super().__init__(hass, config)
        self._locations = {
            end: LocationFilter(
                hass,
                self._options.get(prefix + CONF_ACCESS_POINTS, ()),
                self._options.get(prefix + CONF_AREAS, ()),
            )
            for end, prefix in self.ends.items()
        }

    @override
    def _async_listen(self, listener: Callable[[ClientEventData], None]) -> CALLBACK_TYPE:
        @callback
        def listen(kind: EventKind, data: ClientEventData) -> None:
            if kind in self.kinds:
                listener(data)

        return async_dispatcher_connect(self._hass, SIGNAL_EVENT, listen)

    @override
    def _matches(self, data: ClientEventData) -> bool:
        return self._is_selected(CONF_SSID, data["ssid"]) and all(
            is_at(location, data, end) for end, location in self._locations.items()
        )


def is_at(location: LocationFilter, data: ClientEventData, end: End) -> bool:
    """Return whether one end of an event matches a location filter."""
    if end == "from":
        return location.async_matches(data["entry_id"], data["ap_from_mac"], data["area_from"])
    return location.async_matches(data["entry_id"], data["ap_to_mac"], data["area_to"])
