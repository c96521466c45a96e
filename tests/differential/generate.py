"""Writes chains for the clients to judge.

    generate.py FOLDER COUNT SEED

FOLDER gets `cases.tsv` (a line each: number, class, host, title, and `raw` where OpenSSL's server does not show the chain), and for each case `N.chain.pem`, `N.anchors.pem` and
`N.key.pem`. The first cases are each change by itself; the others are two or three changes drawn at random.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import forms  # noqa: F401 - it registers its changes
from cases import CHANGES, Case
from certificates import pem
from keys import Keys


def main(folder: Path, count: int, seed: int) -> None:
    keys = Keys(folder / "keys")
    draw = random.Random(seed)
    # A large run has each change by itself; a sample has some of them.
    single = CHANGES if count > 2 * len(CHANGES) else draw.sample(CHANGES, count // 2)
    combined = [draw.sample(CHANGES, draw.choice([2, 2, 3])) for _ in range(count - 1 - len(single))]
    with open(folder / "cases.tsv", "w") as index:
        for number, changes in enumerate([[], *([one] for one in single), *combined]):
            index.write(write(folder, number, changes, Case(keys, draw)))


def write(folder: Path, number: int, changes, case: Case) -> str:
    """Writes the files of a case, and returns its line of the index."""
    for _, _, apply in changes:
        apply(case)
    written = {id(it): it.write() for it in [*case.chain(), *case.anchors]}
    (folder / f"{number}.chain.pem").write_text(pem([written[id(it)] for it in case.chain()]))
    (folder / f"{number}.anchors.pem").write_text(pem([written[id(it)] for it in case.anchors]))
    os.symlink(case.leaf.key.file, folder / f"{number}.key.pem")
    classes = "+".join(dict.fromkeys(of for of, _, _ in changes)) or "good"
    title = " ".join(title for _, title, _ in changes) or "good"
    return f"{number}\t{classes}\t{case.host}\t{title}\t{'raw' if case.is_raw else ''}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3]))
