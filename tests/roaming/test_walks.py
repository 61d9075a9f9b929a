"""Whatever way a walk is told, what comes out is the truth."""

from itertools import pairwise
from random import Random

from hypothesis import given, settings, strategies as st

from custom_components.unifi_scanner.roaming import ClientEvent, EventKind

from .observations import BEDROOM, HALL, OFFICE, PHONE
from .walks import Faults, Observer, Stay, Step, roams, true_events, walk

PLACES = st.sampled_from([HALL, BEDROOM, OFFICE])
CHANNELS = st.sampled_from([36, 11])
TOLD_AS = st.sampled_from(["roam", "split", "gap"])


@st.composite
def journeys(draw: st.DrawFn, shortest: float = 1.5, away: float = 60) -> list[Step]:
    """Draw a walk: roams within seconds or minutes, band changes, leaving and naps."""
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 12))):
        dwell = draw(st.one_of(st.floats(shortest, shortest + 6), st.floats(15, 120)))
        if draw(st.integers(0, 5)) == 0:
            # Away for longer than a departure is held back and records may be late.
            steps.append(Step(max(dwell, 20), None, 36))
            steps.append(Step(draw(st.floats(away, 200)), draw(PLACES), draw(CHANNELS)))
            # What overtakes the news of coming home is taken for it, so nothing does here.
            steps.append(Step(5, draw(PLACES), draw(CHANNELS)))
        else:
            steps.append(Step(dwell, draw(PLACES), draw(CHANNELS), draw(TOLD_AS)))
    return steps


def assert_told_exactly(observer: Observer) -> None:
    """Every change was told once and in order, with its origin where the controller said it."""
    told = [event for event in observer.told if event.mac == PHONE]
    told.sort(key=lambda event: event.time)
    truth = true_events(observer.line)
    assert [(event.kind, event.ap_to) for event in told] == [(kind, to) for kind, _, to in truth]
    for event, (_, origin, _) in zip(told, truth, strict=True):
        # What is inferred before a late report of a stop in between comes from the stop before.
        assert event.inferred or event.ap_from == origin


@settings(deadline=None, max_examples=150)
@given(journeys(), PLACES, st.randoms(use_true_random=False))
def test_duplicate_late_and_reordered_messages_emit_every_change_exactly_once(
    steps: list[Step], first: str, random: Random
) -> None:
    observer = walk(first, steps, Faults(random, double=0.3, late=3))
    assert_told_exactly(observer)


@settings(deadline=None, max_examples=100)
@given(journeys(), PLACES, st.randoms(use_true_random=False))
def test_events_alone_emit_every_change_exactly_once(
    steps: list[Step], first: str, random: Random
) -> None:
    observer = walk(first, steps, Faults(random, double=0.3, late=3), syncs=False)
    assert_told_exactly(observer)


@settings(deadline=None, max_examples=100)
@given(journeys(shortest=12, away=140), PLACES, st.randoms(use_true_random=False))
def test_records_and_snapshots_alone_emit_every_roam_they_can_show(
    steps: list[Step], first: str, random: Random
) -> None:
    observer = walk(first, steps, Faults(random, double=0.3, late=1), events=False)
    truth = [(origin, to) for kind, origin, to in true_events(observer.line) if kind == "roam"]
    assert roams(observer) == truth


@settings(deadline=None, max_examples=200)
@given(journeys(), PLACES, st.randoms(use_true_random=False))
def test_lost_messages_never_invent_or_duplicate_an_arrival(
    steps: list[Step], first: str, random: Random
) -> None:
    observer = walk(first, steps, Faults(random, drop=0.4, double=0.2, late=5))
    origins = {(after.since, after.ap): before.ap for before, after in pairwise(observer.line)}
    arrivals = [stay for stay in observer.line[1:] if stay.ap is not None]
    told = [
        event
        for event in observer.told
        if event.mac == PHONE and event.kind in {EventKind.ROAM, EventKind.CONNECTED}
    ]
    for event in told:
        # Records date an arrival in whole seconds; without one only its first record does.
        match = next(
            (stay for stay in arrivals if stay.ap == event.ap_to and fits(event, stay)), None
        )
        assert match is not None, f"invented, or told twice: {event}"
        arrivals.remove(match)
        if event.kind is EventKind.ROAM and not event.inferred:
            assert event.ap_from == origins[match.since, match.ap]


def fits(event: ClientEvent, stay: Stay) -> bool:
    if event.kind is EventKind.CONNECTED and event.inferred:
        return stay.since - 1 <= event.time
    return stay.since - 1 <= event.time <= stay.since + 0.1


@settings(deadline=None, max_examples=200)
@given(journeys(), PLACES, st.randoms(use_true_random=False))
def test_final_state_is_right_despite_lost_messages(
    steps: list[Step], first: str, random: Random
) -> None:
    observer = walk(first, steps, Faults(random, drop=0.5, double=0.2, late=8))
    state = observer.tracker.clients.get(PHONE)
    assert (state.ap_mac if state else None) == observer.line[-1].ap
