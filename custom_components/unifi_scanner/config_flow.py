"""Config flow: find the controller, trust its certificate, log in, choose a site and clients."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_SSL, CONF_URL, CONF_USERNAME
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio
from yarl import URL

from .api.client import UnifiClient
from .api.endpoints import candidate_urls
from .api.errors import CannotConnectError, UnifiError
from .api.records import Site, StationRecord, SystemInfo
from .api.tls import Certificate, TlsMode
from .ask import describe_error
from .connection import Endpoint, async_find_controller
from .const import (
    CONF_ADD_NEW_CLIENTS,
    CONF_CERTIFICATE,
    CONF_CLIENTS,
    CONF_DISCONNECT_DELAY,
    CONF_SITE,
    DEFAULT_DISCONNECT_DELAY,
    DOCUMENTATION,
    DOMAIN,
)
from .session import ConsoleSession, async_acquire_console

_LOGGER = logging.getLogger(__name__)

_PASSWORD_SELECTOR = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
_USER_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_HOST): TextSelector(TextSelectorConfig(autocomplete="off")),
        probatio.Required(CONF_USERNAME): TextSelector(TextSelectorConfig(autocomplete="username")),
        probatio.Required(probatio.Secret(CONF_PASSWORD)): _PASSWORD_SELECTOR,
        probatio.Required(CONF_SSL, default=TlsMode.PINNED.value): SelectSelector(
            SelectSelectorConfig(
                options=[TlsMode.PINNED.value, TlsMode.VERIFY.value, TlsMode.INSECURE.value],
                translation_key=CONF_SSL,
            )
        ),
    }
)
_REAUTH_SCHEMA = probatio.Schema(
    {probatio.Required(probatio.Secret(CONF_PASSWORD)): _PASSWORD_SELECTOR}
)


type _ShowForm = Callable[[dict[str, str], dict[str, str] | None], ConfigFlowResult]


class UnifiScannerConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up one site of a controller."""

    def __init__(self) -> None:
        """Begin with nothing typed and nobody trusted."""
        self._console: ConsoleSession | None = None
        self._removed = False
        self._shown: Certificate
        self._trusted: Certificate | None = None
        self._typed: dict[str, Any] = {}
        self._endpoint: Endpoint
        self._info: SystemInfo
        self._data: dict[str, Any]
        self._sites: dict[str, Site]
        self._several_sites: bool
        self._clients: dict[str, StationRecord]

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the controller is and who logs in."""
        if user_input is None:
            return self._show_user()
        self._typed = user_input
        try:
            urls = candidate_urls(user_input[CONF_HOST])
        except ValueError:
            return self._show_user({CONF_HOST: "invalid_host"})

        async def async_find() -> ConfigFlowResult:
            mode = TlsMode(user_input[CONF_SSL])
            self._endpoint = await async_find_controller(self.hass, urls, mode)
            certificate = self._endpoint.certificate
            if certificate is not None and certificate != self._trusted:
                self._shown = certificate
                return await self.async_step_certificate()
            return await self._async_log_in()

        return await self._async_try(async_find, self._show_user)

    async def async_step_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the controller's own certificate is to be trusted; nothing was sent yet."""
        certificate = self._shown
        if user_input is None:
            return self.async_show_form(
                step_id="certificate",
                data_schema=probatio.Schema({}),
                description_placeholders={
                    "url": self._endpoint.url,
                    "fingerprint": certificate.fingerprint,
                    "subject": certificate.subject,
                    "issuer": certificate.issuer,
                    "not_before": f"{certificate.not_before:%Y-%m-%d}",
                    "not_after": f"{certificate.not_after:%Y-%m-%d}",
                },
            )
        self._trusted = certificate
        return await self._async_try(self._async_log_in, self._show_user)

    async def _async_log_in(self) -> ConfigFlowResult:
        """Log in and see which sites there are and which are not set up yet."""
        endpoint = self._endpoint
        self._data = {**self._typed, CONF_URL: endpoint.url, CONF_SSL: endpoint.ssl.value}
        if endpoint.certificate is not None:
            self._data[CONF_CERTIFICATE] = b64encode(endpoint.certificate.der).decode()
        console = await self._async_use(self._data)
        sites = await console.async_call(UnifiClient.sites)
        if not sites:
            return self._show_user({"base": "no_sites"})
        self._info = await console.async_call(lambda client: client.system_info(sites[0].name))
        entries = {
            site.name: self.hass.config_entries.async_entry_for_domain_unique_id(
                DOMAIN, self._unique_id(site.name)
            )
            for site in sites
        }
        self._sites = {site.name: site for site in sites if entries[site.name] is None}
        if not self._sites:
            return self._abort_configured(entry for entry in entries.values() if entry)
        self._several_sites = len(sites) > 1
        if self._several_sites:
            return await self.async_step_site()
        return await self._async_choose(sites[0].name)

    async def async_step_site(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the site, of those that are not set up yet."""
        if user_input is not None:
            return await self._async_try(
                lambda: self._async_choose(user_input[CONF_SITE]), self._show_user
            )
        options = [
            SelectOptionDict(value=site.name, label=site.description)
            for site in sorted(self._sites.values(), key=lambda site: site.description.casefold())
        ]
        selector = SelectSelector(SelectSelectorConfig(options=options))
        key = probatio.Required(CONF_SITE, default=options[0]["value"])
        return self.async_show_form(step_id="site", data_schema=probatio.Schema({key: selector}))

    async def _async_choose(self, site: str) -> ConfigFlowResult:
        """Take a site and see which wireless clients it has."""
        await self.async_set_unique_id(self._unique_id(site))
        self._abort_if_unique_id_configured()
        self._data[CONF_SITE] = site
        console = await self._async_use(self._data)
        stations = await console.async_call(lambda client: client.stations(site))
        self._clients = {station.mac: station for station in stations if not station.is_wired}
        return await self.async_step_clients()

    async def async_step_clients(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which clients get a device with entities."""
        if user_input is not None:
            title = self._info.name or self._data[CONF_HOST]
            if self._several_sites:
                title = f"{title} {self._sites[self._data[CONF_SITE]].description}"
            return self.async_create_entry(
                title=title,
                data=self._data,
                options={**user_input, CONF_DISCONNECT_DELAY: DEFAULT_DISCONNECT_DELAY},
            )
        labels = {_label(client): mac for mac, client in self._clients.items()}
        options = [
            SelectOptionDict(value=labels[label], label=label)
            for label in sorted(labels, key=str.casefold)
        ]
        selector = SelectSelector(SelectSelectorConfig(options=options, multiple=True))
        named = [mac for mac, client in self._clients.items() if client.alias]
        schema = {
            probatio.Required(CONF_CLIENTS, default=named or list(self._clients)): selector,
            probatio.Required(CONF_ADD_NEW_CLIENTS, default=False): BooleanSelector(),
        }
        return self.async_show_form(step_id="clients", data_schema=probatio.Schema(schema))

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Start when a login was rejected."""
        self._typed = dict(entry_data)
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the account's new password."""
        if user_input is None:
            return self._show_reauth()
        entry = self._get_reauth_entry()

        async def async_confirm() -> ConfigFlowResult:
            await self._async_use({**entry.data, **user_input})
            # The same account of the same console at its other sites, which may have given up too.
            for other in self._async_current_entries(include_ignore=False):
                if other is not entry and all(
                    other.data[key] == entry.data[key] for key in (CONF_URL, CONF_USERNAME)
                ):
                    data = {**other.data, **user_input}
                    self.hass.config_entries.async_update_entry(other, data=data)
                    self.hass.config_entries.async_schedule_reload(other.entry_id)
            return self.async_update_reload_and_abort(entry, data_updates=user_input)

        return await self._async_try(async_confirm, self._show_reauth)

    @callback
    @override
    def async_remove(self) -> None:
        """Give the session back when the flow ends, however it ends."""
        self._removed = True
        if self._console is not None:
            self.hass.async_create_task(self._console.async_release())
            self._console = None

    async def _async_use(self, data: Mapping[str, Any]) -> ConsoleSession:
        """Log in with an entry's data, unless a session with the very same is there."""
        console = await async_acquire_console(self.hass, data)
        if self._removed:
            await console.async_release()
            raise CannotConnectError("The dialog was closed meanwhile")
        before, self._console = self._console, console
        if before is not None:
            await before.async_release()
        await self._console.async_sign_in()
        return self._console

    async def _async_try(
        self, action: Callable[[], Awaitable[ConfigFlowResult]], show: _ShowForm
    ) -> ConfigFlowResult:
        """Go on with an action; when it fails, show a form that says why."""
        try:
            return await action()
        except AbortFlow:
            raise
        except UnifiError as error:
            key, placeholders = describe_error(error, self._typed)
            return show({"base": key}, placeholders)
        except Exception:
            _LOGGER.exception("Unexpected error while setting up a controller")
            return show({"base": "unknown"}, None)

    def _show_user(
        self, errors: dict[str, str] | None = None, placeholders: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(_USER_SCHEMA, self._typed),
            errors=errors,
            description_placeholders={"documentation": DOCUMENTATION, **(placeholders or {})},
        )

    def _show_reauth(
        self, errors: dict[str, str] | None = None, placeholders: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        shown = {"host": self._typed[CONF_HOST], "username": self._typed[CONF_USERNAME]}
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=_REAUTH_SCHEMA,
            errors=errors,
            description_placeholders={**shown, **(placeholders or {})},
        )

    def _abort_configured(self, entries: Iterable[ConfigEntry]) -> ConfigFlowResult:
        """End where every site is set up; each follows the controller to where it was found now."""
        keys = (CONF_HOST, CONF_URL, CONF_SSL, CONF_CERTIFICATE)
        for entry in entries:
            self._update(entry, {key: self._data.get(key) for key in keys})
        return self.async_abort(reason="already_configured")

    def _update(self, entry: ConfigEntry, changes: Mapping[str, Any]) -> None:
        data = {k: v for k, v in {**entry.data, **changes}.items() if v is not None}
        if self.hass.config_entries.async_update_entry(entry, data=data):
            self.hass.config_entries.async_schedule_reload(entry.entry_id)

    def _unique_id(self, site: str) -> str:
        return f"{self._info.controller_id or URL(self._endpoint.url).host}_{site}"


def _label(client: StationRecord) -> str:
    name = client.alias or client.hostname
    return f"{name} ({client.mac})" if name else client.mac
