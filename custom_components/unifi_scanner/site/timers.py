"""What is to be done later: each thing at most once at a time, and nothing after the end."""

from collections.abc import Callable

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later


class Timers:
    """Timers by name, which end together."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start without any."""
        self._hass = hass
        self._waiting: dict[str, CALLBACK_TYPE] = {}
        self._closed = False

    @callback
    def async_set(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        """Call `action` after that time; what is waiting under the same name already stays."""
        if self._closed or name in self._waiting:
            return

        @callback
        def act(_now: object) -> None:
            del self._waiting[name]
            action()

        self._waiting[name] = async_call_later(
            self._hass, max(0.0, seconds), HassJob(act, cancel_on_shutdown=True)
        )

    @callback
    def async_cancel(self, name: str) -> None:
        """Call off what is waiting under a name, if anything."""
        if (cancel := self._waiting.pop(name, None)) is not None:
            cancel()

    @callback
    def async_close(self) -> None:
        """Call off everything, for good."""
        self._closed = True
        for name in list(self._waiting):
            self.async_cancel(name)
