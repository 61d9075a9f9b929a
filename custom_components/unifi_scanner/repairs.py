"""What a user can do about the issues of UniFi Scanner."""

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import CONF_CERTIFICATE, DOMAIN
from .issues.certificate import CertificateChange, async_get_change, async_pinned_entries


class CertificateChangedFlow(RepairsFlow):
    """Show both certificates and take the new one, or not."""

    def __init__(self, change: CertificateChange) -> None:
        """Begin with what the issue said when it was opened."""
        self._change = change

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask whether the new certificate is the controller's."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["trust", "keep"],
            description_placeholders=self._change.texts,
        )

    async def async_step_trust(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Pin the new certificate in every entry of the controller."""
        if async_get_change(self.hass, self._change.url) != self._change:
            return self.async_abort(reason="outdated")
        for entry in async_pinned_entries(self.hass, self._change.url):
            data = {**entry.data, CONF_CERTIFICATE: self._change.shown}
            self.hass.config_entries.async_update_entry(entry, data=data)
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data={})

    async def async_step_keep(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Leave everything as it is, and the issue where it is."""
        return self.async_abort(reason="kept")


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, _data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow that fixes an issue."""
    change = CertificateChange.of(ir.async_get(hass).async_get_issue(DOMAIN, issue_id))
    if change is None:
        raise ValueError(f"Issue {issue_id} is none that can be fixed")
    return CertificateChangedFlow(change)
