"""Compare the events on the bus with what should have appeared there.

The judge knows the truth and the reports, and nothing of the integration. It makes no excuses: what
nobody could know counts as missed like anything else. How much of it the controller mentioned at
all is a figure of its own.
"""

from collections import defaultdict
from collections.abc import Iterable

from .expectations import Expected, Kind, expected_events
from .truth import Truth
from .verdict import Fault, Judged, Report, Verdict

# An event that appears later than this carries `late: true`.
LATE_SECONDS = 60.0
# The controller's clock is known from reports, of which the most prompt may take this long.
CLOCK_ERROR = 2.0
# Events and log rows of arrivals have milliseconds, departures and records whole seconds.
MILLISECONDS = 0.01
WHOLE_SECONDS = 1.0 + MILLISECONDS
# A roam may be mentioned as a departure up to 0.85 s before it, in whole seconds.
GAP = 2.0
# Sources that have milliseconds, as `source` in an event's data.
PRECISE_SOURCES = {"event", "system_log", "syslog"}
# Number of a client's reports that are shown around a wrong one, in seconds before and after it.
CONTEXT = 90.0


def judge(truth: Truth, reports: Iterable[Report]) -> Verdict:
    """Compare the reports of a run, in the order of their appearance, with its truth."""
    verdict = Verdict()
    by_client: dict[str, list[Report]] = defaultdict(list)
    for report in reports:
        by_client[report.mac].append(report)
    for mac in sorted({*truth.moves, *by_client}):
        mine = by_client[mac]
        _judge_client(verdict, expected_events(truth.moves.get(mac, [])), mine)
        verdict.disordered += _disordered(mine)
        for report in mine:
            is_late = report.received_at - report.at > LATE_SECONDS
            border = abs(report.received_at - report.at - LATE_SECONDS) <= CLOCK_ERROR
            if report.late is not None and report.late != is_late and not border:
                verdict.mislabelled += 1
    return verdict


def _judge_client(verdict: Verdict, expected: list[Expected], reports: list[Report]) -> None:
    judged = {id(one): Judged(expected=one) for one in expected}
    for report, fitting in _match(expected, reports):
        if fitting is not None:
            judged[id(fitting)].reports.append(report)
            continue
        verdict.counts[report.kind].invented += 1
        near = [one for one in expected if abs(one.at - report.at) <= CONTEXT and not one.is_false]
        verdict.details[Fault.INVENTED].append(_explain(f"{report.mac} {report}", near))
    for one in judged.values():
        departure = one.expected.departure
        split = departure is not None and bool(judged[id(departure)].reports)
        if one.expected.is_false:
            _count_false(verdict, one, is_split=split)
        else:
            _count(verdict, one, is_split=split)
        if one.verdict is not None:
            near_reports = [r for r in reports if abs(r.at - one.expected.at) <= CONTEXT]
            verdict.details[one.verdict].append(_explain(str(one.expected), near_reports))
        verdict.judged.append(one)


def _explain(subject: str, context: Iterable[object]) -> str:
    return "\n".join([subject, *(f"    {line}" for line in context)])


def _count(verdict: Verdict, one: Judged, *, is_split: bool) -> None:
    """Count an expected event; `is_split` if it was taken for a departure at first."""
    counts, expected = verdict.counts[one.expected.kind], one.expected
    counts.expected += 1
    counts.mentioned += expected.mentioned
    if not one.reports:
        one.verdict = Fault.MISSED
        counts.missed += 1
        counts.missed_mentioned += expected.mentioned
        return
    first = one.reports[0]
    latency = first.received_at - expected.at
    if expected.kind is Kind.ROAM:
        verdict.latencies.append(latency)
        verdict.sources[first.source] += 1
    if len(one.reports) > 1:
        one.verdict = Fault.DOUBLED
        counts.doubled += 1
    elif is_split or not _has_right_origin(first, expected):
        one.verdict = Fault.WRONG_ORIGIN
        counts.wrong_origin += 1
    elif latency > LATE_SECONDS:
        one.verdict = Fault.LATE
        counts.late += 1
    else:
        counts.once += 1


def _count_false(verdict: Verdict, one: Judged, *, is_split: bool) -> None:
    """Count what is wrong with the reports of an event that should not appear."""
    counts = verdict.counts[one.expected.kind]
    if len(one.reports) > 1:
        one.verdict = Fault.DOUBLED
        counts.doubled += 1
    elif one.reports and one.expected.kind is Kind.CONNECTED and not is_split:
        # It had not been reported as away.
        one.verdict = Fault.INVENTED
        counts.invented += 1


def _match(
    expected: list[Expected], reports: list[Report]
) -> Iterable[tuple[Report, Expected | None]]:
    """Yield each report with the event it reports, None if there is no such event.

    As many events as possible get a report of their own; what is left over is a second report.
    """
    fitting = {
        number: sorted(
            (
                one
                for one in expected
                # Cheap, as most events are far away.
                if report.at <= one.until + GAP and _fits(report, one)
            ),
            key=lambda one: (_cost(report, one), abs(one.at - report.at)),
        )
        for number, report in enumerate(reports)
    }
    taken: dict[int, int] = {}
    order = sorted(
        (number for number in fitting if fitting[number]),
        key=lambda number: (_cost(reports[number], fitting[number][0]), number),
    )
    for number in order:
        _assign(number, fitting, taken, set())
    owner = {number: key for key, number in taken.items()}
    by_id = {id(one): one for one in expected}
    for number, report in enumerate(reports):
        if number in owner:
            yield report, by_id[owner[number]]
        else:
            yield report, next(iter(fitting[number]), None)


def _assign(
    number: int, fitting: dict[int, list[Expected]], taken: dict[int, int], tried: set[int]
) -> bool:
    """Find an event for a report, if necessary by finding another one for another report."""
    for one in fitting[number]:
        if id(one) in tried:
            continue
        tried.add(id(one))
        other = taken.get(id(one))
        if other is None or _assign(other, fitting, taken, tried):
            taken[id(one)] = number
            return True
    return False


def _cost(report: Report, expected: Expected) -> int:
    """Return how badly a report fits: false events last, wrong origins before them."""
    is_exact = abs(report.at - expected.at) <= WHOLE_SECONDS
    right = _has_right_origin(report, expected)
    return 4 * expected.is_false + 2 * (not right) + (not is_exact)


def _fits(report: Report, expected: Expected) -> bool:
    """Return whether a report may be one of an expected event, wherever it came from."""
    if report.received_at < expected.at - MILLISECONDS:
        return False
    if report.kind is Kind.DISCONNECTED:
        return expected.kind is Kind.DISCONNECTED and _is_departure(report, expected)
    if not _has_right_target(report, expected):
        return False
    if report.inferred:
        return expected.at - WHOLE_SECONDS <= report.at <= expected.until + MILLISECONDS
    before = MILLISECONDS if report.source in PRECISE_SOURCES else WHOLE_SECONDS
    return expected.at - before <= report.at <= expected.at + MILLISECONDS


def _has_right_target(report: Report, expected: Expected) -> bool:
    if expected.target is None or expected.target.ap != report.ap_to:
        return False
    if report.kind is Kind.RADIO:
        # Who does not know of a stay elsewhere takes the return for a change of radio.
        return expected.target.band == report.band_to
    return expected.kind is not Kind.RADIO


def _is_departure(report: Report, expected: Expected) -> bool:
    if report.inferred and expected.at <= report.received_at <= expected.until:
        # It is away, wherever it was when there was the last sign of it.
        return not expected.is_false and report.at <= expected.until
    if expected.origin is None or expected.origin.ap != report.ap_from:
        return False
    if expected.is_false:
        in_time = expected.at - GAP <= report.at <= expected.at + MILLISECONDS
        return in_time and report.received_at <= expected.refuted_at
    if report.inferred:
        # Between the last sign of the client and the first one of its absence.
        return expected.since - WHOLE_SECONDS <= report.at <= expected.until + MILLISECONDS
    return expected.at - WHOLE_SECONDS <= report.at <= expected.at + MILLISECONDS


def _has_right_origin(report: Report, expected: Expected) -> bool:
    origin = expected.origin
    if report.kind is not expected.kind:
        return False
    if expected.kind is Kind.RADIO:
        return origin is not None and report.band_from in {origin.band, None}
    return report.ap_from == (origin.ap if origin else None)


def _disordered(reports: Iterable[Report]) -> int:
    """Count the reports of a client that follow a report of something later."""
    newest, count = 0.0, 0
    for report in reports:
        if report.kind is not Kind.RADIO:
            count += report.at < newest - WHOLE_SECONDS
            newest = max(newest, report.at)
    return count
