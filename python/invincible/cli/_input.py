"""Values that are given on the command line as JSON."""

from __future__ import annotations

import base64
import binascii
import codecs
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from ._options import taken_as
from ._output import clean

if TYPE_CHECKING:
    from invincible.common import RawValue

_Function = TypeVar("_Function", bound=Callable[..., Any])

_SHOWN = 60  # characters of wrong JSON in its error

_OPTIONS = (
    click.option("--input", "-i", "inputs", multiple=True, metavar="JSON", help="An argument; once for each of them."),
    click.option(
        "--input-file",
        "input_files",
        type=click.Path(),
        multiple=True,
        metavar="FILE",
        help="A file with an argument; - reads stdin.",
    ),
    click.option(
        "--input-meta",
        "input_meta",
        multiple=True,
        metavar="KEY=VALUE",
        help="Metadata of the arguments, encoding=binary/plain say; once for all, or once for each of them.",
    ),
    click.option("--input-base64", is_flag=True, help="The arguments are given as Base64."),
)


@dataclass(frozen=True)
class Input:
    """Arguments of a workflow, signal, query, update or activity, as they were given."""

    inputs: Sequence[str] = ()
    input_files: Sequence[str] = ()
    input_meta: Sequence[str] = ()
    input_base64: bool = False

    def values(self) -> list[RawValue]:
        """The arguments; what is JSON is sent as it was written.

        Raises:
            UsageError: One is no JSON; the message says which.
        """
        from invincible._native import Payload
        from invincible.common import RawValue

        if self.inputs and self.input_files:
            raise click.UsageError("--input and --input-file cannot be combined: give all arguments one way")
        given = [(_place("--input", index, self.inputs), text.encode()) for index, text in enumerate(self.inputs)]
        given += [(f"--input-file {name}", _read(name)) for name in self.input_files]
        metadata = self._metadata(len(given))
        values = []
        for (where, data), meta in zip(given, metadata, strict=True):
            content = _from_base64(data, where) if self.input_base64 else data
            if meta["encoding"].startswith(b"json/"):
                content = content.removeprefix(codecs.BOM_UTF8).strip()
                checked_json(content, where)
            elif meta["encoding"] == b"binary/null":
                content = b""
            values.append(RawValue(Payload(meta, content)))
        return values

    def _metadata(self, count: int) -> list[dict[str, bytes]]:
        given: dict[str, list[bytes]] = {}
        for item in self.input_meta:
            key, value = key_and_value(item, "--input-meta", "KEY=VALUE")
            given.setdefault(key, []).append(value.encode())
        for key, values in given.items():
            if len(values) not in (1, count):
                raise click.UsageError(
                    f"--input-meta {clean(key)} is given {len(values)} times for {count} arguments: give it once, "
                    "for all, or once for each"
                )
        return [
            {"encoding": b"json/plain"} | {key: values[index % len(values)] for key, values in given.items()}
            for index in range(count)
        ]


# A decorator; the command takes the values as ``input: Input``.
input_options = taken_as("input", Input, _OPTIONS)


def checked_json(text: str | bytes, where: str) -> Any:
    """What a JSON text stands for.

    Args:
        text: The text.
        where: How errors name it: the option, say.

    Raises:
        UsageError: It is no JSON; the message says where and why.
    """
    try:
        # Not what JSON's reader would guess from the bytes: the text is sent as it is, and others do not guess.
        return json.loads(text.decode() if isinstance(text, bytes) else text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        problem = f"{where} is no JSON: {error.msg} at {place}: {_shown(error.doc)}"
        if _is_bare_word(error.doc):
            problem += f"\nA text is written with quotes: '\"{clean(error.doc.strip())}\"'"
    except UnicodeDecodeError as error:
        problem = f"{where} is no JSON: it is not UTF-8 (byte {error.start})"
    except RecursionError:
        problem = f"{where} is nested too deeply"
    except ValueError as error:  # a number beyond all bounds, NaN
        problem = f"{where} is no JSON: {error}"
    raise click.UsageError(problem)


def named_json(items: Sequence[str], option: str) -> dict[str, Any]:
    """The values of an option that is given as ``NAME=JSON``, once for each name.

    Raises:
        UsageError: One is no such thing; the message says which.
    """
    found: dict[str, Any] = {}
    for item in items:
        name, text = key_and_value(item, option, "NAME=JSON")
        if name in found:
            raise click.UsageError(f"{option} {clean(name)} is given twice")
        found[name] = checked_json(text, f"{option} {clean(name)}")
    return found


def key_and_value(item: str, option: str, form: str) -> tuple[str, str]:
    """The parts of ``KEY=VALUE``.

    Raises:
        UsageError: There is no ``=``, or nothing before it. The value is not shown: it may be a secret.
    """
    key, separator, value = item.partition("=")
    if not separator or not key:
        raise click.UsageError(f"{option} takes {form}")
    return key, value


def _place(option: str, index: int, items: Sequence[str]) -> str:
    return option if len(items) == 1 else f"{option} number {index + 1}"


def _read(name: str) -> bytes:
    try:
        with click.open_file(name, "rb") as file:
            content: bytes = file.read()
    except OSError as error:
        raise click.UsageError(f"--input-file {clean(name)} cannot be read: {error.strerror}") from None
    return content


def _from_base64(data: bytes, where: str) -> bytes:
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error as error:
        raise click.UsageError(f"{where} is no Base64: {error}") from None


def _shown(text: str) -> str:
    return clean(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _is_bare_word(text: str) -> bool:
    word = text.strip()
    return bool(word) and len(word) <= _SHOWN and not set(word) & set("\"'[]{}:,\n") and not word[0].isdigit()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"it has no {name}")
