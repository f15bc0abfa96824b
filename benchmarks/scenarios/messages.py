"""Workflows that live on messages: signals, updates, and conditions that signals fulfil."""

from __future__ import annotations

import asyncio

from invincible import workflow


@workflow.defn
class Signals:
    def __init__(self) -> None:
        self.received: list[int] = []

    @workflow.run
    async def run(self, count: int) -> int:
        await workflow.wait_condition(lambda: len(self.received) == count)
        return sum(self.received)

    @workflow.signal
    def add(self, number: int) -> None:
        self.received.append(number)


@workflow.defn
class Updates:
    def __init__(self) -> None:
        self.received: list[int] = []

    @workflow.run
    async def run(self, count: int) -> int:
        await workflow.wait_condition(lambda: len(self.received) == count)
        return sum(self.received)

    @workflow.update
    def add(self, number: int) -> int:
        self.received.append(number)
        return number

    @add.validator
    def not_negative(self, number: int) -> None:
        if number < 0:
            raise ValueError("a number is negative")


@workflow.defn
class Conditions:
    """All conditions wait at once; each signal fulfils one."""

    def __init__(self) -> None:
        self.released = 0

    @workflow.run
    async def run(self, count: int) -> int:
        async def wait_for(number: int) -> None:
            await workflow.wait_condition(lambda: self.released > number)

        await asyncio.gather(*[wait_for(number) for number in range(count)])
        return self.released

    @workflow.signal
    def add(self, number: int) -> None:
        self.released += 1
