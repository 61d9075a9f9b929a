"""A site's event stream in batches: what has come in one go is handled in one go."""

from collections.abc import Callable, Sequence

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback

from .api import (
    BadCredentialsError,
    BufferedEvent,
    DeviceType,
    SecondFactorRequiredError,
    StreamState,
    UnifiWebSocketClient,
    WebSocketEventBuffer,
)
from .api.records import Observation, observation_from
from .const import CONF_SITE
from .session import ConsoleSession


class SiteStream:
    """Keeps the socket of a site open while its entry is loaded.

    `on_batch` is called with the observations in order of arrival, None for a record that could not
    be read; `on_change` when `connected` has changed.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        *,
        on_batch: Callable[[Sequence[Observation | None]], None],
        on_change: Callable[[], None],
    ) -> None:
        """Prepare, without a connection."""
        self.connected = False
        self.client: UnifiWebSocketClient | None = None
        self._hass = hass
        self._entry = entry
        self._on_batch = on_batch
        self._on_change = on_change
        self._buffer = WebSocketEventBuffer()
        self._drain_scheduled = False
        self._stopped = False

    @callback
    def async_start(self, console: ConsoleSession, device_type: DeviceType) -> None:
        """Begin to listen, with the console's session."""
        self.client = UnifiWebSocketClient(
            base_url=self._entry.data[CONF_URL],
            site=self._entry.data[CONF_SITE],
            cookies=console.client.cookies,
            device_type=device_type,
            ssl_context=console.ssl_context,
            renew_session=console.async_renew,
            on_state=self._async_take_state,
        )
        self._entry.async_create_background_task(
            self._hass, self._async_listen(self.client), f"{self._entry.title} event stream"
        )

    async def async_stop(self) -> None:
        """Close the socket; nothing is handed over any more."""
        self._stopped = True
        if self.client is not None:
            await self.client.stop()

    async def _async_listen(self, client: UnifiWebSocketClient) -> None:
        try:
            await client.listen(self._async_take_event)
        except BadCredentialsError, SecondFactorRequiredError:
            self._entry.async_start_reauth(self._hass)

    @callback
    def _async_take_state(self, state: StreamState) -> None:
        connected = state is StreamState.CONNECTED
        if connected is not self.connected:
            self.connected = connected
            self._on_change()

    @callback
    def _async_take_event(self, event: BufferedEvent) -> None:
        self._buffer.add(event)
        if not self._drain_scheduled:
            self._drain_scheduled = True
            self._hass.loop.call_soon(self._async_drain)

    @callback
    def _async_drain(self) -> None:
        self._drain_scheduled = False
        if not self._stopped:
            self._on_batch([observation_from(event) for event in self._buffer.drain()])
