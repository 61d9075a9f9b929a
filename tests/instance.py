"""A Home Assistant of its own, for runs outside of pytest, and the data of an entry."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from unittest.mock import patch

from aiohttp import ThreadedResolver
from homeassistant import loader
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_test_home_assistant

from tests.controller import SimulatedController


class _Resolver(ThreadedResolver):
    """Replaces Home Assistant's resolver, which would send multicast queries."""

    async def real_close(self) -> None:
        """Close the resolver."""


@asynccontextmanager
async def home_assistant() -> AsyncIterator[HomeAssistant]:
    """Yield a fresh Home Assistant and stop it."""
    with (
        TemporaryDirectory() as folder,
        patch(
            "homeassistant.helpers.aiohttp_client._async_make_resolver", return_value=_Resolver()
        ),
    ):
        async with async_test_home_assistant(config_dir=folder) as hass:
            hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
            try:
                yield hass
            finally:
                await hass.async_stop(force=True)


def entry_data(controller: SimulatedController, **changes: str) -> dict[str, str]:
    """Return the data of an entry that pins the controller's certificate."""
    return {
        "host": "127.0.0.1",
        "url": controller.base_url,
        "username": controller.username,
        "password": controller.password,
        "ssl": "pinned",
        "certificate": b64encode(controller.certificate_der).decode(),
        "site": "default",
        **changes,
    }
