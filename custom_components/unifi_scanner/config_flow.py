"""Config flow: find the controller, confirm its certificate, log in, select site and clients."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_SSL, CONF_URL, CONF_USERNAME
from homeassistant.core import callback
from yarl import URL

from .api.client import UnifiClient
from .api.errors import UnifiError
from .api.records import Site
from .api.tls import Certificate, TlsMode
from .const import (
    CONF_CERTIFICATE,
    CONF_CONTROLLER_ID,
    CONF_DISCONNECT_DELAY,
    CONF_SITE,
    DOMAIN,
    OPTION_DEFAULTS,
)
from .flow.base import ACCOUNT_KEYS, ADDRESS_KEYS, TRUST_KEYS
from .flow.client_options import client_options
from .flow.discovery import DiscoveryFlow
from .flow.options import UnifiScannerOptionsFlow
from .flow.schemas import clients_schema, site_schema
from .hub.connection import async_find_controller
from .hub.identity import controller_id_of, is_for_controller
from .hub.known_clients import Clients, async_read_clients


class UnifiScannerConfigFlow(DiscoveryFlow, domain=DOMAIN):
    """Set up one site of a controller."""

    # Not 2: a release before the change of the minor version still loads the entry.
    VERSION = 1
    MINOR_VERSION = 2

    def __init__(self) -> None:
        """Initialize the flow."""
        super().__init__()
        self._sites: dict[str, Site]
        self._has_several_sites: bool
        self._connected: Clients
        self._away: Clients

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> UnifiScannerOptionsFlow:
        """Return the options flow."""
        return UnifiScannerOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the controller's host and an account."""
        if user_input is None:
            return self._show_first_form()
        self._form_values = user_input
        return await self._async_find_controller()

    @override
    async def _async_log_in(self) -> ConfigFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return await self._async_reconfigure()
        return await self._async_load_sites()

    async def _async_load_sites(self) -> ConfigFlowResult:
        """Log in and offer the sites that are not set up yet."""
        session = await self._async_open_session(self._data)
        sites = await session.async_call(UnifiClient.sites)
        if not sites:
            return self._show_first_form({"base": "no_sites"})
        self._info = await session.async_call(lambda client: client.system_info(sites[0].name))
        if (duplicate := await self._async_find_duplicate()) is not None:
            return self.async_abort(
                reason="duplicate_controller_id",
                description_placeholders={
                    "title": duplicate.title,
                    "other_url": duplicate.data[CONF_URL],
                    "url": self._endpoint.url,
                },
            )
        entries = {site.name: self._entry_of_site(site) for site in sites}
        self._sites = {site.name: site for site in sites if entries[site.name] is None}
        if not self._sites:
            return self._abort_all_configured(entry for entry in entries.values() if entry)
        self._has_several_sites = len(sites) > 1
        if self._has_several_sites:
            return await self.async_step_site()
        return await self._async_select_site(sites[0].name)

    async def _async_find_duplicate(self) -> ConfigEntry | None:
        """Return an entry of another controller with the same id, as after restoring a backup.

        If no controller answers at the address of a loaded entry anymore, it has moved instead.
        """
        url = self._endpoint.url
        # One of each address, as the sites of a controller share it.
        entries = {
            entry.data[CONF_URL]: entry
            for entry in self._async_current_entries(include_ignore=False)
            if entry.state is ConfigEntryState.LOADED
            and URL(entry.data[CONF_URL]).origin() != URL(url).origin()
            and is_for_controller(entry, self._info.controller_id, url)
        }
        for other_url, entry in entries.items():
            try:
                # Nothing is sent that would need the certificate to be checked.
                await async_find_controller(self.hass, [other_url], TlsMode.INSECURE)
            except UnifiError:
                continue
            return entry
        return None

    def _entry_of_site(self, site: Site) -> ConfigEntry | None:
        for entry in self._async_current_entries(include_ignore=False):
            if entry.unique_id == self._unique_id(site.name) or (
                entry.data[CONF_SITE] == site.name
                and is_for_controller(entry, self._info.controller_id, self._endpoint.url)
            ):
                return entry
        return None

    def _abort_all_configured(self, entries: Iterable[ConfigEntry]) -> ConfigFlowResult:
        """Abort, as every site has an entry, and move those entries to the address just entered.

        Only a certificate that the user has just confirmed changes how they check the controller's.
        """
        pins = self._endpoint.ssl is TlsMode.PINNED
        keys = ADDRESS_KEYS + TRUST_KEYS if pins else ADDRESS_KEYS
        for entry in entries:
            self._update_entry(entry, self._data, keys)
        return self.async_abort(reason="already_configured")

    async def async_step_site(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which of the remaining sites to set up."""
        if user_input is not None:
            return await self._async_run(lambda: self._async_select_site(user_input[CONF_SITE]))
        return self.async_show_form(step_id="site", data_schema=site_schema(self._sites.values()))

    async def _async_select_site(self, site: str) -> ConfigFlowResult:
        """Set up a site: read its wireless clients and continue with their selection."""
        await self.async_set_unique_id(self._unique_id(site))
        self._abort_if_unique_id_configured()
        self._data |= {CONF_SITE: site, CONF_CONTROLLER_ID: self._info.controller_id}
        session = await self._async_open_session(self._data)
        self._connected, self._away = await async_read_clients(session, site)
        return await self.async_step_clients()

    async def async_step_clients(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which clients to track, then create the entry."""
        if user_input is not None:
            title = self._info.name or self._data[CONF_HOST]
            if self._has_several_sites:
                title = f"{title} {self._sites[self._data[CONF_SITE]].description}"
            await self._async_dismiss_discoveries()
            return self.async_create_entry(
                title=title,
                data=self._data,
                options={
                    **user_input,
                    CONF_DISCONNECT_DELAY: OPTION_DEFAULTS[CONF_DISCONNECT_DELAY],
                },
            )
        options = client_options((*self._connected, *self._away))
        offered = {option["value"] for option in options}
        connected = [client for client in self._connected if client.mac in offered]
        selected = [client.mac for client in connected if client.alias]
        selected = selected or [client.mac for client in connected]
        return self.async_show_form(
            step_id="clients", data_schema=clients_schema(options, selected)
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start a reauthentication after the controller rejected the login."""
        self._prefill_form(entry_data)
        # Home Assistant only provides `name`, but our title has the placeholder `host` too.
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
            return self._show_first_form()
        entry = self._get_reauth_entry()

        async def async_confirm() -> ConfigFlowResult:
            data = {**entry.data, **user_input}
            await self._async_open_session(data)
            # Entries of other sites that use the same account need the new password too.
            for other in self._entries_of_same_controller(entry):
                if other.data[CONF_USERNAME] == data[CONF_USERNAME]:
                    self._update_entry(other, data, ACCOUNT_KEYS)
            return self.async_update_reload_and_abort(entry, data=data)

        return await self._async_run(async_confirm)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the controller's new address, account or certificate check."""
        if user_input is None:
            data = self._get_reconfigure_entry().data
            self._prefill_form(data)
            if pinned := data.get(CONF_CERTIFICATE):
                self._trusted_certificate = Certificate(b64decode(pinned))
            return self._show_first_form()
        self._form_values = user_input
        return await self._async_find_controller()

    async def _async_reconfigure(self) -> ConfigFlowResult:
        """Check that it is the same controller, and update all its entries."""
        entry = self._get_reconfigure_entry()
        site, known_id = entry.data[CONF_SITE], controller_id_of(entry)
        data = {CONF_PASSWORD: entry.data[CONF_PASSWORD], **self._data, CONF_SITE: site}
        session = await self._async_open_session(data)
        info = await session.async_call(lambda client: client.system_info(site))
        # One that is only known by its address cannot be verified.
        if known_id not in {None, info.controller_id}:
            return self._show_first_form({"base": "wrong_controller"})
        data[CONF_CONTROLLER_ID] = info.controller_id
        for other in self._entries_of_same_controller(entry):
            keys: tuple[str, ...] = (*ADDRESS_KEYS, CONF_CONTROLLER_ID)
            # The user has decided about this entry's check, not about a stricter one of another.
            same_check = all(other.data.get(key) == entry.data.get(key) for key in TRUST_KEYS)
            if same_check or self._endpoint.ssl is TlsMode.PINNED:
                keys += TRUST_KEYS
            if other.data[CONF_USERNAME] == entry.data[CONF_USERNAME]:
                keys += ACCOUNT_KEYS
            self._update_entry(other, data, keys)
        return self.async_update_reload_and_abort(entry, data=data)

    def _prefill_form(self, data: Mapping[str, Any]) -> None:
        """Prefill the form with an entry's data, except the password, which must not leave HA."""
        self._form_values = {key: data[key] for key in (CONF_HOST, CONF_USERNAME, CONF_SSL)}
