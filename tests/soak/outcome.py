"""The outcome of a run, and whether it reaches the bar of its situation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .expectations import NOT_MENTIONED, Kind
from .footprint import Footprint
from .judge import MILLISECONDS, WHOLE_SECONDS
from .situations import SITUATIONS, Bar
from .verdict import Counts, Fault, Report, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What to run; `stay` is the mean stay in seconds, and a run lasts for `roams` roams."""

    situation: str
    seed: int
    roams: int
    clients: int
    stay: float

    def __str__(self) -> str:
        """Describe it as the options that repeat it."""
        return (
            f"--situation {self.situation} --seed {self.seed} --stay {self.stay:g} "
            f"--roams {self.roams} --clients {self.clients}"
        )


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Results of a run; `last_arrivals` are how many after interruptions, and which are wrong."""

    case: Case
    verdict: Verdict
    last_arrivals: tuple[int, list[str]]
    hours: float
    roams: int
    faults: dict[str, int]
    frames: dict[str, int]
    snapshots: int
    log_pages: int
    logins: int
    attempts: int
    start: Footprint
    end: Footprint
    wrong_places: list[str]
    flows: int
    reports: list[Report]
    errors: list[str] = field(default_factory=list)

    @property
    def bar(self) -> Bar:
        """What has to be reached."""
        return SITUATIONS[self.case.situation].bar

    def count(self, kinds: Iterable[Kind]) -> Counts:
        """Return the counts of some kinds of events."""
        return sum((self.verdict.counts[kind] for kind in kinds), Counts())


def percentile(numbers: Sequence[float], share: float) -> float:
    """Return a percentile by nearest rank; 0 if there are no numbers."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def last_arrivals(
    verdict: Verdict, interruptions: Iterable[tuple[float, float]]
) -> tuple[int, list[str]]:
    """Return the number of the clients' last arrivals of each interruption, and the wrong ones.

    Only those that were mentioned afterwards count. Right are those that were reported once, with
    the time of an association.
    """
    wrong, total = [], 0
    for began, ended in interruptions:
        for one in verdict.judged:
            expected = one.expected
            is_last = began <= expected.at <= ended < expected.until
            if expected.kind not in {Kind.ROAM, Kind.CONNECTED} or not is_last:
                continue
            if expected.is_false or not expected.mentioned:
                continue
            total += 1
            right = len(one.reports) == 1 and any(
                0 <= associated - one.reports[0].at + MILLISECONDS <= WHOLE_SECONDS
                for associated in expected.associations
            )
            if not right:
                wrong.append("\n    ".join([str(expected), *map(str, one.reports)]))
    return total, wrong


def shortfalls(outcome: Outcome) -> list[str]:
    """Return what is missing to the bar, empty if it is reached."""
    verdict, bar = outcome.verdict, outcome.bar
    counts, every = outcome.count(bar.kinds), outcome.count(Kind)
    roams = outcome.count((Kind.ROAM,))
    found = [f"doubled {every.doubled}"] if every.doubled else []
    found += [f"invented {every.invented}"] if every.invented else []
    missed = counts.missed_mentioned if bar.of_mentioned else counts.missed
    expected = counts.mentioned if bar.of_mentioned else counts.expected
    if expected and 1 - missed / expected < bar.once:
        found.append(f"reported {1 - missed / expected:.2%} instead of {bar.once:.1%}")
    if bar.origins is not None and roams.reported_once:
        origins = 1 - roams.wrong_origin / roams.reported_once
        if origins < bar.origins:
            found.append(f"right origins {origins:.2%} instead of {bar.origins:.1%}")
    p99 = percentile(verdict.latencies, 0.99)
    if bar.p99 is not None and p99 > bar.p99:
        found.append(f"p99 {p99:.1f} s instead of {bar.p99:g} s")
    if bar.in_order and verdict.disordered:
        found.append(f"not in order {verdict.disordered}")
    total, wrong = outcome.last_arrivals
    if bar.last_arrivals and wrong:
        found.append(f"last arrivals wrong {len(wrong)} of {total}")
    return [*found, *_side_conditions(outcome)]


def _side_conditions(outcome: Outcome) -> list[str]:
    """Return what must not happen in any situation."""
    start, end = outcome.start, outcome.end
    numbers = {
        "wrong places": len(outcome.wrong_places),
        "wrong `late`": outcome.verdict.mislabelled,
        "errors in the log": len(outcome.errors),
        "flows in progress": outcome.flows,
        "leaked tasks": max(0, end.tasks - start.tasks),
        "leaked sockets": max(0, end.sockets - start.sockets),
        "leaked threads": max(0, end.threads - start.threads),
    }
    return [f"{name} {number}" for name, number in numbers.items() if number]


def line(outcome: Outcome) -> str:
    """Return an outcome in one line."""
    case, verdict = outcome.case, outcome.verdict
    roams, others = outcome.count((Kind.ROAM,)), outcome.count(set(Kind) - {Kind.ROAM})
    missing = shortfalls(outcome)
    share = roams.reported_once / roams.expected if roams.expected else 1.0
    p50, p99 = (percentile(verdict.latencies, share) for share in (0.5, 0.99))
    return (
        f"{'FAIL' if missing else 'ok  '} {case.situation:<17} seed {case.seed:<10} "
        f"stay {case.stay:<4g} {roams.expected:>6} roams ({roams.mentioned} mentioned) "
        f"{share:7.2%}: {_numbers(roams)}; "
        f"p50 {p50:.1f} s, p99 {p99:.1f} s; others: {_numbers(others)}"
        + (f"\n     {', '.join(missing)}" if missing else "")
    )


def _numbers(counts: Counts) -> str:
    return (
        f"once {counts.once}, late {counts.late}, wrong origin {counts.wrong_origin}, "
        f"missed {counts.missed} ({counts.missed_mentioned} mentioned), "
        f"doubled {counts.doubled}, invented {counts.invented}"
    )


def details(outcome: Outcome, shown: int) -> list[str]:
    """Return the first few bad cases of each kind that the bar does not allow."""
    found = []
    for fault in (Fault.DOUBLED, Fault.INVENTED, Fault.MISSED, Fault.WRONG_ORIGIN):
        texts = outcome.verdict.details[fault]
        # What nobody mentioned could not be reported: it is less interesting.
        texts = sorted(texts, key=lambda text: NOT_MENTIONED in text.partition("\n")[0])
        found += [f"{fault}: {text}" for text in texts[:shown]]
    if outcome.bar.last_arrivals:
        found += [f"last arrival: {text}" for text in outcome.last_arrivals[1][:shown]]
    found += [f"wrong place: {text}" for text in outcome.wrong_places[:shown]]
    return found + [f"error: {text}" for text in outcome.errors[:shown]]
