"""Drives the config and options flows as a user would, and builds config entries."""

from collections.abc import Iterator
from contextlib import contextmanager
import socket
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntriesFlowManager,
    ConfigFlowResult,
    OptionsFlowManager,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import BaseServiceInfo, FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.api.tls import TlsMode, create_context
from custom_components.unifi_scanner.const import DOMAIN
from tests.controller import Band, ServerCertificate, SimulatedController


def furnish(controller: SimulatedController, *, named: bool = True) -> None:
    """Add connected and disconnected clients, with and without an alias, some of them wired."""
    world = controller.world
    world.add_access_point("Hall")
    world.add_client("Anna" if named else None, mac="02:00:00:00:00:0a", ap="Hall", hostname="Anna")
    world.add_client(None, mac="02:00:00:00:00:0b", ap="Hall", band=Band.NG, hostname="Pixel-7")
    world.add_client(None, mac="02:00:00:00:00:0c", ap="Hall", hostname=None)
    world.add_client("Computer", is_wired=True)
    world.add_client("Dora", mac="02:00:00:00:00:0d")
    world.add_client(None, mac="02:00:00:00:00:0e", hostname="Passer-by")
    printer = world.add_client("Printer", is_wired=True)
    printer.connected = False


def typed(controller: SimulatedController, **changes: str) -> dict[str, str]:
    """Return the values of the user form for a controller."""
    return {
        "host": f"127.0.0.1:{controller.port}",
        "username": controller.username,
        "password": controller.password,
        "ssl": "pinned",
        **changes,
    }


class Flow:
    """A user going through a flow; `result` is the current step."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare a flow without starting it."""
        self._hass = hass
        self._manager: ConfigEntriesFlowManager | OptionsFlowManager = hass.config_entries.flow
        self.result: ConfigFlowResult

    async def start(
        self, source: str = SOURCE_USER, data: BaseServiceInfo | None = None
    ) -> ConfigFlowResult:
        """Start a config flow, manually or from a discovery."""
        self.result = await self._hass.config_entries.flow.async_init(
            DOMAIN, context={"source": source}, data=data
        )
        return self.result

    async def reconfigure(self, entry: MockConfigEntry) -> ConfigFlowResult:
        """Start the reconfigure flow of an entry."""
        self.result = await entry.start_reconfigure_flow(self._hass)
        return self.result

    async def options_of(self, entry: MockConfigEntry) -> ConfigFlowResult:
        """Start the options flow of an entry."""
        self._manager = self._hass.config_entries.options
        self.result = await self._manager.async_init(entry.entry_id)
        return self.result

    async def submit(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Submit the current form."""
        self.result = await self._manager.async_configure(self.result["flow_id"], user_input or {})
        await self._hass.async_block_till_done()
        return self.result

    def abort(self) -> None:
        """Abort the flow, as when the user closes the dialog."""
        self._manager.async_abort(self.result["flow_id"])

    def suggestions(self) -> dict[str, Any]:
        """Return the suggested values of the form's fields."""
        schema = self.result["data_schema"]
        assert schema is not None
        return {
            str(key): key.description["suggested_value"] for key in schema.schema if key.description
        }

    def options(self, field: str) -> list[dict[str, str]]:
        """Return the options of a select field."""
        schema = self.result["data_schema"]
        assert schema is not None
        options: list[dict[str, str]] = schema.schema[field].config["options"]
        return options

    def default(self, field: str) -> object:
        """Return the default of a field."""
        schema = self.result["data_schema"]
        assert schema is not None
        return next(key for key in schema.schema if key == field).default()

    async def finish(self) -> ConfigFlowResult:
        """Accept the remaining forms as they are; the flow must create an entry."""
        for _ in range(3):
            match self.result.get("step_id"):
                case "certificate":
                    await self.submit()
                case "clients":
                    clients = self.default("clients")
                    await self.submit({"clients": clients, "add_new_clients": False})
        assert self.result["type"] is FlowResultType.CREATE_ENTRY, self.result
        return self.result


def entry_of(controller: SimulatedController, **changes: Any) -> MockConfigEntry:
    """Return an entry for the controller's first site, as the flow creates it with `insecure`.

    With `controller_id`, it is as an earlier release created it, which used a host without an id.
    """
    site = changes.pop("site", "default")
    options = changes.pop("options", {})
    data = {**typed(controller, ssl="insecure"), "url": controller.base_url, "site": site}
    name = changes.pop("controller_id", None)
    if name is None:
        name = data["controller_id"] = controller.settings.controller_id
    return MockConfigEntry(
        domain=DOMAIN,
        data={**data, **changes},
        options=options,
        unique_id=f"{name}_{site}",
        minor_version=2 if "controller_id" in data else 1,
    )


@contextmanager
def publicly_trusted(certificate: ServerCertificate) -> Iterator[None]:
    """Let the integration take a certificate for one of a public authority."""
    context = create_context(TlsMode.PINNED, certificate.der)
    with patch(
        "custom_components.unifi_scanner.hub.connection.get_default_context", return_value=context
    ):
        yield


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@contextmanager
def unresponsive_port() -> Iterator[int]:
    """Provide a port that accepts connections but never responds."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        yield silent.getsockname()[1]
