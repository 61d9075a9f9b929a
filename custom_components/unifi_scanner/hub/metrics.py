"""How much work a site's stream is, as measured while it is done."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from .stream import SiteStream

_INTERVAL = timedelta(minutes=1)


class Metrics(NamedTuple):
    """What there was to do: frames and bytes a second, and state writes a minute.

    `frame_time` is how many microseconds a frame took from its text to the end of what it caused,
    None when none came.
    """

    frame_rate: float
    data_rate: float
    frame_time: float | None
    state_writes: float


class StreamMetrics:
    """Takes the figures of a site each minute; whoever writes a state counts it in `writes`."""

    def __init__(self, stream: SiteStream, clock: Callable[[], float]) -> None:
        """Begin to count; `clock` is in seconds and never goes back."""
        self.writes = 0
        self.figures: Metrics | None = None
        self._stream = stream
        self._clock = clock
        self._before = self._counted()

    @callback
    def async_start(self, hass: HomeAssistant, on_figures: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back whenever there are new figures; return what ends that."""

        @callback
        def measure(_now: datetime) -> None:
            self.measure()
            on_figures()

        return async_track_time_interval(hass, measure, _INTERVAL)

    def measure(self) -> None:
        """Take the figures since the last time."""
        counted = self._counted()
        seconds, frames, size, busy, writes = (
            now - before for now, before in zip(counted, self._before, strict=True)
        )
        self._before = counted
        self.figures = Metrics(
            frame_rate=frames / seconds,
            data_rate=size / seconds,
            frame_time=busy / frames * 1e6 if frames else None,
            state_writes=writes / seconds * 60,
        )

    def _counted(self) -> tuple[float, ...]:
        told = self._stream.statistics
        return self._clock(), told.frames, told.bytes, told.seconds, self.writes
