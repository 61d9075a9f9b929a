"""Options flow: which clients to track, and when to report changes."""

from typing import Any

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)

from ..api.errors import UnifiError
from ..api.records import KnownClient
from ..const import CONF_CLIENTS, CONF_SITE, OPTION_DEFAULTS, option
from ..coordinator import UnifiScannerCoordinator
from ..hub.known_clients import Clients, async_read_clients
from ..hub.session_pool import async_acquire_session
from ..site.devices import client_names
from .client_options import client_options
from .schemas import options_schema


class UnifiScannerOptionsFlow(OptionsFlowWithReload):
    """Change the options of a site."""

    def __init__(self) -> None:
        """Initialize the flow."""
        self._tracked_at_start: set[str] = set()

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show all options in one form."""
        entry = self.config_entry
        tracked: list[str] = list(option(entry, CONF_CLIENTS))
        if user_input is not None:
            # Clients that were added while the form was open were not listed in it: keep them.
            added = set(tracked) - self._tracked_at_start
            clients = {*user_input[CONF_CLIENTS], *added}
            return self.async_create_entry(
                data={**entry.options, **user_input, CONF_CLIENTS: sorted(clients)}
            )
        self._tracked_at_start = set(tracked)
        names = client_names(self.hass, entry, tracked)
        choices = client_options(await self._async_read_clients(), names)
        values = {**OPTION_DEFAULTS, **entry.options, CONF_CLIENTS: tracked}
        return self.async_show_form(step_id="init", data_schema=options_schema(choices, values))

    async def _async_read_clients(self) -> Clients:
        """Return the site's clients, those known to the coordinator if the controller fails."""
        entry = self.config_entry
        session = await async_acquire_session(self.hass, entry.data)
        try:
            connected, away = await async_read_clients(session, entry.data[CONF_SITE])
        except UnifiError:
            return self._coordinator_clients()
        finally:
            await session.async_release()
        return (*connected, *away)

    def _coordinator_clients(self) -> Clients:
        entry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED:
            return ()
        coordinator: UnifiScannerCoordinator = entry.runtime_data
        return tuple(
            KnownClient(mac=mac, alias=state.name, hostname=None, is_wired=False)
            for mac, state in coordinator.clients.items()
            if state.name != mac
        )
