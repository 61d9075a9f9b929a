"""The outcomes of the soak as a table in docs/reliability.md."""

from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from .expectations import Kind
from .outcome import Outcome, percentile, shortfalls
from .situations import SITUATIONS
from .verdict import Counts

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- soak: begin -->\n", "<!-- soak: end -->\n"
LIBRARIES = ("homeassistant", "aiohttp", "websockets")
TITLES = (
    "situation",
    "mean stay",
    "roams",
    "mentioned",
    "reported once",
    "late",
    "wrong origin",
    "missed",
    "of these mentioned",
    "doubled",
    "invented",
    "p50 / p99 in s",
    "others once / missed / doubled / invented",
    "bar",
)


def table(outcomes: Iterable[Outcome]) -> str:
    """Return the outcomes as a Markdown table, with all seeds of a situation in one row."""
    groups: dict[tuple[str, float], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.case.situation, outcome.case.stay), []).append(outcome)
    rows = [TITLES, ("---", *("---:" for _ in TITLES[1:]))]
    rows += [_row(group) for group in groups.values()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    return "".join(f"| {' | '.join(map(str.ljust, row, widths, strict=True))} |\n" for row in rows)


def _row(group: list[Outcome]) -> tuple[str, ...]:
    case = group[0].case
    roams = sum((one.count((Kind.ROAM,)) for one in group), Counts())
    others = sum((one.count(set(Kind) - {Kind.ROAM}) for one in group), Counts())
    latencies = [latency for one in group for latency in one.verdict.latencies]
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    reached = sum(not shortfalls(one) for one in group)
    share = roams.reported_once / roams.expected if roams.expected else 1.0
    return (
        SITUATIONS[case.situation].title,
        f"{case.stay:g} s",
        f"{roams.expected:,}",
        f"{roams.mentioned:,}",
        f"{share:.2%}",
        f"{roams.late:,}",
        f"{roams.wrong_origin:,}",
        f"{roams.missed:,}",
        f"{roams.missed_mentioned:,}",
        f"{roams.doubled:,}",
        f"{roams.invented:,}",
        f"{p50:.1f} / {p99:.1f}",
        f"{others.reported_once:,} / {others.missed:,} / {others.doubled:,} / {others.invented:,}",
        "reached" if reached == len(group) else f"{reached} of {len(group)} runs",
    )


def write(outcomes: list[Outcome], *, seconds: float) -> None:
    """Write the table and its seeds into docs/reliability.md."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    today = datetime.now(UTC).date()
    seeds: dict[tuple[int, ...], list[str]] = {}
    for name in dict.fromkeys(outcome.case.situation for outcome in outcomes):
        mine = dict.fromkeys(one.case.seed for one in outcomes if one.case.situation == name)
        seeds.setdefault(tuple(mine), []).append(name)
    heading = (
        f"Run on {today} with `scripts/soak`, {outcomes[0].case.clients} clients, in "
        f"{seconds / 60:.0f} minutes; Python {python_version()}, {versions}. Seeds:\n\n"
    )
    lines = [f"- {', '.join(names)}: {_ranges(numbers)}\n" for numbers, names in seeds.items()]
    DOCUMENT.write_text(
        f"{before}{BEGIN}\n{heading}{''.join(lines)}\n{table(outcomes)}\n{END}{after}"
    )


def _ranges(numbers: tuple[int, ...]) -> str:
    """Write numbers briefly: 1 to 40, 77."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{low} to {high}" if high > low else f"{low}" for low, high in parts)
