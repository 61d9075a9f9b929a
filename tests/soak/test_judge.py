"""The judge of the soak can tell right from wrong."""

from typing import Any

import pytest

from .ground_truth import Told, Truth
from .judge import Court, Report, Verdict
from .miss_reasons import Reason

PHONE, HALL, KITCHEN, ATTIC = "phone", "hall", "kitchen", "attic"


@pytest.fixture
def truth() -> Truth:
    """Put a phone in the hall, known to an entry that is loaded."""
    truth = Truth()
    truth.begin(PHONE, HALL, 0)
    truth.snapshot(10)
    return truth


def roam(ap_from: str, ap_to: str, at: float, **fields: Any) -> Report:
    values: dict[str, Any] = {
        "kind": "roam",
        "band_to": "5",
        "seen": at + 1,
        "source": "event",
        "inferred": False,
    }
    return Report(mac=PHONE, ap_from=ap_from, ap_to=ap_to, at=at, **(values | fields))


def judge(truth: Truth, *reports: Report) -> Verdict:
    return Court(truth, disconnect_delay=10).judge(list(reports))


def tell(truth: Truth, at: float, ap: str | None, told: Told) -> None:
    change = truth.add(PHONE, at, ap)
    truth.means(change, "Verb", at, told)
    truth.tell_event(PHONE, "Verb", round(at * 1000), at + 1)


def test_judge_counts_a_reported_roam_once(truth: Truth) -> None:
    tell(truth, 100, KITCHEN, Told.ROAM)
    verdict = judge(truth, roam(HALL, KITCHEN, 100))
    assert (verdict.once, verdict.doubled, verdict.invented) == ({"event": 1}, [], [])


def test_judge_finds_a_second_report_of_a_roam_doubled(truth: Truth) -> None:
    tell(truth, 100, KITCHEN, Told.ROAM)
    verdict = judge(truth, roam(HALL, KITCHEN, 100), roam(HALL, KITCHEN, 100, source="sync"))
    assert len(verdict.doubled) == 1


@pytest.mark.parametrize(
    "report",
    [
        roam(HALL, ATTIC, 100),
        roam(ATTIC, KITCHEN, 100),
        roam(HALL, KITCHEN, 150),
        roam(HALL, KITCHEN, 100, seen=99),
    ],
    ids=["elsewhere", "from elsewhere", "at another time", "before it happened"],
)
def test_judge_finds_a_report_without_a_change_invented(truth: Truth, report: Report) -> None:
    tell(truth, 100, KITCHEN, Told.ROAM)
    assert judge(truth, report).invented == [report]


def test_judge_finds_no_reason_to_miss_a_delivered_roam(truth: Truth) -> None:
    tell(truth, 100, KITCHEN, Told.ROAM)
    assert [change.after for change in judge(truth).unexplained] == [KITCHEN]


def test_judge_expects_a_roam_delivered_by_a_client_record_only(truth: Truth) -> None:
    truth.add(PHONE, 100, KITCHEN)
    truth.tell_record(PHONE, KITCHEN, 100, 105, Told.SYNC)
    assert len(judge(truth).unexplained) == 1


def test_judge_excuses_a_roam_that_was_not_delivered(truth: Truth) -> None:
    truth.add(PHONE, 100, KITCHEN)
    tell(truth, 130, ATTIC, Told.ROAM)
    verdict = judge(truth, roam(KITCHEN, ATTIC, 130))
    assert verdict.missed == {Reason.UNTOLD: 1}


def test_judge_excuses_a_roam_delivered_by_an_overtaken_record_only(truth: Truth) -> None:
    truth.add(PHONE, 100, KITCHEN)
    tell(truth, 130, ATTIC, Told.ROAM)
    truth.tell_record(PHONE, KITCHEN, 100, 135, Told.SYNC)
    assert judge(truth, roam(KITCHEN, ATTIC, 130)).missed == {Reason.OVERTAKEN: 1}


def test_judge_ignores_deliveries_while_the_entry_is_not_loaded(truth: Truth) -> None:
    truth.unloaded(90)
    tell(truth, 100, KITCHEN, Told.ROAM)
    truth.snapshot(110)
    assert judge(truth).missed == {Reason.UNTOLD: 1}


def test_judge_expects_departures_but_excuses_short_absences(truth: Truth) -> None:
    tell(truth, 100, None, Told.DISCONNECTED)
    tell(truth, 105, HALL, Told.CONNECTED)
    tell(truth, 200, None, Told.DISCONNECTED)
    tell(truth, 300, HALL, Told.CONNECTED)
    verdict = judge(truth)
    assert verdict.missed_departures == {Reason.SHORT: 1}
    assert verdict.missed == {Reason.SHORT: 1, Reason.BACK: 1}
    assert [change.at for change in verdict.unexplained] == [200]


@pytest.mark.parametrize(("late", "excused"), [(901, True), (899, False)])
def test_judge_excuses_an_event_older_than_fifteen_minutes(
    truth: Truth, late: float, *, excused: bool
) -> None:
    change = truth.add(PHONE, 100, KITCHEN)
    truth.means(change, "Verb", 100, Told.ROAM)
    truth.tell_event(PHONE, "Verb", 100_000, 100 + late)
    verdict = judge(truth)
    assert verdict.missed == ({Reason.REPLAY: 1} if excused else {})


def gone(at: float, seen: float, **fields: Any) -> Report:
    values: dict[str, Any] = {"source": "event", "inferred": False}
    return Report(
        kind="disconnected",
        mac=PHONE,
        ap_from=HALL,
        ap_to=None,
        band_to=None,
        at=at,
        seen=seen,
        **(values | fields),
    )


def missing(at: float, seen: float) -> Report:
    """Report that two snapshots have missed the phone since it was last seen."""
    return gone(at, seen, source="resync", inferred=True)


def test_judge_accepts_two_departure_reports_of_a_client_that_left_twice(truth: Truth) -> None:
    for at, place in ((100, None), (109, HALL), (114, None)):
        truth.add(PHONE, at, place)
    verdict = judge(truth, missing(93, 150), gone(114, 220, source="system_log"))
    assert (verdict.doubled, verdict.invented) == ([], [])
    assert verdict.departures_once == {"resync": 1, "system_log": 1}


@pytest.mark.parametrize("report", [missing(93, 130), missing(120, 150)])
def test_judge_rejects_a_departure_report_dated_before_the_client_was_listed_again(
    truth: Truth, report: Report
) -> None:
    # It is there from 105 until 140.
    for at, place in ((100, None), (105, HALL), (140, None)):
        truth.add(PHONE, at, place)
    other = gone(140, 160)
    verdict = judge(truth, report, other)
    assert len(verdict.doubled + verdict.invented) == 1


@pytest.mark.parametrize(("reported_at", "excused"), [(150, True), (105, False)])
def test_judge_excuses_a_return_delivered_by_a_record_before_the_roam_out_was_reported(
    truth: Truth, reported_at: float, *, excused: bool
) -> None:
    tell(truth, 100, KITCHEN, Told.ROAM)
    truth.add(PHONE, 110, HALL)
    truth.tell_record(PHONE, HALL, 110, 112, Told.SYNC)
    tell(truth, 120, KITCHEN, Told.ROAM)
    verdict = judge(
        truth, roam(HALL, KITCHEN, 100, seen=reported_at), roam(HALL, KITCHEN, 120, seen=121)
    )
    assert verdict.missed == ({Reason.BACK: 1} if excused else {})
    assert len(verdict.unexplained) == (not excused)


def test_judge_finds_reports_of_an_unknown_client_invented(truth: Truth) -> None:
    stranger = Report(
        kind="connected",
        mac="stranger",
        ap_from=None,
        ap_to=HALL,
        band_to=None,
        at=1,
        seen=2,
        source="sync",
        inferred=True,
    )
    assert judge(truth, stranger).invented == [stranger]
