"""Shared parts of the config flow: the controller, its certificate, the session, and errors."""

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
from ..const import CONF_CERTIFICATE, DOCUMENTATION
from ..hub.connection import Endpoint, async_find_controller
from ..hub.errors import error_translation
from ..hub.identity import has_same_controller
from ..hub.session import ControllerSession
from ..hub.session_pool import async_acquire_session
from ..issues.certificate import certificate_placeholders
from .schemas import REAUTH_SCHEMA, RECONFIGURE_SCHEMA, USER_SCHEMA

_LOGGER = logging.getLogger(__name__)

# Entry data: where the controller is, how its certificate is checked, and the account on it.
ADDRESS_KEYS: tuple[str, ...] = (CONF_HOST, CONF_URL)
TRUST_KEYS = (CONF_SSL, CONF_CERTIFICATE)
ACCOUNT_KEYS = (CONF_USERNAME, CONF_PASSWORD)

# Step id and schema of the first form by flow source; any other source starts with step `user`.
_FIRST_FORMS: dict[str | None, tuple[str, probatio.Schema]] = {
    SOURCE_REAUTH: ("reauth_confirm", REAUTH_SCHEMA),
    SOURCE_RECONFIGURE: ("reconfigure", RECONFIGURE_SCHEMA),
}


class ControllerFlow(ConfigFlow):
    """A flow that finds a controller, has its certificate confirmed, and logs in.

    `_form_values` prefills the first form, which is shown again after any error; `_data` is the
    entry data being built.
    """

    def __init__(self) -> None:
        """Initialize the flow."""
        self._session: ControllerSession | None = None
        self._removed = False
        self._unconfirmed_certificate: Certificate
        self._trusted_certificate: Certificate | None = None
        self._form_values: dict[str, Any] = {}
        self._endpoint: Endpoint
        self._info: SystemInfo
        self._data: dict[str, Any]

    @abstractmethod
    async def _async_log_in(self) -> ConfigFlowResult:
        """Log in to the controller and continue; its certificate has been accepted."""

    async def _async_find_controller(self) -> ConfigFlowResult:
        """Find the controller at the host that the user entered, and continue with it."""
        host: str = self._form_values[CONF_HOST]
        if host.strip().lower().startswith("http://"):
            return self._show_first_form({CONF_HOST: "https_only"})
        try:
            urls = candidate_urls(host)
        except ValueError:
            return self._show_first_form({CONF_HOST: "invalid_host"})

        async def async_find() -> ConfigFlowResult:
            mode = TlsMode(self._form_values[CONF_SSL])
            self._endpoint = await async_find_controller(self.hass, urls, mode)
            certificate = self._endpoint.certificate
            if certificate is not None and certificate != self._trusted_certificate:
                self._unconfirmed_certificate = certificate
                return await self.async_step_certificate()
            return await self._async_use_endpoint()

        return await self._async_run(async_find)

    async def async_step_certificate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to pin the presented certificate, before sending any credentials."""
        if user_input is None:
            return self.async_show_form(
                step_id="certificate",
                data_schema=probatio.Schema({}),
                description_placeholders={
                    "url": self._endpoint.url,
                    **certificate_placeholders(self._unconfirmed_certificate),
                },
            )
        self._trusted_certificate = self._unconfirmed_certificate
        return await self._async_run(self._async_use_endpoint)

    async def _async_use_endpoint(self) -> ConfigFlowResult:
        endpoint = self._endpoint
        self._data = {**self._form_values, CONF_URL: endpoint.url, CONF_SSL: endpoint.ssl.value}
        if endpoint.certificate is not None:
            self._data[CONF_CERTIFICATE] = b64encode(endpoint.certificate.der).decode()
        return await self._async_log_in()

    async def _async_open_session(self, data: Mapping[str, Any]) -> ControllerSession:
        """Log in with an entry's data, or reuse the session that exists for the same data."""
        session = await async_acquire_session(self.hass, data)
        if self._removed:
            await session.async_release()
            raise CannotConnectError("The dialog was closed in the meantime")
        previous, self._session = self._session, session
        if previous is not None:
            await previous.async_release()
        await self._session.async_log_in()
        return self._session

    @callback
    @override
    def async_remove(self) -> None:
        """Release the session when the flow ends, whether completed or abandoned."""
        self._removed = True
        if self._session is not None:
            self.hass.async_create_task(self._session.async_release())
            self._session = None

    async def _async_run(
        self, action: Callable[[], Awaitable[ConfigFlowResult]]
    ) -> ConfigFlowResult:
        """Run an action; if it fails, show the first form again with the error."""
        try:
            return await action()
        except AbortFlow:
            raise
        except UnifiError as error:
            key, placeholders = error_translation(error, self._form_values)
            return self._show_first_form({"base": key}, placeholders)
        except Exception:
            _LOGGER.exception("Unexpected error in the config flow")
            return self._show_first_form({"base": "unknown"})

    def _show_first_form(
        self, errors: dict[str, str] | None = None, placeholders: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show the flow's first form, prefilled with the values entered so far."""
        step, schema = _FIRST_FORMS.get(self.source, ("user", USER_SCHEMA))
        values = {key: str(self._form_values.get(key)) for key in (CONF_HOST, CONF_USERNAME)}
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, self._form_values),
            errors=errors,
            description_placeholders={
                "documentation": DOCUMENTATION,
                **values,
                **(placeholders or {}),
            },
        )

    def _unique_id(self, site: str) -> str:
        return f"{self._info.controller_id or URL(self._endpoint.url).host}_{site}"

    def _entries_of_same_controller(self, entry: ConfigEntry) -> list[ConfigEntry]:
        """Return the other entries of an entry's controller."""
        return [
            other
            for other in self._async_current_entries(include_ignore=False)
            if other is not entry and has_same_controller(other, entry)
        ]

    def _update_entry(
        self, entry: ConfigEntry, data: Mapping[str, Any], keys: Collection[str]
    ) -> None:
        """Copy `keys` from `data` to an entry, removing those that `data` lacks.

        Reloads the entry if its data changed, or if it is waiting for the user to log in again.
        """
        kept = {key: value for key, value in entry.data.items() if key not in keys}
        data = kept | {key: data[key] for key in keys if key in data}
        changed = self.hass.config_entries.async_update_entry(entry, data=data)
        if changed or any(entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
