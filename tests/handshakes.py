"""A server in the same event loop, whose clients refuse its certificate."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant


def let_refused_handshakes_pass(hass: HomeAssistant) -> None:
    """Keep the server's side of refused handshakes out of Home Assistant's test harness.

    It fails a test for every error of the event loop, and these are not the integration's.
    """
    handler = hass.loop.get_exception_handler()
    assert handler is not None

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "transport creation for incoming connection" not in context["message"]:
            handler(loop, context)

    hass.loop.set_exception_handler(handle)
