"""The states of a login session, and the only place where one leads to another."""

from enum import Enum, auto


class SessionEvent(Enum):
    """What can happen to a session."""

    LOGIN_ACCEPTED = auto()
    LOGIN_REJECTED = auto()  # for a reason that only the user can remove
    REQUEST_ANSWERED = auto()
    REQUEST_REFUSED = auto()
    DISCARDED = auto()  # by a logout, or for the login that replaces it


class SessionState(Enum):
    """How far a session has come since its login.

    A controller refuses a request in the same way whether the session has expired or the account
    lacks a permission. Only a session that has answered requests before can be said to have
    expired, so the states keep apart what has been answered and what has been refused.
    """

    LOGGED_OUT = auto()  # no session; a login may be under way
    REJECTED = auto()  # no session, and logging in again would not help
    UNPROVEN = auto()  # logged in, nothing answered or refused yet
    PROVEN = auto()  # requests were answered, none refused
    NO_ACCESS = auto()  # requests were refused, none answered
    EXPIRED = auto()  # requests were answered, then refused; or only some are refused

    @property
    def is_logged_in(self) -> bool:
        """Whether there are cookies to send, though the controller may refuse them."""
        return self not in {SessionState.LOGGED_OUT, SessionState.REJECTED}

    @property
    def is_unanswered(self) -> bool:
        """Whether no request has been answered since the login."""
        return self in {SessionState.UNPROVEN, SessionState.NO_ACCESS}

    def after(self, event: SessionEvent) -> SessionState:
        """Return the state that follows, which is the same one where an event changes nothing."""
        if event is SessionEvent.DISCARDED:
            return SessionState.LOGGED_OUT
        return _NEXT.get((self, event), self)


_NEXT = {
    (SessionState.LOGGED_OUT, SessionEvent.LOGIN_ACCEPTED): SessionState.UNPROVEN,
    (SessionState.LOGGED_OUT, SessionEvent.LOGIN_REJECTED): SessionState.REJECTED,
    (SessionState.UNPROVEN, SessionEvent.REQUEST_ANSWERED): SessionState.PROVEN,
    (SessionState.UNPROVEN, SessionEvent.REQUEST_REFUSED): SessionState.NO_ACCESS,
    (SessionState.NO_ACCESS, SessionEvent.REQUEST_ANSWERED): SessionState.EXPIRED,
    (SessionState.PROVEN, SessionEvent.REQUEST_REFUSED): SessionState.EXPIRED,
}
