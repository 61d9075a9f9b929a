"""Config flow: find the controller, trust its certificate, log in, choose a site and clients."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_SSL, CONF_URL, CONF_USERNAME
from homeassistant.core import callback
from yarl import URL

from .api.client import UnifiClient
from .api.records import Site
from .api.tls import Certificate
from .const import (
    CONF_CERTIFICATE,
    CONF_DISCONNECT_DELAY,
    CONF_SITE,
    DEFAULT_DISCONNECT_DELAY,
    DOMAIN,
)
from .flow.base import ACCOUNT, ADDRESS, controller_of
from .flow.client_options import client_options
from .flow.discovery import DiscoveryFlow
from .flow.options import UnifiScannerOptionsFlow
from .flow.schemas import clients_schema, site_schema
from .hub.known_clients import Clients, async_read_clients


class UnifiScannerConfigFlow(DiscoveryFlow, domain=DOMAIN):
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
        session = await self._async_use(self._data)
        sites = await session.async_call(UnifiClient.sites)
        if not sites:
            return self._show_first({"base": "no_sites"})
        self._info = await session.async_call(lambda client: client.system_info(sites[0].name))
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
        session = await self._async_use(self._data)
        self._connected, self._away = await async_read_clients(session, site)
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

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start when a login was rejected."""
        self._fill_in(entry_data)
        # Home Assistant gives the name alone, and a title that lacks a word shows as an error.
        self.context["title_placeholders"] = {
            "name": self._get_reauth_entry().title,
            "host": entry_data[CONF_HOST],
        }
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the account's new password."""
        if user_input is None:
            return self._show_first()
        entry = self._get_reauth_entry()

        async def async_confirm() -> ConfigFlowResult:
            data = {**entry.data, **user_input}
            await self._async_use(data)
            # The same account at the controller's other sites, which may have given up too.
            for other in self._entries_of(controller_of(entry)):
                if other is not entry and other.data[CONF_USERNAME] == data[CONF_USERNAME]:
                    self._change(other, data, ACCOUNT)
            return self.async_update_reload_and_abort(entry, data=data)

        return await self._async_try(async_confirm)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where the controller is now and how to log in there."""
        if user_input is None:
            data = self._get_reconfigure_entry().data
            self._fill_in(data)
            if pinned := data.get(CONF_CERTIFICATE):
                self._trusted = Certificate(b64decode(pinned))
            return self._show_first()
        self._typed = user_input
        return await self._async_find()

    async def _async_reconfigure(self) -> ConfigFlowResult:
        """Make sure that it is the same controller, and let its entries follow it."""
        entry = self._get_reconfigure_entry()
        site, controller = entry.data[CONF_SITE], controller_of(entry)
        data = {CONF_PASSWORD: entry.data[CONF_PASSWORD], **self._data, CONF_SITE: site}
        session = await self._async_use(data)
        info = await session.async_call(lambda client: client.system_info(site))
        # One that told no id is known by its first address, and looks like any other.
        is_known_by_address = controller == URL(entry.data[CONF_URL]).host
        if not is_known_by_address and info.controller_id not in {None, controller}:
            return self._show_first({"base": "wrong_controller"})
        for other in self._entries_of(controller):
            if other is not entry:
                same_account = other.data[CONF_USERNAME] == entry.data[CONF_USERNAME]
                self._change(other, data, (*ADDRESS, *ACCOUNT) if same_account else ADDRESS)
        return self.async_update_reload_and_abort(entry, data=data)

    def _fill_in(self, data: Mapping[str, Any]) -> None:
        """Fill the form in with an entry's data, but for the password, which stays here."""
        self._typed = {key: data[key] for key in (CONF_HOST, CONF_USERNAME, CONF_SSL)}
