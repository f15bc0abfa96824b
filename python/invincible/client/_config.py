"""What a client is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from invincible.converter import DataConverter

from ._checks import identifier
from ._interceptor import Interceptor

if TYPE_CHECKING:
    from invincible.common import HeaderCodecBehavior, QueryRejectCondition
    from invincible.service import ServiceClient

    from ._plugin import Plugin


class ClientConfig(TypedDict):
    """What a :class:`Client` is made of: its constructor's arguments."""

    service_client: ServiceClient
    namespace: str
    data_converter: DataConverter
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    default_workflow_query_reject_condition: QueryRejectCondition | None
    header_codec_behavior: HeaderCodecBehavior


def check(config: ClientConfig) -> None:
    """Refuses what no client can be made of.

    Raises:
        TypeError: A value is of a wrong type; the message names it.
        ValueError: The namespace is empty.
    """
    identifier("namespace", config["namespace"])
    converter = config["data_converter"]
    if not isinstance(converter, DataConverter):
        raise TypeError(f"data_converter must be a DataConverter, got {type(converter).__name__}")
    for interceptor in config["interceptors"]:
        if not isinstance(interceptor, Interceptor):
            raise TypeError(
                f"interceptors must be objects of subclasses of invincible.client.Interceptor, got {interceptor!r}"
            )
