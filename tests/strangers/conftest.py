"""Fixtures: a small house for all strangers."""

from collections.abc import AsyncGenerator

import pytest

from tests.controller import Band, Flavour, SimulatedController, Site


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """Allow real sockets."""


@pytest.fixture(params=list(Flavour))
async def controller(request: pytest.FixtureRequest) -> AsyncGenerator[SimulatedController]:
    sites = [Site.named("default"), Site.named("8abc0d1e", "Holiday Home")]
    async with SimulatedController(flavour=request.param, sites=sites) as controller:
        world = controller.world
        world.add_device("Dream Machine", type="udm", model="UDMPRO")
        world.add_access_point("Hall", radios={Band.NG: 1, Band.NA: 36})
        world.add_access_point("Kitchen", radios={Band.NG: 6, Band.NA: 52})
        world.add_client("Anna's phone", ap="Hall")
        world.add_client(None, hostname="Galaxy", ap="Kitchen", is_guest=True)
        world.add_client("Away", hostname="away")
        yield controller
