"""The results of the soak as a table, and what counts as a failure."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from statistics import median

from custom_components.unifi_scanner.capture.recorder import MAX_ENTRIES
from custom_components.unifi_scanner.site.roam_log import SITE_LIMIT

from .miss_reasons import Reason
from .run import Outcome

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- soak: begin -->\n", "<!-- soak: end -->\n"
LIBRARIES = ("homeassistant", "aiohttp", "websockets")
SOURCES = ("event", "sync", "resync", "system_log")


def is_leak(outcome: Outcome) -> bool:
    """Return whether the run leaked resources.

    The history of each client, the flight recorder and the roam log are bounded and may fill up.
    """
    start, end = outcome.start, outcome.end
    kept = 60 * outcome.clients + MAX_ENTRIES + SITE_LIMIT
    return (
        end.tasks > start.tasks
        or end.sockets > start.sockets
        or end.threads > start.threads
        or end.objects > start.objects + kept
        # The simulation keeps truth and reports until the end.
        or end.megabytes > start.megabytes + 16 + outcome.roams / 100
    )


def failures(outcome: Outcome) -> dict[str, list[str]]:
    """Return all failures of a run by name; empty if there are none."""
    verdict = outcome.verdict
    found = {
        "doubled": [str(report) for report in verdict.doubled],
        "invented": [str(report) for report in verdict.invented],
        "missed without a reason": [str(change) for change in verdict.unexplained],
        "at the wrong access point at the end": outcome.misplaced,
        "errors in the log": outcome.log_errors,
        "asked for re-authentication": ["re-authentication"] * outcome.reauth_flows,
        "leaked": [f"{outcome.start} -> {outcome.end}"] if is_leak(outcome) else [],
    }
    return {name: cases for name, cases in found.items() if cases}


def table(outcomes: list[Outcome]) -> str:
    """Return the outcomes as a Markdown table with one column per kind of controller."""
    columns = [_column(outcome) for outcome in outcomes]
    lines = [
        ("", *(outcome.kind.name for outcome in outcomes)),
        ("---", *("---:" for _ in outcomes)),
    ]
    for cells in zip(*columns, strict=True):
        title = cells[0][0]
        values = [value for _, value in cells]
        if not (title.startswith("- ") and set(values) == {"0"}):
            lines.append((title, *values))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "".join(
        f"| {' | '.join(map(str.ljust, line, widths, strict=True))} |\n" for line in lines
    )


def _column(outcome: Outcome) -> list[tuple[str, str]]:
    """Return titles and values; rows with a dash are left out if 0 in all columns."""
    verdict, start, end = outcome.verdict, outcome.start, outcome.end
    once, left, faults = verdict.once, verdict.departures_once, outcome.faults
    rows: list[tuple[str, object]] = [
        ("simulated hours", round(outcome.hours, 1)),
        ("**truth:** roams", outcome.roams),
        ("and connections", verdict.arrivals - outcome.roams),
        ("**reported once**", f"**{once.total():,}**"),
        *((f"- by {source}", once[source]) for source in SOURCES),
        ("**doubled**", f"**{len(verdict.doubled)}**"),
        ("**invented**", f"**{len(verdict.invented)}**"),
        ("**missed without a reason**", f"**{len(verdict.unexplained)}**"),
        ("missed", verdict.missed.total()),
        *((f"- {reason}", verdict.missed[reason]) for reason in Reason),
        ("**truth:** departures", verdict.departures),
        ("reported once", left.total()),
        *((f"- by {source}", left[source]) for source in SOURCES),
        ("missed", verdict.missed_departures.total()),
        *((f"- {reason}", verdict.missed_departures[reason]) for reason in Reason),
        ("band changes reported once", verdict.radios.total()),
        ("seconds until reported by event, median", _median(outcome, "event")),
        ("seconds until reported by sync, median", _median(outcome, "sync")),
        ("**faults**", sum(faults.values())),
        *((f"- {kind}", count) for kind, count in sorted(faults.items())),
        *((f"frames {fate}", count) for fate, count in outcome.frames.items()),
        ("logins, successful / attempted", f"{outcome.logins} / {outcome.attempts}"),
        ("stream reconnects", outcome.reconnects),
        ("snapshots", outcome.snapshots),
        ("- system log pages", outcome.log_pages),
        ("tasks, start / end", f"{start.tasks} / {end.tasks}"),
        ("sockets", f"{start.sockets} / {end.sockets}"),
        ("threads", f"{start.threads} / {end.threads}"),
        ("objects of the integration", f"{start.objects} / {end.objects}"),
        ("memory in MB, including the simulation", f"{start.megabytes} / {end.megabytes}"),
        ("errors in the log", len(outcome.log_errors)),
        ("clients at the wrong access point at the end", len(outcome.misplaced)),
    ]
    return [(title, f"{v:,}" if isinstance(v, int) else str(v)) for title, v in rows]


def _median(outcome: Outcome, source: str) -> str:
    delays = outcome.verdict.delays.get(source)
    return f"{median(delays):.1f}" if delays else "-"


def write(outcomes: list[Outcome], *, seed: int, seconds: float) -> None:
    """Write the table into docs/reliability.md."""
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
