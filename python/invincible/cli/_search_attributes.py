"""Search attributes of the command line, with the types that the server has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ._input import named_json
from ._output import clean
from ._units import moment

if TYPE_CHECKING:
    from invincible.client import SyncClient
    from invincible.common import SearchAttributePair, TypedSearchAttributes


def typed_search_attributes(client: SyncClient, items: Sequence[str], option: str) -> TypedSearchAttributes:
    """The search attributes of an option that is given as ``NAME=JSON``, once for each.

    Args:
        client: Asks the server for their types, if there are any.
        items: What was given.
        option: How errors name it.

    Raises:
        UsageError: A value is no JSON, or not of its type.
        RPCError: The server does not tell the types.
    """
    from invincible.common import TypedSearchAttributes

    values = named_json(items, option)
    types = _types(client) if values else {}
    return TypedSearchAttributes([_pair(name, value, types, option) for name, value in values.items()])


def _types(client: SyncClient) -> dict[str, int]:
    from invincible.api.operatorservice.v1 import ListSearchAttributesRequest

    response = client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), retry=True
    )
    return {**response.system_attributes, **response.custom_attributes}


def _pair(name: str, value: Any, types: Mapping[str, int], option: str) -> SearchAttributePair[Any]:
    from invincible.common import SearchAttributeIndexedValueType, SearchAttributeKey, SearchAttributePair

    if name not in types:
        raise click.UsageError(f"{option}: the namespace has no search attribute {clean(name)!r}")
    kind = SearchAttributeIndexedValueType(types[name])._metadata_type
    key = SearchAttributeKey._from_metadata_type(name, kind)
    assert key is not None
    fits, wanted = _WANTED[kind]
    where = f"{option} {clean(name)}"
    if not fits(value):
        raise click.UsageError(f"{where} is of type {kind}: it takes {wanted}")
    if kind == "Datetime":
        try:
            value = moment(value)
        except click.BadParameter as error:
            raise click.UsageError(f"{where}: {error.message}") from None
    return SearchAttributePair(key, float(value) if kind == "Double" else value)


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


_WANTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "Text": (_is(str), "a JSON string"),
    "Keyword": (_is(str), "a JSON string"),
    "Int": (_is(int), "a whole number"),
    "Double": (_is(int, float), "a number"),
    "Bool": (_is(bool), "true or false"),
    "Datetime": (_is(str), 'a time, "2027-01-31T09:00:00Z" say'),
    "KeywordList": (_is_texts, "a JSON list of strings"),
}
