"""Raise a repair issue if another client keeps ending an account's sessions."""

from homeassistant.core import HomeAssistant, callback

from ..issues.account import SESSION_CONFLICT, Account, async_create_issue, async_delete_issue


class SessionConflict:
    """Distinguishes ended sessions from requests refused for lack of permission.

    Both look the same and lead to a new login. But an ended session never answers again, while its
    successor answers the caller that was refused. Sessions are identified by their login's number.
    """

    def __init__(self, hass: HomeAssistant, account: Account) -> None:
        """Start without a conflict."""
        self._hass = hass
        self._account = account
        self._refused: dict[str, int] = {}

    def note_refusal(self, caller: str, login: int) -> None:
        """Record that a session which had worked before refused a caller's request."""
        self._refused[caller] = login

    def forget_refusal(self, caller: str) -> None:
        """Drop a caller's refusal: its request was refused again right after a new login."""
        self._refused.pop(caller, None)

    @callback
    def async_note_success(self, caller: str, login: int, *, in_conflict: bool) -> None:
        """Record an answered request, and raise or delete the repair issue.

        `in_conflict` is True if too many consecutive sessions have ended early.
        """
        refused = self._refused.pop(caller, login)
        if not in_conflict:
            async_delete_issue(self._hass, SESSION_CONFLICT, self._account)
        elif refused != login:
            async_create_issue(self._hass, SESSION_CONFLICT, self._account)
