"""How much work a site's stream is, as measured while it is done."""

from collections.abc import Callable
from typing import NamedTuple

from .stream import SiteStream

# Over less time figures would only show chance.
_SHORTEST = 30.0  # seconds


class Figures(NamedTuple):
    """What there was to do: frames and bytes a second, and state writes a minute.

    `frame_time` is how many microseconds a frame took from its text to the end of what it caused,
    None when none came.
    """

    frame_rate: float
    data_rate: float
    frame_time: float | None
    state_writes: float


class SiteLoad:
    """Takes the figures of a site; whoever writes a state counts it in `writes`."""

    def __init__(self, stream: SiteStream, clock: Callable[[], float]) -> None:
        """Begin to measure; `clock` is in seconds and never goes back."""
        self.writes = 0
        self.figures: Figures | None = None
        self._stream = stream
        self._clock = clock
        self._before = (clock(), *self._counts())

    def measure(self) -> None:
        """Take new figures, when the last ones are old enough."""
        counted = (self._clock(), *self._counts())
        seconds, frames, size, busy, writes = (
            now - before for now, before in zip(counted, self._before, strict=True)
        )
        if seconds < _SHORTEST:
            return
        self._before = counted
        self.figures = Figures(
            frame_rate=frames / seconds,
            data_rate=size / seconds,
            frame_time=busy / frames * 1e6 if frames else None,
            state_writes=writes / seconds * 60,
        )

    def _counts(self) -> tuple[float, ...]:
        told = self._stream.statistics
        return told.frames, told.bytes, told.seconds, self.writes
