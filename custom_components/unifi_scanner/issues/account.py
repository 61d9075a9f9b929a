"""Repair issues about what only a person can put right, in UniFi: nothing here can fix them."""

from dataclasses import dataclass

from homeassistant.const import CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOCUMENTATION, DOMAIN
from ..hub.login_budget import account_key


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
    section="when-something-does-not-work",
)
_ISSUES = {each.key: each for each in (SECOND_FACTOR, SESSION_CONFLICT, NO_LIVE_UPDATES)}


@dataclass(frozen=True, slots=True)
class Subject:
    """An account of a controller, whichever entries and sites it serves."""

    url: str
    username: str

    @callback
    def async_has_entry(self, hass: HomeAssistant) -> bool:
        """Return whether an entry that is not disabled logs in with the account."""
        entries = hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
        return any(
            (entry.data[CONF_URL], entry.data[CONF_USERNAME]) == (self.url, self.username)
            for entry in entries
        )


@callback
def async_create_issue(hass: HomeAssistant, complaint: AccountIssue, subject: Subject) -> None:
    """Raise an issue, unless the account is only being tried in a flow."""
    if not subject.async_has_entry(hass):
        return
    about = {"url": subject.url, "username": subject.username}
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(complaint, subject),
        data={**about},
        is_fixable=False,
        # What still holds after a restart is found out again.
        is_persistent=False,
        learn_more_url=f"{DOCUMENTATION}#{complaint.section}",
        severity=complaint.severity,
        translation_key=complaint.key,
        translation_placeholders=about,
    )


@callback
def async_delete_issue(hass: HomeAssistant, complaint: AccountIssue, subject: Subject) -> None:
    """Take an issue back. One of an earlier run stays: it only knows whether it is ignored."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, _issue_id(complaint, subject))
    if issue is not None and issue.active:
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


@callback
def async_delete_unneeded_issues(hass: HomeAssistant) -> None:
    """Take those issues back whose account no enabled entry logs in with any more."""
    for issue in list(ir.async_get(hass).issues.values()):
        if issue.domain != DOMAIN or issue.data is None:
            continue
        complaint = _ISSUES.get(issue.translation_key or "")
        subject = Subject(str(issue.data.get("url")), str(issue.data.get("username")))
        if complaint is not None and not subject.async_has_entry(hass):
            async_delete_issue(hass, complaint, subject)


def _issue_id(complaint: AccountIssue, subject: Subject) -> str:
    return f"{complaint.key}_{account_key(subject.url, subject.username)}"
