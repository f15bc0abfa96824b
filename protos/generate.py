"""Makes the package ``invincible.api``, messages and services, from the .proto files the pinned Core was built with.

The files come from the ``temporalio-protos`` crate that ``Cargo.lock`` names, so the messages in Python match the
bridge; this folder adds the project's own. Nothing is written when no input changed, and the output depends on the
inputs alone. Needs cargo, and the packages grpcio-tools and mypy-protobuf.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import rpcs
import sync_client

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUTPUT = ROOT / "python" / "invincible" / "api"
PACKAGE = "invincible.api"
STAMP = ".inputs"

CRATE = "temporalio-protos"
# Folders of the crate's protos, in the order in which protoc looks names up.
CRATE_SOURCES = ("api_upstream", "api_cloud_upstream", "testsrv_upstream", ".")
WANTED = ("temporal/api", "grpc/health")

WELL_KNOWN = "google/protobuf/"
# These define options for other generators; the options are dropped, and with them the need for the files.
ANNOTATIONS = ("google/api/", "protoc-gen-openapiv2/", "nexusannotations/", "temporal/api/protometa/")

HEADER = "# Made by protos/generate.py: changes here are lost.\n"
PACKAGE_DOC = '''"""Protobuf messages of the Temporal API, under the names ``temporalio.api`` gives them.

Each ``vN`` package exports its messages and enums: ``from invincible.api.common.v1 import Payload``.
"""
'''


class GenerateError(Exception):
    """A tool is missing or refused its input; the message holds the tool's own words."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder of the package (default: %(default)s)")
    parser.add_argument("--force", action="store_true", help="generate even when no input changed")
    options = parser.parse_args()
    try:
        generate(options.output, force=options.force)
        if options.output == OUTPUT:
            sync_client.generate()
    except GenerateError as error:
        print(f"protos/generate.py: {error}", file=sys.stderr)
        return 1
    return 0


def generate(output: Path = OUTPUT, *, force: bool = False) -> None:
    """Writes the package to ``output`` unless it is there already, made from the same inputs.

    Raises:
        GenerateError: The crate cannot be located, or protoc or the stub generator failed.
    """
    crate = crate_protos()
    sources = [HERE, *(crate / name for name in CRATE_SOURCES)]
    names = wanted_protos(sources)
    inputs = digest(sources, names)
    stamp = output / STAMP
    if not force and stamp.is_file() and stamp.read_text() == inputs:
        return
    print(f"making {PACKAGE} from {len(names)} .proto files", flush=True)
    files = compile_protos(sources, names)
    output.parent.mkdir(parents=True, exist_ok=True)
    # Built aside and moved into place, so that a failure or a reader never meets half a package.
    with tempfile.TemporaryDirectory(prefix=".api-", dir=output.parent) as scratch:
        fresh = Path(scratch, "fresh")
        write_modules(fresh, files)
        write_stubs(fresh, files)
        write_packages(fresh, files)
        write_services(fresh, files)
        (fresh / STAMP).write_text(inputs)
        if output.exists():
            os.rename(output, Path(scratch, "stale"))
        os.rename(fresh, output)


def crate_protos() -> Path:
    """The .proto files of the crate version in Cargo.lock."""
    # Not --locked: a source distribution has fewer workspace members than its Cargo.lock. The pins hold all the same.
    command = ["cargo", "metadata", "--format-version=1", f"--manifest-path={ROOT / 'Cargo.toml'}"]
    packages = json.loads(run(command))["packages"]
    folders = [Path(package["manifest_path"]).parent for package in packages if package["name"] == CRATE]
    if len(folders) != 1:
        raise GenerateError(f"Cargo.lock should name {CRATE} once, but names it {len(folders)} times")
    return folders[0] / "protos"


def wanted_protos(sources: list[Path]) -> list[str]:
    found = {
        path.relative_to(source).as_posix()
        for source in sources
        for folder in WANTED
        for path in (source / folder).rglob("*.proto")
    }
    return sorted(found)


def digest(sources: list[Path], names: list[str]) -> str:
    """A digest of all that the output depends on."""
    state = hashlib.sha256()
    for tool in ("grpcio-tools", "mypy-protobuf"):
        state.update(f"{tool} {version(tool)}\n".encode())
    protos = [next(path for source in sources if (path := source / name).exists()) for name in names]
    own_files = (HERE / name for name in ("generate.py", "pool.py", "rpcs.py", "service.py"))
    for path in (*own_files, *protos):
        content = path.read_bytes()
        state.update(f"{path.name} {len(content)}\n".encode() + content)
    return state.hexdigest()


def compile_protos(sources: list[Path], names: list[str]) -> list[FileDescriptorProto]:
    """Has protoc parse the files. Dependencies come before the files that need them; annotations are gone."""
    import grpc_tools
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    includes = [*sources, Path(grpc_tools.__file__).parent / "_proto"]
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch, "files.binpb")
        command = [sys.executable, "-m", "grpc_tools.protoc", *(f"-I{path}" for path in includes)]
        run([*command, f"--descriptor_set_out={result}", "--include_imports", "--include_source_info", *names])
        files = list(FileDescriptorSet.FromString(result.read_bytes()).file)
    for file in files:
        # Options that no loaded extension defines are unknown fields here.
        file.DiscardUnknownFields()
        needed = [name for name in file.dependency if not name.startswith(ANNOTATIONS)]
        del file.dependency[:]
        file.dependency.extend(needed)
    return [file for file in files if file.name in set(names) or file.name.startswith(WELL_KNOWN)]


def write_modules(output: Path, files: list[FileDescriptorProto]) -> None:
    """A module per .proto file, which defines the file's messages when it is imported."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    for file in own(files):
        bare = FileDescriptorProto.FromString(file.SerializeToString())
        bare.ClearField("source_code_info")
        descriptor = bare.SerializeToString(deterministic=True)
        shared = [f"{PurePosixPath(name).stem}_pb2" for name in file.dependency if is_well_known(name)]
        imports = [f"import {module_name(name)}" for name in file.dependency if not is_well_known(name)]
        imports += [f"from google.protobuf import {name}" for name in shared]
        imports += [f"from {PACKAGE} import _pool"]
        call = f"_pool.define(globals(), {descriptor!r}, [{', '.join(shared)}])"
        write(output / f"{place(file.name)}_pb2.py", "\n".join([*imports, "", call, ""]))
    write(output / "_pool.py", (HERE / "pool.py").read_text())


def write_stubs(output: Path, files: list[FileDescriptorProto]) -> None:
    """A type stub beside each module."""
    from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse

    # The stub generator derives module names from file names, so it is shown the files where the modules are.
    def moved(name: str) -> str:
        return name if is_well_known(name) else f"{PACKAGE.replace('.', '/')}/{place(name)}.proto"

    request = CodeGeneratorRequest(parameter="quiet", proto_file=files)
    for file in request.proto_file:
        file.name = moved(file.name)
        file.dependency[:] = map(moved, file.dependency)
    request.file_to_generate.extend(moved(file.name) for file in own(files))
    made = run([sys.executable, "-m", "mypy_protobuf.main"], stdin=request.SerializeToString())
    response = CodeGeneratorResponse.FromString(made)
    if response.error:
        raise GenerateError(f"mypy-protobuf: {response.error}")
    for stub in response.file:
        write(output / PurePosixPath(stub.name).relative_to(PACKAGE.replace(".", "/")), stub.content)


def write_packages(output: Path, files: list[FileDescriptorProto]) -> None:
    """The ``__init__`` modules; those of the folders that hold files export the messages and enums."""
    exports: dict[PurePosixPath, dict[str, str]] = {}
    for file in own(files):
        path = place(file.name)
        names = [message.name for message in file.message_type] + [enum.name for enum in file.enum_type]
        exports.setdefault(path.parent, {}).update(dict.fromkeys(names, f"{path.name}_pb2"))
    for folder, origin in exports.items():
        imports = [
            f"from .{module} import {', '.join(sorted(name for name in origin if origin[name] == module))}"
            for module in sorted(set(origin.values()))
        ]
        public = ", ".join(f'"{name}"' for name in sorted(origin))
        write(output / folder / "__init__.py", "\n".join([*imports, "", f"__all__ = [{public}]", ""]))
        for parent in folder.parents:
            write(output / parent / "__init__.py", "" if parent.name else PACKAGE_DOC)


def write_services(output: Path, files: list[FileDescriptorProto]) -> None:
    """A module with a class per service, and what the classes have in common."""
    folder = output / rpcs.FOLDER
    for name, code in rpcs.service_modules(files, PACKAGE, message_package):
        write(folder / f"{name}.py", code)
    write(folder / "_service.py", (HERE / "service.py").read_text())
    write(folder / "__init__.py", '"""The services of the Temporal API: see ``invincible.service``."""\n')


def own(files: list[FileDescriptorProto]) -> list[FileDescriptorProto]:
    return [file for file in files if not is_well_known(file.name)]


def is_well_known(name: str) -> bool:
    return name.startswith(WELL_KNOWN)


def place(name: str) -> PurePosixPath:
    """Where a .proto file's modules are in the package, without ending: ``common/v1/message``."""
    return PurePosixPath(name.removeprefix("temporal/api/")).with_suffix("")


def module_name(name: str) -> str:
    return f"{PACKAGE}.{str(place(name)).replace('/', '.')}_pb2"


def message_package(file: FileDescriptorProto) -> str:
    """The module that exports the messages of a file."""
    if is_well_known(file.name):
        return str(PurePosixPath(file.name).with_suffix("")).replace("/", ".") + "_pb2"
    return f"{PACKAGE}.{str(place(file.name).parent).replace('/', '.')}"


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + content, encoding="utf-8")


def run(command: list[str], stdin: bytes | None = None) -> bytes:
    try:
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise GenerateError(f"{command[0]} is not on PATH") from None
    except subprocess.CalledProcessError as error:
        raise GenerateError(
            f"{' '.join(command[:3])} failed:\n{error.stderr.decode(errors='replace').strip()}"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
