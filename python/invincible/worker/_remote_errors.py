"""Exceptions on their way from another process: with their stacks as text, and their causes, which pickle loses."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

from invincible.converter._failure import FOREIGN_STACK
from invincible.exceptions import ApplicationError

from ._failures import text_of
from ._pickling import through_pickle


@dataclass(frozen=True)
class RemoteError:
    """An exception in a form that can always be pickled.

    Args:
        pickled: The exception, if it can be pickled and read again.
        kind: Name of its class.
        message: What it says.
        stack: Its stack.
        cause: Its ``__cause__``.
        context: Its ``__context__``.
        suppress_context: Its ``__suppress_context__``.
    """

    pickled: bytes | None
    kind: str
    message: str
    stack: str
    cause: RemoteError | None = None
    context: RemoteError | None = None
    suppress_context: bool = False

    @staticmethod
    def of(error: BaseException) -> RemoteError:
        """The form of an exception."""
        return _form(error, set())

    def exception(self) -> BaseException:
        """The exception again; where that is not possible an ``ApplicationError`` with its type and message."""
        error: BaseException
        try:
            error = pickle.loads(self.pickled) if self.pickled is not None else self._substitute()
        except Exception:  # what it is made of may be missing here
            error = self._substitute()
        error.__cause__ = None if self.cause is None else self.cause.exception()
        error.__context__ = None if self.context is None else self.context.exception()
        error.__suppress_context__ = self.suppress_context
        setattr(error, FOREIGN_STACK, self.stack)
        return error

    def _substitute(self) -> ApplicationError:
        return ApplicationError(self.message, type=self.kind)


def _form(error: BaseException, seen: set[int]) -> RemoteError:
    from traceback import format_tb

    seen.add(id(error))
    cause, context = error.__cause__, error.__context__
    if cause is not None:
        context = None
    return RemoteError(
        pickled=None if (passed := through_pickle(error)) is None else passed[0],
        kind=type(error).__name__,
        message=text_of(error),
        stack="\n".join(format_tb(error.__traceback__)),
        cause=_form(cause, seen) if cause is not None and id(cause) not in seen else None,
        context=_form(context, seen) if context is not None and id(context) not in seen else None,
        suppress_context=error.__suppress_context__,
    )
