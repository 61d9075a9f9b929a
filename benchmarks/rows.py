"""Rows of the table: measurements, comparisons and targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import NamedTuple

OURS = "ours"
CORE = "core"
SIGNALS = "ours, with signal sensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """The median of the rounds, and the bounds of the middle half."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: list[float]) -> Figure:
        """Summarize one or more rounds."""
        if len(samples) == 1:
            return cls.exactly(samples[0])
        low, _, high = quantiles(samples, n=4, method="inclusive")
        return cls(median=median(samples), low=low, high=high)

    @classmethod
    def exactly(cls, value: float) -> Figure:
        """Return a figure that was counted rather than timed."""
        return cls(median=value, low=value, high=value)


class Limit(NamedTuple):
    """An upper limit: absolute, or as a multiple of another figure of the same row."""

    most: float
    of: str | None = None


class Verdict(NamedTuple):
    """A limit and the measured value, in the unit of the limit."""

    limit: Limit
    value: float

    @property
    def met(self) -> bool:
        """Whether the limit is met."""
        return self.value <= self.limit.most


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measurement. `key` identifies its limits; `figures` are by contender, ours first.

    `unit` is empty for plain numbers; `note` adds what the figures do not show.
    """

    key: str
    work: str
    unit: str
    figures: Mapping[str, Figure]
    note: str = ""

    def verdicts(self, limits: Mapping[str, tuple[Limit, ...]]) -> list[Verdict]:
        """Compare our figure with the limits whose reference was measured as well."""
        return [
            Verdict(limit, self._relative_to(limit.of))
            for limit in limits.get(self.key, ())
            if limit.of is None or limit.of in self.figures
        ]

    def _relative_to(self, other: str | None) -> float:
        ours = self.figures[OURS].median
        return ours if other is None else ours / self.figures[other].median
