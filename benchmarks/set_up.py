"""Import and setup of an entry with many clients: ours and Home Assistant's own."""

import asyncio
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from .address import Address
from .effort import Effort
from .rows import CORE, OURS, Figure, Row
from .workers import run_apart

if TYPE_CHECKING:
    from .instances import Home

_CLIENTS = 500
_PLATFORMS = {
    OURS: ("binary_sensor", "event", "sensor"),
    CORE: ("button", "device_tracker", "image", "light", "sensor", "switch", "update"),
}
_PACKAGES = {OURS: "custom_components.unifi_scanner", CORE: "homeassistant.components.unifi"}


class SetupTimes(NamedTuple):
    """Seconds that import and setup took, and the number of registered entities.

    `entities_only` is the time for the same number of minimal sensors without a value.
    """

    imported: float
    set_up: float
    entities: int
    entities_only: float


def rows(effort: Effort) -> list[Row]:
    """Measure both in fresh processes in turn, with the controller in another process."""
    from .server import serving  # noqa: PLC0415 - fresh processes must not import it

    runs: dict[str, list[SetupTimes]] = {OURS: [], CORE: []}
    with serving(_CLIENTS) as (_, address):
        for _ in range(effort.set_ups):
            for contender, timings in runs.items():
                timings.append(run_apart(measure, contender, address))
    whole = {
        contender: Figure.of([one.imported + one.set_up for one in timings])
        for contender, timings in runs.items()
    }
    notes = [
        f"{contender} registers {timings[-1].entities:,} entities and imports in "
        f"{Figure.of([one.imported for one in timings]).median:.2f} s"
        for contender, timings in runs.items()
    ]
    return [
        Row(
            key="set_up",
            work=f"import and setup of an entry with {_CLIENTS} clients",
            unit="s",
            figures={
                **whole,
                "entities only": Figure.of([one.entities_only for one in runs[OURS]]),
            },
            note=", ".join(notes),
        )
    ]


def measure(contender: str, address: Address) -> SetupTimes:
    """Import and set up an integration in a process that has only imported Home Assistant."""
    import_module("homeassistant.bootstrap")
    for platform in {*_PLATFORMS[OURS], *_PLATFORMS[CORE]}:
        import_module(f"homeassistant.components.{platform}")
    began = perf_counter()
    for module in ("config_flow", *_PLATFORMS[contender]):
        import_module(f"{_PACKAGES[contender]}.{module}")
    imported = perf_counter() - began
    return SetupTimes(imported, *asyncio.run(_set_up(contender, address)))


async def _set_up(contender: str, address: Address) -> tuple[float, int, float]:
    from .frames import Crowd  # noqa: PLC0415 - it imports modules that are measured
    from .instances import home  # noqa: PLC0415 - as above

    async with home(contender, address, Crowd(_CLIENTS).macs) as one:
        return one.set_up, *await _time_entities_only(one)


async def _time_entities_only(home: Home) -> tuple[int, float]:
    from homeassistant.components.sensor import SensorEntity  # noqa: PLC0415 - as above
    from homeassistant.helpers import entity_registry as er  # noqa: PLC0415 - as above
    from pytest_homeassistant_custom_component.common import (  # noqa: PLC0415 - as above
        MockEntityPlatform,
    )

    registry = er.async_get(home.hass)
    sensors = []
    for entry in er.async_entries_for_config_entry(registry, home.entry.entry_id):
        sensor = SensorEntity()
        sensor._attr_unique_id = entry.unique_id  # noqa: SLF001 - as sensors do
        sensor._attr_entity_registry_enabled_default = not entry.disabled  # noqa: SLF001 - as above
        sensors.append(sensor)
    began = perf_counter()
    await MockEntityPlatform(home.hass, domain="sensor").async_add_entities(sensors)
    return len(sensors), perf_counter() - began
