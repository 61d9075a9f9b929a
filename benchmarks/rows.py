"""A row of the table: what was measured, beside what, and what it was to reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import NamedTuple

OURS = "ours"
CORE = "core"
SIGNALS = "ours, with signal sensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured: the median of the rounds, and the middle half of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: list[float]) -> Figure:
        """Sum up the rounds; there is at least one."""
        if len(samples) == 1:
            return cls.exactly(samples[0])
        low, _, high = quantiles(samples, n=4, method="inclusive")
        return cls(median=median(samples), low=low, high=high)

    @classmethod
    def exactly(cls, value: float) -> Figure:
        """Return what was counted, not timed."""
        return cls(median=value, low=value, high=value)


class Limit(NamedTuple):
    """At most so much, or so many times another figure of the same row."""

    most: float
    of: str | None = None


class Verdict(NamedTuple):
    """A limit and what there is instead, in the limit's own measure."""

    limit: Limit
    value: float

    @property
    def met(self) -> bool:
        """Whether the limit is kept."""
        return self.value <= self.limit.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Work that was measured. `key` finds its limits, `figures` are by whose they are, ours first.

    `note` tells what the figures do not, `unit` what they are in: nothing for plain numbers.
    """

    key: str
    work: str
    unit: str
    figures: Mapping[str, Figure]
    note: str = ""

    def verdicts(self, limits: Mapping[str, tuple[Limit, ...]]) -> list[Verdict]:
        """Compare ours with those limits whose other side was measured too."""
        return [
            Verdict(limit, self._measured_by(limit.of))
            for limit in limits.get(self.key, ())
            if limit.of is None or limit.of in self.figures
        ]

    def _measured_by(self, other: str | None) -> float:
        ours = self.figures[OURS].median
        return ours if other is None else ours / self.figures[other].median
