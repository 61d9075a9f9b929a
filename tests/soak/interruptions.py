"""What interrupts a run: outages, dead sockets, reloads, wrong clocks, and a suspended host."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.controller import SimulatedController

from .agenda import Agenda
from .clock import CLOCK

# A half-open socket is cut by the network after this time, if nobody has replaced it before.
HALF_OPEN_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What an interruption acts on; `unload` and `set_up` are those of the config entry."""

    controller: SimulatedController
    agenda: Agenda
    unload: Callable[[], Awaitable[None]]
    set_up: Callable[[], Awaitable[None]]

    def cut_half_open(self) -> None:
        """Abort the half-open sockets."""
        for socket in tuple(self.controller.state.hub.sockets):
            if socket.stuck:
                socket.abort()


type Interruption = Callable[[Stage], Awaitable[None]]


def outage(seconds: float) -> Interruption:
    """Let the controller be unreachable for some seconds."""

    async def interrupt(stage: Stage) -> None:
        await stage.controller.stop_listening()
        await asyncio.sleep(seconds)
        await stage.controller.start()

    return interrupt


async def half_open(stage: Stage) -> None:
    """Let the open sockets go dead without being closed."""
    stage.controller.half_open()
    await asyncio.sleep(HALF_OPEN_SECONDS)
    stage.cut_half_open()


def unloaded(seconds: float) -> Interruption:
    """Unload the entry for some seconds."""

    async def interrupt(stage: Stage) -> None:
        await stage.unload()
        await asyncio.sleep(seconds)
        await stage.set_up()

    return interrupt


def clock_step(seconds: float) -> Interruption:
    """Set Home Assistant's wall clock forward, or back."""

    async def interrupt(_: Stage) -> None:
        CLOCK.step += seconds

    return interrupt


def asleep(seconds: float) -> Interruption:
    """Suspend Home Assistant's host; its sockets are closed by the time it wakes up."""

    async def interrupt(stage: Stage) -> None:
        stage.controller.half_open()
        stage.agenda.sleep(seconds)
        stage.cut_half_open()

    return interrupt
