"""Config flow: find the controller, trust its certificate, log in, choose a site and clients."""

from collections.abc import Iterable
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST
from homeassistant.core import callback

from .api.client import UnifiClient
from .api.records import Site
from .change_flow import ChangeFlow
from .const import CONF_DISCONNECT_DELAY, CONF_SITE, DEFAULT_DISCONNECT_DELAY, DOMAIN
from .flow.client_options import Clients, async_read_clients, client_options
from .flow.discovery import DiscoveryFlow
from .flow.options import UnifiScannerOptionsFlow
from .flow.schemas import clients_schema, site_schema


class UnifiScannerConfigFlow(ChangeFlow, DiscoveryFlow, domain=DOMAIN):
    """Set up one site of a controller."""

    def __init__(self) -> None:
        """Begin with no site and no clients."""
        super().__init__()
        self._sites: dict[str, Site]
        self._several_sites: bool
        self._connected: Clients
        self._away: Clients

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> UnifiScannerOptionsFlow:
        """Return the flow of an entry's options."""
        return UnifiScannerOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the controller is and who logs in."""
        if user_input is None:
            return self._show_first()
        self._typed = user_input
        return await self._async_find()

    @override
    async def _async_log_in(self) -> ConfigFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return await self._async_reconfigure()
        return await self._async_list_sites()

    async def _async_list_sites(self) -> ConfigFlowResult:
        """Log in and see which sites there are and which are not set up yet."""
        console = await self._async_use(self._data)
        sites = await console.async_call(UnifiClient.sites)
        if not sites:
            return self._show_first({"base": "no_sites"})
        self._info = await console.async_call(lambda client: client.system_info(sites[0].name))
        entries = {site.name: self._entry_of(site) for site in sites}
        self._sites = {site.name: site for site in sites if entries[site.name] is None}
        if not self._sites:
            return self._abort_configured(entry for entry in entries.values() if entry)
        self._several_sites = len(sites) > 1
        if self._several_sites:
            return await self.async_step_site()
        return await self._async_choose(sites[0].name)

    def _entry_of(self, site: Site) -> ConfigEntry | None:
        entry = self.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, self._unique_id(site.name)
        )
        return None if entry is None or entry.source == SOURCE_IGNORE else entry

    def _abort_configured(self, entries: Iterable[ConfigEntry]) -> ConfigFlowResult:
        """End where every site is set up; each follows the controller to where it was found now."""
        for entry in entries:
            self._change(entry, self._data)
        return self.async_abort(reason="already_configured")

    async def async_step_site(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the site, of those that are not set up yet."""
        if user_input is not None:
            return await self._async_try(lambda: self._async_choose(user_input[CONF_SITE]))
        return self.async_show_form(step_id="site", data_schema=site_schema(self._sites.values()))

    async def _async_choose(self, site: str) -> ConfigFlowResult:
        """Take a site and see which wireless clients it has."""
        await self.async_set_unique_id(self._unique_id(site))
        self._abort_if_unique_id_configured()
        self._data[CONF_SITE] = site
        console = await self._async_use(self._data)
        self._connected, self._away = await async_read_clients(console, site)
        return await self.async_step_clients()

    async def async_step_clients(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which clients get a device with entities."""
        if user_input is not None:
            title = self._info.name or self._data[CONF_HOST]
            if self._several_sites:
                title = f"{title} {self._sites[self._data[CONF_SITE]].description}"
            await self._async_dismiss_discoveries()
            return self.async_create_entry(
                title=title,
                data=self._data,
                options={**user_input, CONF_DISCONNECT_DELAY: DEFAULT_DISCONNECT_DELAY},
            )
        options = client_options((*self._connected, *self._away))
        offered = {option["value"] for option in options}
        here = [client for client in self._connected if client.mac in offered]
        chosen = [client.mac for client in here if client.alias] or [client.mac for client in here]
        return self.async_show_form(step_id="clients", data_schema=clients_schema(options, chosen))
