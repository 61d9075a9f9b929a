"""The steps that begin when Home Assistant comes across a controller by itself."""

from base64 import b64encode
from typing import Self, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_URL
from homeassistant.helpers.device_registry import format_mac
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import (
    ATTR_UPNP_FRIENDLY_NAME,
    ATTR_UPNP_SERIAL,
    SsdpServiceInfo,
)
from yarl import URL

from ..api.endpoints import candidate_urls
from ..api.errors import UnifiError
from ..api.tls import TlsMode
from ..const import CONF_CERTIFICATE
from ..hub.connection import Endpoint, async_find_controller
from .base import ControllerFlow

_FALLBACK_NAME = "UniFi"


class DiscoveryFlow(ControllerFlow):
    """The part of the flow about what was found in the network.

    Something found is known by its MAC until the user logs in: its controller's id is only told
    then. Nothing but a GET / is sent before.
    """

    @override
    async def async_step_ssdp(self, discovery_info: SsdpServiceInfo) -> ConfigFlowResult:
        """Take a console that announces itself."""
        host = URL(discovery_info.ssdp_location or "").host or ""
        serial = discovery_info.upnp.get(ATTR_UPNP_SERIAL)
        name = discovery_info.upnp.get(ATTR_UPNP_FRIENDLY_NAME)
        return await self._async_discover(host, format_mac(serial) if serial else host, name)

    @override
    async def async_step_dhcp(self, discovery_info: DhcpServiceInfo) -> ConfigFlowResult:
        """Take a host whose name looks like a controller's."""
        mac = format_mac(discovery_info.macaddress)
        return await self._async_discover(discovery_info.ip, mac, discovery_info.hostname)

    async def _async_discover(self, host: str, hint: str, name: str | None) -> ConfigFlowResult:
        """Show the user's form for what was found, if it is a controller and a new one."""
        await self.async_set_unique_id(hint)
        self._abort_if_unique_id_configured()
        self._typed = {CONF_HOST: host}
        if self.hass.config_entries.flow.async_has_matching_flow(self):
            return self.async_abort(reason="already_in_progress")
        entries = self._async_current_entries(include_ignore=False)
        for entry in entries:
            if host in await self._async_addresses(entry.data[CONF_URL]):
                return self.async_abort(reason="already_configured")
        try:
            endpoint = await async_find_controller(self.hass, candidate_urls(host), TlsMode.PINNED)
        except UnifiError, ValueError:
            return self.async_abort(reason="no_controller")
        if same := [entry for entry in entries if _is_shown_by(endpoint, entry)]:
            for entry in same:
                if not _is_reached(entry):
                    found = {CONF_HOST: host, CONF_URL: endpoint.url}
                    self._change(entry, found, tuple(found))
            return self.async_abort(reason="already_configured")
        self.context["title_placeholders"] = {"name": name or _FALLBACK_NAME, "host": host}
        self.context["configuration_url"] = endpoint.url
        return self._show_first()

    @override
    def is_matching(self, other_flow: Self) -> bool:
        return bool(other_flow._typed.get(CONF_HOST) == self._typed[CONF_HOST])

    async def _async_dismiss_discoveries(self) -> None:
        """End the dialogs about having found what is being set up now."""
        url = self._endpoint.url
        hosts = {URL(url).host, *await self._async_addresses(url)}
        for flow in self._async_in_progress():
            found = flow["context"].get("title_placeholders", {})
            if flow["context"]["source"] != SOURCE_REAUTH and found.get("host") in hosts:
                self.hass.config_entries.flow.async_abort(flow["flow_id"])

    async def _async_addresses(self, url: str) -> set[str]:
        """Return the IP addresses of a controller."""
        try:
            found = await self.hass.loop.getaddrinfo(URL(url).host, None)
        except OSError:
            return set()
        return {str(address[0]) for *_, address in found}


def _is_shown_by(endpoint: Endpoint, entry: ConfigEntry) -> bool:
    """Return whether the certificate that an entry pins is the one shown: no other host can."""
    certificate = endpoint.certificate
    return certificate is not None and (
        b64encode(certificate.der).decode() == entry.data.get(CONF_CERTIFICATE)
    )


def _is_reached(entry: ConfigEntry) -> bool:
    """Return whether an entry can do without a new address: consoles have one per network."""
    if entry.state is ConfigEntryState.LOADED:
        return bool(entry.runtime_data.available)
    return entry.state is not ConfigEntryState.SETUP_RETRY
