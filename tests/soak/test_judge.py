"""Tests of the soak's judge."""

from typing import Any

import pytest

from .ground_truth import Delivery, GroundTruth
from .judge import Judge, Report, Verdict
from .miss_reasons import Reason

PHONE, HALL, KITCHEN, ATTIC = "phone", "hall", "kitchen", "attic"


@pytest.fixture
def truth() -> GroundTruth:
    """Return a truth with a phone in the hall and a loaded entry."""
    truth = GroundTruth()
    truth.begin(PHONE, HALL, 0)
    truth.add_snapshot(10)
    return truth


def roam(ap_from: str, ap_to: str, at: float, **fields: Any) -> Report:
    values: dict[str, Any] = {
        "kind": "roam",
        "band_to": "5",
        "received_at": at + 1,
        "source": "event",
        "inferred": False,
    }
    return Report(mac=PHONE, ap_from=ap_from, ap_to=ap_to, at=at, **(values | fields))


def judge(truth: GroundTruth, *reports: Report) -> Verdict:
    return Judge(truth, disconnect_delay=10).judge(list(reports))


def deliver(truth: GroundTruth, at: float, ap: str | None, how: Delivery) -> None:
    change = truth.add(PHONE, at, ap)
    truth.expect_event(change, "Verb", at, how)
    truth.add_event(PHONE, "Verb", round(at * 1000), at + 1)


def test_judge_counts_a_reported_roam_once(truth: GroundTruth) -> None:
    deliver(truth, 100, KITCHEN, Delivery.ROAM)
    verdict = judge(truth, roam(HALL, KITCHEN, 100))
    assert (verdict.once, verdict.doubled, verdict.invented) == ({"event": 1}, [], [])


def test_judge_finds_a_second_report_of_a_roam_doubled(truth: GroundTruth) -> None:
    deliver(truth, 100, KITCHEN, Delivery.ROAM)
    verdict = judge(truth, roam(HALL, KITCHEN, 100), roam(HALL, KITCHEN, 100, source="sync"))
    assert len(verdict.doubled) == 1


@pytest.mark.parametrize(
    "report",
    [
        roam(HALL, ATTIC, 100),
        roam(ATTIC, KITCHEN, 100),
        roam(HALL, KITCHEN, 150),
        roam(HALL, KITCHEN, 100, received_at=99),
    ],
    ids=["elsewhere", "from elsewhere", "at another time", "before it happened"],
)
def test_judge_finds_a_report_without_a_change_invented(truth: GroundTruth, report: Report) -> None:
    deliver(truth, 100, KITCHEN, Delivery.ROAM)
    assert judge(truth, report).invented == [report]


def test_judge_finds_no_reason_to_miss_a_delivered_roam(truth: GroundTruth) -> None:
    deliver(truth, 100, KITCHEN, Delivery.ROAM)
    assert [change.after for change in judge(truth).unexplained] == [KITCHEN]


def test_judge_expects_a_roam_delivered_by_a_client_record_only(truth: GroundTruth) -> None:
    truth.add(PHONE, 100, KITCHEN)
    truth.add_record(PHONE, KITCHEN, 100, 105, Delivery.SYNC)
    assert len(judge(truth).unexplained) == 1


def test_judge_excuses_a_roam_that_was_not_delivered(truth: GroundTruth) -> None:
    truth.add(PHONE, 100, KITCHEN)
    deliver(truth, 130, ATTIC, Delivery.ROAM)
    verdict = judge(truth, roam(KITCHEN, ATTIC, 130))
    assert verdict.missed == {Reason.NOT_DELIVERED: 1}


def test_judge_excuses_a_roam_delivered_by_an_overtaken_record_only(truth: GroundTruth) -> None:
    truth.add(PHONE, 100, KITCHEN)
    deliver(truth, 130, ATTIC, Delivery.ROAM)
    truth.add_record(PHONE, KITCHEN, 100, 135, Delivery.SYNC)
    assert judge(truth, roam(KITCHEN, ATTIC, 130)).missed == {Reason.OVERTAKEN: 1}


def test_judge_ignores_deliveries_while_the_entry_is_not_loaded(truth: GroundTruth) -> None:
    truth.end_loaded_period(90)
    deliver(truth, 100, KITCHEN, Delivery.ROAM)
    truth.add_snapshot(110)
    assert judge(truth).missed == {Reason.NOT_DELIVERED: 1}


def test_judge_expects_departures_but_excuses_short_absences(truth: GroundTruth) -> None:
    deliver(truth, 100, None, Delivery.DISCONNECTED)
    deliver(truth, 105, HALL, Delivery.CONNECTED)
    deliver(truth, 200, None, Delivery.DISCONNECTED)
    deliver(truth, 300, HALL, Delivery.CONNECTED)
    verdict = judge(truth)
    assert verdict.missed_departures == {Reason.SHORT: 1}
    assert verdict.missed == {Reason.SHORT: 1, Reason.BACK: 1}
    assert [change.at for change in verdict.unexplained] == [200]


@pytest.mark.parametrize(("late", "excused"), [(901, True), (899, False)])
def test_judge_excuses_an_event_older_than_fifteen_minutes(
    truth: GroundTruth, late: float, *, excused: bool
) -> None:
    change = truth.add(PHONE, 100, KITCHEN)
    truth.expect_event(change, "Verb", 100, Delivery.ROAM)
    truth.add_event(PHONE, "Verb", 100_000, 100 + late)
    verdict = judge(truth)
    assert verdict.missed == ({Reason.REPLAY: 1} if excused else {})


def departure(at: float, received_at: float, **fields: Any) -> Report:
    values: dict[str, Any] = {"source": "event", "inferred": False}
    return Report(
        kind="disconnected",
        mac=PHONE,
        ap_from=HALL,
        ap_to=None,
        band_to=None,
        at=at,
        received_at=received_at,
        **(values | fields),
    )


def inferred_departure(at: float, received_at: float) -> Report:
    """Return a departure inferred because the phone was missing from two snapshots."""
    return departure(at, received_at, source="resync", inferred=True)


def test_judge_accepts_two_departure_reports_of_a_client_that_left_twice(
    truth: GroundTruth,
) -> None:
    for at, place in ((100, None), (109, HALL), (114, None)):
        truth.add(PHONE, at, place)
    verdict = judge(truth, inferred_departure(93, 150), departure(114, 220, source="system_log"))
    assert (verdict.doubled, verdict.invented) == ([], [])
    assert verdict.departures_once == {"resync": 1, "system_log": 1}


@pytest.mark.parametrize("report", [inferred_departure(93, 130), inferred_departure(120, 150)])
def test_judge_rejects_a_departure_report_dated_before_the_client_was_listed_again(
    truth: GroundTruth, report: Report
) -> None:
    # The phone is connected from 105 until 140.
    for at, place in ((100, None), (105, HALL), (140, None)):
        truth.add(PHONE, at, place)
    other = departure(140, 160)
    verdict = judge(truth, report, other)
    assert len(verdict.doubled + verdict.invented) == 1


@pytest.mark.parametrize(("reported_at", "excused"), [(150, True), (105, False)])
def test_judge_excuses_a_return_delivered_by_a_record_before_the_roam_out_was_reported(
    truth: GroundTruth, reported_at: float, *, excused: bool
) -> None:
    deliver(truth, 100, KITCHEN, Delivery.ROAM)
    truth.add(PHONE, 110, HALL)
    truth.add_record(PHONE, HALL, 110, 112, Delivery.SYNC)
    deliver(truth, 120, KITCHEN, Delivery.ROAM)
    verdict = judge(
        truth,
        roam(HALL, KITCHEN, 100, received_at=reported_at),
        roam(HALL, KITCHEN, 120, received_at=121),
    )
    assert verdict.missed == ({Reason.BACK: 1} if excused else {})
    assert len(verdict.unexplained) == (not excused)


def test_judge_finds_reports_of_an_unknown_client_invented(truth: GroundTruth) -> None:
    unknown = Report(
        kind="connected",
        mac="unknown",
        ap_from=None,
        ap_to=HALL,
        band_to=None,
        at=1,
        received_at=2,
        source="sync",
        inferred=True,
    )
    assert judge(truth, unknown).invented == [unknown]
