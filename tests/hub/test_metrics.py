"""What a site's stream costs is measured while it is done, and shown to who wants to know."""

from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.unifi_scanner.api import FrameStatistics
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub.metrics import Metrics, StreamMetrics

from ..home import ANNA, UNIQUE_ID, Home

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEYS = ("frame_rate", "data_rate", "frame_time", "state_writes")


class Stream:
    """A stream that has cost what it is said to have."""

    def __init__(self) -> None:
        """Have cost nothing yet."""
        self.statistics = FrameStatistics()


def test_the_figures_are_those_since_the_last_ones() -> None:
    now, stream = [100.0], Stream()
    load = StreamMetrics(stream, lambda: now[0])
    stream.statistics.frames, stream.statistics.bytes, stream.statistics.seconds = 600, 60_000, 0.03
    load.writes = 12
    now[0] += 60
    load.measure()
    assert load.figures == Metrics(10.0, 1_000.0, pytest.approx(50.0), 12.0)
    now[0] += 120
    load.measure()
    assert load.figures == Metrics(0.0, 0.0, None, 0.0)


@pytest.mark.parametrize("low_data", [False, True], ids=["as it is at first", "saving data"])
async def test_who_turns_the_sensors_on_sees_new_figures_each_minute(
    home: Home, *, low_data: bool
) -> None:
    for key in KEYS:
        er.async_get(home.hass).async_get_or_create(
            "sensor", DOMAIN, f"{UNIQUE_ID}_{key}", disabled_by=None
        )
    await home.set_up(low_data=low_data)
    assert {home.shows(key) for key in KEYS} == {"unknown"}
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    load = home.coordinator.metrics
    # The client's states, both access points', the site's and the event's.
    assert load.writes >= 7
    load._clock = lambda clock=load._clock: clock() + 60
    await home.later(61)
    shown = {key: float(home.shows(key) or 0) for key in KEYS}
    assert all(value > 0 for value in shown.values())
    assert shown["frame_time"] < 100_000
