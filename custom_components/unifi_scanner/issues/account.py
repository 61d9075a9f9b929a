"""Repair issues about a UniFi account, which the user can only resolve in UniFi."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOCUMENTATION, DOMAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIssue:
    """A kind of repair issue; `section` is the anchor of the documentation that helps."""

    key: str
    severity: ir.IssueSeverity
    section: str


SECOND_FACTOR = AccountIssue(
    key="second_factor", severity=ir.IssueSeverity.ERROR, section="the-account"
)
SESSION_CONFLICT = AccountIssue(
    key="session_contested", severity=ir.IssueSeverity.WARNING, section="the-account"
)
NO_LIVE_UPDATES = AccountIssue(
    key="no_live_updates",
    severity=ir.IssueSeverity.WARNING,
    section="troubleshooting",
)
STREAM_REFUSED = AccountIssue(
    key="stream_refused", severity=ir.IssueSeverity.WARNING, section="troubleshooting"
)
STREAM_CLOSED = AccountIssue(
    key="stream_closed", severity=ir.IssueSeverity.WARNING, section="troubleshooting"
)
_ISSUES = {
    issue.key: issue
    for issue in (SECOND_FACTOR, SESSION_CONFLICT, NO_LIVE_UPDATES, STREAM_REFUSED, STREAM_CLOSED)
}


@dataclass(frozen=True, slots=True)
class Account:
    """An account on a controller, which several config entries may use."""

    url: str
    username: str

    @classmethod
    def of(cls, entry: ConfigEntry) -> Self:
        """Return the account that a config entry logs in with."""
        return cls(entry.data[CONF_URL], entry.data[CONF_USERNAME])

    @property
    def key(self) -> str:
        """A hash that identifies the account in files and issue ids, which users may share."""
        return sha256(f"{self.url}\n{self.username}".encode()).hexdigest()

    @callback
    def async_has_entry(self, hass: HomeAssistant) -> bool:
        """Return whether an enabled config entry logs in with the account."""
        entries = hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
        return any(self.of(entry) == self for entry in entries)


@callback
def async_create_issue(hass: HomeAssistant, issue_type: AccountIssue, account: Account) -> None:
    """Create an issue, unless a config flow is only trying the account."""
    if not account.async_has_entry(hass):
        return
    placeholders = {"url": account.url, "username": account.username}
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(issue_type, account),
        data={**placeholders},
        is_fixable=False,
        # Anything that still applies after a restart is detected again.
        is_persistent=False,
        learn_more_url=f"{DOCUMENTATION}#{issue_type.section}",
        severity=issue_type.severity,
        translation_key=issue_type.key,
        translation_placeholders=placeholders,
    )


@callback
def async_delete_issue(hass: HomeAssistant, issue_type: AccountIssue, account: Account) -> None:
    """Delete an issue. One from before a restart is kept, as it only says whether it is ignored."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, _issue_id(issue_type, account))
    if issue is not None and issue.active:
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


@callback
def async_delete_outdated_account_issues(hass: HomeAssistant) -> None:
    """Delete the issues of accounts that no enabled config entry uses any more."""
    for issue in list(ir.async_get(hass).issues.values()):
        if issue.domain != DOMAIN or issue.data is None:
            continue
        issue_type = _ISSUES.get(issue.translation_key or "")
        account = Account(str(issue.data.get("url")), str(issue.data.get("username")))
        if issue_type is not None and not account.async_has_entry(hass):
            async_delete_issue(hass, issue_type, account)


def _issue_id(issue_type: AccountIssue, account: Account) -> str:
    return f"{issue_type.key}_{account.key}"
