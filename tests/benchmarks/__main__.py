# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures, and writes the figures of all rows to docs/benchmarks.md; of some rows it only shows them.

Everything is compared within one run: the contenders of a row take turns, each is a whole process, and the medians count.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import typing as t

from . import page
from .contenders import Contender
from .emulator import KEY, ROOT, Emulator
from .measuring import Failed, Figure, Sample, figure_of, in_turn, run
from .rows import COMPARISONS, ROWS, Comparison, Row, Verdict

PAGE = ROOT / "docs/benchmarks.md"
KEYS = [each.key for each in (*ROWS, *COMPARISONS)]


def measure(each: Row | Comparison, rounds: int, emulator: Emulator, directory: pathlib.Path) -> dict[str, Figure]:
    """The figures of the contenders of a row."""
    environment = dict(
        os.environ,
        AMPLITUDE_MANAGEMENT_API_KEY=KEY,
        AMPLITUDE_BASE_URL=emulator.url,
        ANSIBLE_LIBRARY=str(ROOT / "tests/benchmarks/library"),
    )
    contenders = {contender.name: contender for contender in each.contenders}

    def sample(name: str) -> Sample:
        taken = _sample(contenders[name], emulator, environment, directory)
        print(f"{each.key:12} {name:60} {taken.seconds:8.2f} s {taken.peak:6.0f} MiB", flush=True)
        return taken

    rounds = max(1, rounds // 2) if each.is_slow else rounds
    samples = in_turn(list(contenders), rounds, sample)
    figures = {name: figure_of(taken) for name, taken in samples.items()}
    for name in figures:
        if contenders[name].program:
            # They tell the CPU that they took themselves; their starts do not count.
            figures[name] = figures[name]._replace(cpu=min(float(taken.said) for taken in samples[name]))
    return figures


def _sample(
    contender: Contender, emulator: Emulator, environment: t.Mapping[str, str], directory: pathlib.Path
) -> Sample:
    emulator.reset(contender.seed(), **contender.switches)
    if "parser" in contender.program:
        pages = directory / "pages"
        shutil.rmtree(pages, ignore_errors=True)
        pages.mkdir()
        for number, content in enumerate(emulator.pages()):
            (pages / f"{number:06d}").write_bytes(content)
    taken = run(contender.command(directory, emulator.url), environment, directory)
    return taken._replace(requests=emulator.requests())


def failed(failure: Failed) -> Verdict:
    """The verdict on a row that could not be measured, so that the others are told all the same."""
    print(failure)
    return Verdict("–", f"it failed: {str(failure).strip().splitlines()[-1]}", False)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds; half as many of what takes long")
    parser.add_argument(
        "--only", help=f"some rows, with commas between them: {', '.join(KEYS)}; the page stays as it is"
    )
    options = parser.parse_args()
    only = KEYS if options.only is None else options.only.split(",")
    if not set(only) <= set(KEYS) or options.rounds < 1:
        parser.error(f"there are the rows {', '.join(KEYS)}, and there has to be one round at least")
    judged, sections = [], []
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        emulator = stack.enter_context(Emulator(directory))
        for row in ROWS:
            if row.key in only:
                try:
                    verdict = row.judge(measure(row, options.rounds, emulator, directory))
                except Failed as failure:
                    verdict = failed(failure)
                judged.append((row, verdict))
        for each in COMPARISONS:
            if each.key in only:
                sections.append(page.comparison(each, measure(each, options.rounds, emulator, directory)))
    if judged:
        sections.insert(0, page.verdicts(judged))
    figures = "\n".join(sections)
    print("\n" + figures)
    if options.only is None:
        said = subprocess.run(["ansible", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
        text = page.machine(said, options.rounds) + "\n" + figures
        PAGE.write_text(page.replaced(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
