"""What conversion of values costs, beside temporalio's.

    python -m benchmarks.conversion --pairs 5

Needs no server. Both take turns, each time in a fresh process: CPU microseconds per call, and how many times less ours
needs, the median of the pairs.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import statistics
import subprocess

from benchmarks.harness.setup import BUILD, Contender, ours, translated_scenarios
from tests.support.environments import PEER, PEER_VERSION, environment


def _peer() -> Contender:
    """`temporalio` beside the same version of pydantic as ours."""
    requirements = [f"{PEER}=={PEER_VERSION}", f"pydantic=={importlib.metadata.version('pydantic')}"]
    return Contender(PEER, environment(BUILD / f"{PEER}-pydantic", requirements), translated_scenarios())


def _measured(contender: Contender) -> dict[str, float]:
    done = subprocess.run(contender.command("conversion.py"), stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares conversion of values with temporalio's.")
    parser.add_argument("--pairs", type=int, default=5, help="how many times each takes its turn")
    mine, theirs = ours(), _peer()
    pairs = [(_measured(mine), _measured(theirs)) for _ in range(parser.parse_args().pairs)]
    print(f"{'CPU us, medians':44}{mine.sdk:>12}{theirs.sdk:>12}{'ratio':>8}   least .. most")
    for case in pairs[0][0]:
        ratios = [other[case] / own[case] for own, other in pairs]
        own_us, other_us = (statistics.median(pair[side][case] for pair in pairs) for side in (0, 1))
        spread = f"{min(ratios):.1f} .. {max(ratios):.1f}"
        print(f"{case:44}{own_us:>12.2f}{other_us:>12.2f}{statistics.median(ratios):>8.1f}   {spread}")


if __name__ == "__main__":
    main()
