"""Options of several commands: a group of them is given to a command as one value, and has a section in its help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial, wraps
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])


class SectionOption(click.Option):
    """An option that help lists below a heading of its own.

    Args:
        section: The heading.
    """

    def __init__(self, *arguments: Any, section: str, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.section = section


class Command(click.Command):
    """A command whose help lists its own options first, and then those of sections. What it is given is text, but for
    paths: shells pass on any bytes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments.

        Raises:
            BadParameter: One is not UTF-8.
        """
        rest = super().parse_args(ctx, args)
        for parameter in () if ctx.resilient_parsing else self.params:
            value = ctx.params.get(parameter.name or "")
            if not isinstance(parameter.type, click.Path) and not all(map(_is_text, _each(value))):
                raise click.BadParameter("it is not UTF-8", ctx, parameter)
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            # Arguments are told of in the text above.
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", "Options"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def option_of(section: str) -> Callable[..., Callable[[Any], Any]]:
    """``click.option`` for the options of a section of help."""
    return partial(click.option, cls=SectionOption, section=section)


def taken_as(
    parameter: str, kind: type[Any], options: Sequence[Callable[[Any], Any]]
) -> Callable[[_Function], _Function]:
    """A decorator that gives a command a group of options; it takes their values as one parameter.

    Args:
        parameter: Its name.
        kind: A dataclass with a field for each option.
        options: The options in the order of the help. Those that the group leaves out have the dataclass's defaults.
    """

    def decorated(function: _Function) -> _Function:
        @wraps(function)
        def command(*arguments: Any, **values: Any) -> Any:
            given = {each.name: values.pop(each.name) for each in fields(kind) if each.name in values}
            return function(*arguments, **{parameter: kind(**given)}, **values)

        found: Any = command
        for option in reversed(options):
            found = option(found)
        return found  # type: ignore[no-any-return]

    return decorated


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _is_text(value: Any) -> bool:
    try:
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError:
        return False
    return True
