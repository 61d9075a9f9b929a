"""How long something takes: many short rounds, all contenders in turn."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
import gc
from time import thread_time_ns


@contextmanager
def undisturbed() -> Generator[None]:
    """Collect garbage before the block, not in it."""
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
    """Time each contender in short rounds, one after the other, so that all share the weather.

    A contender does its work `calls` times in one call of its own. What is returned of each round
    is the microseconds of the processor for one of them: other processes do not count.
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
