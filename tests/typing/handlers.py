"""What type checkers make of handlers, and of decorators that are used wrongly. Nothing here is run;
``test_checkers`` has the checkers read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import timedelta

from typing_extensions import assert_type

from invincible import workflow
from invincible.client import WorkflowHandle, WorkflowUpdateHandle, WorkflowUpdateStage
from invincible.workflow import HandlerUnfinishedPolicy


@workflow.defn
class Account:
    def __init__(self) -> None:
        self.balance = 0

    @workflow.run
    async def run(self) -> int:
        return self.balance

    @workflow.signal
    def close(self, reason: str) -> None: ...

    @workflow.query(name="the-balance")
    def current(self, currency: str) -> float:
        return 1.0

    @workflow.update
    async def deposit(self, amount: int, *, note: str = "") -> int:
        return self.balance

    @deposit.validator
    def check_deposit(self, amount: int, *, note: str = "") -> None: ...

    @workflow.update(name="the-rate", unfinished_policy=HandlerUnfinishedPolicy.ABANDON)
    def set_rate(self, rate: float) -> bool:
        return True

    @set_rate.validator
    def check_rate(self, rate: float) -> None: ...

    @workflow.update
    async def audit(self) -> None: ...

    @workflow.update
    def transfer(self, amount: int, to: str) -> str:
        return to


@workflow.defn
class Savings(Account):
    @workflow.run
    async def run(self) -> int:
        return await super().run()

    @workflow.update
    async def deposit(self, amount: int, *, note: str = "") -> int:
        return await super().deposit(amount, note=note)


class WrongValidators:
    @workflow.update
    async def deposit(self, amount: int) -> int:
        return amount

    @deposit.validator  # type: ignore[arg-type]
    def other_type(self, amount: str) -> None: ...

    @deposit.validator  # type: ignore[arg-type]
    def too_few(self) -> None: ...

    @deposit.validator  # type: ignore[arg-type]
    def other_result(self, amount: int) -> int:
        return amount


class WrongOverrides(Account):
    @workflow.run
    async def run(self, reason: str) -> int:  # type: ignore[override]
        return 1

    @workflow.update
    async def audit(self, year: int) -> None: ...  # type: ignore[override]


async def methods_stay_methods(account: Account) -> None:
    assert_type(account.close("moved"), None)
    assert_type(account.current("EUR"), float)
    assert_type(await account.deposit(1, note="gift"), int)
    assert_type(account.set_rate(0.5), bool)
    assert_type(account.check_rate(0.5), None)

    await account.deposit("1")  # type: ignore[arg-type]
    account.current(1)  # type: ignore[arg-type]


async def clients_call_them(handle: WorkflowHandle[Account, int]) -> None:
    assert_type(await handle.execute_update(Account.deposit, 1, rpc_timeout=timedelta(1)), int)
    assert_type(await handle.execute_update(Account.set_rate, 0.5), bool)
    assert_type(await handle.execute_update(Account.audit), None)
    assert_type(await handle.execute_update(Account.transfer, args=[1, "Bob"]), str)
    update = await handle.start_update(Account.deposit, 1, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    assert_type(update, WorkflowUpdateHandle[int])
    assert_type(await handle.query(Account.current, "EUR"), float)
    await handle.signal(Account.close, "moved")

    await handle.execute_update(Account.deposit, "1")  # type: ignore[misc]
    await handle.execute_update(Account.deposit)  # type: ignore[arg-type]
    await handle.execute_update(Account.audit, 1)  # type: ignore[arg-type]
    await handle.query(Account.current, 1)  # type: ignore[call-overload]
    await handle.signal(Account.close)  # type: ignore[call-overload]


async def subclasses_are_their_own(handle: WorkflowHandle[Savings, int]) -> None:
    assert_type(await handle.execute_update(Savings.deposit, 1), int)
    assert_type(await handle.execute_update(Account.audit), None)


@workflow.run  # type: ignore[arg-type]
def not_async(self: object) -> None: ...


@workflow.defn  # type: ignore[arg-type]
def no_coroutine() -> None: ...
