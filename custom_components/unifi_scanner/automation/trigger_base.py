"""What all triggers have in common: what is chosen, what is listened to, what templates see.

They listen to what is announced, not to a config entry, so that it may be set up after them and be
reloaded.
"""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, override

from homeassistant.const import CONF_OPTIONS
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
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
from ..site.publisher import SIGNAL_EVENT
from .device_filter import (
    CONF_ACCESS_POINTS,
    CONF_AREAS,
    CONF_SSID,
    Fields,
    LocationFilter,
    async_check_devices,
)

type Data = Mapping[str, Any]


class ClientTrigger(Trigger):
    """A trigger by what is announced of clients; nothing chosen for a field means any.

    Templates find what was announced in `trigger`, with the sentence as `trigger.description`.
    """

    fields: ClassVar[Fields]
    sentence: ClassVar[str]

    @classmethod
    @override
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate what is chosen, as far as it can be known before the entry is set up."""
        options = {probatio.Required(CONF_OPTIONS, default={}): dict(cls.fields)}
        validated: ConfigType = probatio.Schema(options)(config)
        async_check_devices(hass, validated[CONF_OPTIONS])
        return validated

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take what is chosen."""
        super().__init__(hass, config)
        self._options = config.options or {}

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Run the action for all that matches, until what is returned is called."""

        @callback
        def take(data: Data) -> None:
            if self._is_chosen(CONF_CLIENTS, data["device_id"]) and self._matches(data):
                run_action(dict(data), self._describe(data))

        return self._async_listen(take)

    @abstractmethod
    def _async_listen(self, listener: Callable[[Data], None]) -> CALLBACK_TYPE:
        """Have a callback called with what is announced; return what ends that."""

    @abstractmethod
    def _matches(self, data: Data) -> bool:
        """Return whether this is what is chosen, given that the client is."""

    def _describe(self, data: Data) -> str:
        return self.sentence.format_map(data)

    def _is_chosen(self, option: str, value: object) -> bool:
        chosen = self._options.get(option, ())
        # A text that was emptied is still there.
        return value in chosen or not any(chosen)


class ClientEventTrigger(ClientTrigger):
    """A trigger by what clients do; `data` is that of the events on the bus (bus.py).

    `ends` says how the fields begin in which the places at each end of an event are chosen.
    """

    kinds: ClassVar[Collection[EventKind]]
    ends: ClassVar[Mapping[str, str]] = {}

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take what is chosen."""
        super().__init__(hass, config)
        self._places = {
            end: LocationFilter(
                hass,
                self._options.get(prefix + CONF_ACCESS_POINTS, ()),
                self._options.get(prefix + CONF_AREAS, ()),
            )
            for end, prefix in self.ends.items()
        }

    @override
    def _async_listen(self, listener: Callable[[Data], None]) -> CALLBACK_TYPE:
        @callback
        def listen(kind: EventKind, data: Data) -> None:
            if kind in self.kinds:
                listener(data)

        return async_dispatcher_connect(self._hass, SIGNAL_EVENT, listen)

    @override
    def _matches(self, data: Data) -> bool:
        return self._is_chosen(CONF_SSID, data["ssid"]) and all(
            includes(places, data, end) for end, places in self._places.items()
        )


def includes(places: LocationFilter, data: Data, end: str) -> bool:
    """Return whether one end of an event, "from" or "to", is at one of these places."""
    return places.async_matches(data["entry_id"], data[f"ap_{end}_mac"], data[f"area_{end}"])
