"""Looks again and again, and keeps what was seen last of everything."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from coolify.errors import OperatorError
from coolify.monitor.changes import compare
from coolify.monitor.counting import Counted
from coolify.monitor.keeping import CountsFile
from coolify.monitor.look import DEFAULT_REQUESTS, NOTHING_ON_RECORD, OnRecord
from coolify.monitor.memory import Notes, WatchState
from coolify.monitor.metrics import Exposed
from coolify.monitor.model import Look, Measure, Metric
from coolify.monitor.outcomes import WaitingSource
from coolify.monitor.watch import Watch, look_at_everything

__all__ = ["Keeper", "merged"]


def merged(before: Iterable[Look], looks: Iterable[Look]) -> tuple[Look, ...]:
    """Return the newest looks, each with what was not looked at this time as it was seen last."""
    known = {one.subject.key: one for one in before}
    return tuple(_merge(known.get(one.subject.key), one) for one in looks)


def _merge(before: Look | None, look: Look) -> Look:
    if before is None:
        return look
    there = {one.aspect for one in look.observations}
    kept = tuple(one for one in before.observations if one.aspect not in there)
    return look.model_copy(update={"observations": (*look.observations, *kept)})


class Keeper:
    """What a long-running process knows of everything that it watches.

    Args:
        prepare: Reads the configuration files; called before every look, so that a change of them takes effect.
        environ: Where secrets are looked up.
        on_record: What is known besides what Coolify tells.
        questions: Where questions to an operator wait; None where nobody knows.
        requests: How many to send to each Coolify server in one look at most.
        counting: Whether to count what happens from look to look.
        file: Where counts outlive this process; None where they begin anew with it.
    """

    def __init__(
        self,
        prepare: Callable[[], Watch],
        environ: Mapping[str, str],
        on_record: OnRecord = NOTHING_ON_RECORD,
        questions: WaitingSource | None = None,
        *,
        requests: int = DEFAULT_REQUESTS,
        counting: bool = False,
        file: CountsFile | None = None,
    ) -> None:
        self._prepare = prepare
        self._environ = environ
        self._requests = requests
        self._on_record = on_record
        self._questions = questions
        self._file = file
        self._counted = file.counted if file is not None else Counted() if counting else None
        self._state = WatchState()
        self.exposed = Exposed()
        self.trouble = ""
        """Why counts stand still, empty where they do not."""

    async def look(self) -> Exposed:
        """Look at everything once."""
        started = time.monotonic()
        watch = self._prepare()
        # First: a Prefect server that is away is found out once, and not anew for each application.
        waiting = await self._waiting()
        looks = await look_at_everything(
            watch, self._state.memories, self._environ, requests=self._requests, on_record=self._on_record
        )
        now = datetime.now(UTC)
        # Only to remember what is looked at in turn, and how often containers were restarted.
        self._state, _ = compare(self._state, looks, watch.policies, Notes(), now)
        seen = merged(self.exposed.looks, looks)
        if self._counted is not None:
            self._counted = self._count(self._counted, looks)
        seconds, runs = time.monotonic() - started, self.exposed.runs + 1
        self.exposed = Exposed(seen, now, seconds, runs, of_prefect=waiting, counted=self._counted)
        return self.exposed

    def _count(self, counted: Counted, looks: Iterable[Look]) -> Counted:
        """Count, and tell nobody what is not kept: it would be counted again after a restart."""
        after = copy.deepcopy(counted)
        after.add(looks)
        if self._file is not None:
            try:
                self._file.keep(after)
            except OSError as error:
                # Coolify lists the deployments in the next look, too.
                self.trouble = f"counts cannot be kept: {error.strerror}"
                return counted
        self.trouble = ""
        return after

    async def _waiting(self) -> tuple[Measure, ...]:
        if self._questions is None:
            return ()
        from coolify.monitor.recorded import measure_waiting

        try:
            waiting = await self._questions.waiting()
        except OperatorError:
            return (Measure(metric=Metric.PREFECT_UP, value=0.0),)
        return (Measure(metric=Metric.PREFECT_UP, value=1.0), *measure_waiting(waiting, datetime.now(UTC)))

    async def run(self, interval: float, done: Callable[[Exposed], None] = lambda _: None) -> None:
        """Look until the task is cancelled.

        Args:
            interval: Seconds from the beginning of one look to that of the next.
            done: Told what is known after each look.
        """
        while True:
            started = time.monotonic()
            done(await self.look())
            await asyncio.sleep(max(0.0, interval - (time.monotonic() - started)))
