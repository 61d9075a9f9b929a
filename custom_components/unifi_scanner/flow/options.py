"""Options flow: which clients to track, and when to report changes."""

from collections.abc import Collection, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.core import callback

from ..api.errors import UnifiError
from ..api.records import KnownClient
from ..const import (
    CONF_CLIENTS,
    CONF_DISCONNECT_DELAY,
    CONF_SETTLING_TIME,
    CONF_SITE,
    OPTION_DEFAULTS,
    option,
)
from ..coordinator import UnifiScannerCoordinator
from ..hub.known_clients import Clients, async_read_clients, names_of
from ..hub.session_pool import async_acquire_session
from ..site.devices import client_names
from ..site.tracked import TrackedClients
from .client_options import client_options
from .schemas import options_schema


class UnifiScannerOptionsFlow(OptionsFlow):
    """Change the options of a site, without reloading its entry."""

    def __init__(self) -> None:
        """Initialize the flow."""
        self._tracked_at_start: frozenset[str] = frozenset()
        self._clients: Clients = ()

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show all options in one form."""
        tracked = await self._async_tracked()
        if user_input is not None:
            # The form did not list clients that were added while it was open, and still listed
            # those that were removed.
            added, removed = tracked - self._tracked_at_start, self._tracked_at_start - tracked
            clients = sorted({*user_input[CONF_CLIENTS]} - removed)
            options = {**self.config_entry.options, **user_input, CONF_CLIENTS: clients}
            await self._async_apply(options, added)
            return self.async_create_entry(data=options)
        entry = self.config_entry
        self._tracked_at_start = tracked
        names = client_names(self.hass, entry, tracked)
        self._clients = await self._async_read_clients()
        choices = client_options(self._clients, names)
        values = {**OPTION_DEFAULTS, **entry.options, CONF_CLIENTS: sorted(tracked)}
        return self.async_show_form(step_id="init", data_schema=options_schema(choices, values))

    async def _async_tracked(self) -> frozenset[str]:
        """Return the tracked clients of the entry, which need not be loaded."""
        entry = self.config_entry
        if entry.state is ConfigEntryState.LOADED:
            coordinator: UnifiScannerCoordinator = entry.runtime_data
            return frozenset(coordinator.tracked)
        tracked = TrackedClients(self.hass, entry)
        await tracked.async_load()
        return frozenset(tracked)

    async def _async_apply(self, options: Mapping[str, Any], added: Collection[str]) -> None:
        """Save options and apply them to the site.

        `added` are the clients that are tracked besides those in the options. Not by an update
        listener of the entry: Home Assistant allows none in integrations whose config flow reloads
        entries itself.
        """
        entry = self.config_entry
        has_changed = self.hass.config_entries.async_update_entry(entry, options=options)
        if entry.state is ConfigEntryState.LOADED:
            coordinator: UnifiScannerCoordinator = entry.runtime_data
            unknown = set(options[CONF_CLIENTS]) - coordinator.clients.keys()
            async_apply_options(coordinator, names_of(self._clients, unknown), added)
            return
        tracked = TrackedClients(self.hass, entry)
        await tracked.async_load()
        tracked.async_follow_options(keep=added)
        await tracked.async_save()
        if has_changed:
            self.hass.config_entries.async_schedule_reload(entry.entry_id)

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


@callback
def async_apply_options(
    coordinator: UnifiScannerCoordinator, names: Mapping[str, str], added: Collection[str] = ()
) -> None:
    """Apply the entry's options to a running site, which also tracks the `added` clients.

    Options that are missing here are read whenever they are needed. `names` are those of clients
    by MAC that may never have been connected, for their devices.
    """
    entry, devices, tracked = coordinator.config_entry, coordinator.devices, coordinator.tracked
    coordinator.tracker.disconnect_delay = option(entry, CONF_DISCONNECT_DELAY)
    coordinator.areas.async_set_settling_time(option(entry, CONF_SETTLING_TIME))
    # A client that is deselected is not to be added again as a new one.
    coordinator.history.async_mark_known(tracked - {*option(entry, CONF_CLIENTS), *added})
    devices.fallback_names = {**devices.fallback_names, **names}
    if names:
        known = {**devices.names_of(tracked), **devices.fallback_names}
        coordinator.tracker.set_names(known)
    tracked.async_follow_options(keep=added)
    devices.async_remove_stale(tracked, coordinator.hass.loop.time())
    coordinator.async_reschedule()
