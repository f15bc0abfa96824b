"""Data converters that are named on the command line."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ._output import failure

if TYPE_CHECKING:
    from invincible.converter import DataConverter


def data_converter(reference: str) -> DataConverter:
    """The data converter that ``MODULE:ATTRIBUTE`` stands for, reduced to its codec and external storage.

    What commands send and show is JSON as it is, so that a payload converter of one's own has no part in it.

    Raises:
        UsageError: It is no reference.
        ClickException: There is no such thing, or it is something else.
    """
    from invincible.converter import DataConverter

    value = converter_of_workers(reference, "--data-converter")
    return replace(
        DataConverter.default,
        payload_codec=value.payload_codec,
        failure_converter_class=value.failure_converter_class,
        external_storage=value.external_storage,
    )


def converter_of_workers(reference: str, where: str) -> DataConverter:
    """The whole data converter that ``MODULE:ATTRIBUTE`` stands for.

    Args:
        reference: It; the attribute may be a payload codec, or a function that returns either.
        where: How errors name it: the option, say.

    Raises:
        UsageError: It is no reference.
        ClickException: There is no such thing, or it is something else.
    """
    value = object_named(reference, where)
    if not _is_converter(value) and callable(value):
        try:
            value = value()
        except Exception as error:  # it is the user's code
            raise failure(f"{where}: {reference} failed: {type(error).__name__}: {error}") from None
    return as_converter(value, reference, where)


def as_converter(value: Any, reference: str, where: str) -> DataConverter:
    """A data converter as it is, a payload codec in the default one.

    Raises:
        ClickException: It is something else.
    """
    from invincible.converter import DataConverter, PayloadCodec

    if isinstance(value, PayloadCodec):
        return replace(DataConverter.default, payload_codec=value)
    if not isinstance(value, DataConverter):
        raise failure(
            f"{where}: {reference} is of type {type(value).__name__}: it must be a DataConverter or a "
            "PayloadCodec, or a function that returns one"
        )
    return value


def object_named(reference: str, where: str) -> Any:
    """What ``MODULE:ATTRIBUTE`` stands for.

    Raises:
        UsageError: It is no reference.
        ClickException: There is no such thing.
    """
    from invincible.worker._told import ProgramError

    from ._worker_reference import found

    module, colon, attribute = reference.partition(":")
    if not (module and colon and attribute):
        raise click.UsageError(f"{where} takes MODULE:ATTRIBUTE, not {reference!r}")
    if "" not in sys.path:
        # Modules are found where the command is run, as by `python -m`.
        sys.path.insert(0, "")
    try:
        return found(reference)
    except ProgramError as error:
        raise failure(f"{where}: {error}") from None


def _is_converter(value: Any) -> bool:
    from invincible.converter import DataConverter, PayloadCodec

    return isinstance(value, (DataConverter, PayloadCodec))
