"""TLS handshakes that fail because the integration refuses a certificate."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant


def ignore_refused_handshakes(hass: HomeAssistant) -> None:
    """Keep the test harness from failing on the server's side of a refused handshake.

    The simulated controller shares the event loop, whose errors all fail a test.
    """
    handler = hass.loop.get_exception_handler()
    assert handler is not None

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "transport creation for incoming connection" not in context["message"]:
            handler(loop, context)

    hass.loop.set_exception_handler(handle)
