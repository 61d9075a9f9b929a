"""Home Assistant's own integration behaves in the benchmark as it does in production."""

import time

import pytest

from benchmarks.frames import Crowd
from benchmarks.instances import address_of, controller_of, home
from benchmarks.rows import CORE
from benchmarks.workload import Scene, all_changed, counted


@pytest.mark.usefixtures("socket_enabled")
async def test_core_integration_has_trackers_and_rate_sensors() -> None:
    """Otherwise ours would be compared with less work."""
    crowd = Crowd(3, access_points=2, clock=time.time)
    async with (
        controller_of(crowd) as controller,
        home(CORE, address_of(controller), crowd.macs) as one,
    ):
        entity_ids = {state.entity_id for state in one.hass.states.async_all()}
        assert {f"device_tracker.client_{number}" for number in range(3)} <= entity_ids
        assert await counted(Scene(home=one, crowd=crowd), all_changed) == {
            "state_changed": 3 * 2,
            "state_reported": 3,
        }
