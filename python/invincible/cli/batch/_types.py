"""What batch operations do, in words."""

from __future__ import annotations


def operation_text(kind: int) -> str:
    """``cancel``, ``terminate``, ``update activity options`` ..."""
    from invincible.api.enums.v1 import BatchOperationType

    words = BatchOperationType.Name(kind).removeprefix("BATCH_OPERATION_TYPE_")  # type: ignore[arg-type]
    return words.lower().replace("_", " ").removesuffix(" workflow")
