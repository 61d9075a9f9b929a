"""One controller generation: set up, live through it, look at the outcome."""

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
from .delivery_log import Reads, Witness
from .fault_schedule import Weather
from .footprint import Complaints, Footprint
from .ground_truth import Truth
from .judge import Court, Report, Verdict
from .traffic import Life

# Seconds of calm at first and at last: for the snapshots, for the longest wait between two
# attempts to connect, for idle connections to be closed.
SETTLING = 180.0
HEALING = 4 * 3600.0
HEALED = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A generation of controllers."""

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
    """Stands for Home Assistant's, which would ask the network by multicast."""

    async def real_close(self) -> None:
        """Close."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    kind: Kind
    verdict: Verdict
    clients: int
    roams: int
    hours: float
    weather: dict[str, int]
    frames: dict[str, int]
    start: Footprint
    end: Footprint
    logins: int
    attempts: int
    reconnects: int
    snapshots: int
    log_pages: int
    misplaced: list[str]
    asked: int
    complaints: list[str] = field(default_factory=list)


class Soak:
    """One run."""

    def __init__(self, kind: Kind, *, roams: int, clients: int, seed: int) -> None:
        """Prepare; nothing happens yet."""
        self._kind = kind
        self._roams = roams
        self._clients = clients
        self._seed = seed
        self._truth = Truth()
        self._reports: list[Report] = []

    async def run(self) -> Outcome:
        """Live through it all."""
        complaints = Complaints()
        logging.getLogger().addHandler(complaints)
        try:
            with (
                TemporaryDirectory() as folder,
                Reads(self._truth, CLOCK.time) as reads,
                patch(
                    "homeassistant.helpers.aiohttp_client._async_make_resolver",
                    return_value=_Resolver(),
                ),
            ):
                async with async_test_home_assistant(config_dir=folder) as hass:
                    hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
                    try:
                        outcome = await self._run(hass, reads)
                    finally:
                        await hass.async_stop(force=True)
        finally:
            logging.getLogger().removeHandler(complaints)
        outcome.complaints = complaints.texts
        return outcome

    async def _run(self, hass: HomeAssistant, reads: Reads) -> Outcome:
        witness = Witness(seed=self._seed, truth=self._truth, clock=CLOCK.time)
        controller = SimulatedController(
            clock=CLOCK.time,
            generation=self._kind.generation,
            network_version=self._kind.network_version,
        )
        witness.controller = controller
        controller.faults.frame_faults = witness
        async with controller:
            life = Life(
                controller,
                self._truth,
                clients=self._clients,
                roams=self._roams,
                seed=self._seed,
            )
            entry = self._entry(controller, life.macs)
            entry.add_to_hass(hass)
            life.begin()
            for event_type in EVENT_TYPES.values():
                hass.bus.async_listen(event_type, self._remember)
            if not await hass.config_entries.async_setup(entry.entry_id):
                raise RuntimeError(f"The entry could not be set up: {entry.reason}")

            async def reload() -> None:
                await hass.config_entries.async_unload(entry.entry_id)
                self._truth.unloaded(CLOCK.time())
                await hass.config_entries.async_setup(entry.entry_id)

            weather = Weather(
                controller, witness, truth=self._truth, seed=self._seed, reload=reload
            )
            await asyncio.sleep(SETTLING)
            await _idle(reads)
            start = Footprint.now()
            began = CLOCK.time()
            living = asyncio.create_task(life.run())
            raging = asyncio.create_task(weather.run())
            await asyncio.wait((living, raging), return_when=asyncio.FIRST_COMPLETED)
            if raging.done():
                living.cancel()
                await raging
            raging.cancel()
            await asyncio.gather(raging, return_exceptions=True)
            await living
            hours = (CLOCK.time() - began) / 3600
            await weather.clear()
            await _heal(
                lambda: (
                    entry.state is ConfigEntryState.LOADED and entry.runtime_data.stream_connected
                )
            )
            await asyncio.sleep(HEALED)
            misplaced = self._misplaced(controller, entry)
            await asyncio.sleep(SETTLING)
            await _idle(reads)
            end = Footprint.now()
            await life.end()
            handshakes = [r for r in controller.state.request_log.handshakes if r.status == 101]
            outcome = Outcome(
                kind=self._kind,
                verdict=Court(self._truth, OPTION_DEFAULTS[CONF_DISCONNECT_DELAY]).judge(
                    self._reports
                ),
                clients=self._clients,
                roams=life.roams,
                hours=hours,
                weather=dict(weather.counts),
                frames=dict(witness.counts),
                start=start,
                end=end,
                logins=controller.logins,
                attempts=controller.login_attempts,
                reconnects=len(handshakes) - 1,
                snapshots=reads.snapshots,
                log_pages=reads.log_pages,
                misplaced=misplaced,
                asked=len(hass.config_entries.flow.async_progress()),
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
            # Every second one: the others are told of, but have no entities.
            options={"clients": macs[::2], "add_new_clients": False},
        )

    @callback
    def _remember(self, event: Event) -> None:
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
                seen=CLOCK.time(),
                source=data["source"],
                inferred=data["inferred"],
            )
        )

    def _misplaced(self, controller: SimulatedController, entry: MockConfigEntry) -> list[str]:
        """Return the clients that are not where Home Assistant believes them to be."""
        wrong = []
        for client in controller.world.clients.values():
            state = entry.runtime_data.client(client.mac)
            believed = state.ap_mac if state else None
            if believed != (client.link.ap if client.link else None):
                wrong.append(client.mac)
        return wrong


async def _idle(reads: Reads) -> None:
    """Wait for the middle between two snapshots: connections are kept open for 15 s."""
    seen = reads.snapshots
    while reads.snapshots == seen:  # noqa: ASYNC110 - in virtual time it costs nothing
        await asyncio.sleep(1)
    await asyncio.sleep(30)


async def _heal(healed: Callable[[], bool]) -> None:
    end = CLOCK.monotonic() + HEALING
    while not healed() and CLOCK.monotonic() < end:  # noqa: ASYNC110 - as above
        await asyncio.sleep(5)
