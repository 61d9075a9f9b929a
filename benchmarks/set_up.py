"""Import and set-up of an entry with many clients: ours beside Home Assistant's own."""

import asyncio
from importlib import import_module
from time import perf_counter
from typing import NamedTuple

from .address import Address
from .effort import Effort
from .rows import CORE, OURS, Figure, Row
from .workers import run_apart

_CLIENTS = 500
_PLATFORMS = {
    OURS: ("binary_sensor", "event", "sensor"),
    CORE: ("button", "device_tracker", "image", "light", "sensor", "switch", "update"),
}
_PACKAGES = {OURS: "custom_components.unifi_scanner", CORE: "homeassistant.components.unifi"}


class Seconds(NamedTuple):
    """How long an import and a set-up took."""

    imported: float
    set_up: float


def rows(effort: Effort) -> list[Row]:
    """Measure both in fresh processes, in turn; the controller is in one of its own."""
    from .server import serving  # noqa: PLC0415 - fresh processes import this module, not that one

    taken: dict[str, list[Seconds]] = {OURS: [], CORE: []}
    with serving(_CLIENTS) as (_, address):
        for _ in range(effort.set_ups):
            for whose, seconds in taken.items():
                seconds.append(run_apart(begin, whose, address))
    imports = {whose: [each.imported for each in seconds] for whose, seconds in taken.items()}
    work = f"set-up of an entry with {_CLIENTS} clients"
    return [
        Row(
            key="set_up",
            work=f"import and {work}",
            unit="s",
            figures={whose: Figure.of([*map(sum, each)]) for whose, each in taken.items()},
            note="of which import: "
            + ", ".join(f"{whose} {Figure.of(each).median:.2f}" for whose, each in imports.items()),
        )
    ]


def begin(whose: str, address: Address) -> Seconds:
    """Import an integration and set it up, in a process that has imported only Home Assistant."""
    import_module("homeassistant.bootstrap")
    for platform in {*_PLATFORMS[OURS], *_PLATFORMS[CORE]}:
        import_module(f"homeassistant.components.{platform}")
    began = perf_counter()
    for module in ("config_flow", *_PLATFORMS[whose]):
        import_module(f"{_PACKAGES[whose]}.{module}")
    imported = perf_counter() - began
    return Seconds(imported, asyncio.run(_set_up(whose, address)))


async def _set_up(whose: str, address: Address) -> float:
    from .frames import Crowd  # noqa: PLC0415 - it imports what is measured
    from .homes import home  # noqa: PLC0415 - as above

    async with home(whose, address, Crowd(_CLIENTS).macs) as one:
        return one.set_up
