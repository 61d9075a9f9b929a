"""Measure how much work a site's event stream causes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .stream import SiteStream

_INTERVAL = timedelta(minutes=1)


class Metrics(NamedTuple):
    """Averages over a minute: frames and bytes per second, and state writes per minute.

    `frame_time` is the processing time per frame in microseconds, from parsing its text to writing
    the states it changed, or None if there were no frames.
    """

    frame_rate: float
    data_rate: float
    frame_time: float | None
    state_writes: float


class StreamMetrics:
    """Updates a site's metrics every minute; entities count their state writes in `writes`."""

    def __init__(self, stream: SiteStream, clock: Callable[[], float]) -> None:
        """Start counting; `clock` returns monotonic seconds."""
        self.writes = 0
        self.latest: Metrics | None = None
        self._stream = stream
        self._clock = clock
        self._counters = self._read_counters()

    @callback
    def async_start(self, hass: HomeAssistant, on_update: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `on_update` after every update; return a callback that stops the updates."""

        @callback
        def measure(_now: datetime) -> None:
            self.measure()
            on_update()

        return async_track_time_interval(hass, measure, _INTERVAL)

    def measure(self) -> None:
        """Compute the metrics since the previous call."""
        counters = self._read_counters()
        seconds, frames, size, busy, writes = (
            now - previous for now, previous in zip(counters, self._counters, strict=True)
        )
        self._counters = counters
        self.latest = Metrics(
            frame_rate=frames / seconds,
            data_rate=size / seconds,
            frame_time=busy / frames * 1e6 if frames else None,
            state_writes=writes / seconds * 60,
        )

    def _read_counters(self) -> tuple[float, ...]:
        statistics = self._stream.statistics
        return (
            self._clock(),
            statistics.frames,
            statistics.bytes,
            statistics.seconds,
            self.writes,
        )
