"""The steps that change an entry: another password, another address, another certificate."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_SSL, CONF_URL, CONF_USERNAME
from yarl import URL

from .api.tls import Certificate
from .const import CONF_CERTIFICATE, CONF_SITE
from .flow.base import ACCOUNT, ADDRESS, ControllerFlow, controller_of


class ChangeFlow(ControllerFlow):
    """The part of the flow about an entry that is there; others of its controller follow it."""

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
        console = await self._async_use(data)
        info = await console.async_call(lambda client: client.system_info(site))
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
