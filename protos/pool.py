"""The protobuf descriptor pool of ``invincible.api``.

Protobuf's default pool refuses a second definition of a name unless it equals the first. Other packages in the
process, ``temporalio`` or code a user generated, may define ``temporal.api`` from other versions of the same files
and be imported before or after this one, so these messages live in a pool of their own. Their proto names stay what
they are: type URLs and the message type of ``json/protobuf`` payloads are made of them.

A pool also has its own classes of the well-known types. So that ``Duration`` or ``Timestamp`` of ``google.protobuf``
still fit where such a field is set, constructors and ``CopyFrom``/``MergeFrom`` take them and copy their value.

No code of protoc's runs, so no version of protoc's is compared with the runtime's: one build serves every supported
release of protobuf.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_pool = DescriptorPool()
_well_known: dict[str, type[Message]] = {}


def define(module: dict[str, Any], descriptor: bytes, well_known: Iterable[ModuleType] = ()) -> None:
    """Adds a file to the pool, and its messages, enums and extensions to the module made for it.

    Args:
        module: The module's ``globals()``.
        descriptor: The file as a serialized ``FileDescriptorProto``. Files it depends on must be in the pool.
        well_known: The ``google.protobuf`` modules it depends on; they are added to the pool.
    """
    for source in well_known:
        _share(source)
    file = _add(descriptor)
    module["DESCRIPTOR"] = file
    for name, message in file.message_types_by_name.items():
        module[name] = _message_class(message, module["__name__"], name)
    for name, enum in file.enum_types_by_name.items():
        module[name] = EnumTypeWrapper(enum)
        module.update((value.name, value.number) for value in enum.values)
    for name, extension in file.extensions_by_name.items():
        module[name] = extension
        module[f"{name.upper()}_FIELD_NUMBER"] = extension.number


def _add(descriptor: bytes) -> FileDescriptor:
    file: FileDescriptor = _pool.AddSerializedFile(descriptor)
    return file


def _share(source: ModuleType) -> None:
    """Adds a file of well-known types to the pool."""
    for descriptor in _add(source.DESCRIPTOR.serialized_pb).message_types_by_name.values():
        if descriptor.full_name not in _well_known:
            cls = _message_class(descriptor, source.__name__, descriptor.name)
            for method in ("CopyFrom", "MergeFrom"):
                _accept_foreign_message(cls, method)
            _pickle_as(cls, getattr(source, descriptor.name))
            _well_known[descriptor.full_name] = cls


def _message_class(descriptor: Descriptor, module: str, qualname: str) -> type[Message]:
    cls = GetMessageClass(descriptor)
    cls.__module__, cls.__qualname__ = module, qualname
    for nested in descriptor.nested_types:
        setattr(cls, nested.name, _message_class(nested, module, f"{qualname}.{nested.name}"))
    _accept_foreign_arguments(cls)
    _pickle_as(cls, cls)
    return cls


def _accept_foreign_arguments(cls: type[Message]) -> None:
    """Lets the constructor take well-known types of another pool."""
    fields = {
        field.name: _well_known[field.message_type.full_name]
        for field in cls.DESCRIPTOR.fields
        if field.message_type is not None and field.message_type.full_name in _well_known
    }
    if not fields:
        return
    original = cls.__init__

    def __init__(self: Message, /, **values: Any) -> None:
        for name in fields.keys() & values.keys():
            own, value = fields[name], values[name]
            many = isinstance(value, (list, tuple))
            values[name] = [_to_own(own, item) for item in value] if many else _to_own(own, value)
        original(self, **values)

    cls.__init__ = __init__  # type: ignore[assignment, method-assign]


def _accept_foreign_message(cls: type[Message], method: str) -> None:
    original = getattr(cls, method)

    def accept(self: Message, other: Message) -> None:
        original(self, _to_own(cls, other))

    accept.__name__ = accept.__qualname__ = method
    setattr(cls, method, accept)


def _pickle_as(cls: type[Message], restored: type[Message]) -> None:
    # Protobuf's own way looks nested messages up in the default pool.
    def __reduce__(self: Message) -> tuple[Any, ...]:
        return _restore, (restored, self.SerializePartialToString())

    cls.__reduce__ = __reduce__  # type: ignore[assignment, method-assign]


def _restore(cls: type[Message], data: bytes) -> Message:
    return cls.FromString(data)


def _to_own(cls: type[Message], value: Any) -> Any:
    """The value as a message of this pool, if it is the same message of another one; else the value itself."""
    if not isinstance(value, Message) or isinstance(value, cls):
        return value
    if value.DESCRIPTOR.full_name != cls.DESCRIPTOR.full_name:
        return value
    return cls.FromString(value.SerializeToString())
