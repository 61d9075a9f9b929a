"""Options flow: who is followed, what is told of them, and how soon."""

from typing import Any

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)

from ..api.errors import UnifiError
from ..api.records import KnownClient
from ..const import (
    CONF_ADD_NEW_CLIENTS,
    CONF_CLIENTS,
    CONF_DISCONNECT_DELAY,
    CONF_LOW_DATA,
    CONF_SETTLING_TIME,
    CONF_SITE,
    CONF_TRACKED_EVENTS_ONLY,
    CONF_VOLATILE_INTERVAL,
    DEFAULT_DISCONNECT_DELAY,
    DEFAULT_SETTLING_TIME,
    DEFAULT_VOLATILE_INTERVAL,
)
from ..coordinator import UnifiScannerCoordinator
from ..hub.known_clients import Clients, async_read_clients
from ..hub.session import async_acquire_session
from ..site.devices import client_names
from .client_options import client_options
from .schemas import options_schema

_DEFAULTS = {
    CONF_ADD_NEW_CLIENTS: False,
    CONF_TRACKED_EVENTS_ONLY: False,
    CONF_DISCONNECT_DELAY: DEFAULT_DISCONNECT_DELAY,
    CONF_SETTLING_TIME: DEFAULT_SETTLING_TIME,
    CONF_VOLATILE_INTERVAL: DEFAULT_VOLATILE_INTERVAL,
    CONF_LOW_DATA: False,
}


class UnifiScannerOptionsFlow(OptionsFlowWithReload):
    """Change the options of a site."""

    def __init__(self) -> None:
        """Begin with nobody chosen."""
        self._chosen_before: set[str] = set()

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options at once."""
        entry = self.config_entry
        chosen = entry.options.get(CONF_CLIENTS, ())
        if user_input is not None:
            # Whoever was added while the form was open could not be chosen in it.
            added = set(chosen) - self._chosen_before
            clients = {*user_input[CONF_CLIENTS], *added}
            return self.async_create_entry(
                data={**entry.options, **user_input, CONF_CLIENTS: sorted(clients)}
            )
        self._chosen_before = set(chosen)
        names = client_names(self.hass, entry, chosen)
        options = client_options(await self._async_read_clients(), names)
        return self.async_show_form(
            step_id="init",
            data_schema=options_schema(
                options, {**_DEFAULTS, CONF_CLIENTS: list(chosen), **entry.options}
            ),
        )

    async def _async_read_clients(self) -> Clients:
        """Return the clients that are there and those that have a name, if they can be told."""
        entry = self.config_entry
        session = await async_acquire_session(self.hass, entry.data)
        try:
            here, away = await async_read_clients(session, entry.data[CONF_SITE])
        except UnifiError:
            return self._remembered_clients()
        finally:
            await session.async_release()
        return (*here, *away)

    def _remembered_clients(self) -> Clients:
        entry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED:
            return ()
        coordinator: UnifiScannerCoordinator = entry.runtime_data
        return tuple(
            KnownClient(mac=mac, alias=state.name, hostname=None, is_wired=False)
            for mac, state in coordinator.clients.items()
            if state.name != mac
        )
