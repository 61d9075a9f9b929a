"""A soak run of one situation with one seed: simulate it, and judge what appeared on the bus."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import logging

from tests.controller import SimulatedController
from tests.instance import home_assistant

from .agenda import Agenda
from .clock import CLOCK
from .fault_schedule import FaultSchedule
from .footprint import ErrorLog, Footprint
from .home import SoakHome
from .interruptions import Stage
from .judge import judge
from .outcome import Case, Outcome, last_arrivals
from .reporter import Reporter
from .situations import SITUATIONS, Situation
from .truth import Truth
from .walk import Walk
from .wire import Archive, Wire

# Seconds without faults before and after the walk, for snapshots and for idle connections to close.
SETTLING = 180.0
# Longest wait for the stream to connect after the last fault.
RECOVERY_TIMEOUT = 4 * 3600.0
# Seconds between recovery and the comparison of states with the truth.
RECOVERED = 600.0
# After an interruption, states show the place of whoever has not moved for so long, in seconds.
SETTLED = 45.0


@dataclass(slots=True)
class _Parts:
    """The parts of a running simulation."""

    controller: SimulatedController
    truth: Truth
    agenda: Agenda
    wire: Wire
    archive: Archive
    walk: Walk
    home: SoakHome


class Soak:
    """A run."""

    def __init__(self, case: Case) -> None:
        """Prepare a run until at least a number of roams have happened."""
        self._case = case
        self._situation: Situation = SITUATIONS[case.situation]
        self._interruptions: list[tuple[float, float]] = []
        self._wrong_places: list[str] = []
        self._faults: dict[str, int] = {}

    async def run(self) -> Outcome:
        """Run the simulation and return its outcome."""
        errors = ErrorLog()
        logging.getLogger().addHandler(errors)
        truth = Truth()
        archive = Archive(truth, seed=self._case.seed)
        try:
            with archive.open():
                async with home_assistant() as hass:
                    controller = SimulatedController(
                        clock=CLOCK.true_time,
                        generation=self._situation.controller.generation,
                        network_version=self._situation.controller.network_version,
                    )
                    async with controller:
                        home = SoakHome(hass, controller)
                        outcome = await self._run(controller, truth, archive, home)
        finally:
            logging.getLogger().removeHandler(errors)
        outcome.errors = errors.texts
        return outcome

    async def _run(
        self,
        controller: SimulatedController,
        truth: Truth,
        archive: Archive,
        home: SoakHome,
    ) -> Outcome:
        seed, agenda = self._case.seed, Agenda()
        wire = Wire(controller, truth, agenda, seed=seed)
        reporter = Reporter(controller, wire, agenda, manner=self._situation.manner, seed=seed)
        walk = Walk(
            controller.world,
            truth,
            agenda,
            reporter=reporter,
            archive=archive,
            clients=self._case.clients,
            stay=self._case.stay,
            seed=seed,
        )
        parts = _Parts(controller, truth, agenda, wire, archive, walk, home)
        reporter.start()
        await home.add_entry(walk.macs, seed)
        await asyncio.sleep(SETTLING)
        await _wait_between_snapshots(archive)
        start, began = Footprint.now(), CLOCK.true_time()
        walk.start()
        await self._walk(parts)
        hours = (CLOCK.true_time() - began) / 3600
        await _until(lambda: wire.is_open, RECOVERY_TIMEOUT)
        await asyncio.sleep(RECOVERED)
        self._check_places(parts, settled=0)
        await asyncio.sleep(SETTLING)
        await _wait_between_snapshots(archive)
        end = Footprint.now()
        agenda.clear()
        verdict = judge(truth, home.reports)
        outcome = Outcome(
            case=self._case,
            verdict=verdict,
            last_arrivals=last_arrivals(verdict, self._interruptions),
            hours=hours,
            roams=walk.roams,
            faults=self._faults,
            frames=dict(wire.counts),
            snapshots=archive.snapshots,
            log_pages=archive.log_pages,
            logins=controller.logins,
            attempts=controller.login_attempts,
            start=start,
            end=end,
            wrong_places=self._wrong_places,
            flows=home.flows,
            reports=home.reports,
        )
        await home.remove()
        return outcome

    async def _walk(self, parts: _Parts) -> None:
        """Let the clients walk, interrupted as the situation says, and come to rest."""
        walk, situation = parts.walk, self._situation
        stage = Stage(
            controller=parts.controller,
            agenda=parts.agenda,
            unload=parts.home.unload,
            set_up=parts.home.set_up,
        )
        if situation.faults:
            await self._walk_under_faults(parts, stage)
            return
        while walk.roams < self._case.roams:
            await asyncio.sleep(situation.calm)
            if situation.interruption is not None:
                began = CLOCK.true_time()
                await situation.interruption(stage)
                self._interruptions.append((began, CLOCK.true_time()))
                await asyncio.sleep(situation.calm)
                self._check_places(parts, settled=SETTLED)
        walk.stop()
        await _until(lambda: walk.is_over, 24 * 3600)

    async def _walk_under_faults(self, parts: _Parts, stage: Stage) -> None:
        faults = FaultSchedule(stage, parts.wire, seed=self._case.seed)
        task = asyncio.create_task(faults.run())
        walk = parts.walk
        await _until(lambda: walk.roams >= self._case.roams or task.done(), 10_000 * 3600)
        walk.stop()
        await _until(lambda: walk.is_over or task.done(), 24 * 3600)
        if task.done():
            # It failed.
            await task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await faults.clear()
        self._faults = dict(faults.counts)

    def _check_places(self, parts: _Parts, *, settled: float) -> None:
        """Compare the access points shown with the true ones.

        Clients that have moved within the last `settled` seconds may not be shown there yet. As
        long as departures may still be noticed, only those who are there are compared.
        """
        now, links = CLOCK.true_time(), {}
        for client in parts.controller.world.clients.values():
            link = client.link
            is_settled = now - parts.truth.latest(client.mac, now).at >= settled
            if is_settled and (link is not None or not settled):
                links[client.mac] = parts.controller.world.devices[link.ap].name if link else None
        self._wrong_places += [f"{now:.0f}: {text}" for text in parts.home.wrong_places(links)]


async def _wait_between_snapshots(archive: Archive) -> None:
    """Wait until halfway between snapshots, when kept-alive connections (15 s) are closed."""
    before = archive.snapshots
    await _until(lambda: archive.snapshots > before, 3600)
    # Not at the very moment when a frame is sent.
    await asyncio.sleep(30.001)


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, at most for some seconds."""
    end = CLOCK.monotonic() + seconds
    while not condition() and CLOCK.monotonic() < end:  # noqa: ASYNC110 - free in virtual time
        await asyncio.sleep(1)
