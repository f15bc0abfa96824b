"""Builds the Go program into the wheel.

GOOS and GOARCH cross-compile, as for Go itself. Go's build cache makes a second build a matter of seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "invincible_server"
PROGRAM = "invincible-server"
NOTICES = "THIRD_PARTY_NOTICES.txt"

# By GOOS and GOARCH. The Linux binary is static and asks for nothing but a kernel; Go 1.26 wants macOS 12 or newer.
LINUX = "manylinux_2_17_{0}.manylinux2014_{0}.musllinux_1_1_{0}"
PLATFORMS = {
    ("linux", "amd64"): LINUX.format("x86_64"),
    ("linux", "arm64"): LINUX.format("aarch64"),
    ("darwin", "amd64"): "macosx_12_0_x86_64",
    ("darwin", "arm64"): "macosx_12_0_arm64",
    ("windows", "amd64"): "win_amd64",
    ("windows", "arm64"): "win_arm64",
}


class ServerBuildHook(BuildHookInterface[Any]):
    """Runs before hatchling packs a wheel, an editable one included."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        target = go_environment(root)
        platform = (target["GOOS"], target["GOARCH"])
        if platform not in PLATFORMS:
            raise SystemExit(f"{PROGRAM} has no wheel for GOOS={platform[0]} GOARCH={platform[1]}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{PLATFORMS[platform]}"

        program = PROGRAM + target["GOEXE"]
        if platform == (target["GOHOSTOS"], target["GOHOSTARCH"]):
            # In its place in the package: an editable install runs it from there.
            binary = root / PACKAGE / "bin" / program
        else:
            binary = root / "bin" / "-".join(platform) / program
        build(root, binary, self.metadata.version)
        if version == "editable":
            return
        notices = root / "bin" / NOTICES
        notices.parent.mkdir(exist_ok=True)
        notices.write_text(third_party_notices(root), encoding="utf-8")
        build_data["force_include"] = {
            str(binary): f"{PACKAGE}/bin/{program}",
            str(notices): f"{PACKAGE}/{NOTICES}",
        }


def build(root: Path, binary: Path, version: str) -> None:
    go(
        root,
        "build",
        "-trimpath",
        # Neither the build nor its result depends on the state of a repository around it.
        "-buildvcs=false",
        "-ldflags",
        f"-s -w -X main.version={version}",
        "-o",
        str(binary),
        ".",
    )


def third_party_notices(root: Path) -> str:
    """The licences of all modules in the binary, each text once."""
    modules = go(root, "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}", ".")
    holders: dict[str, list[str]] = {}
    for line in sorted({line for line in modules.splitlines() if line}):
        module, _, folder = line.partition("\t")
        if folder and Path(folder) != root:
            for text in licence_texts(Path(folder)):
                holders.setdefault(text, []).append(module)
    parts = ["\n".join(modules) + "\n\n" + text for text, modules in holders.items()]
    return ("\n" + "-" * 80 + "\n\n").join(parts)


def licence_texts(folder: Path) -> list[str]:
    files = [*folder.glob("LICEN[CS]E*"), *folder.glob("NOTICE*"), *folder.glob("COPYING*")]
    return [file.read_text(encoding="utf-8", errors="replace") for file in sorted(files) if file.is_file()]


def go_environment(root: Path) -> dict[str, str]:
    environment = json.loads(go(root, "env", "-json", "GOOS", "GOARCH", "GOEXE", "GOHOSTOS", "GOHOSTARCH"))
    return dict(environment)


def go(root: Path, *arguments: str) -> str:
    """Run go in the source folder and return its output. What it says about progress and errors goes to our caller."""
    if shutil.which("go") is None:
        raise SystemExit(
            f"building {PROGRAM} needs Go 1.26 or newer; go was not found. Install it from https://go.dev/dl"
        )
    done = subprocess.run(
        ["go", *arguments],
        cwd=root,
        env={**os.environ, "CGO_ENABLED": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"go {arguments[0]} failed with exit code {done.returncode}; its messages are above")
    return done.stdout
