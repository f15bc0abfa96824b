"""What `invincible dev` and others find in files, modules and folders."""

from __future__ import annotations

import importlib
import linecache
import os
import re
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from invincible._engine.reference import workflow_definition
from invincible.activity._definition import ActivityDefinition
from invincible.cli._discovery import definitions
from invincible.cli._project import CannotLoadError, load, locate, project_modules
from invincible.cli._sources import module_source, source_files

WORKFLOW = """
from invincible import workflow

@workflow.defn
class Greeting:
    @workflow.run
    async def run(self) -> None: ...

@workflow.defn(name="greet")
async def greeting() -> None: ...
"""


def save(folder: Path, **files: str) -> None:
    """Files by their names, with two underscores for each slash."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip())


def read(folder: Path, target: str) -> dict[str, Any]:
    """What a target has, or why it cannot be loaded; afterwards all is as if nothing had been imported."""
    path, here = list(sys.path), Path.cwd()
    os.chdir(folder)
    linecache.clearcache()
    importlib.invalidate_caches()
    try:
        located = locate(target)
        found = definitions(project_modules(located, load(located)))
        return {
            "name": located.name,
            "workflows": [workflow_definition(each).name for each in found.workflows],
            "activities": [
                definition.name for definition in map(ActivityDefinition.of, found.activities) if definition
            ],
            "results": [each() for each in found.activities if getattr(each, "__name__", "") == "whose"],
            "nexus": [type(each).__name__ for each in found.nexus_services],
            "notes": found.notes,
        }
    except CannotLoadError as error:
        return {"error": str(error)}
    finally:
        os.chdir(here)
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
            if any(place.startswith(str(folder.resolve())) for place in places):
                del sys.modules[name]


@pytest.fixture(autouse=True)
def no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written anew within a second, which is too quick for what bytecode is stamped with."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def test_a_file_and_what_it_imports_from_its_project(tmp_path: Path) -> None:
    save(
        tmp_path,
        app="""
        from lib.activities import send
        from lib import flows
        if __name__ == "__main__":
            raise SystemExit("run")
        """,
        lib__activities="""
        from invincible import activity

        @activity.defn
        async def send() -> None: ...

        @activity.defn
        async def beside() -> None: ...

        def helper() -> None: ...
        """,
        lib__flows=WORKFLOW,
        unused=WORKFLOW.replace("Greeting", "Unused").replace('"greet"', '"unused"'),
    )
    for target in ("app.py", "app"):
        found = read(tmp_path, target)
        assert found["name"] == "app"
        assert found["workflows"] == ["Greeting", "greet"]
        assert found["activities"] == ["send", "beside"]


def test_a_file_of_a_package_is_imported_as_a_module_of_it(tmp_path: Path) -> None:
    save(tmp_path, shop__init="", shop__app="from .flows import Greeting", shop__flows=WORKFLOW)
    (tmp_path / "shop/init.py").rename(tmp_path / "shop/__init__.py")
    for target in ("shop/app.py", "shop.app", "shop", "shop/", str(tmp_path / "shop/app.py")):
        assert read(tmp_path, target)["workflows"] == ["Greeting", "greet"]
    assert read(tmp_path / "shop", "app.py")["workflows"] == ["Greeting", "greet"]


def test_a_folder_has_what_its_files_define(tmp_path: Path) -> None:
    save(
        tmp_path,
        app=WORKFLOW,
        jobs__nightly=WORKFLOW.replace("Greeting", "Nightly").replace('"greet"', '"nightly"'),
        setup="raise SystemExit('not for a worker')",
        env__lib__flows=WORKFLOW,
        tests__stand_ins=WORKFLOW,
        test_app=WORKFLOW,
    )
    (tmp_path / "env/pyvenv.cfg").touch()
    found = read(tmp_path, ".")
    assert found["name"] == tmp_path.resolve().name
    assert found["workflows"] == ["Greeting", "greet", "Nightly", "nightly"]
    assert [file.name for file in source_files(tmp_path)] == [
        "app.py",
        "nightly.py",
        "setup.py",
        "test_app.py",
        "stand_ins.py",
    ]


@pytest.mark.parametrize("name", ["my-app", "random", "click", "signal"])
def test_names_that_imports_do_not_find_or_find_elsewhere(tmp_path: Path, name: str) -> None:
    save(tmp_path, **{name: WORKFLOW})
    assert read(tmp_path, f"{name}.py")["workflows"] == ["Greeting", "greet"]


ACTIVITIES = """
from dataclasses import dataclass
from invincible import activity

class Mailer:
    def __init__(self, host: str = "none") -> None:
        self.host = host

    @activity.defn
    def whose(self) -> str:
        return self.host

@dataclass
class Database:
    url: str

    @activity.defn
    def query(self) -> None: ...

class Base:
    @activity.defn
    def inherited(self) -> None: ...

class Sub(Base): ...

class Call:
    @activity.defn(name="called")
    def __call__(self) -> None: ...
"""


def test_methods_need_objects(tmp_path: Path) -> None:
    save(tmp_path, app=ACTIVITIES)
    found = read(tmp_path, "app.py")
    assert sorted(found["activities"]) == ["called", "inherited", "whose"]
    assert found["results"] == ["none"]
    (note,) = found["notes"]
    line = ACTIVITIES.lstrip().splitlines().index("@dataclass") + 1
    assert note.startswith(
        f"app.py:{line}: Database has the activities query, which need an object, and takes url: have one in the "
        "module (database = Database(...))"
    )


def test_objects_of_the_module_are_taken(tmp_path: Path) -> None:
    save(tmp_path, app=ACTIVITIES + "\nmailer = Mailer('there')\ndatabase = Database('x')\nsub = Sub()\n")
    found = read(tmp_path, "app.py")
    assert (sorted(found["activities"]), found["notes"]) == (["called", "inherited", "query", "whose"], [])
    assert found["results"] == ["there"]


def test_an_object_that_cannot_be_made_is_told_by_its_place(tmp_path: Path) -> None:
    save(tmp_path, app=ACTIVITIES.replace("self.host = host", "self.host = 1 / 0"))
    line = ACTIVITIES.lstrip().splitlines().index("        self.host = host") + 1
    assert read(tmp_path, "app.py")["error"].startswith(f"app.py:{line}: ZeroDivisionError: division by zero\n")


def test_nexus_service_handlers(tmp_path: Path) -> None:
    save(
        tmp_path,
        app="""
        import nexusrpc
        from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

        @nexusrpc.service
        class Payments:
            pay: nexusrpc.Operation[str, str]

        @service_handler(service=Payments)
        class Handler:
            @sync_operation
            async def pay(self, ctx: StartOperationContext, input: str) -> str:
                return input
        """,
    )
    assert read(tmp_path, "app.py")["nexus"] == ["Handler"]


@pytest.mark.parametrize(
    ("app", "error"),
    [
        (
            "import no_such\n",
            "app.py:1: ModuleNotFoundError: No module named 'no_such'\n  app.py:1, in <module>\n    import no_such",
        ),
        ("def f(:\n    pass\n", "app.py:1: SyntaxError: invalid syntax\n    def f(:\n          ^"),
        ("import sys\nsys.exit(3)\n", "app.py:2: sys.exit(3) was called by the import"),
        (
            "from lib import x\n",
            "lib.py:1: ZeroDivisionError: division by zero\n  lib.py:1, in <module>\n    x = 1 / 0\n"
            "  app.py:1, in <module>\n    from lib import x",
        ),
    ],
)
def test_imports_that_fail_are_told_by_their_place(tmp_path: Path, app: str, error: str) -> None:
    save(tmp_path, app=app, lib="x = 1 / 0\n")
    assert read(tmp_path, "app.py") == {"error": error}


def test_definitions_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    save(
        tmp_path,
        app="""
        from invincible import activity
        from lib import pay

        @activity.defn(name="pay")
        async def pay_again() -> None: ...
        """,
        lib="""
        from invincible import activity

        @activity.defn
        async def pay() -> None: ...
        """,
    )
    told = read(tmp_path, "app.py")["error"]
    assert told.startswith("app.py:4: two activities are named 'pay': this one and that of lib.py:3\n")
    save(tmp_path, app=WORKFLOW + WORKFLOW.replace('"greet"', '"greet2"').replace("class Greeting", "class Other"))
    assert "error" not in read(tmp_path, "app.py")
    save(tmp_path, app=WORKFLOW + WORKFLOW.replace('"greet"', '"Greeting"').replace("class Greeting", "class Other"))
    assert "two workflows are named 'Greeting'" in read(tmp_path, "app.py")["error"]


def test_a_package_that_is_installed_to_be_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, src__shop__flows=WORKFLOW)
    (tmp_path / "src/shop/__init__.py").touch()

    class Finder:
        """Maps one name, as the build tools have it."""

        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
            return PathFinder.find_spec(name, [str(tmp_path / "src")]) if name == "shop" else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert module_source("shop.flows", tmp_path) == tmp_path / "src/shop/flows.py"
    assert module_source("shop.none", tmp_path) is None
    assert "shop" not in sys.modules
    assert read(tmp_path, "shop.flows")["workflows"] == ["Greeting", "greet"]


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("app", "there is no file, folder or module 'app'"),
        ("sub/app.py", "there is no file 'sub/app.py'"),
        (".", "no file in '.' has a @workflow.defn or an @activity.defn"),
        ("", "there is no file, folder or module ''"),
        ("a..b", "there is no file, folder or module 'a..b'"),
    ],
)
def test_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, error: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"^{re.escape(error)}$"):
        locate(target)
