"""Conditions that workflow code waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .loop import WorkflowLoop


class Conditions:
    """Predicates that are tried whenever the code of the run has come to rest, in the order of their waits."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, predicate: Callable[[], object], loop: WorkflowLoop) -> asyncio.Future[None]:
        """A future that resolves when the predicate holds."""
        future = loop.create_future()
        self._waiting.append((predicate, future))
        return future

    def check(self) -> None:
        """Resolve those that hold."""
        ended = False
        for predicate, future in self._waiting:
            if not future.done():
                try:
                    holds = predicate()
                except Exception as error:  # raised where the condition is awaited
                    future.set_exception(error)
                else:
                    if not holds:
                        continue
                    future.set_result(None)
            ended = True
        if ended:
            self._waiting = [condition for condition in self._waiting if not condition[1].done()]
