"""Operation tokens: read by workers of every SDK, so their text is fixed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from invincible.nexus import WorkflowHandle
from invincible.nexus._token import OperationToken, OperationTokenType


def encoded(values: Any) -> str:
    text = values if isinstance(values, str) else json.dumps(values)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (OperationToken(OperationTokenType.WORKFLOW, "ns", workflow_id="w"), "eyJ0IjoxLCJucyI6Im5zIiwid2lkIjoidyJ9"),
        (
            OperationToken(OperationTokenType.WORKFLOW, "ns", workflow_id="wé/☃"),
            "eyJ0IjoxLCJucyI6Im5zIiwid2lkIjoid1x1MDBlOS9cdTI2MDMifQ",
        ),
        (
            OperationToken(OperationTokenType.ACTIVITY, "ns", activity_id="a", run_id="r"),
            encoded('{"t":2,"ns":"ns","aid":"a","rid":"r"}'),
        ),
        (
            OperationToken(OperationTokenType.UPDATE, "ns", workflow_id="w", run_id="r", update_id="u"),
            encoded('{"t":3,"ns":"ns","wid":"w","rid":"r","uid":"u"}'),
        ),
        (
            OperationToken(OperationTokenType.UPDATE, "", workflow_id="w", update_id="u"),
            encoded('{"t":3,"ns":"","wid":"w","uid":"u"}'),
        ),
    ],
)
def test_tokens_have_one_form(token: OperationToken, text: str) -> None:
    assert token.encode() == text
    assert OperationToken.decode(text) == token


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("", "it is empty"),
        ("!!", "not in base64url"),
        ("eyJ0IjoxfQ==", "not in base64url"),
        ("a", "not in base64url"),
        (encoded("not json"), "no JSON"),
        (encoded([1]), "expected a JSON object, got list"),
        (encoded({"ns": "a", "wid": "b"}), "unknown type None"),
        (encoded({"t": 4, "ns": "a", "wid": "b"}), "unknown type 4"),
        (encoded({"t": 1, "ns": "a"}), "one of type WORKFLOW has no workflow id"),
        (encoded({"t": 2, "ns": "a", "wid": "b"}), "one of type ACTIVITY has no activity id"),
        (encoded({"t": 3, "ns": "a", "wid": "b"}), "one of type UPDATE has no update id"),
        (encoded({"t": 1, "ns": "a", "wid": 5}), "the workflow id is no string but int"),
        (encoded({"t": 1, "ns": "a", "wid": "b", "v": 1}), "version 1 is not known"),
    ],
)
def test_what_is_no_token_is_told(token: str, problem: str) -> None:
    with pytest.raises(TypeError, match=f"^invalid operation token: .*{problem}"):
        OperationToken.decode(token)


def test_workflow_handles_are_tokens_of_workflows() -> None:
    handle: WorkflowHandle[str] = WorkflowHandle("ns", "w")
    assert WorkflowHandle.from_token(handle.to_token()) == handle
    assert WorkflowHandle.from_token(encoded({"t": 1, "ns": "a", "wid": "b", "v": 0})).version == 0
    update = OperationToken(OperationTokenType.UPDATE, "ns", workflow_id="w", update_id="u").encode()
    with pytest.raises(TypeError, match="expected one of a workflow, got type UPDATE"):
        WorkflowHandle.from_token(update)
