"""Metrics of a site's event stream, and the sensors that show them."""

from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.unifi_scanner.api import FrameStatistics
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.hub.metrics import Metrics, StreamMetrics

from ..home import ANNA, UNIQUE_ID, Home

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEYS = ("frame_rate", "data_rate", "frame_time", "state_writes")


class Stream:
    """A stream with statistics that the test sets."""

    def __init__(self) -> None:
        """Start without frames."""
        self.statistics = FrameStatistics()


def test_metrics_cover_the_time_since_the_previous_measurement() -> None:
    now, stream = [100.0], Stream()
    metrics = StreamMetrics(stream, lambda: now[0])
    stream.statistics.frames, stream.statistics.bytes, stream.statistics.seconds = 600, 60_000, 0.03
    metrics.writes = 12
    now[0] += 60
    metrics.measure()
    assert metrics.latest == Metrics(10.0, 1_000.0, pytest.approx(50.0), 12.0)
    now[0] += 120
    metrics.measure()
    assert metrics.latest == Metrics(0.0, 0.0, None, 0.0)


@pytest.mark.parametrize("low_data", [False, True], ids=["all data", "low data"])
async def test_metrics_sensors_are_updated_every_minute(home: Home, *, low_data: bool) -> None:
    for key in KEYS:
        er.async_get(home.hass).async_get_or_create(
            "sensor", DOMAIN, f"{UNIQUE_ID}_{key}", disabled_by=None
        )
    await home.set_up(low_data=low_data)
    assert {home.shows(key) for key in KEYS} == {"unknown"}
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    metrics = home.coordinator.metrics
    # The states of the client, both access points, the site, and the event entity.
    assert metrics.writes >= 7
    metrics._clock = lambda clock=metrics._clock: clock() + 60
    await home.later(61)
    shown = {key: float(home.shows(key) or 0) for key in KEYS}
    assert all(value > 0 for value in shown.values())
    assert shown["frame_time"] < 100_000
