"""Import and set-up of an entry with many clients: ours beside Home Assistant's own."""

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


class Taken(NamedTuple):
    """How long an import and a set-up took, in seconds, and how many entities that registered.

    `alone` is how long as many of the simplest sensors take, with nothing to show.
    """

    imported: float
    set_up: float
    entities: int
    alone: float


def rows(effort: Effort) -> list[Row]:
    """Measure both in fresh processes, in turn; the controller is in one of its own."""
    from .server import serving  # noqa: PLC0415 - fresh processes import this module, not that one

    runs: dict[str, list[Taken]] = {OURS: [], CORE: []}
    with serving(_CLIENTS) as (_, address):
        for _ in range(effort.set_ups):
            for whose, taken in runs.items():
                taken.append(run_apart(begin, whose, address))
    whole = {
        whose: Figure.of([one.imported + one.set_up for one in taken])
        for whose, taken in runs.items()
    }
    notes = [
        f"{whose} registers {taken[-1].entities:,} entities and imports in "
        f"{Figure.of([one.imported for one in taken]).median:.2f} s"
        for whose, taken in runs.items()
    ]
    return [
        Row(
            key="set_up",
            work=f"import and set-up of an entry with {_CLIENTS} clients",
            unit="s",
            figures={
                **whole,
                "as many entities alone": Figure.of([one.alone for one in runs[OURS]]),
            },
            note=", ".join(notes),
        )
    ]


def begin(whose: str, address: Address) -> Taken:
    """Import an integration and set it up, in a process that has imported only Home Assistant."""
    import_module("homeassistant.bootstrap")
    for platform in {*_PLATFORMS[OURS], *_PLATFORMS[CORE]}:
        import_module(f"homeassistant.components.{platform}")
    began = perf_counter()
    for module in ("config_flow", *_PLATFORMS[whose]):
        import_module(f"{_PACKAGES[whose]}.{module}")
    imported = perf_counter() - began
    return Taken(imported, *asyncio.run(_set_up(whose, address)))


async def _set_up(whose: str, address: Address) -> tuple[float, int, float]:
    from .frames import Crowd  # noqa: PLC0415 - it imports some of what is measured
    from .instances import home  # noqa: PLC0415 - as above

    async with home(whose, address, Crowd(_CLIENTS).macs) as one:
        return one.set_up, *await _alone(one)


async def _alone(home: Home) -> tuple[int, float]:
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
