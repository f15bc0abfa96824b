"""Conversion of Python values to and from payloads, and of exceptions to and from failures.

The default converter writes and reads what every Temporal SDK does: null, bytes, protobuf messages, and JSON for all
else. Types, ``Order`` or ``list[int | None]`` say, come from the annotations of workflows and activities.
"""

from typing import TYPE_CHECKING

from invincible._lazy import lazy_names

if TYPE_CHECKING:
    from invincible._native import Payload

    from ._codec import PayloadCodec
    from ._context import (
        ActivitySerializationContext,
        NexusSerializationContext,
        SerializationContext,
        WithSerializationContext,
        WorkflowSerializationContext,
    )
    from ._data_converter import DataConverter, default
    from ._decode import value_to_type
    from ._encodings import (
        BinaryNullPayloadConverter,
        BinaryPlainPayloadConverter,
        DefaultPayloadConverter,
        JSONPlainPayloadConverter,
    )
    from ._errors import ArgumentError, ConversionError
    from ._failure import DefaultFailureConverter, DefaultFailureConverterWithEncodedAttributes, FailureConverter
    from ._json import AdvancedJSONEncoder
    from ._payload_converter import CompositePayloadConverter, EncodingPayloadConverter, PayloadConverter
    from ._protobuf import BinaryProtoPayloadConverter, JSONProtoPayloadConverter
    from ._remote_codec import RemoteCodec
    from ._search_attributes import (
        decode_search_attributes,
        decode_typed_search_attributes,
        encode_search_attribute_values,
        encode_search_attributes,
        encode_typed_search_attribute_value,
    )
    from ._signature import Parameter, Signature, decode_result
    from ._storage import (
        ExternalStorage,
        StorageDriver,
        StorageDriverActivityInfo,
        StorageDriverClaim,
        StorageDriverRetrieveContext,
        StorageDriverSelectContext,
        StorageDriverStoreContext,
        StorageDriverWorkflowInfo,
        StorageWarning,
    )
    from ._transfer_types import TransferTypeConverter, create_payload_validation_error, transfer_type_convertible
    from ._type_converter import JSONTypeConverter, JSONTypeConverterUnhandled
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "invincible._native": "Payload",
            "._codec": "PayloadCodec",
            "._context": (
                "ActivitySerializationContext NexusSerializationContext SerializationContext "
                "WithSerializationContext WorkflowSerializationContext"
            ),
            # Those with a `default`, which comes with the data converter.
            "._data_converter": "DataConverter FailureConverter PayloadConverter default",
            "._decode": "value_to_type",
            "._encodings": (
                "BinaryNullPayloadConverter BinaryPlainPayloadConverter DefaultPayloadConverter "
                "JSONPlainPayloadConverter"
            ),
            "._errors": "ArgumentError ConversionError",
            "._failure": "DefaultFailureConverter DefaultFailureConverterWithEncodedAttributes",
            "._json": "AdvancedJSONEncoder",
            "._payload_converter": "CompositePayloadConverter EncodingPayloadConverter",
            "._protobuf": "BinaryProtoPayloadConverter JSONProtoPayloadConverter",
            "._remote_codec": "RemoteCodec",
            "._search_attributes": (
                "decode_search_attributes decode_typed_search_attributes encode_search_attribute_values "
                "encode_search_attributes encode_typed_search_attribute_value"
            ),
            "._signature": "Parameter Signature decode_result",
            "._storage": (
                "ExternalStorage StorageDriver StorageDriverActivityInfo StorageDriverClaim "
                "StorageDriverRetrieveContext StorageDriverSelectContext StorageDriverStoreContext "
                "StorageDriverWorkflowInfo StorageWarning"
            ),
            "._transfer_types": "TransferTypeConverter create_payload_validation_error transfer_type_convertible",
            "._type_converter": "JSONTypeConverter JSONTypeConverterUnhandled",
        },
    )

__all__ = [
    "ActivitySerializationContext",
    "AdvancedJSONEncoder",
    "ArgumentError",
    "BinaryNullPayloadConverter",
    "BinaryPlainPayloadConverter",
    "BinaryProtoPayloadConverter",
    "CompositePayloadConverter",
    "ConversionError",
    "DataConverter",
    "DefaultFailureConverter",
    "DefaultFailureConverterWithEncodedAttributes",
    "DefaultPayloadConverter",
    "EncodingPayloadConverter",
    "ExternalStorage",
    "FailureConverter",
    "JSONPlainPayloadConverter",
    "JSONProtoPayloadConverter",
    "JSONTypeConverter",
    "JSONTypeConverterUnhandled",
    "NexusSerializationContext",
    "Parameter",
    "Payload",
    "PayloadCodec",
    "PayloadConverter",
    "RemoteCodec",
    "SerializationContext",
    "Signature",
    "StorageDriver",
    "StorageDriverActivityInfo",
    "StorageDriverClaim",
    "StorageDriverRetrieveContext",
    "StorageDriverSelectContext",
    "StorageDriverStoreContext",
    "StorageDriverWorkflowInfo",
    "StorageWarning",
    "TransferTypeConverter",
    "WithSerializationContext",
    "WorkflowSerializationContext",
    "create_payload_validation_error",
    "decode_result",
    "decode_search_attributes",
    "decode_typed_search_attributes",
    "default",
    "encode_search_attribute_values",
    "encode_search_attributes",
    "encode_typed_search_attribute_value",
    "transfer_type_convertible",
    "value_to_type",
]
