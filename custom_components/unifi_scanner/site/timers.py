"""Named one-shot timers, cancelled together on shutdown."""

from collections.abc import Callable

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later


class Timers:
    """One-shot timers by name."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start without timers."""
        self._hass = hass
        self._waiting: dict[str, CALLBACK_TYPE] = {}
        self._closed = False

    @callback
    def async_set(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        """Call `action` after this time, unless a timer of this name is already running."""
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
        """Cancel the timer of this name, if it is running."""
        if (cancel := self._waiting.pop(name, None)) is not None:
            cancel()

    @callback
    def async_close(self) -> None:
        """Cancel all timers and ignore any that are set later."""
        self._closed = True
        for name in list(self._waiting):
            self.async_cancel(name)
