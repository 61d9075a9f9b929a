"""Compare reports with the truth: reported once, doubled, invented or missed, and why."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

from .ground_truth import Change, Delivery, GroundTruth, Link
from .miss_reasons import SLACK, MissReasons, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An event on Home Assistant's bus; times in POSIX seconds."""

    kind: str
    mac: str
    ap_from: str | None
    ap_to: str | None
    band_to: str | None
    at: float
    received_at: float
    source: str
    inferred: bool


@dataclass(slots=True)
class Verdict:
    """Result of the comparison; `unexplained`, `doubled` and `invented` are failures."""

    once: Counter[str] = field(default_factory=Counter)
    arrivals: int = 0
    departures: int = 0
    missed: Counter[Reason] = field(default_factory=Counter)
    missed_departures: Counter[Reason] = field(default_factory=Counter)
    departures_once: Counter[str] = field(default_factory=Counter)
    radios: Counter[str] = field(default_factory=Counter)
    doubled: list[Report] = field(default_factory=list)
    invented: list[Report] = field(default_factory=list)
    unexplained: list[Change] = field(default_factory=list)
    delays: dict[str, list[float]] = field(default_factory=dict)


class Judge:
    """Compares the reports of a run with the truth."""

    def __init__(self, truth: GroundTruth, disconnect_delay: float) -> None:
        """Prepare for one run."""
        self._truth = truth
        self._miss_reasons = MissReasons(truth, disconnect_delay)
        self._verdict = Verdict()

    def judge(self, reports: list[Report]) -> Verdict:
        """Match all reports with changes and return the verdict."""
        by_client: dict[str, list[Report]] = defaultdict(list)
        for report in reports:
            by_client[report.mac].append(report)
        for mac, changes in self._truth.changes.items():
            mine = by_client.pop(mac, [])
            self._match_arrivals([r for r in mine if r.kind != "roam_radio"], changes)
            self._match_departures([r for r in mine if r.kind == "disconnected"], changes)
            self._match_radios([r for r in mine if r.kind == "roam_radio"], self._truth.links[mac])
            for change in changes[1:]:
                self._judge_change(change, changes)
        for unmatched in by_client.values():
            self._verdict.invented += unmatched
        return self._verdict

    def _match_arrivals(self, reports: list[Report], changes: list[Change]) -> None:
        fitting = {
            number: [change for change in changes[1:] if _is_arrival(report, change, earlier)]
            for number, (earlier, report) in enumerate(pairwise([None, *reports]))
            if report is not None and report.ap_to is not None
        }
        for number, change in self._match(reports, fitting).items():
            report = reports[number]
            change.reported, change.reported_at = report.kind, report.received_at
            self._verdict.once[report.source] += 1
            self._verdict.delays.setdefault(report.source, []).append(
                report.received_at - change.at
            )

    def _match_departures(self, reports: list[Report], changes: list[Change]) -> None:
        fitting = {
            number: [
                change
                for change in changes[1:]
                if _is_departure(report, change, self._truth.at(report.mac, report.received_at))
            ]
            for number, report in enumerate(reports)
        }
        for number, change in self._match(reports, fitting).items():
            change.departure_reported = True
            if not change.arrives:
                change.reported = reports[number].kind
                self._verdict.departures_once[reports[number].source] += 1

    def _match_radios(self, reports: list[Report], links: list[Link]) -> None:
        fitting = {
            number: [link for link in links if _is_radio_change(report, link)]
            for number, report in enumerate(reports)
        }
        for number in self._match(reports, fitting):
            self._verdict.radios[reports[number].source] += 1

    def _match[T: (Change, Link)](
        self, reports: list[Report], fitting: dict[int, list[T]]
    ) -> dict[int, T]:
        """Match as many reports as possible, each change or link with at most one report."""
        taken: dict[int, int] = {}
        for number in sorted(fitting, key=lambda n: (reports[n].inferred, reports[n].at)):
            fitting[number].sort(key=lambda one: abs(one.at - reports[number].at))
            if not _pair(number, fitting, taken, set()):
                rest = self._verdict.doubled if fitting[number] else self._verdict.invented
                rest.append(reports[number])
        by_id = {id(one): one for ones in fitting.values() for one in ones}
        return {number: by_id[one] for one, number in taken.items()}

    def _judge_change(self, change: Change, changes: list[Change]) -> None:
        if change.arrives:
            self._verdict.arrivals += 1
        else:
            self._verdict.departures += 1
        if change.reported:
            return
        reason = self._miss_reasons.find(change, changes)
        if reason is None:
            self._verdict.unexplained.append(change)
        elif change.arrives:
            self._verdict.missed[reason] += 1
        else:
            self._verdict.missed_departures[reason] += 1


def _pair[T: (Change, Link)](
    number: int, fitting: dict[int, list[T]], taken: dict[int, int], tried: set[int]
) -> bool:
    """Find a match for a report, if necessary by rematching another report."""
    for one in fitting[number]:
        if id(one) in tried:
            continue
        tried.add(id(one))
        other = taken.get(id(one))
        if other is None or _pair(other, fitting, taken, tried):
            taken[id(one)] = number
            return True
    return False


def _is_arrival(report: Report, change: Change, earlier: Report | None) -> bool:
    """Return whether a report may be the arrival of a change; `earlier` is the previous report."""
    if change.after != report.ap_to or report.received_at < change.at:
        return False
    if report.inferred:
        # It may have happened any time since the client was reported elsewhere.
        since = earlier.at if earlier and earlier.ap_to != report.ap_to else inf
        during = change.at - SLACK <= report.at <= change.end + SLACK
        return during or since - SLACK <= change.at <= report.at
    right_origin = report.kind == "connected" or change.before in {None, report.ap_from}
    return right_origin and abs(change.at - report.at) <= SLACK


def _is_departure(report: Report, change: Change, latest: Change | None) -> bool:
    """Return whether a report may be the departure of a change.

    `latest` is the client's latest change when the report was received.
    """
    if report.received_at < change.at:
        return False
    if report.inferred:
        # It may have returned and left again between two snapshots: both departures match.
        is_away = latest is not None and not latest.arrives
        is_right = report.received_at <= change.end + SLACK
        return not change.arrives and (is_right or (is_away and change.at >= report.at - SLACK))
    may_be_departure = not change.arrives or bool(change.deliveries & Delivery.DISCONNECTED)
    # Departures are dated in whole seconds, which affects the gap to the next access point too.
    return (
        may_be_departure
        and change.before == report.ap_from
        and abs(change.at - report.at) <= 2 * SLACK
    )


def _is_radio_change(report: Report, link: Link) -> bool:
    """Return whether a report may be the change of radio that began a link."""
    if (link.ap, link.band) != (report.ap_to, report.band_to) or report.received_at < link.at:
        return False
    end = link.end if report.inferred else link.at
    return link.at - SLACK <= report.at <= end + SLACK
