"""The event stream of a site, processed in batches."""

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
from ..api.websocket import USELESS_SOCKETS
from ..capture.recorder import CaptureRecorder
from ..const import CONF_LOW_DATA, CONF_SITE, option
from .session import ControllerSession

# Frames that do not show that the controller reports the state of its clients: client events, and
# the greeting of a new socket (docs/protocol.md 3.5).
_IRREGULAR = frozenset({"events", "session-metadata:sync"})
# A booting controller refuses the socket for minutes; a misconfigured proxy refuses it forever.
_BOOT_TIME = 600.0
# Sync records are processed this many at a time, so that a frame with all clients of a large site
# does not block the event loop for long, even if all of them have roamed (about 5 ms).
_MAX_SYNC_RECORDS = 10
# Number of arrival latencies kept for diagnostics.
_MAX_LATENCIES = 200


class SiteStream:
    """Keeps the event socket of a site open while its config entry is loaded.

    `on_batch` is called with observations in order of arrival, None for an unreadable record;
    `on_change` after `connected` has changed; `on_refusal` when the controller is unreachable or
    refuses the socket. With the low-data option, sync records of clients that are not in `tracked`
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
        tracked: Container[str],
    ) -> None:
        """Store the settings; `async_start` opens the socket."""
        self.connected = False
        self.client: UnifiWebSocketClient | None = None
        # When the latest client event and the latest client record were received.
        self.last_event: datetime | None = None
        self.last_sync: datetime | None = None
        # Latency of the latest arrival in seconds: received (our clock) minus happened
        # (controller's clock).
        self.latency: float | None = None
        self.latencies: deque[float] = deque(maxlen=_MAX_LATENCIES)
        self._hass = hass
        self._entry = entry
        self._on_batch = on_batch
        self._on_change = on_change
        self._on_refusal = on_refusal
        self._recorder = recorder
        self._tracked = tracked
        self._opened_at = hass.loop.time()
        self._interrupted = False
        self._interrupted_at = hass.loop.time()
        self._gap_start: float | None = None
        self._buffer = WebSocketEventBuffer()
        self._drain_scheduled = False
        self._stopped = False
        # The session's login count when a login was rejected, which ended the stream.
        self._rejected_after: int | None = None

    @callback
    def async_start(self, session: ControllerSession) -> None:
        """Start listening, using the controller session's cookies."""
        self.client = UnifiWebSocketClient(
            base_url=self._entry.data[CONF_URL],
            site=self._entry.data[CONF_SITE],
            cookies=session.client.cookies,
            # A wrong guess is refused by the controller and then corrected.
            device_type=session.client.device_type or DeviceType.UNIFI_OS,
            ssl_context=session.ssl_context,
            renew_session=session.renewal(),
            detect_kind=session.client.detect,
            on_state=self._async_handle_state,
        )
        self._recorder.attach(self.client.statistics)
        self._async_listen_in_background(self.client, session)

    @callback
    def async_resume(self, session: ControllerSession) -> None:
        """Listen again if a rejected login ended the stream and a later login succeeded.

        A booting controller rejects correct passwords for a while.
        """
        if self.client is not None and self._rejected_after not in {None, session.logins}:
            self._rejected_after = None
            self._async_listen_in_background(self.client, session)

    @property
    def last_activity(self) -> float:
        """When the stream last received a frame or was opened, in event-loop time."""
        frame = self.client.last_frame if self.client is not None else None
        return self._opened_at if frame is None else max(frame, self._opened_at)

    @property
    def opened_at(self) -> float:
        """When the stream was last opened, in event-loop time."""
        return self._opened_at

    @property
    def regular_frame_count(self) -> int:
        """Number of frames received of the types that are sent regularly, without any event."""
        types = self.statistics.types
        return sum(count for name, count in types.items() if name not in _IRREGULAR)

    @property
    def statistics(self) -> FrameStatistics:
        """Counters of the frames received so far."""
        return FrameStatistics() if self.client is None else self.client.statistics

    @property
    def connections(self) -> int:
        """How often the socket was opened."""
        return 0 if self.client is None else self.client.connections

    @property
    def closes_at_once(self) -> bool:
        """Whether the controller goes on closing new sockets at once, even after a new login."""
        return self.client is not None and self.client.useless_sockets > USELESS_SOCKETS

    @property
    def dropped(self) -> int:
        """Number of events and records lost because the buffer was full."""
        return self._buffer.dropped

    @property
    def is_continuous(self) -> bool:
        """Whether the stream is open and expected to receive every event."""
        return self.connected and not self._interrupted

    @callback
    def async_consume_gap_start(self) -> float | None:
        """Return the start of the latest gap in event-loop time, once; None without a new gap."""
        gap_start, self._gap_start = self._gap_start, None
        return gap_start

    @callback
    def async_reopen(self) -> None:
        """Reopen a socket that has gone silent."""
        if self.client is not None:
            self._async_interrupt()
            self._entry.async_create_background_task(
                self._hass, self.client.drop(), f"{self._entry.title} silent event stream"
            )

    async def async_stop(self) -> None:
        """Close the socket and discard buffered events."""
        self._stopped = True
        if self.client is not None:
            await self.client.stop()

    @callback
    def _async_listen_in_background(
        self, client: UnifiWebSocketClient, session: ControllerSession
    ) -> None:
        self._entry.async_create_background_task(
            self._hass, self._async_listen(client, session), f"{self._entry.title} event stream"
        )

    async def _async_listen(self, client: UnifiWebSocketClient, session: ControllerSession) -> None:
        try:
            await client.listen(self._async_handle_event)
        except BadCredentialsError, SecondFactorRequiredError:
            self._rejected_after = session.logins
            self._entry.async_start_reauth(self._hass)

    @callback
    def _async_handle_state(self, state: StreamState) -> None:
        self._recorder.record_note("stream", state.value)
        was_connected, self.connected = self.connected, state is StreamState.CONNECTED
        refused = state is StreamState.WAITING and not was_connected
        if self.connected:
            self._opened_at = self._hass.loop.time()
            self._interrupted = False
        elif was_connected or refused:
            self._async_interrupt()
        if refused and self._hass.loop.time() - self._interrupted_at < _BOOT_TIME:
            self._on_refusal()
        if self.connected is not was_connected:
            self._on_change()

    @callback
    def _async_interrupt(self) -> None:
        if not self._interrupted:
            self._interrupted = True
            self._interrupted_at = self._hass.loop.time()
            self._gap_start = self.last_activity

    @callback
    def _async_handle_event(self, event: BufferedEvent) -> None:
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
        events = self._buffer.drain(_MAX_SYNC_RECORDS)
        if option(self._entry, CONF_LOW_DATA):
            events = [event for event in events if is_wanted(event, self._tracked)]
        batch = [observation_from(event) for event in events]
        for observation in batch:
            # Only arrivals: the controller itself notices departures minutes late
            # (docs/protocol.md 3.2).
            if (
                isinstance(observation, EventRecord)
                and observation.time is not None
                and observation.ap_to is not None
            ):
                self.latency = observation.received - observation.time
                self.latencies.append(self.latency)
        self._recorder.record_frames(events)
        self._on_batch(batch)
        self.statistics.seconds += time.perf_counter() - began
        if len(self._buffer):
            self._async_schedule_drain()
