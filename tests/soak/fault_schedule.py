"""Random faults, one after the other, with calm in between."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from random import Random

from tests.controller import Booting, SimulatedController

from .delivery_log import Witness
from .ground_truth import Truth

# Seconds of calm between two faults.
CALM = (20.0, 300.0)
# (dropped, doubled, late) of the frames, and how likely such a time is.
AIR = (((0.0, 0.0, 0.0), 0.4), ((0.05, 0.05, 0.1), 0.35), ((0.3, 0.2, 0.3), 0.25))
# Snapshots are not believed when they list somebody no longer, for so long after an outage.
DOUBT = 420.0
CODES = (None, 1000, 1001, 1008, 1011, 1012)
STA = "*stat/sta"
SOCKET = "*/wss/*"


class Weather:
    """Makes faults until it is cleared; `counts` tells which."""

    def __init__(
        self,
        controller: SimulatedController,
        witness: Witness,
        *,
        truth: Truth,
        seed: int,
        reload: Callable[[], Awaitable[None]],
    ) -> None:
        """Prepare; `reload` reloads the entry."""
        self.counts: Counter[str] = Counter()
        self._controller = controller
        self._faults = controller.faults
        self._witness = witness
        self._truth = truth
        self._reload = reload
        self._dice = Random(f"{seed} weather")  # noqa: S311 - repeatable faults, not a secret
        self._kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "sockets closed": self._close,
            "half-open socket": self._half_open,
            "silent socket": self._silence,
            "session ended (401)": self._expire,
            "controller restarted (403, boot)": self._restart,
            "controller away": self._away,
            "REST refused (429, 500, 502, 503)": self._refuse_rest,
            "nobody listed": self._list_nobody,
            "stream refused (200, 404, 429, 502, 503)": self._refuse_stream,
            "logins refused (429)": self._lock,
            "logins refused (401, boot)": self._reject,
            "entry reloaded": self._reload_entry,
        }
        # All of them, in this order, also those that never come.
        self.counts.update(dict.fromkeys(self._kinds, 0))

    async def run(self) -> None:
        """Make faults until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._shake())
            while True:
                await asyncio.sleep(self._dice.uniform(*CALM))
                kind = self._dice.choice([*self._kinds])
                self.counts[kind] += 1
                self._truth.doubted_until = inf
                await self._kinds[kind]()
                # Some consequences show only with the next request.
                self._truth.doubted_until = self._controller.console.clock() + DOUBT

    async def clear(self) -> None:
        """End every fault."""
        self._witness.drop = self._witness.double = self._witness.late = 0.0
        self._faults.clear()
        self._faults.frame_faults = self._witness
        self._cut_half_open()
        with suppress(RuntimeError):
            # It listens already, unless the weather was cleared while it was away.
            await self._controller.start()
        for frame in self._witness.flush():
            await self._controller.send(frame)

    async def _shake(self) -> None:
        """Let frames be lost, doubled and late, more at times and less at others."""
        while True:
            rates = self._dice.choices([r for r, _ in AIR], [share for _, share in AIR])[0]
            self._witness.drop, self._witness.double, self._witness.late = rates
            await asyncio.sleep(self._dice.uniform(60, 300))

    async def _close(self) -> None:
        await self._controller.close_sockets(self._dice.choice(CODES))

    async def _half_open(self) -> None:
        self._controller.half_open()
        await asyncio.sleep(120)
        self._cut_half_open()

    def _cut_half_open(self) -> None:
        for socket in tuple(self._controller.console.hub.sockets):
            if socket.stuck:
                socket.abort()

    async def _silence(self) -> None:
        self._faults.silent = True
        await asyncio.sleep(self._dice.uniform(30, 400))
        self._faults.silent = False

    async def _expire(self) -> None:
        await self._controller.expire_sessions(cut=self._dice.random() < 0.7)

    async def _restart(self) -> None:
        booting = self._dice.choice([None, *Booting])
        boot_seconds = self._dice.uniform(5, 120) if booting else 0.0
        await self._controller.restart(
            self._dice.uniform(0.2, 30), booting=booting, boot_seconds=boot_seconds
        )

    async def _away(self) -> None:
        await self._controller.stop_listening()
        await asyncio.sleep(self._dice.uniform(5, 200))
        await self._controller.start()

    async def _refuse_rest(self) -> None:
        status = self._dice.choice([429, 500, 502, 503])
        await self._answer("*", self._dice.uniform(10, 120), status=status)

    async def _list_nobody(self) -> None:
        nobody = {"meta": {"rc": "ok"}, "data": []}
        await self._answer(STA, self._dice.uniform(30, 200), status=200, body=nobody)

    async def _refuse_stream(self) -> None:
        await self._controller.close_sockets(None)
        status = self._dice.choice([200, 404, 429, 502, 503])
        body = "<html>starting</html>" if status == 200 else b""
        await self._answer(SOCKET, self._dice.uniform(10, 120), status=status, body=body)

    async def _answer(self, path: str, seconds: float, *, status: int, body: object = b"") -> None:
        answer = self._faults.refuse(path, status=status, body=body)
        await asyncio.sleep(seconds)
        self._faults.remove(answer)

    async def _lock(self) -> None:
        now = self._controller.console.clock()
        self._faults.limit_logins(
            5, retry_after=self._dice.choice([None, 90]), locked_until=now + 120
        )
        await self._controller.expire_sessions()
        await asyncio.sleep(180)
        self._faults.login_limit = None

    async def _reject(self) -> None:
        """Let a booting console reject the right password (faults.md L6)."""
        rejection = {"errors": ["Invalid username or password"]}
        answer = self._faults.refuse(
            "/api/auth/login", status=401, body=rejection, times=self._dice.randint(1, 3)
        )
        await self._controller.expire_sessions()
        await asyncio.sleep(300)
        self._faults.remove(answer)

    async def _reload_entry(self) -> None:
        await self._reload()
