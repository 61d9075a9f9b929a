"""Processes of their own, which are asked over a pipe: none has what another one left behind."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
import logging
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Concatenate, cast

# All begin in the same state: with Home Assistant imported, or as Python does.
_PREPARED, _FRESH = get_context("forkserver"), get_context("spawn")
_PREPARED.set_forkserver_preload([f"{__package__}.{name}" for name in ("latency", "loop")])
_END_SECONDS = 30.0


class Worker:
    """Runs `life(pipe, *arguments)` in another process; it has to be importable by name."""

    def __init__(self, life: Callable[..., None], *arguments: object, fresh: bool = False) -> None:
        """Start it; a fresh one has imported nothing yet."""
        context = _FRESH if fresh else _PREPARED
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_live, args=(life, theirs, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def answer(self) -> object:
        """Return what it sends next; raise what went wrong there, EOFError when it has ended."""
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask[**P, T](
        self,
        work: Callable[Concatenate[Any, P], Awaitable[T]],
        *arguments: P.args,
        **settings: P.kwargs,
    ) -> T:
        """Let it do some work on what it holds, and return what that came to."""
        self._pipe.send((work, arguments, settings))
        return cast("T", self.answer())

    def release(self) -> None:
        """Ask for nothing any more."""
        self._pipe.close()

    def end(self) -> None:
        """Wait until it has ended."""
        self.release()
        self._process.join(_END_SECONDS)
        self._process.kill()


@contextmanager
def all_ready(workers: dict[str, Worker]) -> Generator[dict[str, Worker]]:
    """Give workers that were started together, once all are ready; end them all."""
    try:
        for worker in workers.values():
            worker.answer()
        yield workers
    finally:
        for worker in workers.values():
            worker.release()
        for worker in workers.values():
            worker.end()


def run_apart[**P, T](work: Callable[P, T], *arguments: P.args, **settings: P.kwargs) -> T:
    """Run a function in a fresh process, and return or raise what it does."""
    (answer,) = run_each_apart({None: partial(work, *arguments, **settings)}).values()
    return answer


def run_each_apart[K, T](works: Mapping[K, Callable[[], T]]) -> dict[K, T]:
    """Run functions in fresh processes at the same time, and return what they do."""
    workers = {key: Worker(_run, work, fresh=True) for key, work in works.items()}
    try:
        return {key: cast("T", worker.answer()) for key, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.end()


async def serve(pipe: Connection, held: object, ready: object = None) -> None:
    """Say that all is ready and do what is asked, until the other side is gone."""
    loop = asyncio.get_running_loop()
    pipe.send(ready)
    while True:
        try:
            work, arguments, settings = await loop.run_in_executor(None, pipe.recv)
        except EOFError:
            return
        try:
            answer = await work(held, *arguments, **settings)
        except Exception as err:  # noqa: BLE001 - it is raised where it was asked for
            answer = err
        pipe.send(answer)


def _run(pipe: Connection, work: Callable[[], object]) -> None:
    pipe.send(work())


def _live(life: Callable[..., None], pipe: Connection, arguments: tuple[object, ...]) -> None:
    logging.disable(logging.WARNING)
    try:
        life(pipe, *arguments)
    except Exception as err:
        # As it is it might not survive the way.
        pipe.send(RuntimeError(f"{type(err).__name__}: {err}"))
        raise
