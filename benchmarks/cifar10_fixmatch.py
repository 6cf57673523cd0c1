"""CIFAR-10 with 4,000 labels: the last student of the `cifar10` recipe beside FixMatch, which may learn for as long as the whole chain.

    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10.py --seeds 3
    NOISYSTUDENT_DATA=/path/to/data python benchmarks/cifar10_fixmatch.py --seeds 3 --fixmatch-python /path/to/python

FixMatch is semilearn's, with the last student's network, noise and precision, as many image passes as the whole chain and at least as much
time; `peers/fixmatch.py` says what its Python needs. Its batches are FIXMATCH_BATCHES, since with our own of 8 labeled images it does not
learn; its learning rate is the best of RATES on 5,000 training images held out, of one draw and with a quarter of the passes. The chains
are those that `cifar10.py` kept in the results, and so is what FixMatch reached: what stands there is not trained again.
"""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
from cifar10 import of_draws
from peer_runs import FIXMATCH_NAME, PYTHON_OPTION, chain_passes, chain_seconds, command_of, fixmatch, peer_tables
from seeded_runs import RESULTS, arguments, kept_results

FIXMATCH_BATCHES = ("batch_size=32", "unlabeled_ratio=3")
RATES = (0.015, 0.03, 0.08)
HELD_OUT = 5000
CHOOSING = 4  # the share of the passes with which a rate is chosen is one in so many
KEPT = RESULTS / "cifar10_fixmatch.json"


def main() -> None:
    options = arguments(__doc__, seeds=3, work="cifar10", more=PYTHON_OPTION)
    found = kept()
    for rate in RATES:
        if str(rate) not in found["held out"]:
            found["held out"][str(rate)] = trained(options, seed=0, rate=rate, held_out=HELD_OUT)
            keep(found)
    chains = kept_results("cifar10")["recipe"]
    for seed in range(len(found["test"]), options.seeds):
        found["test"].append(trained(options, seed=seed, rate=best_rate(found), seconds=chain_seconds(chains[seed])))
        keep(found)
    text = "\n\n".join([f"`{command_of(options)}`", *tables(found)]) + "\n"
    print(text)
    KEPT.with_suffix(".md").write_text(text, encoding="utf-8")


def kept() -> dict[str, Any]:
    """What FixMatch reached on held-out images by its rate, and on the test images by draw."""
    there = KEPT.read_text(encoding="utf-8") if KEPT.exists() else '{"held out": {}, "test": []}'
    found: dict[str, Any] = json.loads(there)
    return found


def keep(found: dict[str, Any]) -> None:
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def best_rate(found: dict[str, Any]) -> float:
    return float(max(found["held out"], key=lambda rate: found["held out"][rate]["top1"]))


def trained(options: Namespace, *, seed: int, rate: float, held_out: int = 0, seconds: float = 0.0) -> dict[str, Any]:
    """What FixMatch reaches with the passes of a chain and so many seconds; with a part of the passes on held-out images."""
    work: Path = options.work / "held-out" if held_out else options.work
    config = of_draws("cifar10", work=work, held_out=held_out)(seed)
    run = work / f"fixmatch-{seed}"
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.toml").write_text(config.to_toml(), encoding="utf-8")
    passes = chain_passes(config) // (CHOOSING if held_out else 1)
    length = ["--passes", str(passes), *(["--seconds", str(seconds)] if seconds else [])]
    settings = (*FIXMATCH_BATCHES, f"learning_rate={rate}")
    return fixmatch(options.fixmatch_python, run, length, settings, name=f"{rate}")


def tables(found: dict[str, Any]) -> list[str]:
    """Markdown: how the rate was chosen, and what it reached beside the chain."""
    chosen = ["| learning rate | top-1 %, held out | passes, millions | n |", "|---|---|---|---|"]
    for rate, answer in sorted(found["held out"].items(), key=lambda item: float(item[0])):
        chosen.append(f"| {rate} | {answer['top1']:.1f} | {answer['passes'] / 1e6:.2f} | 1 |")
    answers = found["test"]
    lengths = (
        f"FixMatch with a rate of {best_rate(found)}: "
        f"{np.mean([answer['passes'] for answer in answers]) / 1e6:.2f} million image passes on the mean."
    )
    chains = kept_results("cifar10")["recipe"][: len(answers)]
    return ["\n".join(chosen), lengths, *peer_tables(chains, {FIXMATCH_NAME: answers})]


if __name__ == "__main__":
    main()
