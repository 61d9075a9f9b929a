"""The benchmark's table: rows, targets and output."""

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
    figures = {OURS: Figure.exactly(ours)} | {
        contender: Figure.exactly(value) for contender, value in others.items()
    }
    return Row(key="sync", work="a record", unit="µs", figures=figures)


def test_figure_is_the_median_and_the_middle_half() -> None:
    assert Figure.of([1.0, 2.0, 3.0, 4.0, 100.0]) == Figure(median=3.0, low=2.0, high=4.0)
    assert Figure.of([7.0]) == Figure.exactly(7.0)


@pytest.mark.parametrize(("ours", "met"), [(13.0, True), (13.1, False)])
def test_limit_relative_to_another_figure_is_a_ratio(ours: float, *, met: bool) -> None:
    (verdict,) = row(ours, orjson=10.0).verdicts({"sync": (Limit(1.3, "orjson"),)})
    assert verdict.met is met
    assert verdict.value == pytest.approx(ours / 10)


def test_limit_without_a_measured_reference_has_no_verdict() -> None:
    assert row(1.0).verdicts({"sync": (Limit(1.3, "orjson"), Limit(2.0))}) == [(Limit(2.0), 1.0)]


def test_row_that_misses_a_limit_is_listed_as_missed() -> None:
    assert report.missed([row(1.0, orjson=1.0)]) == []
    (missed,) = report.missed([row(2.0, orjson=1.0)])
    assert missed.key == "sync"
    assert "**missed**" in report.table([missed])


def test_document_keeps_its_text_outside_the_table(
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


def test_published_table_has_every_row_with_a_target() -> None:
    text = report.DOCUMENT.read_text()
    table = text[text.index(report.BEGIN) : text.index(report.END)]
    assert table.count("| met ") + table.count("| **missed** ") == len(TARGETS)


def test_every_group_of_rows_has_a_name_on_the_command_line() -> None:
    assert list(GROUPS) == list(MEASURES)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--rows", "dance"], "invalid choice: 'dance'"),
        (["--write", "--quick"], "--write requires a full run of all groups"),
        (["--write", "--rows", "sync"], "--write requires a full run of all groups"),
        (["--json", "nowhere/at/all.json"], "no such folder: nowhere/at"),
    ],
)
def test_command_line_rejects_invalid_options_before_measuring(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse_arguments(arguments)
    assert error in capsys.readouterr().err


def test_generated_frames_are_reproducible_and_as_large_as_real_ones() -> None:
    assert mixed_stream() == mixed_stream()
    assert mixed_stream() != mixed_stream(seed=2)
    sizes = [len(frame) for frame in mixed_stream()]
    assert len(sizes) == 400
    assert 4_500_000 < sum(sizes) < 6_500_000
    assert 38_000 < len(device_frame(SSIDS_OF_40_KB)) < 45_000
    crowd = Crowd(1)
    assert 1_500 < len(crowd.sync(crowd.clients[0])) < 1_800


def test_unwanted_frame_may_have_its_type_at_the_end() -> None:
    frame = device_frame(SSIDS_OF_40_KB, meta_first=False)
    assert list(orjson.loads(frame)) == ["data", "meta"]
    assert orjson.loads(frame) == orjson.loads(device_frame(SSIDS_OF_40_KB))


def test_setup_target_is_relative_to_core() -> None:
    assert TARGETS["set_up"] == (Limit(0.5, CORE),)
