"""Operation tokens: what names the workflow, update or activity behind an operation to whoever cancels it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Generic

from nexusrpc import OutputT


class OperationTokenType(IntEnum):
    """What is behind an operation."""

    WORKFLOW = 1
    ACTIVITY = 2
    UPDATE = 3


# The fields of tokens, in their order; which of them a type cannot do without.
_FIELDS = {
    "namespace": ("ns", "namespace"),
    "workflow_id": ("wid", "workflow id"),
    "activity_id": ("aid", "activity id"),
    "run_id": ("rid", "run id"),
    "update_id": ("uid", "update id"),
}
_NEEDED = {
    OperationTokenType.WORKFLOW: ("workflow_id",),
    OperationTokenType.ACTIVITY: ("activity_id",),
    OperationTokenType.UPDATE: ("workflow_id", "update_id"),
}


@dataclass(frozen=True)
class OperationToken:
    """A token, as all SDKs write it: JSON in base64url without padding."""

    type: OperationTokenType
    namespace: str
    workflow_id: str = ""
    activity_id: str = ""
    run_id: str = ""
    update_id: str = ""
    version: int | None = None

    def encode(self) -> str:
        """The token as text."""
        fields = {key: getattr(self, field) for field, (key, _) in _FIELDS.items()}
        values = {key: value for key, value in fields.items() if value or key == "ns"}
        text = json.dumps({"t": int(self.type), **values}, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @staticmethod
    def decode(token: str) -> OperationToken:
        """Reads a token.

        Raises:
            TypeError: It is no token, or one of an unknown kind.
        """
        values = _values(token)
        try:
            kind = OperationTokenType(values.get("t", 0))
        except ValueError:
            raise TypeError(f"invalid operation token: unknown type {values.get('t')!r}") from None
        version = values.get("v")
        if version not in (None, 0):
            raise TypeError(f"invalid operation token: version {version!r} is not known, only 0 is")
        fields: dict[str, str] = {}
        for field, (key, what) in _FIELDS.items():
            value = values.get(key) or ""
            if not isinstance(value, str):
                raise TypeError(f"invalid operation token: the {what} is no string but {type(value).__name__}")
            if not value and field in _NEEDED[kind]:
                raise TypeError(f"invalid operation token: one of type {kind.name} has no {what}")
            fields[field] = value
        return OperationToken(kind, version=version, **fields)


def _values(token: str) -> Mapping[str, Any]:
    if not token:
        raise TypeError("invalid operation token: it is empty")
    try:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", token):
            raise binascii.Error("it has other characters than base64url has")
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error as error:
        raise TypeError(f"invalid operation token: it is not in base64url: {error}") from error
    try:
        values = json.loads(data)
    except ValueError as error:
        raise TypeError("invalid operation token: there is no JSON in it") from error
    if not isinstance(values, dict):
        raise TypeError(f"invalid operation token: expected a JSON object, got {type(values).__name__}")
    return values


@dataclass(frozen=True)
class WorkflowHandle(Generic[OutputT]):
    """The workflow behind an operation. Made by :meth:`WorkflowRunOperationContext.start_workflow`.

    Args:
        namespace: Namespace of the workflow.
        workflow_id: Its id.
        version: Version of the token it was read from.
    """

    namespace: str
    workflow_id: str
    version: int | None = None

    def to_token(self) -> str:
        """The operation's token."""
        return OperationToken(OperationTokenType.WORKFLOW, self.namespace, workflow_id=self.workflow_id).encode()

    @classmethod
    def from_token(cls, token: str) -> WorkflowHandle[OutputT]:
        """The workflow that a token names.

        Raises:
            TypeError: It is no token of a workflow.
        """
        decoded = OperationToken.decode(token)
        if decoded.type is not OperationTokenType.WORKFLOW:
            raise TypeError(f"invalid operation token: expected one of a workflow, got type {decoded.type.name}")
        return cls(decoded.namespace, decoded.workflow_id, version=decoded.version)
