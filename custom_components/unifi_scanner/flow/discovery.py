"""Discovery steps of the config flow: controllers found by SSDP or DHCP."""

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
from .base import ADDRESS_KEYS, ControllerFlow

_FALLBACK_NAME = "UniFi"


class DiscoveryFlow(ControllerFlow):
    """A flow that can also start from a discovered controller.

    Until the user logs in, the flow's unique id is the MAC of the discovered host, because the
    controller reveals its own id only after the login. Nothing secret is sent before that.
    """

    @override
    async def async_step_ssdp(self, discovery_info: SsdpServiceInfo) -> ConfigFlowResult:
        """Handle a UniFi OS console that announces itself by SSDP."""
        host = URL(discovery_info.ssdp_location or "").host or ""
        serial = discovery_info.upnp.get(ATTR_UPNP_SERIAL)
        name = discovery_info.upnp.get(ATTR_UPNP_FRIENDLY_NAME)
        return await self._async_discover(host, format_mac(serial) if serial else host, name)

    @override
    async def async_step_dhcp(self, discovery_info: DhcpServiceInfo) -> ConfigFlowResult:
        """Handle a DHCP host whose name looks like a controller's."""
        mac = format_mac(discovery_info.macaddress)
        return await self._async_discover(discovery_info.ip, mac, discovery_info.hostname)

    async def _async_discover(
        self, host: str, unique_id: str, name: str | None
    ) -> ConfigFlowResult:
        """Show the user form if the host is a controller that is not set up yet."""
        await self.async_set_unique_id(unique_id)
        self._abort_if_unique_id_configured()
        self._form_values = {CONF_HOST: host}
        if self.hass.config_entries.flow.async_has_matching_flow(self):
            return self.async_abort(reason="already_in_progress")
        entries = self._async_current_entries(include_ignore=False)
        for entry in entries:
            if host in await self._async_resolve(entry.data[CONF_URL]):
                return self.async_abort(reason="already_configured")
        try:
            endpoint = await async_find_controller(self.hass, candidate_urls(host), TlsMode.PINNED)
        except UnifiError, ValueError:
            return self.async_abort(reason="no_controller")
        if matching := [entry for entry in entries if _pins_certificate_of(entry, endpoint)]:
            for entry in matching:
                if _needs_new_address(entry):
                    address = {CONF_HOST: host, CONF_URL: endpoint.url}
                    self._update_entry(entry, address, ADDRESS_KEYS)
            return self.async_abort(reason="already_configured")
        self.context["title_placeholders"] = {"name": name or _FALLBACK_NAME, "host": host}
        self.context["configuration_url"] = endpoint.url
        return self._show_first_form()

    @override
    def is_matching(self, other_flow: Self) -> bool:
        return bool(other_flow._form_values.get(CONF_HOST) == self._form_values[CONF_HOST])

    async def _async_dismiss_discoveries(self) -> None:
        """Abort the discovery flows of the controller that has just been set up."""
        url = self._endpoint.url
        hosts = {URL(url).host, *await self._async_resolve(url)}
        for flow in self._async_in_progress():
            title = flow["context"].get("title_placeholders", {})
            if flow["context"]["source"] != SOURCE_REAUTH and title.get("host") in hosts:
                self.hass.config_entries.flow.async_abort(flow["flow_id"])

    async def _async_resolve(self, url: str) -> set[str]:
        """Return the IP addresses of a URL's host, none if it cannot be resolved."""
        try:
            results = await self.hass.loop.getaddrinfo(URL(url).host, None)
        except OSError:
            return set()
        return {str(address[0]) for *_, address in results}


def _pins_certificate_of(entry: ConfigEntry, endpoint: Endpoint) -> bool:
    """Return whether an entry pins the endpoint's certificate, which no other host can present."""
    certificate = endpoint.certificate
    return certificate is not None and (
        b64encode(certificate.der).decode() == entry.data.get(CONF_CERTIFICATE)
    )


def _needs_new_address(entry: ConfigEntry) -> bool:
    """Return whether an entry has lost its controller.

    A controller has one address per network: as long as an entry's own address works, another one
    that is discovered must not replace it.
    """
    if entry.state is ConfigEntryState.LOADED:
        return not entry.runtime_data.available
    return entry.state is ConfigEntryState.SETUP_RETRY
