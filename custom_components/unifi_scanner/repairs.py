"""Repair flows for the issues of UniFi Scanner."""

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import CONF_CERTIFICATE, DOMAIN
from .issues.certificate import (
    CertificateChange,
    async_get_certificate_change,
    async_pinned_entries,
)


class CertificateChangedFlow(RepairsFlow):
    """Show both certificates and let the user trust the new one."""

    def __init__(self, change: CertificateChange) -> None:
        """Start with the change that the issue describes now."""
        self._change = change

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask whether to trust the new certificate."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["trust", "keep"],
            description_placeholders=self._change.placeholders,
        )

    async def async_step_trust(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Pin the new certificate in all config entries of the controller."""
        if async_get_certificate_change(self.hass, self._change.url) != self._change:
            return self.async_abort(reason="outdated")
        for entry in async_pinned_entries(self.hass, self._change.url):
            data = {**entry.data, CONF_CERTIFICATE: self._change.presented}
            self.hass.config_entries.async_update_entry(entry, data=data)
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data={})

    async def async_step_keep(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Change nothing and keep the issue."""
        return self.async_abort(reason="kept")


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, _data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the repair flow of an issue. Raises ValueError if there is none."""
    change = CertificateChange.of(ir.async_get(hass).async_get_issue(DOMAIN, issue_id))
    if change is None:
        raise ValueError(f"Issue {issue_id} has no repair flow")
    return CertificateChangedFlow(change)
