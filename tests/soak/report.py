"""The soak's table."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from statistics import median

from .run import Footprint, Outcome
from .verdict import Reason

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- soak: begin -->\n", "<!-- soak: end -->\n"
LIBRARIES = ("homeassistant", "aiohttp", "websockets")
MEGABYTE = 2**20

type Row = tuple[str, Callable[[Outcome], object]]


def is_leak(outcome: Outcome) -> bool:
    """Return whether something was left behind: the book of each client has a bounded history."""
    start, end = outcome.start, outcome.end
    return (
        end.tasks > start.tasks
        or end.sockets > start.sockets
        or end.threads > start.threads
        or end.objects > start.objects + 60 * outcome.clients
        # Truth and reports are kept by the simulation until the verdict.
        or end.rss > start.rss + 16 * MEGABYTE + 10_000 * outcome.roams
    )


def failures(outcome: Outcome) -> dict[str, list[str]]:
    """Return what must not be, by its name; nothing when all is well."""
    verdict = outcome.verdict
    found = {
        "doubled": [str(report) for report in verdict.doubled],
        "invented": [str(report) for report in verdict.invented],
        "missed without a reason": [str(change) for change in verdict.unexplained],
        "in the wrong place at the end": outcome.misplaced,
        "errors in the log": outcome.complaints,
        "the user was asked": ["re-authentication"] * outcome.asked,
        "leaked": [f"{outcome.start} -> {outcome.end}"] if is_leak(outcome) else [],
    }
    return {name: cases for name, cases in found.items() if cases}


def table(outcomes: list[Outcome]) -> str:
    """Return the outcomes as a Markdown table, one column each."""
    lines = [
        ("", *(outcome.kind.name for outcome in outcomes)),
        ("---", *("---:" for _ in outcomes)),
    ]
    for title, value in _rows(outcomes):
        lines.append((title, *(str(value(outcome)) for outcome in outcomes)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "".join(
        "| "
        + " | ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |\n"
        for line in lines
    )


def _rows(outcomes: Iterable[Outcome]) -> Iterable[Row]:
    outcomes = tuple(outcomes)
    yield "hours lived through", lambda o: f"{o.hours:.1f}"
    yield "**truth:** roams", lambda o: f"{o.roams:,}"
    yield "truth: roams and connections", lambda o: f"{o.verdict.arrivals:,}"
    yield "**reported once**", lambda o: f"**{o.verdict.once.total():,}**"
    for source in ("event", "sync", "resync", "system_log"):
        yield f"by {source}", lambda o, source=source: f"{o.verdict.once[source]:,}"
    yield "seconds until reported, median: event", lambda o: _median(o, "event")
    yield "sync", lambda o: _median(o, "sync")
    yield "**doubled**", lambda o: f"**{len(o.verdict.doubled)}**"
    yield "**invented**", lambda o: f"**{len(o.verdict.invented)}**"
    yield "**missed without a reason**", lambda o: f"**{len(o.verdict.unexplained)}**"
    yield "missed", lambda o: f"{o.verdict.missed.total():,}"
    for reason in Reason:
        if any(outcome.verdict.missed[reason] for outcome in outcomes):
            yield f"- {reason}", lambda o, reason=reason: f"{o.verdict.missed[reason]:,}"
    yield "**truth:** departures", lambda o: f"{o.verdict.departures:,}"
    yield "reported once, by event", lambda o: f"{o.verdict.departures_once['event']:,}"
    yield "by resync", lambda o: f"{o.verdict.departures_once['resync']:,}"
    yield "by system_log", lambda o: f"{o.verdict.departures_once['system_log']:,}"
    yield "missed", lambda o: f"{o.verdict.missed_departures.total():,}"
    for reason in Reason:
        if any(outcome.verdict.missed_departures[reason] for outcome in outcomes):
            yield f"- {reason}", lambda o, reason=reason: f"{o.verdict.missed_departures[reason]:,}"
    yield "changes of radio reported once", lambda o: f"{o.verdict.radios.total():,}"
    yield "**faults**", lambda o: f"{sum(o.weather.values()):,}"
    for kind in sorted({kind for outcome in outcomes for kind in outcome.weather}):
        yield f"- {kind}", lambda o, kind=kind: o.weather.get(kind, 0)
    for fate in ("passed", "dropped", "doubled", "late"):
        yield f"frames {fate}", lambda o, fate=fate: f"{o.frames[fate]:,}"
    yield "logins (attempts)", lambda o: f"{o.logins} ({o.attempts})"
    yield "reconnects of the stream", lambda o: f"{o.reconnects:,}"
    yield "snapshots", lambda o: f"{o.snapshots:,}"
    yield "pages of the system log", lambda o: f"{o.log_pages:,}"
    yield "tasks, start and end", lambda o: _both(o, lambda f: f.tasks)
    yield "sockets", lambda o: _both(o, lambda f: f.sockets)
    yield "threads", lambda o: _both(o, lambda f: f.threads)
    yield "objects of the integration", lambda o: _both(o, lambda f: f.objects)
    yield "memory, MB, with the simulation", lambda o: _both(o, lambda f: f.rss // MEGABYTE)
    yield "errors in the log", lambda o: len(o.complaints)
    yield "clients in the wrong place at the end", lambda o: len(o.misplaced)


def _median(outcome: Outcome, source: str) -> str:
    delays = outcome.verdict.delays[source]
    return f"{median(delays):.1f}" if delays else "-"


def _both(outcome: Outcome, value: Callable[[Footprint], int]) -> str:
    return f"{value(outcome.start)} / {value(outcome.end)}"


def write(outcomes: list[Outcome], *, seed: int, seconds: float) -> None:
    """Put the table into docs/reliability.md."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    clients = outcomes[0].clients
    today = datetime.now(UTC).date()
    heading = (
        f"Run on {today} with `scripts/soak --roams {outcomes[0].roams} --clients {clients} "
        f"--seed {seed}`, in {seconds / 60:.1f} minutes; Python {python_version()}, {versions}.\n\n"
    )
    DOCUMENT.write_text(f"{before}{BEGIN}\n{heading}{table(outcomes)}\n{END}{after}")
