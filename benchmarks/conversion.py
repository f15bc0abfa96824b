"""What the default converter needs for typed values, beside temporalio's.

    python -m benchmarks.conversion

Needs no server. Both take turns, each time in a fresh process; a figure is the least that was seen, in microseconds.
"""

from __future__ import annotations

import json
import subprocess

from benchmarks.harness.setup import Contender, ours, peer

_ROUNDS = 3


def _measured(contender: Contender) -> dict[str, float]:
    done = subprocess.run(contender.command("conversion.py"), stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    contenders = {each.sdk: each for each in (ours(), peer())}
    rounds = [{sdk: _measured(contender) for sdk, contender in contenders.items()} for _ in range(_ROUNDS)]
    print(f"{'us':38}{''.join(f'{sdk:>12}' for sdk in contenders)}{'ratio':>8}")
    for case in rounds[0]["invincible"]:
        mine, theirs = (min(each[sdk][case] for each in rounds) for sdk in contenders)
        print(f"{case:38}{mine:>12.1f}{theirs:>12.1f}{theirs / mine:>8.1f}")


if __name__ == "__main__":
    main()
