"""A Home Assistant with one entry of the integration, as a user sees it: states and the bus."""

from collections.abc import Mapping
from datetime import datetime
import importlib
import pkgutil
from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.controller import SimulatedController
from tests.instance import entry_data

from . import clock
from .clock import CLOCK
from .expectations import Kind
from .verdict import Report

DOMAIN = "unifi_scanner"
PACKAGE = f"custom_components.{DOMAIN}"


def load_integration() -> None:
    """Load all modules of the integration now, so that all runs test the same code."""
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)


class SoakHome:
    """Sets up the entry, and collects the reports on the bus."""

    def __init__(self, hass: HomeAssistant, controller: SimulatedController) -> None:
        """Listen to the bus; `set_up` sets up the entry."""
        self.reports: list[Report] = []
        self._hass = hass
        self._controller = controller
        self._entry: MockConfigEntry | None = None
        for kind in Kind:
            hass.bus.async_listen(f"{DOMAIN}_{kind}", self._collect)

    async def add_entry(self, clients: list[str], seed: int) -> None:
        """Add an entry that tracks some clients, and set it up."""
        clock.install_in(PACKAGE, seed)
        self._entry = MockConfigEntry(
            domain=DOMAIN,
            title="Soak",
            entry_id="soak",
            unique_id="soak_default",
            data=entry_data(self._controller),
            options={"clients": clients, "add_new_clients": False},
        )
        self._entry.add_to_hass(self._hass)
        await self.set_up()

    async def set_up(self) -> None:
        """Set up the entry; if the controller is unreachable, Home Assistant does so later."""
        await self._hass.config_entries.async_setup("soak")

    async def unload(self) -> None:
        """Unload the entry."""
        await self._hass.config_entries.async_unload("soak")

    async def remove(self) -> None:
        """Remove the entry."""
        await self._hass.config_entries.async_remove("soak")

    @property
    def flows(self) -> int:
        """Number of flows in progress, such as a request for another password."""
        return len(self._hass.config_entries.flow.async_progress())

    def wrong_places(self, links: Mapping[str, str | None]) -> list[str]:
        """Return the tracked clients whose access point is not shown as it is in `links`.

        `links` maps clients to the names of their access points, None for those away.
        """
        names = {device.name for device in self._controller.world.access_points()}
        wrong = []
        for entity in er.async_entries_for_config_entry(er.async_get(self._hass), "soak"):
            mac = next((mac for mac in links if mac in entity.unique_id), None)
            if mac is None or (entity.domain, entity.translation_key) != ("sensor", "access_point"):
                continue
            state = self._hass.states.get(entity.entity_id)
            shown = state.state if state else "missing"
            is_away = shown not in {*names, "missing", "unavailable"}
            if (None if is_away else shown) != links[mac]:
                wrong.append(f"{mac} is at {links[mac]}, but shown at {shown}")
        return wrong

    @callback
    def _collect(self, event: Event) -> None:
        self.reports.append(report_of(event.event_type, event.data))


def report_of(event_type: str, data: Mapping[str, Any]) -> Report:
    """Return the report in an event that has just been fired."""
    return Report(
        kind=Kind(event_type.removeprefix(f"{DOMAIN}_")),
        mac=data["client_mac"],
        ap_from=data["ap_from_mac"],
        ap_to=data["ap_to_mac"],
        band_from=data["band_from"],
        band_to=data["band_to"],
        at=datetime.fromisoformat(data["time"]).timestamp(),
        received_at=CLOCK.true_time(),
        source=data["source"],
        inferred=data["inferred"],
        late=data.get("late"),
    )
