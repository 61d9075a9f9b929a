"""Tests of the soak's judge, with truth and reports written by hand."""

from math import inf
from typing import Any

import pytest

from .expectations import Kind
from .judge import judge
from .truth import Link, Source, Truth
from .verdict import Counts, Fault, Report, Verdict

PHONE = "phone"
HALL, KITCHEN, ATTIC = Link("hall", "5"), Link("kitchen", "5"), Link("attic", "5")


def truth(*moves: tuple[float, Link | None], mentions: tuple[Source, ...] = ()) -> Truth:
    """Return the truth of a phone that starts in the hall; all moves get the same mentions."""
    result = Truth()
    result.add(PHONE, 0, HALL)
    for at, link in moves:
        move = result.add(PHONE, at, link)
        for source in mentions:
            move.mention(source, at + 0.5)
    return result


def report(
    kind: Kind, link_from: Link | None, link_to: Link | None, at: float, **fields: Any
) -> Report:
    values: dict[str, Any] = {"received_at": at + 1, "source": "event", **fields}
    return Report(
        kind=kind,
        mac=PHONE,
        ap_from=link_from and link_from.ap,
        ap_to=link_to and link_to.ap,
        band_from=link_from and link_from.band,
        band_to=link_to and link_to.band,
        at=at,
        **values,
    )


def roam(link_from: Link, link_to: Link, at: float, **fields: Any) -> Report:
    return report(Kind.ROAM, link_from, link_to, at, **fields)


def connected(link_to: Link, at: float, **fields: Any) -> Report:
    return report(Kind.CONNECTED, None, link_to, at, **fields)


def disconnected(link_from: Link, at: float, **fields: Any) -> Report:
    return report(Kind.DISCONNECTED, link_from, None, at, **fields)


def counts(verdict: Verdict, kind: Kind = Kind.ROAM) -> dict[str, int]:
    """Return the counts that are not zero, without those of mentions."""
    names = [name for name in Counts.__slots__ if "mentioned" not in name]
    found = {name: getattr(verdict.counts[kind], name) for name in names}
    return {name: number for name, number in found.items() if number}


def test_judge_counts_a_reported_roam_once() -> None:
    verdict = judge(truth((100.25, KITCHEN)), [roam(HALL, KITCHEN, 100.25)])
    assert counts(verdict) == {"expected": 1, "once": 1}
    assert verdict.latencies == [1.0]


def test_judge_counts_a_roam_reported_after_more_than_a_minute_late() -> None:
    verdict = judge(truth((100, KITCHEN)), [roam(HALL, KITCHEN, 100, received_at=161)])
    assert counts(verdict) == {"expected": 1, "late": 1}


def test_judge_counts_a_roam_from_elsewhere_as_one_with_a_wrong_origin() -> None:
    verdict = judge(truth((100, KITCHEN)), [roam(ATTIC, KITCHEN, 100)])
    assert counts(verdict) == {"expected": 1, "wrong_origin": 1}


def test_judge_counts_a_roam_reported_as_a_connection_as_one_with_a_wrong_origin() -> None:
    verdict = judge(truth((100, KITCHEN)), [connected(KITCHEN, 100)])
    assert counts(verdict) == {"expected": 1, "wrong_origin": 1}


@pytest.mark.parametrize("mentions", [(), (Source.ROAM,)], ids=["not mentioned", "mentioned"])
def test_judge_counts_a_roam_without_a_report_as_missed(mentions: tuple[Source, ...]) -> None:
    verdict = judge(truth((100, KITCHEN), mentions=mentions), [])
    assert counts(verdict) == {"expected": 1, "missed": 1}
    assert verdict.counts[Kind.ROAM].missed_mentioned == len(mentions)


def test_judge_counts_a_roam_with_a_second_report_as_doubled() -> None:
    reports = [roam(HALL, KITCHEN, 100), roam(HALL, KITCHEN, 100, source="sync", inferred=True)]
    verdict = judge(truth((100, KITCHEN)), reports)
    assert counts(verdict) == {"expected": 1, "doubled": 1}


@pytest.mark.parametrize(
    "invented",
    [
        roam(HALL, ATTIC, 100),
        roam(HALL, KITCHEN, 100.1),
        roam(HALL, KITCHEN, 99.9),
        roam(HALL, KITCHEN, 100, received_at=99),
        roam(HALL, KITCHEN, 210, inferred=True),
        roam(HALL, KITCHEN, 98.5, inferred=True),
        disconnected(HALL, 100),
    ],
    ids=[
        "elsewhere",
        "after it happened",
        "before it happened",
        "reported before it happened",
        "inferred after the stay",
        "inferred before the stay",
        "departure",
    ],
)
def test_judge_counts_a_report_of_nothing_as_invented(invented: Report) -> None:
    verdict = judge(truth((100, KITCHEN), (200, ATTIC)), [invented, roam(KITCHEN, ATTIC, 200)])
    total = sum(verdict.counts.values(), Counts())
    assert (total.invented, total.once, total.missed) == (1, 1, 1)
    assert len(verdict.details[Fault.INVENTED]) == 1


def test_judge_counts_reports_of_an_unknown_client_as_invented() -> None:
    assert counts(judge(Truth(), [roam(HALL, KITCHEN, 100)])) == {"invented": 1}


@pytest.mark.parametrize("at", [99.01, 100, 150, 200])
def test_judge_accepts_any_time_of_the_stay_for_an_inferred_roam(at: float) -> None:
    inferred = roam(HALL, KITCHEN, at, received_at=210, source="sync", inferred=True)
    verdict = judge(truth((100, KITCHEN), (200, ATTIC)), [inferred, roam(KITCHEN, ATTIC, 200)])
    assert counts(verdict) == {"expected": 2, "once": 1, "late": 1}


def test_judge_accepts_whole_seconds_of_a_departure_and_of_a_record() -> None:
    moves = truth((100.9, KITCHEN), (200.9, None), (300.5, HALL))
    reports = [
        roam(HALL, KITCHEN, 100, source="sync"),
        disconnected(KITCHEN, 200),
        connected(HALL, 300.5),
    ]
    verdict = judge(moves, reports)
    assert counts(verdict) == {"expected": 1, "once": 1}
    assert counts(verdict, Kind.DISCONNECTED) == {"expected": 1, "once": 1}
    assert counts(verdict, Kind.CONNECTED) == {"expected": 1, "once": 1}


def test_judge_expects_nothing_of_a_short_absence_at_the_same_access_point() -> None:
    moves = truth((100, None), (109, HALL))
    assert sum(judge(moves, []).counts.values(), Counts()) == Counts()
    wrong = judge(moves, [disconnected(HALL, 100), connected(HALL, 109)])
    assert sum(wrong.counts.values(), Counts()).invented == 2


def test_judge_expects_a_roam_of_a_short_absence_that_ends_elsewhere() -> None:
    verdict = judge(truth((100, None), (109, KITCHEN)), [roam(HALL, KITCHEN, 109)])
    assert counts(verdict) == {"expected": 1, "once": 1}
    assert counts(verdict, Kind.DISCONNECTED) == {}


@pytest.mark.parametrize(("known_at", "invented"), [(105, 2), (115, 0), (inf, 0)])
def test_judge_accepts_a_false_departure_whose_return_was_mentioned_too_late(
    known_at: float, invented: int
) -> None:
    moves = truth((100, None), (104, HALL))
    moves.moves[PHONE][1].mention(Source.DISCONNECTED, 100.5)
    if known_at < inf:
        moves.moves[PHONE][2].mention(Source.CONNECTED, known_at)
    reports = [disconnected(HALL, 100, received_at=110.5), connected(HALL, 104, received_at=120)]
    verdict = judge(moves, reports)
    assert sum(verdict.counts.values(), Counts()).invented == invented


def test_judge_takes_a_roam_that_began_as_a_false_departure_for_one_with_a_wrong_origin() -> None:
    moves = truth((100.85, KITCHEN))
    moves.moves[PHONE][1].mention(Source.DISCONNECTED, 101)
    reports = [disconnected(HALL, 100, received_at=110), roam(HALL, KITCHEN, 100.85)]
    assert counts(judge(moves, reports)) == {"expected": 1, "wrong_origin": 1}


def test_judge_accepts_an_inferred_departure_dated_by_the_last_sign_of_the_client() -> None:
    inferred = disconnected(HALL, 50, received_at=150, source="resync", inferred=True)
    verdict = judge(truth((100, None), (300, KITCHEN)), [inferred, connected(KITCHEN, 300)])
    assert counts(verdict, Kind.DISCONNECTED) == {"expected": 1, "once": 1}


def test_judge_counts_a_departure_from_elsewhere_as_one_with_a_wrong_origin() -> None:
    inferred = disconnected(HALL, 50, received_at=250, source="resync", inferred=True)
    verdict = judge(truth((100, KITCHEN), (200, None)), [inferred])
    assert counts(verdict, Kind.DISCONNECTED) == {"expected": 1, "wrong_origin": 1}


def test_judge_counts_a_return_taken_for_a_change_of_band_as_one_with_a_wrong_origin() -> None:
    other_band = Link("hall", "2.4")
    reports = [
        report(Kind.RADIO, HALL, other_band, 120, received_at=125, source="sync", inferred=True)
    ]
    verdict = judge(truth((100, KITCHEN), (120.5, other_band)), reports)
    assert counts(verdict) == {"expected": 2, "missed": 1, "wrong_origin": 1}


def test_judge_compares_changes_of_band() -> None:
    other_band = Link("hall", "2.4")
    verdict = judge(truth((100, other_band)), [report(Kind.RADIO, HALL, other_band, 100)])
    assert counts(verdict, Kind.RADIO) == {"expected": 1, "once": 1}
    wrong = judge(truth((100, other_band)), [report(Kind.RADIO, other_band, HALL, 100)])
    assert counts(wrong, Kind.RADIO) == {"expected": 1, "missed": 1, "invented": 1}


def test_judge_counts_reports_out_of_order() -> None:
    reports = [roam(KITCHEN, ATTIC, 200), roam(HALL, KITCHEN, 100, received_at=202)]
    verdict = judge(truth((100, KITCHEN), (200, ATTIC)), reports)
    assert (verdict.disordered, counts(verdict)) == (1, {"expected": 2, "once": 1, "late": 1})


@pytest.mark.parametrize(("received_at", "late", "wrong"), [(170, True, 0), (170, False, 1)])
def test_judge_checks_the_key_late(received_at: float, *, late: bool, wrong: int) -> None:
    one = roam(HALL, KITCHEN, 100, received_at=received_at, late=late)
    assert judge(truth((100, KITCHEN)), [one]).mislabelled == wrong


@pytest.mark.parametrize(
    ("sources", "mentioned"),
    [
        ((), 0),
        ((Source.SYNC,), 2),
        ((Source.ROAM,), 2),
        ((Source.DISCONNECTED,), 0),
        ((Source.DISCONNECTED, Source.CONNECTED), 2),
    ],
)
def test_judge_counts_what_the_controller_mentioned(
    sources: tuple[Source, ...], mentioned: int
) -> None:
    moves = truth((100, KITCHEN), (110, HALL), mentions=sources)
    assert judge(moves, []).counts[Kind.ROAM].mentioned == mentioned


@pytest.mark.parametrize(("source", "mentioned"), [(Source.SYNC, 0), (Source.ROAM, 1)])
def test_judge_knows_that_a_record_of_a_return_alone_says_nothing_new(
    source: Source, mentioned: int
) -> None:
    moves = truth((100, KITCHEN), (110, HALL))
    moves.moves[PHONE][2].mention(source, 111)
    assert judge(moves, []).counts[Kind.ROAM].mentioned == mentioned
