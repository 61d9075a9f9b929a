"""Whether somebody else ends an account's sessions again and again, and the issue about it."""

from homeassistant.core import HomeAssistant, callback

from ..issues.account import SESSION_CONFLICT, Account, async_create_issue, async_delete_issue


class SessionConflict:
    """Tells sessions that were ended from requests that are refused for want of a right.

    Both look the same, and after both a new login follows. But a session that was ended does not
    work again, and the next one works for whoever was refused. Sessions go by the number of their
    login.
    """

    def __init__(self, hass: HomeAssistant, account: Account) -> None:
        """Start without suspicion."""
        self._hass = hass
        self._account = account
        self._refused: dict[str, int] = {}

    def note_refusal(self, asker: str, session: int) -> None:
        """Take note that a session which had worked refused somebody's request."""
        self._refused[asker] = session

    def forget_refusal(self, asker: str) -> None:
        """Take note that somebody's request was refused again right after a new login."""
        self._refused.pop(asker, None)

    @callback
    def async_note_success(self, asker: str, session: int, *, contested: bool) -> None:
        """Take note that somebody was answered; `contested`: too many sessions have ended soon."""
        refused = self._refused.pop(asker, session)
        if not contested:
            async_delete_issue(self._hass, SESSION_CONFLICT, self._account)
        elif refused != session:
            async_create_issue(self._hass, SESSION_CONFLICT, self._account)
