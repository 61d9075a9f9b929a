"""A soak run with one kind of controller: set up, simulate, and collect the outcome."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
import logging
from tempfile import TemporaryDirectory
from unittest.mock import patch

from aiohttp import ThreadedResolver
from homeassistant import loader
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from custom_components.unifi_scanner.const import CONF_DISCONNECT_DELAY, DOMAIN, OPTION_DEFAULTS
from custom_components.unifi_scanner.site.publisher import EVENT_TYPES
from tests.controller import Generation, SimulatedController

from .clock import CLOCK
from .delivery_log import FrameLog, RestLog
from .fault_schedule import FaultSchedule
from .footprint import ErrorLog, Footprint
from .ground_truth import GroundTruth
from .judge import Judge, Report, Verdict
from .traffic import Traffic

# Seconds without faults before and after the run, for snapshots and for idle connections to close.
SETTLING = 180.0
# Longest wait for the entry to load and the stream to connect after the last fault.
RECOVERY_TIMEOUT = 4 * 3600.0
# Seconds between recovery and the comparison of states with the truth.
RECOVERED = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of controller to run the soak with."""

    name: str
    network_version: str
    generation: Generation


KINDS = (
    Kind(name="Network 9, events", network_version="9.4.19", generation=Generation.EVENTS),
    Kind(
        name="Network 10, events and system log",
        network_version="10.4.57",
        generation=Generation.EVENTS,
    ),
    Kind(name="sync records only", network_version="9.4.19", generation=Generation.SYNC_ONLY),
)


class _Resolver(ThreadedResolver):
    """Replaces Home Assistant's resolver, which would send multicast queries."""

    async def real_close(self) -> None:
        """Close the resolver."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Results of a run."""

    kind: Kind
    verdict: Verdict
    clients: int
    roams: int
    hours: float
    faults: dict[str, int]
    frames: dict[str, int]
    start: Footprint
    end: Footprint
    logins: int
    attempts: int
    reconnects: int
    snapshots: int
    log_pages: int
    misplaced: list[str]
    reauth_flows: int
    log_errors: list[str] = field(default_factory=list)


class Soak:
    """A soak run."""

    def __init__(self, kind: Kind, *, roams: int, clients: int, seed: int) -> None:
        """Prepare a run with a number of roams in total."""
        self._kind = kind
        self._roams = roams
        self._clients = clients
        self._seed = seed
        self._truth = GroundTruth()
        self._reports: list[Report] = []

    async def run(self) -> Outcome:
        """Run the simulation and return its outcome."""
        log_errors = ErrorLog()
        logging.getLogger().addHandler(log_errors)
        try:
            with (
                TemporaryDirectory() as folder,
                RestLog(self._truth, CLOCK.time) as rest_log,
                patch(
                    "homeassistant.helpers.aiohttp_client._async_make_resolver",
                    return_value=_Resolver(),
                ),
            ):
                async with async_test_home_assistant(config_dir=folder) as hass:
                    hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
                    try:
                        outcome = await self._run(hass, rest_log)
                    finally:
                        await hass.async_stop(force=True)
        finally:
            logging.getLogger().removeHandler(log_errors)
        outcome.log_errors = log_errors.texts
        return outcome

    async def _run(self, hass: HomeAssistant, rest_log: RestLog) -> Outcome:
        frame_log = FrameLog(seed=self._seed, truth=self._truth, clock=CLOCK.time)
        controller = SimulatedController(
            clock=CLOCK.time,
            generation=self._kind.generation,
            network_version=self._kind.network_version,
        )
        frame_log.controller = controller
        controller.faults.frame_faults = frame_log
        async with controller:
            traffic = Traffic(
                controller,
                self._truth,
                clients=self._clients,
                roams=self._roams,
                seed=self._seed,
            )
            entry = self._entry(controller, traffic.macs)
            entry.add_to_hass(hass)
            traffic.start()
            for event_type in EVENT_TYPES.values():
                hass.bus.async_listen(event_type, self._collect)
            if not await hass.config_entries.async_setup(entry.entry_id):
                raise RuntimeError(f"The entry could not be set up: {entry.reason}")

            async def reload() -> None:
                await hass.config_entries.async_unload(entry.entry_id)
                self._truth.end_loaded_period(CLOCK.time())
                await hass.config_entries.async_setup(entry.entry_id)

            faults = FaultSchedule(
                controller, frame_log, truth=self._truth, seed=self._seed, reload=reload
            )
            await asyncio.sleep(SETTLING)
            await _wait_between_snapshots(rest_log)
            start = Footprint.now()
            began = CLOCK.time()
            traffic_task = asyncio.create_task(traffic.run())
            faults_task = asyncio.create_task(faults.run())
            await asyncio.wait((traffic_task, faults_task), return_when=asyncio.FIRST_COMPLETED)
            if faults_task.done():
                traffic_task.cancel()
                await faults_task
            faults_task.cancel()
            await asyncio.gather(faults_task, return_exceptions=True)
            await traffic_task
            hours = (CLOCK.time() - began) / 3600
            await faults.clear()
            await _wait_for_recovery(
                lambda: (
                    entry.state is ConfigEntryState.LOADED and entry.runtime_data.stream_connected
                )
            )
            await asyncio.sleep(RECOVERED)
            misplaced = self._misplaced(controller, entry)
            await asyncio.sleep(SETTLING)
            await _wait_between_snapshots(rest_log)
            end = Footprint.now()
            await traffic.stop()
            handshakes = [r for r in controller.state.request_log.handshakes if r.status == 101]
            outcome = Outcome(
                kind=self._kind,
                verdict=Judge(self._truth, OPTION_DEFAULTS[CONF_DISCONNECT_DELAY]).judge(
                    self._reports
                ),
                clients=self._clients,
                roams=traffic.roams,
                hours=hours,
                faults=dict(faults.counts),
                frames=dict(frame_log.counts),
                start=start,
                end=end,
                logins=controller.logins,
                attempts=controller.login_attempts,
                reconnects=len(handshakes) - 1,
                snapshots=rest_log.snapshots,
                log_pages=rest_log.log_pages,
                misplaced=misplaced,
                reauth_flows=len(hass.config_entries.flow.async_progress()),
            )
            await hass.config_entries.async_unload(entry.entry_id)
            await hass.config_entries.async_remove(entry.entry_id)
        return outcome

    def _entry(self, controller: SimulatedController, macs: list[str]) -> MockConfigEntry:
        return MockConfigEntry(
            domain=DOMAIN,
            title="Soak",
            unique_id="soak_default",
            data={
                "host": "127.0.0.1",
                "url": controller.base_url,
                "username": controller.username,
                "password": controller.password,
                "ssl": "pinned",
                "certificate": b64encode(controller.certificate_der).decode(),
                "site": "default",
            },
            # Track every second client; the others fire events but have no entities.
            options={"clients": macs[::2], "add_new_clients": False},
        )

    @callback
    def _collect(self, event: Event) -> None:
        data = event.data
        at = dt_util.parse_datetime(data["time"])
        self._reports.append(
            Report(
                kind=str(event.event_type).removeprefix(f"{DOMAIN}_"),
                mac=data["client_mac"],
                ap_from=data["ap_from_mac"],
                ap_to=data["ap_to_mac"],
                band_to=data["band_to"],
                at=at.timestamp() if at else 0.0,
                received_at=CLOCK.time(),
                source=data["source"],
                inferred=data["inferred"],
            )
        )

    def _misplaced(self, controller: SimulatedController, entry: MockConfigEntry) -> list[str]:
        """Return the clients whose access point in Home Assistant is wrong."""
        wrong = []
        for client in controller.world.clients.values():
            state = entry.runtime_data.client(client.mac)
            known_ap = state.ap_mac if state else None
            if known_ap != (client.link.ap if client.link else None):
                wrong.append(client.mac)
        return wrong


async def _wait_between_snapshots(rest_log: RestLog) -> None:
    """Wait until halfway between snapshots, when kept-alive connections (15 s) are closed."""
    before = rest_log.snapshots
    while rest_log.snapshots == before:  # noqa: ASYNC110 - polling is free in virtual time
        await asyncio.sleep(1)
    await asyncio.sleep(30)


async def _wait_for_recovery(recovered: Callable[[], bool]) -> None:
    end = CLOCK.monotonic() + RECOVERY_TIMEOUT
    while not recovered() and CLOCK.monotonic() < end:  # noqa: ASYNC110 - as above
        await asyncio.sleep(5)
