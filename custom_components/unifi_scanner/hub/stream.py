"""A site's event stream in batches: what has come in one go is handled in one go."""

from collections import deque
from collections.abc import Callable, Container, Sequence
from datetime import datetime
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback

from ..api import (
    BadCredentialsError,
    BufferedEvent,
    DeviceType,
    FrameStatistics,
    SecondFactorRequiredError,
    StreamState,
    UnifiWebSocketClient,
    WebSocketEventBuffer,
)
from ..api.frames import SYNC_TYPES
from ..api.records import EventRecord, Observation, is_wanted, observation_from
from ..capture.recorder import CaptureRecorder
from ..const import CONF_SITE
from .session import ControllerSession

# Frames that also come where the controller does not tell how its clients are: what happens to
# them, and the greeting of a new socket (protocol.md 3.5).
_IRREGULAR = frozenset({"events", "session-metadata:sync"})
# A controller that boots answers the socket like this for minutes; a proxy in front of it for ever.
_BOOT = 600.0
# Sync records are handed over this many at a time, so that a frame with all clients of a large site
# does not hold Home Assistant's loop, not even when all of them have roamed (about 5 ms).
_SLICE = 10
# Of so many arrivals it is kept how late they were told.
_DELAYS = 200


class SiteStream:
    """Keeps the socket of a site open while its entry is loaded.

    `on_batch` is called with the observations in order of arrival, None for a record that could not
    be read; `on_change` when `connected` has changed; `on_refusal` when the controller could not be
    reached or did not let the socket be opened. With `records_of`, sync records of other clients
    are dropped unread.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        *,
        on_batch: Callable[[Sequence[Observation | None]], None],
        on_change: Callable[[], None],
        on_refusal: Callable[[], None],
        recorder: CaptureRecorder,
        records_of: Container[str] | None = None,
    ) -> None:
        """Prepare, without a connection."""
        self.connected = False
        self.client: UnifiWebSocketClient | None = None
        # When something of a client was last told.
        self.last_event: datetime | None = None
        self.last_sync: datetime | None = None
        # How long after a client arrived somewhere that was last told, in seconds; by the
        # controller's clock it happened, by ours it was told.
        self.delay: float | None = None
        self.delays: deque[float] = deque(maxlen=_DELAYS)
        self._hass = hass
        self._entry = entry
        self._on_batch = on_batch
        self._on_change = on_change
        self._on_refusal = on_refusal
        self._recorder = recorder
        self._records_of = records_of
        self._heard = hass.loop.time()
        self._broken = False
        self._broken_since = hass.loop.time()
        self._gap: float | None = None
        self._buffer = WebSocketEventBuffer()
        self._drain_scheduled = False
        self._stopped = False
        # How many logins there had been when one was rejected, which ended the stream.
        self._rejected_after: int | None = None

    @callback
    def async_start(self, session: ControllerSession) -> None:
        """Begin to listen, with the console's session."""
        self.client = UnifiWebSocketClient(
            base_url=self._entry.data[CONF_URL],
            site=self._entry.data[CONF_SITE],
            cookies=session.client.cookies,
            # Any guess will do: a wrong one is refused, and then looked into.
            device_type=session.client.device_type or DeviceType.UNIFI_OS,
            ssl_context=session.ssl_context,
            renew_session=session.renewal(),
            find_kind=session.client.detect,
            on_state=self._async_take_state,
            recorder=self._recorder,
        )
        self._async_begin(self.client, session)

    @callback
    def async_resume(self, session: ControllerSession) -> None:
        """Listen again after a rejected login, once another has been accepted.

        A console that boots rejects right passwords for a while.
        """
        if self.client is not None and self._rejected_after not in {None, session.logins}:
            self._rejected_after = None
            self._async_begin(self.client, session)

    @property
    def last_activity(self) -> float:
        """When the stream last told anything or was opened, by the event loop's clock."""
        frame = self.client.last_frame if self.client is not None else None
        return self._heard if frame is None else max(frame, self._heard)

    @property
    def opened_at(self) -> float:
        """When the stream was last opened, by the event loop's clock."""
        return self._heard

    @property
    def regular_frame_count(self) -> int:
        """How many frames have come of those that come all the time, whatever happens."""
        types = self.statistics.types
        return sum(count for name, count in types.items() if name not in _IRREGULAR)

    @property
    def statistics(self) -> FrameStatistics:
        """What has come, and how much work it was."""
        return FrameStatistics() if self.client is None else self.client.statistics

    @property
    def dropped(self) -> int:
        """How many of the controller's words were lost because there were too many at once."""
        return self._buffer.dropped

    @property
    def is_continuous(self) -> bool:
        """Whether everything that happens is heard of."""
        return self.connected and not self._broken

    @callback
    def async_consume_gap_start(self) -> float | None:
        """Return since when nothing was heard, in POSIX seconds; None when that was told before."""
        gap, self._gap = self._gap, None
        return gap

    @callback
    def async_reopen(self) -> None:
        """Open the socket anew, because it has gone mute."""
        if self.client is not None:
            self._async_break()
            self._entry.async_create_background_task(
                self._hass, self.client.drop(), f"{self._entry.title} mute event stream"
            )

    async def async_stop(self) -> None:
        """Close the socket; nothing is handed over any more."""
        self._stopped = True
        if self.client is not None:
            await self.client.stop()

    @callback
    def _async_begin(self, client: UnifiWebSocketClient, session: ControllerSession) -> None:
        self._entry.async_create_background_task(
            self._hass, self._async_listen(client, session), f"{self._entry.title} event stream"
        )

    async def _async_listen(self, client: UnifiWebSocketClient, session: ControllerSession) -> None:
        try:
            await client.listen(self._async_take_event)
        except BadCredentialsError, SecondFactorRequiredError:
            self._rejected_after = session.logins
            self._entry.async_start_reauth(self._hass)

    @callback
    def _async_take_state(self, state: StreamState) -> None:
        self._recorder.note("stream", state.value)
        was_connected, self.connected = self.connected, state is StreamState.CONNECTED
        refused = state is StreamState.WAITING and not was_connected
        if self.connected:
            self._heard = self._hass.loop.time()
            self._broken = False
        elif was_connected or refused:
            self._async_break()
        if refused and self._hass.loop.time() - self._broken_since < _BOOT:
            self._on_refusal()
        if self.connected is not was_connected:
            self._on_change()

    @callback
    def _async_break(self) -> None:
        if not self._broken:
            self._broken = True
            self._broken_since = self._hass.loop.time()
            self._gap = time.time() - (self._hass.loop.time() - self.last_activity)

    @callback
    def _async_take_event(self, event: BufferedEvent) -> None:
        if event.event_type in SYNC_TYPES:
            self.last_sync = event.timestamp
        else:
            self.last_event = event.timestamp
        self._buffer.add(event)
        self._async_schedule_drain()

    @callback
    def _async_schedule_drain(self) -> None:
        if not self._drain_scheduled:
            self._drain_scheduled = True
            self._hass.loop.call_soon(self._async_drain)

    @callback
    def _async_drain(self) -> None:
        self._drain_scheduled = False
        if self._stopped:
            return
        began = time.perf_counter()
        events, wanted = self._buffer.drain(_SLICE), self._records_of
        if wanted is not None:
            events = [event for event in events if is_wanted(event, wanted)]
        batch = [observation_from(event) for event in events]
        for seen in batch:
            # Departures are noticed minutes late by the controller itself (protocol.md 3.2).
            if isinstance(seen, EventRecord) and seen.time is not None and seen.ap_to is not None:
                self.delay = seen.received - seen.time
                self.delays.append(self.delay)
        self._recorder.frames(events)
        self._on_batch(batch)
        self.statistics.seconds += time.perf_counter() - began
        if len(self._buffer):
            self._async_schedule_drain()
