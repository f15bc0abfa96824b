"""Writes the classes with a method for each RPC: one module for each service that a client can call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto, ServiceDescriptorProto

FOLDER = "_services"

# The services by the names that the bridge gives them, which name the modules too.
SERVICES = {
    "workflow": "temporal.api.workflowservice.v1.WorkflowService",
    "operator": "temporal.api.operatorservice.v1.OperatorService",
    "cloud": "temporal.api.cloud.cloudservice.v1.CloudService",
    "test": "temporal.api.testservice.v1.TestService",
    "health": "grpc.health.v1.Health",
}

IMPORTS = """from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

"""

METHOD = '''
    async def {name}(
        self,
        req: {request},
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {{}},
        timeout: timedelta | None = None,
    ) -> {response}:
        """Calls ``{rpc}``."""
        return await self._call("{name}", {request}, req, {response}, retry, metadata, timeout)
'''


def service_modules(
    files: list[FileDescriptorProto], package: str, module_of: Callable[[FileDescriptorProto], str]
) -> Iterator[tuple[str, str]]:
    """Name and code of each module.

    Args:
        files: All files; those of the services and those of the messages.
        package: Where the folder of services is.
        module_of: The module from which the messages of a file are imported.
    """
    homes = {
        f".{file.package}.{message.name}": (module_of(file), message.name)
        for file in files
        for message in file.message_type
    }
    services = {f"{file.package}.{service.name}": service for file in files for service in file.service}
    for name, proto in SERVICES.items():
        yield name, module(name, services[proto], package, homes)


def module(name: str, service: ServiceDescriptorProto, package: str, homes: dict[str, tuple[str, str]]) -> str:
    methods = sorted((method for method in service.method if is_unary(method)), key=lambda method: method.name)
    modules = sorted({homes[kind][0] for method in methods for kind in (method.input_type, method.output_type)})
    imports = [import_line(module) for module in modules] + [f"from {package}.{FOLDER}._service import Service"]
    class_name = f"{name.capitalize()}Service"
    body = [
        "\n".join(imports),
        f"\n\n\nclass {class_name}(Service):\n",
        f'    """Temporal\'s ``{service.name}``: every RPC as a method."""\n',
        f'\n    _name = "{name}"\n',
    ]
    if class_name.startswith("Test"):
        body.append("    __test__ = False  # for pytest\n")
    for method in methods:
        request, response = (reference(*homes[kind]) for kind in (method.input_type, method.output_type))
        body.append(METHOD.format(name=snake_case(method.name), rpc=method.name, request=request, response=response))
    return IMPORTS + "".join(body)


def is_unary(method: MethodDescriptorProto) -> bool:
    return not method.client_streaming and not method.server_streaming


def import_line(module: str) -> str:
    parent, _, last = module.rpartition(".")
    return f"from {parent} import {last} as {alias(module)}"


def alias(module: str) -> str:
    """The last two parts: no service uses two modules that share them."""
    return "_".join(module.split(".")[-2:])


def reference(module: str, message: str) -> str:
    return f"{alias(module)}.{message}"


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
