"""The demo's two servers, each in its own process."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
import socket
import sys

HOST = "127.0.0.1"
STOP_SECONDS = 30.0


class DemoError(Exception):
    """The demo cannot continue; the message is shown to the user."""


def free_ports(wanted: Mapping[str, int]) -> list[int]:
    """Return the port for each option, any free one for 0; DemoError lists the unusable ones."""
    ports, taken = [], []
    with ExitStack() as probes:
        for option, port in wanted.items():
            probe = probes.enter_context(socket.socket())
            # Like the servers, so that a port just released by an earlier run counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as err:
                taken.append(
                    f"Port {port} cannot be used ({err.strerror}). "
                    f"Choose another with {option} PORT, or any free port with {option} 0."
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
    """Run `python -m module` during the context, passing each line it prints to `on_line`.

    If the process exits by itself, the context is cancelled and raises a DemoError.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # Ctrl-C at the terminal must only reach the demo, which stops its servers in order.
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
            output = "\n".join(f"  | {text}" for text in last_lines)
            raise DemoError(f"{name} exited unexpectedly with status {status}:\n{output}")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        try:
            yield
        finally:
            # Keep reading, because output during shutdown matters too.
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
