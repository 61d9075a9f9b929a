"""The benchmark's table: what is measured, against what, and how it is told."""

from datetime import date
from pathlib import Path

import orjson
import pytest

from benchmarks import report
from benchmarks.command import MEASURES
from benchmarks.frames import SSIDS_OF_40_KB, Crowd, device_frame, mixed_stream
from benchmarks.options import GROUPS, parse_arguments
from benchmarks.rows import CORE, OURS, Figure, Limit, Row
from benchmarks.targets import TARGETS


def row(ours: float, **others: float) -> Row:
    figures = {OURS: Figure.exactly(ours), **{who: Figure.exactly(x) for who, x in others.items()}}
    return Row(key="sync", work="a record", unit="µs", figures=figures)


def test_a_figure_is_the_median_and_the_middle_half() -> None:
    assert Figure.of([1.0, 2.0, 3.0, 4.0, 100.0]) == Figure(median=3.0, low=2.0, high=4.0)
    assert Figure.of([7.0]) == Figure.exactly(7.0)


@pytest.mark.parametrize(("ours", "met"), [(13.0, True), (13.1, False)])
def test_a_limit_beside_another_is_a_ratio(ours: float, *, met: bool) -> None:
    (verdict,) = row(ours, orjson=10.0).verdicts({"sync": (Limit(1.3, "orjson"),)})
    assert verdict.met is met
    assert verdict.value == pytest.approx(ours / 10)


def test_beside_whom_was_not_measured_there_is_no_verdict() -> None:
    assert row(1.0).verdicts({"sync": (Limit(1.3, "orjson"), Limit(2.0))}) == [(Limit(2.0), 1.0)]


def test_a_row_that_misses_one_of_its_limits_is_missed() -> None:
    assert report.missed([row(1.0, orjson=1.0)]) == []
    (missed,) = report.missed([row(2.0, orjson=1.0)])
    assert missed.key == "sync"
    assert "**missed**" in report.table([missed])


def test_the_document_keeps_what_else_stands_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{report.BEGIN}old\n{report.END}after\n")
    monkeypatch.setattr(report, "DOCUMENT", document)
    run = report.Run(
        command="scripts/bench --write",
        day=date(2026, 11, 23),
        seconds=60.0,
        rows=[row(1.5, orjson=1.25)],
    )
    report.write(run)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| a record | 1.50 µs | orjson 1.25 | ≤ 1.3x orjson | 1.20x   | met |" in text
    assert run.document()["rows"][0]["targets"] == [
        {"most": 1.3, "of": "orjson", "value": pytest.approx(1.2), "met": True}
    ]


def test_the_published_table_has_every_row_that_has_a_target() -> None:
    text = report.DOCUMENT.read_text()
    table = text[text.index(report.BEGIN) : text.index(report.END)]
    assert table.count("| met ") + table.count("| **missed** ") == len(TARGETS)


def test_all_that_can_be_left_out_is_known_by_name() -> None:
    assert list(GROUPS) == list(MEASURES)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rows", "dance"], "invalid choice: 'dance'"),
        (["--write", "--quick"], "--write takes all rows of a full run"),
        (["--write", "--rows", "sync"], "--write takes all rows of a full run"),
        (["--json", "nowhere/at/all.json"], "there is no folder nowhere/at"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_measured(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse_arguments(arguments)
    assert complaint in capsys.readouterr().err


def test_frames_are_the_same_in_every_run_and_as_large_as_real_ones() -> None:
    assert mixed_stream() == mixed_stream()
    assert mixed_stream() != mixed_stream(seed=2)
    sizes = [len(frame) for frame in mixed_stream()]
    assert len(sizes) == 400
    assert 4_500_000 < sum(sizes) < 6_500_000
    assert 38_000 < len(device_frame(SSIDS_OF_40_KB)) < 45_000
    crowd = Crowd(1)
    assert 1_500 < len(crowd.sync(crowd.clients[0])) < 1_800


def test_an_unwanted_frame_may_tell_its_type_at_its_end() -> None:
    frame = device_frame(SSIDS_OF_40_KB, meta_first=False)
    assert list(orjson.loads(frame)) == ["data", "meta"]
    assert orjson.loads(frame) == orjson.loads(device_frame(SSIDS_OF_40_KB))


def test_core_is_who_others_are_compared_with() -> None:
    assert TARGETS["set_up"] == (Limit(0.5, CORE),)
