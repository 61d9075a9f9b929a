"""Worker processes that run functions on request, isolated from each other."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
import logging
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Concatenate, cast

# Workers start with Home Assistant imported, or as a fresh interpreter.
_PREPARED, _FRESH = get_context("forkserver"), get_context("spawn")
_PREPARED.set_forkserver_preload([f"{__package__}.{name}" for name in ("latency", "loop")])
_END_SECONDS = 30.0


class Worker:
    """Runs `run(pipe, *arguments)` in another process; it must be importable by name."""

    def __init__(self, run: Callable[..., None], *arguments: object, fresh: bool = False) -> None:
        """Start the process; a fresh one has imported nothing yet."""
        context = _FRESH if fresh else _PREPARED
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve_pipe, args=(run, theirs, arguments), daemon=True
        )
        self._process.start()
        theirs.close()

    def result(self) -> object:
        """Return the next result; raise the worker's exception, or EOFError if it has ended."""
        received = self._pipe.recv()
        if isinstance(received, Exception):
            raise received
        return received

    def call[**P, T](
        self,
        work: Callable[Concatenate[Any, P], Awaitable[T]],
        *arguments: P.args,
        **settings: P.kwargs,
    ) -> T:
        """Run a function on the object that the worker holds, and return its result."""
        self._pipe.send((work, arguments, settings))
        return cast("T", self.result())

    def release(self) -> None:
        """Close the pipe, so that the worker ends."""
        self._pipe.close()

    def end(self) -> None:
        """Wait for the process to end; kill it if it does not."""
        self.release()
        self._process.join(_END_SECONDS)
        self._process.kill()


@contextmanager
def all_ready(workers: dict[str, Worker]) -> Generator[dict[str, Worker]]:
    """Yield workers once all of them are ready, and end them afterwards."""
    try:
        for worker in workers.values():
            worker.result()
        yield workers
    finally:
        for worker in workers.values():
            worker.release()
        for worker in workers.values():
            worker.end()


def run_apart[**P, T](work: Callable[P, T], *arguments: P.args, **settings: P.kwargs) -> T:
    """Run a function in a fresh process and return its result."""
    (result,) = run_each_apart({None: partial(work, *arguments, **settings)}).values()
    return result


def run_each_apart[K, T](works: Mapping[K, Callable[[], T]]) -> dict[K, T]:
    """Run functions in parallel, each in a fresh process, and return their results."""
    workers = {key: Worker(_run, work, fresh=True) for key, work in works.items()}
    try:
        return {key: cast("T", worker.result()) for key, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.end()


async def serve(pipe: Connection, held: object, ready: object = None) -> None:
    """Report readiness, then run requested functions until the other end closes the pipe."""
    loop = asyncio.get_running_loop()
    pipe.send(ready)
    while True:
        try:
            work, arguments, settings = await loop.run_in_executor(None, pipe.recv)
        except EOFError:
            return
        try:
            result = await work(held, *arguments, **settings)
        except Exception as err:  # noqa: BLE001 - raised again by the caller
            result = err
        pipe.send(result)


def _run(pipe: Connection, work: Callable[[], object]) -> None:
    pipe.send(work())


def _serve_pipe(run: Callable[..., None], pipe: Connection, arguments: tuple[object, ...]) -> None:
    logging.disable(logging.WARNING)
    try:
        run(pipe, *arguments)
    except Exception as err:
        # The original exception may not be picklable.
        pipe.send(RuntimeError(f"{type(err).__name__}: {err}"))
        raise
