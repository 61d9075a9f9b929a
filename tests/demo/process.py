"""The two servers of the demo as processes of their own."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
import socket
import sys

HOST = "127.0.0.1"
STOP_SECONDS = 30.0


class DemoError(Exception):
    """The demo cannot go on; the text is for the person at the terminal."""


def free_ports(wanted: Mapping[str, int]) -> list[int]:
    """Return the port for each option, any free one for 0; a DemoError names all those taken."""
    ports, taken = [], []
    with ExitStack() as probes:
        for option, port in wanted.items():
            probe = probes.enter_context(socket.socket())
            # As the servers do: a port that a former run left a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as err:
                taken.append(
                    f"Port {port} cannot be used ({err.strerror}). "
                    f"Choose another with {option} PORT, or any free one with {option} 0."
                )
            else:
                ports.append(int(probe.getsockname()[1]))
    if taken:
        raise DemoError("\n       ".join(taken))
    return ports


@asynccontextmanager
async def server(
    name: str, module: str, *arguments: str, on_line: Callable[[str], None]
) -> AsyncGenerator[None]:
    """Run `python -m module` while the context lasts, giving each line it prints to `on_line`.

    When it ends by itself, the context is cancelled and left by a DemoError.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # A Ctrl-C at the terminal must reach the demo alone, which stops its servers in order.
        start_new_session=True,
        limit=2**20,
    )
    last_lines: deque[str] = deque(maxlen=30)
    stopping = False

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            last_lines.append(text)
            on_line(text)
        status = await process.wait()
        if not stopping:
            said = "\n".join(f"  | {text}" for text in last_lines)
            raise DemoError(f"{name} ended by itself with status {status}:\n{said}")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        try:
            yield
        finally:
            # Reading goes on: what it says while it stops counts, too.
            stopping = True
            await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
