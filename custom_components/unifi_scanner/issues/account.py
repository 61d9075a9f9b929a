"""Repair issues about what only a person can put right, in UniFi: nothing here can fix them."""

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
    """What there is to complain about; `section` is that of the documentation that helps."""

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
_ISSUES = {each.key: each for each in (SECOND_FACTOR, SESSION_CONFLICT, NO_LIVE_UPDATES)}


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a controller, whichever entries and sites it serves."""

    url: str
    username: str

    @classmethod
    def of(cls, entry: ConfigEntry) -> Self:
        """Return the account that an entry logs in with."""
        return cls(entry.data[CONF_URL], entry.data[CONF_USERNAME])

    @property
    def key(self) -> str:
        """A hash that names the account in files and issue ids, which people share."""
        return sha256(f"{self.url}\n{self.username}".encode()).hexdigest()

    @callback
    def async_has_entry(self, hass: HomeAssistant) -> bool:
        """Return whether an entry that is not disabled logs in with the account."""
        entries = hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
        return any(self.of(entry) == self for entry in entries)


@callback
def async_create_issue(hass: HomeAssistant, issue_type: AccountIssue, account: Account) -> None:
    """Raise an issue, unless the account is only being tried in a flow."""
    if not account.async_has_entry(hass):
        return
    about = {"url": account.url, "username": account.username}
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(issue_type, account),
        data={**about},
        is_fixable=False,
        # What still holds after a restart is found out again.
        is_persistent=False,
        learn_more_url=f"{DOCUMENTATION}#{issue_type.section}",
        severity=issue_type.severity,
        translation_key=issue_type.key,
        translation_placeholders=about,
    )


@callback
def async_delete_issue(hass: HomeAssistant, issue_type: AccountIssue, account: Account) -> None:
    """Take an issue back. One of an earlier run stays: it only knows whether it is ignored."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, _issue_id(issue_type, account))
    if issue is not None and issue.active:
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


@callback
def async_delete_unneeded_issues(hass: HomeAssistant) -> None:
    """Take those issues back whose account no enabled entry logs in with any more."""
    for issue in list(ir.async_get(hass).issues.values()):
        if issue.domain != DOMAIN or issue.data is None:
            continue
        issue_type = _ISSUES.get(issue.translation_key or "")
        account = Account(str(issue.data.get("url")), str(issue.data.get("username")))
        if issue_type is not None and not account.async_has_entry(hass):
            async_delete_issue(hass, issue_type, account)


def _issue_id(issue_type: AccountIssue, account: Account) -> str:
    return f"{issue_type.key}_{account.key}"
