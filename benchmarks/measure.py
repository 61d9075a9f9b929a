"""Timing in many short rounds, with all contenders in turn."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
import gc
from time import thread_time_ns


@contextmanager
def undisturbed() -> Generator[None]:
    """Collect garbage before the block instead of during it."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def time_in_turn(
    contenders: Mapping[str, Callable[[], object]], *, calls: int, rounds: int
) -> dict[str, list[float]]:
    """Return the CPU time in microseconds per unit of work, for each contender and round.

    Contenders take turns, so that changing conditions affect all of them alike. One call of a
    contender does its work `calls` times. CPU time excludes other processes.
    """
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for work in contenders.values():
        work()
    for _ in range(rounds):
        for name, work in contenders.items():
            with undisturbed():
                started = thread_time_ns()
                work()
                samples[name].append((thread_time_ns() - started) / 1000 / calls)
    return samples
