"""Memo and search attributes of a run, and their changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from invincible import _native
from invincible._native import Payload
from invincible.common import SearchAttributes, SearchAttributeUpdate, TypedSearchAttributes
from invincible.converter import (
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attribute_values,
    encode_typed_search_attribute_value,
)
from invincible.converter._signature import decode_result

from .groups import EventGroup, markers

if TYPE_CHECKING:
    from .run import WorkflowRun


class Attributes:
    """What a run is described by: payloads by name, as the server has them."""

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        self.memo: dict[str, Payload] = dict(run.init.memo)
        self._search_attributes: dict[str, Payload] = dict(run.init.search_attributes)

    def memo_value(self, key: str, type_hint: Any) -> Any:
        payload = self.memo.get(key)
        if payload is None:
            known = ", ".join(sorted(self.memo)) or "none"
            raise KeyError(f"the memo has no {key!r}; its keys are: {known}")
        run = self._run
        return decode_result(
            payload, type_hint, run.payload_converter, f"memo {key!r}", show_values=run.worker.show_values
        )

    def decoded_memo(self) -> dict[str, Any]:
        converter = self._run.payload_converter
        return {key: converter.from_payload(payload) for key, payload in self.memo.items()}

    def upsert_memo(self, updates: Mapping[str, Any], groups: Sequence[EventGroup]) -> None:
        """Change parts of the memo; ``None`` removes a key."""
        run = self._run
        run.require_writable("changing the memo")
        payloads = run.encode_memo(updates)
        run.emit(_native.ModifyWorkflowProperties(upserted_memo=payloads, event_groups=markers(groups)))
        for key, payload in payloads.items():
            if updates[key] is None:
                self.memo.pop(key, None)
            else:
                self.memo[key] = payload

    @property
    def search_attributes(self) -> SearchAttributes:
        return decode_search_attributes(self._search_attributes)

    @property
    def typed_search_attributes(self) -> TypedSearchAttributes:
        return decode_typed_search_attributes(self._search_attributes)

    def upsert_search_attributes(
        self, attributes: SearchAttributes | Sequence[SearchAttributeUpdate[Any]], groups: Sequence[EventGroup]
    ) -> None:
        """Change search attributes; an empty list of values, or an unset update, removes one."""
        run = self._run
        run.require_writable("changing search attributes")
        if isinstance(attributes, Mapping):
            payloads = {name: encode_search_attribute_values(values) for name, values in attributes.items()}
            removed = {name for name, values in attributes.items() if not values}
        else:
            for update in attributes:
                if not isinstance(update, SearchAttributeUpdate):
                    raise TypeError(
                        "search attributes are changed by a mapping, or by updates made with key.value_set(...) or "
                        f"key.value_unset(), got {update!r}"
                    )
            payloads = {each.key.name: encode_typed_search_attribute_value(each.key, each.value) for each in attributes}
            removed = {each.key.name for each in attributes if each.value is None}
        run.emit(_native.UpsertWorkflowSearchAttributes(search_attributes=payloads, event_groups=markers(groups)))
        for name, payload in payloads.items():
            self._search_attributes[name] = self._typed(name, payload, attributes)
        for name in removed:
            self._search_attributes.pop(name, None)
        run.info = None

    def _typed(self, name: str, payload: Payload, attributes: Any) -> Payload:
        """The payload as the server will send it back: one of an untyped change has no type yet."""
        if not isinstance(attributes, Mapping):
            return payload
        before = self._search_attributes.get(name)
        kind = before.metadata.get("type") if before is not None else None
        if kind is None and attributes[name] and isinstance(attributes[name][0], datetime):
            kind = b"Datetime"
        return payload if kind is None else Payload({**payload.metadata, "type": kind}, payload.data)
