"""Random faults of the controller, one after the other, with pauses in between."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

from tests.controller import Booting

from .interruptions import Stage, half_open
from .wire import Wire

# Minimum and maximum pause between two faults, in seconds.
PAUSE = (20.0, 300.0)
# (dropped, doubled, late) shares of the frames, and the probability of such a phase.
FRAME_FAULT_RATES = (((0.0, 0.0, 0.0), 0.4), ((0.05, 0.05, 0.1), 0.35), ((0.3, 0.2, 0.3), 0.25))
CODES = (None, 1000, 1001, 1008, 1011, 1012)
STA = "*stat/sta"
SOCKET = "*/wss/*"


class FaultSchedule:
    """Injects random faults until it is cleared; `counts` holds how many of each kind."""

    def __init__(self, stage: Stage, wire: Wire, *, seed: int) -> None:
        """Prepare the schedule."""
        self.counts: Counter[str] = Counter()
        self._stage = stage
        self._controller = stage.controller
        self._faults = stage.controller.faults
        self._wire = wire
        self._random = Random(f"{seed} weather")  # noqa: S311 - repeatable faults, not a secret
        self._kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "sockets closed": self._close,
            "half-open socket": self._half_open,
            "silent socket": self._silence,
            "session ended (401)": self._expire,
            "controller restarted (401, boot)": self._restart,
            "controller offline": self._away,
            "REST refused (429, 500, 502, 503)": self._refuse_rest,
            "no clients listed": self._list_no_clients,
            "stream refused (200, 404, 429, 502, 503)": self._refuse_stream,
            "logins refused (429)": self._lock,
            "logins refused (401, boot)": self._reject,
            "entry reloaded": self._reload_entry,
        }
        # Include kinds that never occur, and fix the order.
        self.counts.update(dict.fromkeys(self._kinds, 0))

    async def run(self) -> None:
        """Inject faults until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._vary_frame_faults())
            while True:
                await asyncio.sleep(self._random.uniform(*PAUSE))
                kind = self._random.choice([*self._kinds])
                self.counts[kind] += 1
                await self._kinds[kind]()

    async def clear(self) -> None:
        """End every fault."""
        self._wire.drop = self._wire.double = self._wire.late = 0.0
        self._faults.clear()
        self._stage.cut_half_open()
        with suppress(RuntimeError):
            # Already listening, unless the schedule was cleared during "controller offline".
            await self._controller.start()

    async def _vary_frame_faults(self) -> None:
        """Change the shares of lost, doubled and late frames every few minutes."""
        while True:
            rates = self._random.choices(
                [rates for rates, _ in FRAME_FAULT_RATES],
                [share for _, share in FRAME_FAULT_RATES],
            )[0]
            self._wire.drop, self._wire.double, self._wire.late = rates
            await asyncio.sleep(self._random.uniform(60, 300))

    async def _close(self) -> None:
        await self._controller.close_sockets(self._random.choice(CODES))

    async def _half_open(self) -> None:
        await half_open(self._stage)

    async def _silence(self) -> None:
        self._faults.silent = True
        await asyncio.sleep(self._random.uniform(30, 400))
        self._faults.silent = False

    async def _expire(self) -> None:
        await self._controller.expire_sessions(cut=self._random.random() < 0.7)

    async def _restart(self) -> None:
        booting = self._random.choice([None, *Booting])
        boot_seconds = self._random.uniform(5, 120) if booting else 0.0
        await self._controller.restart(
            self._random.uniform(0.2, 30), booting=booting, boot_seconds=boot_seconds
        )

    async def _away(self) -> None:
        await self._controller.stop_listening()
        await asyncio.sleep(self._random.uniform(5, 200))
        await self._controller.start()

    async def _refuse_rest(self) -> None:
        status = self._random.choice([429, 500, 502, 503])
        await self._respond("*", self._random.uniform(10, 120), status=status)

    async def _list_no_clients(self) -> None:
        empty = {"meta": {"rc": "ok"}, "data": []}
        await self._respond(STA, self._random.uniform(30, 200), status=200, body=empty)

    async def _refuse_stream(self) -> None:
        await self._controller.close_sockets(None)
        status = self._random.choice([200, 404, 429, 502, 503])
        body = "<html>starting</html>" if status == 200 else b""
        await self._respond(SOCKET, self._random.uniform(10, 120), status=status, body=body)

    async def _respond(self, path: str, seconds: float, *, status: int, body: object = b"") -> None:
        response = self._faults.refuse(path, status=status, body=body)
        await asyncio.sleep(seconds)
        self._faults.remove(response)

    async def _lock(self) -> None:
        now = self._controller.state.clock()
        self._faults.limit_logins(
            5, retry_after=self._random.choice([None, 90]), locked_until=now + 120
        )
        await self._controller.expire_sessions()
        await asyncio.sleep(180)
        self._faults.login_limit = None

    async def _reject(self) -> None:
        """Let a booting controller reject the right password (docs/faults.md L6)."""
        rejection = {"errors": ["Invalid username or password"]}
        response = self._faults.refuse(
            "/api/auth/login", status=401, body=rejection, times=self._random.randint(1, 3)
        )
        await self._controller.expire_sessions()
        await asyncio.sleep(300)
        self._faults.remove(response)

    async def _reload_entry(self) -> None:
        await self._stage.unload()
        await self._stage.set_up()
