"""The state machine of a login session."""

import pytest

from custom_components.unifi_scanner.hub.session_state import SessionEvent, SessionState

ACCEPTED = SessionEvent.LOGIN_ACCEPTED
REJECTED = SessionEvent.LOGIN_REJECTED
ANSWERED = SessionEvent.REQUEST_ANSWERED
REFUSED = SessionEvent.REQUEST_REFUSED
DISCARDED = SessionEvent.DISCARDED


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], SessionState.LOGGED_OUT),
        ([REFUSED], SessionState.LOGGED_OUT),
        ([ANSWERED], SessionState.LOGGED_OUT),
        ([REJECTED], SessionState.REJECTED),
        ([REJECTED, REFUSED], SessionState.REJECTED),
        ([REJECTED, DISCARDED, ACCEPTED], SessionState.UNPROVEN),
        ([ACCEPTED], SessionState.UNPROVEN),
        ([ACCEPTED, ANSWERED], SessionState.PROVEN),
        ([ACCEPTED, ANSWERED, ANSWERED], SessionState.PROVEN),
        ([ACCEPTED, REFUSED], SessionState.NO_ACCESS),
        ([ACCEPTED, REFUSED, REFUSED], SessionState.NO_ACCESS),
        ([ACCEPTED, ANSWERED, REFUSED], SessionState.EXPIRED),
        ([ACCEPTED, ANSWERED, REFUSED, ANSWERED], SessionState.EXPIRED),
        ([ACCEPTED, REFUSED, ANSWERED], SessionState.EXPIRED),
        ([ACCEPTED, ANSWERED, REFUSED, DISCARDED], SessionState.LOGGED_OUT),
        ([ACCEPTED, ANSWERED, REFUSED, DISCARDED, ACCEPTED], SessionState.UNPROVEN),
    ],
)
def test_session_state_follows_from_events(events: list[SessionEvent], state: SessionState) -> None:
    reached = SessionState.LOGGED_OUT
    for event in events:
        reached = reached.after(event)
    assert reached is state


def test_session_state_knows_whether_it_is_logged_in_and_unanswered() -> None:
    assert {state for state in SessionState if state.is_logged_in} == {
        SessionState.UNPROVEN,
        SessionState.PROVEN,
        SessionState.NO_ACCESS,
        SessionState.EXPIRED,
    }
    assert {state for state in SessionState if state.is_unanswered} == {
        SessionState.UNPROVEN,
        SessionState.NO_ACCESS,
    }
