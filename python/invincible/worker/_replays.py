"""What a replayer has under way: several histories at a time, whose results come in the order of the histories."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from invincible import _native
from invincible._engine.mismatch import core_words
from invincible._native import RemoveFromCache
from invincible.client import WorkflowHistory

from ._failures import text_of
from ._workflows import eviction_error

# So that Core has one at hand while workflow code runs for another; far fewer than the runs in the worker's cache.
_AT_A_TIME = 8

# Of a long history, Core moves all the events it knows for each workflow task: it knows a page of about that many.
_EVENTS_PER_PAGE: int | None = 100

# Reason for which Core drops a run (`EvictionReason`) when it is replayed.
_LANG_REQUESTED = 5

# What Core says where a page ends with a workflow task that woke recorded code up, but not the code of today.
_PAGE_MISSING = "Need to fetch history events to continue"


@dataclass(frozen=True)
class WorkflowReplayResult:
    """What came of replaying one history; ``replay_failure`` is ``None`` if it fits the code."""

    history: WorkflowHistory
    replay_failure: Exception | None


@dataclass(frozen=True)
class _Outcome:
    """Why the code of a run failed, if it did, and why the run was dropped; ``doubtful`` if that may be different with
    the history in one page."""

    error: BaseException | None
    eviction: RemoveFromCache
    doubtful: bool


@dataclass(frozen=True)
class _Replay:
    history: WorkflowHistory
    outcome: asyncio.Future[_Outcome]


class Replays:
    """Feeds a replay worker, and takes what comes of it.

    Args:
        feeder: Where histories go.
        paged: Whether Core may have them in pages.
    """

    def __init__(self, feeder: _native.HistoryFeeder, *, paged: bool) -> None:
        self._feeder = feeder
        self._paged = paged
        self._loop = asyncio.get_running_loop()
        self._errors: dict[str, BaseException] = {}
        self._under_way: dict[str, asyncio.Future[_Outcome]] = {}
        self._broken: RuntimeError | None = None
        self._places = asyncio.Semaphore(_AT_A_TIME)
        self._fed: asyncio.Queue[_Replay | BaseException | None] = asyncio.Queue()
        self._reader: asyncio.Task[None] | None = None
        self.ended: asyncio.Future[None] = self._loop.create_future()

    # On the event loop

    async def results(self, histories: AsyncIterator[WorkflowHistory]) -> AsyncIterator[WorkflowReplayResult]:
        """The results in the order of the histories, which are read ahead a little."""
        self._reader = asyncio.create_task(self._read(histories))
        while True:
            replay = await self._fed.get()
            if replay is None:
                return
            if isinstance(replay, BaseException):
                raise replay
            outcome = await replay.outcome
            if outcome.doubtful:
                outcome = await (await self._feed(replay.history, paged=False))
            yield WorkflowReplayResult(replay.history, _replay_failure(outcome))
            self._places.release()

    async def stop_reading(self) -> None:
        """Read no more histories."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait((self._reader,))

    async def _read(self, histories: AsyncIterator[WorkflowHistory]) -> None:
        try:
            iterator = aiter(histories)
            while True:
                await self._places.acquire()
                try:
                    history = await anext(iterator)
                except StopAsyncIteration:
                    break
                self._fed.put_nowait(_Replay(history, await self._feed(history, paged=self._paged)))
        except Exception as error:
            self._fed.put_nowait(error)
        else:
            self._fed.put_nowait(None)

    async def _feed(self, history: WorkflowHistory, *, paged: bool) -> asyncio.Future[_Outcome]:
        from invincible.api.history.v1 import History

        serialized = History(events=history.events).SerializeToString()
        run_id = _run_id(history)
        while run_id in self._under_way:
            # Core and the workflow thread tell runs apart by their id.
            await asyncio.wait((self._under_way[run_id],))
        if self._broken is not None:
            raise self._broken
        self._feeder.feed(history.workflow_id, serialized, _EVENTS_PER_PAGE if paged else None)
        outcome = self._under_way[run_id] = self._loop.create_future()
        return outcome

    def _done(self, run_id: str, outcome: _Outcome) -> None:
        waiting = self._under_way.pop(run_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)

    def _break(self, error: RuntimeError) -> None:
        self._broken = self._broken or error
        for waiting in self._under_way.values():
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # it may be that nobody waits any more
        self._under_way.clear()

    def _end(self) -> None:
        self._break(RuntimeError("the replay worker has stopped before the end of the histories"))
        self.ended.set_result(None)

    # On the workflow thread

    def on_failure(self, run_id: str, error: BaseException) -> None:
        self._errors.setdefault(run_id, error)

    def on_eviction(self, run_id: str, reason: RemoveFromCache) -> None:
        doubtful = self._feeder.forget(run_id) or _PAGE_MISSING in reason.message
        outcome = _Outcome(self._errors.pop(run_id, None), reason, doubtful)
        self._loop.call_soon_threadsafe(self._done, run_id, outcome)

    def on_error(self, error: RuntimeError) -> None:
        self._loop.call_soon_threadsafe(self._break, error)

    def on_end(self) -> None:
        self._loop.call_soon_threadsafe(self._end)


def _run_id(history: WorkflowHistory) -> str:
    """Empty if the history does not tell: the feeder refuses it."""
    try:
        return history.run_id
    except RuntimeError:
        return ""


def _replay_failure(outcome: _Outcome) -> Exception | None:
    error, eviction = outcome.error, outcome.eviction
    if error is None:
        if eviction.reason == _LANG_REQUESTED:
            return None
        return eviction_error(None, eviction) or RuntimeError(
            f"the history cannot be replayed: {core_words(eviction.message)}"
        )
    if isinstance(error, Exception):
        return error
    failure = RuntimeError(f"the workflow code raised {type(error).__name__}: {text_of(error)}")
    failure.__cause__ = error
    return failure
