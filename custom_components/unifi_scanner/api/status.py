"""What the event stream is doing, told to whoever wants to know and logged once per change."""

from collections.abc import Callable
from enum import StrEnum

from structlog.stdlib import BoundLogger

from .errors import UnifiError


class StreamState(StrEnum):
    """What the event stream is doing."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"


class StreamStatus:
    """The state of one stream."""

    def __init__(self, logger: BoundLogger, on_state: Callable[[StreamState], None] | None) -> None:
        """Begin stopped; `on_state` is called after every change, its exceptions are logged."""
        self.state = StreamState.STOPPED
        self._logger = logger
        self._on_state = on_state
        self._failing = False

    def change(self, state: StreamState) -> None:
        """Take a state; log the recovery when the stream had failed before."""
        if state is self.state:
            return
        self.state = state
        if state is StreamState.CONNECTED and self._failing:
            self._failing = False
            self._logger.info("The event stream is up again")
        if self._on_state is not None:
            try:
                self._on_state(state)
            except Exception:
                self._logger.exception("The state callback failed", state=state.value)

    def fail(self, error: UnifiError) -> None:
        """Log why the stream is down, once until it is up again."""
        if not self._failing:
            self._failing = True
            self._logger.warning("The event stream is down", reason=str(error))
