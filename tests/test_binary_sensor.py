"""The site's binary sensor."""

from homeassistant.core import HomeAssistant
import pytest

from tests.home import furnished_home

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_the_event_stream_shows_whether_the_socket_is_open(hass: HomeAssistant) -> None:
    async with furnished_home(hass) as home:
        await home.set_up()
        state = home.state("event_stream", domain="binary_sensor")
        assert state is not None
        assert state.state == "on"
        assert state.attributes["device_class"] == "connectivity"
        await home.cut()
        assert home.shows("event_stream", domain="binary_sensor") == "off"
        await home.reconnected()
        assert home.shows("event_stream", domain="binary_sensor") == "on"
