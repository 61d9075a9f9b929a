"""The results as a Markdown table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
import os
from pathlib import Path
from platform import python_version
from typing import Any

from .rows import OURS, Figure, Limit, Row, Verdict
from .targets import TARGETS

DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->\n", "<!-- bench: end -->\n"
_LIBRARIES = ("homeassistant", "aiounifi", "orjson", "websockets", "aiohttp")
_GIGABYTE = 2**30
# Decimal places shown, by the smallest number they apply to.
_DIGITS = ((100, 0), (10, 1), (1, 2))
_MOST_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of the benchmark and its duration in seconds."""

    command: str
    day: date
    seconds: float
    rows: Sequence[Row]

    def heading(self) -> str:
        """Return when, where and with which versions it ran."""
        versions = ", ".join(f"{name} {number}" for name, number in _versions().items())
        return (
            f"Run on {self.day} with `{self.command}`, in {self.seconds / 60:.1f} minutes, "
            f"on {_machine()}; {versions}.\n\n{self._result()}\n"
        )

    def _result(self) -> str:
        judged = [row for row in self.rows if row.verdicts(TARGETS)]
        kept = len(judged) - len(missed(judged))
        return f"{kept} of {len(judged)} rows with a target meet it."

    def document(self) -> dict[str, Any]:
        """Return the run as a JSON object."""
        return {
            "command": self.command,
            "date": self.day.isoformat(),
            "seconds": round(self.seconds, 1),
            "machine": _machine(),
            "versions": _versions(),
            "rows": [
                asdict(row)
                | {
                    "targets": [
                        {"most": limit.most, "of": limit.of, "value": value, "met": verdict.met}
                        for verdict in row.verdicts(TARGETS)
                        for limit, value in (verdict,)
                    ]
                }
                for row in self.rows
            ],
        }


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, followed by their notes."""
    lines = [
        ("work", "ours", "others", "target", "reached", ""),
        ("---", "---:", "---", "---", "---:", "---"),
        *map(_line, rows),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    drawn = [f"| {' | '.join(map(str.ljust, line, widths, strict=True))} |\n" for line in lines]
    notes = [f"- {row.work}: {row.note}.\n" for row in rows if row.note]
    return "".join([*drawn, "\n", *notes] if notes else drawn)


def missed(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that miss a target."""
    return [row for row in rows if not all(verdict.met for verdict in row.verdicts(TARGETS))]


def write(run: Run) -> None:
    """Replace the table in the document; everything outside the markers stays."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{run.heading()}\n{table(run.rows)}\n{END}{after}")


def _line(row: Row) -> tuple[str, ...]:
    verdicts = row.verdicts(TARGETS)
    others = [
        f"{contender} {_figure(figure)}"
        for contender, figure in row.figures.items()
        if contender != OURS
    ]
    return (
        row.work,
        f"{_figure(row.figures[OURS])} {row.unit}".strip(),
        "; ".join(others) or "-",
        "; ".join(_limit(verdict.limit, row.unit) for verdict in verdicts) or "-",
        "; ".join(_reached(verdict, row.unit) for verdict in verdicts) or "-",
        _verdict(verdicts),
    )


def _figure(figure: Figure) -> str:
    spread = figure.low != figure.high
    middle = f" ({_number(figure.low)}-{_number(figure.high)})" if spread else ""
    return f"{_number(figure.median)}{middle}"


def _number(value: float) -> str:
    """Return a number with about three significant digits."""
    digits = next((count for least, count in _DIGITS if abs(value) >= least), _MOST_DIGITS)
    return f"{value:,.{0 if value == int(value) else digits}f}"


def _limit(limit: Limit, unit: str) -> str:
    if limit.of is None:
        return f"≤ {limit.most:,g} {unit}".strip()
    return f"≤ {limit.most:g}x {limit.of}"


def _reached(verdict: Verdict, unit: str) -> str:
    number = _number(verdict.value)
    return f"{number} {unit}".strip() if verdict.limit.of is None else f"{number}x"


def _verdict(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    return "met" if all(verdict.met for verdict in verdicts) else "**missed**"


def _versions() -> dict[str, str]:
    return {"Python": python_version(), **{name: version(name) for name in _LIBRARIES}}


def _machine() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{_processor()}, {os.cpu_count()} cores, {pages / _GIGABYTE:.0f} GB"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return os.uname().machine
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else os.uname().machine
