"""Payloads written and read by pydantic 2.

The default converter takes models too. This one lets pydantic handle everything that is JSON: aliases, ``bytes``,
constraints and serializers in annotations work as in pydantic itself. Use it on all sides or on none, as the two write
some values differently. Needs the extra ``invincible[pydantic]``.

Example::

    client = await Client.connect("localhost:7233", data_converter=pydantic_data_converter)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from invincible._native import Payload
from invincible.converter import (
    CompositePayloadConverter,
    ConversionError,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)
from invincible.converter._hints import type_name
from invincible.exceptions import FailureError

try:
    from pydantic import TypeAdapter
    from pydantic_core import SchemaSerializer, to_json
    from pydantic_core.core_schema import any_schema
except ImportError as error:
    raise ImportError("invincible.contrib.pydantic needs pydantic 2: pip install 'invincible[pydantic]'") from error

__all__ = [
    "PydanticJSONPlainPayloadConverter",
    "PydanticPayloadConverter",
    "ToJsonOptions",
    "pydantic_data_converter",
]

_METADATA = {"encoding": b"json/plain"}


@dataclass
class ToJsonOptions:
    """How values are written.

    With options, also with those that are the default, models are written by the names of their fields and numbers
    that are infinite or none as null. Without, models are written by alias, and such numbers as ``Infinity`` and
    ``NaN``.

    Args:
        exclude_unset: Whether fields that were never set are left out.
    """

    exclude_unset: bool = False


class PydanticJSONPlainPayloadConverter(EncodingPayloadConverter):
    """JSON as pydantic writes and reads it. Pickles without what it has cached.

    Args:
        to_json_options: How values are written.
        max_cached_type_adapters: How many types to keep the validators of, those used last; ``None`` for all, 0 for
            none.

    Raises:
        ValueError: The number of types is negative.
    """

    def __init__(
        self, to_json_options: ToJsonOptions | None = None, *, max_cached_type_adapters: int | None = 1024
    ) -> None:
        """Creates the converter."""
        if max_cached_type_adapters is not None and max_cached_type_adapters < 0:
            raise ValueError(f"max_cached_type_adapters cannot be negative, it is {max_cached_type_adapters}")
        self.__setstate__((to_json_options, max_cached_type_adapters))

    @property
    def encoding(self) -> str:
        """``json/plain``."""
        return "json/plain"

    def to_payload(self, value: Any) -> Payload | None:
        """Takes every value.

        Raises:
            ConversionError: Part of the value has no JSON.
        """
        try:
            return Payload(_METADATA, self._write(value))
        except FailureError:
            raise
        except Exception as error:
            raise ConversionError.refused("pydantic", error) from error

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Returns a value of the hinted type, or what JSON gives if there is no hint.

        Raises:
            ConversionError: The data is not JSON, or not of the hinted type, or pydantic knows no such type.
        """
        hint: Any = Any if type_hint is None else type_hint
        try:
            return self._adapter(hint).validate_json(payload.data)
        except FailureError:
            raise
        except Exception as error:
            raise ConversionError.refused(type_name(hint), error) from error

    def __getstate__(self) -> tuple[ToJsonOptions | None, int | None]:
        """What it was created with."""
        return self._options, self._limit

    def __setstate__(self, state: tuple[ToJsonOptions | None, int | None]) -> None:
        """Starts with an empty cache."""
        self._options, self._limit = state
        self._write = _writer(self._options)
        self._cached_adapter = lru_cache(maxsize=self._limit)(_new_adapter)

    def _adapter(self, hint: Any) -> TypeAdapter[Any]:
        try:
            hash(hint)
        except TypeError:
            return _new_adapter(hint)
        return self._cached_adapter(hint)


class PydanticPayloadConverter(CompositePayloadConverter):
    """The default payload converter with JSON left to pydantic.

    A data converter takes a class without parameters; to set some, derive one::

        class Compact(PydanticPayloadConverter):
            def __init__(self) -> None:
                super().__init__(ToJsonOptions(exclude_unset=True))

        data_converter = DataConverter(payload_converter_class=Compact)

    Args:
        to_json_options: How values are written.
        max_cached_type_adapters: How many types to keep the validators of; ``None`` for all, 0 for none.
    """

    def __init__(
        self, to_json_options: ToJsonOptions | None = None, *, max_cached_type_adapters: int | None = 1024
    ) -> None:
        """Creates the converter."""
        json = PydanticJSONPlainPayloadConverter(to_json_options, max_cached_type_adapters=max_cached_type_adapters)
        super().__init__(
            *(
                json if isinstance(each, JSONPlainPayloadConverter) else each
                for each in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


def _writer(options: ToJsonOptions | None) -> Callable[[Any], bytes]:
    if options is None:
        return to_json
    serializer, exclude_unset = SchemaSerializer(any_schema()), options.exclude_unset
    return lambda value: serializer.to_json(value, exclude_unset=exclude_unset)


def _new_adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


pydantic_data_converter = DataConverter(payload_converter_class=PydanticPayloadConverter)
"""The data converter to give to clients, whose workers use it too."""
