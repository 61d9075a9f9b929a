"""What the steps of the config flow share: a controller found, a session, and what went wrong."""

from abc import abstractmethod
from base64 import b64encode
from collections.abc import Awaitable, Callable, Collection, Mapping
import logging
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_SSL, CONF_URL, CONF_USERNAME
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
import probatio
from yarl import URL

from ..api.endpoints import candidate_urls
from ..api.errors import CannotConnectError, UnifiError
from ..api.records import SystemInfo
from ..api.tls import Certificate, TlsMode
from ..const import CONF_CERTIFICATE, CONF_SITE, DOCUMENTATION
from ..hub.connection import Endpoint, async_find_controller
from ..hub.errors import error_translation
from ..hub.session import ControllerSession, async_acquire_session
from ..issues.certificate import certificate_placeholders
from .schemas import REAUTH_SCHEMA, RECONFIGURE_SCHEMA, USER_SCHEMA

_LOGGER = logging.getLogger(__name__)

# What entries of one controller have in common, and those of one account beside it.
ADDRESS = (CONF_HOST, CONF_URL, CONF_SSL, CONF_CERTIFICATE)
ACCOUNT = (CONF_USERNAME, CONF_PASSWORD)

# By the source of a flow; all others begin with the user's.
_FIRST_FORMS: dict[str | None, tuple[str, probatio.Schema]] = {
    SOURCE_REAUTH: ("reauth_confirm", REAUTH_SCHEMA),
    SOURCE_RECONFIGURE: ("reconfigure", RECONFIGURE_SCHEMA),
}


class ControllerFlow(ConfigFlow):
    """A flow that asks for a controller, lets its certificate be trusted, and logs in.

    `_typed` is what the first form is filled in with, and is shown again when anything goes wrong;
    `_data` is what an entry will have.
    """

    def __init__(self) -> None:
        """Begin with nothing typed and nobody trusted."""
        self._session: ControllerSession | None = None
        self._removed = False
        self._entity_state: Certificate
        self._trusted: Certificate | None = None
        self._typed: dict[str, Any] = {}
        self._endpoint: Endpoint
        self._info: SystemInfo
        self._data: dict[str, Any]

    @abstractmethod
    async def _async_log_in(self) -> ConfigFlowResult:
        """Go on with a controller that is trusted."""

    async def _async_find(self) -> ConfigFlowResult:
        """Look for a controller at what was typed, and go on with it."""
        host: str = self._typed[CONF_HOST]
        if host.strip().lower().startswith("http://"):
            return self._show_first({CONF_HOST: "https_only"})
        try:
            urls = candidate_urls(host)
        except ValueError:
            return self._show_first({CONF_HOST: "invalid_host"})

        async def async_find() -> ConfigFlowResult:
            mode = TlsMode(self._typed[CONF_SSL])
            self._endpoint = await async_find_controller(self.hass, urls, mode)
            certificate = self._endpoint.certificate
            if certificate is not None and certificate != self._trusted:
                self._entity_state = certificate
                return await self.async_step_certificate()
            return await self._async_go_on()

        return await self._async_try(async_find)

    async def async_step_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the controller's own certificate is to be trusted; nothing was sent yet."""
        if user_input is None:
            return self.async_show_form(
                step_id="certificate",
                data_schema=probatio.Schema({}),
                description_placeholders={
                    "url": self._endpoint.url,
                    **certificate_placeholders(self._entity_state),
                },
            )
        self._trusted = self._entity_state
        return await self._async_try(self._async_go_on)

    async def _async_go_on(self) -> ConfigFlowResult:
        endpoint = self._endpoint
        self._data = {**self._typed, CONF_URL: endpoint.url, CONF_SSL: endpoint.ssl.value}
        if endpoint.certificate is not None:
            self._data[CONF_CERTIFICATE] = b64encode(endpoint.certificate.der).decode()
        return await self._async_log_in()

    async def _async_use(self, data: Mapping[str, Any]) -> ControllerSession:
        """Log in with an entry's data, unless a session with the very same is there."""
        session = await async_acquire_session(self.hass, data)
        if self._removed:
            await session.async_release()
            raise CannotConnectError("The dialog was closed meanwhile")
        before, self._session = self._session, session
        if before is not None:
            await before.async_release()
        await self._session.async_sign_in()
        return self._session

    @callback
    @override
    def async_remove(self) -> None:
        """Give the session back when the flow ends, however it ends."""
        self._removed = True
        if self._session is not None:
            self.hass.async_create_task(self._session.async_release())
            self._session = None

    async def _async_try(
        self, action: Callable[[], Awaitable[ConfigFlowResult]]
    ) -> ConfigFlowResult:
        """Go on with an action; when it fails, show the first form, which says why."""
        try:
            return await action()
        except AbortFlow:
            raise
        except UnifiError as error:
            key, placeholders = error_translation(error, self._typed)
            return self._show_first({"base": key}, placeholders)
        except Exception:
            _LOGGER.exception("Unexpected error in a dialog about a controller")
            return self._show_first({"base": "unknown"})

    def _show_first(
        self, errors: dict[str, str] | None = None, placeholders: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show the flow's first form, filled in with what was typed."""
        step, schema = _FIRST_FORMS.get(self.source, ("user", USER_SCHEMA))
        shown = {key: str(self._typed.get(key)) for key in (CONF_HOST, CONF_USERNAME)}
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, self._typed),
            errors=errors,
            description_placeholders={
                "documentation": DOCUMENTATION,
                **shown,
                **(placeholders or {}),
            },
        )

    def _unique_id(self, site: str) -> str:
        return f"{self._info.controller_id or URL(self._endpoint.url).host}_{site}"

    def _entries_of(self, controller: str) -> list[ConfigEntry]:
        """Return the entries of a controller, by the part of their ids that names it."""
        return [
            entry
            for entry in self._async_current_entries(include_ignore=False)
            if controller_of(entry) == controller
        ]

    def _change(
        self, entry: ConfigEntry, data: Mapping[str, Any], keys: Collection[str] = ADDRESS
    ) -> None:
        """Let an entry have these keys as the data have them, and what they lack no more.

        One that waits for another login is tried again in any case.
        """
        kept = {key: value for key, value in entry.data.items() if key not in keys}
        data = kept | {key: data[key] for key in keys if key in data}
        changed = self.hass.config_entries.async_update_entry(entry, data=data)
        if changed or any(entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
            self.hass.config_entries.async_schedule_reload(entry.entry_id)


def controller_of(entry: ConfigEntry) -> str:
    """Return what names the controller in an entry's id: its own id, else its first address."""
    return f"{entry.unique_id}".removesuffix(f"_{entry.data[CONF_SITE]}")
