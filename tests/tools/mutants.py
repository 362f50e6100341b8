# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""See whether the tests notice mutants: copies of the collection in which one small thing is changed.

Each runs in a copy of its own: the tests of the changed room first, then the other unit tests, then the random histories;
of all of them only those that execute the changed lines. The first failure kills it, and so does a test without an end.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing as t

import yaml
from mutations import Mutant, mutants_of
from run_ansible_test import copy_checkout

ROOT = pathlib.Path(__file__).resolve().parents[2]
EQUIVALENT = ROOT / "tests" / "tools" / "mutants-equivalent.yml"
FLOORS = ("_api", "_plan", "_apply")
UNITS, HISTORIES = "tests/unit/plugins", "tests/unit/histories"
#: Of so many mutants that are not equivalent, this many in a hundred have to be killed.
ENOUGH = 95
#: How many times as long as without a change the tests may take, and the seconds that are added for their start.
PATIENCE, START = 4, 60
#: What one run may use, in bytes: a mutant can make a loop that collects something for ever.
MEMORY = 6 * 2**30
#: All the same, in every run.
SEED_OF_HISTORIES = 1

#: What became of a mutant; survivors are the other one.
KILLED = "killed"
SURVIVED = "survived"


class Tests:
    """What runs the tests of a copy of the collection, and what is known of the unchanged one.

    :param directory: where copies are made.
    :param kept: a file for what was seen of the unchanged one, which takes minutes, until something is changed.
    """

    def __init__(self, directory: pathlib.Path, kept: pathlib.Path) -> None:
        self._directory, self._kept = directory, kept
        self.original = directory / "original"
        self._running: set[subprocess.Popen[bytes]] = set()
        self._seconds: dict[str, float] = {}
        self._lines: dict[str, dict[str, list[str]]] = {}
        copy_checkout(self.original)
        shutil.rmtree(self.original / ".git", ignore_errors=True)

    def observe(self, threads: concurrent.futures.Executor) -> list[str]:
        """See which lines each of the tests executes, unchanged; return those that fail."""
        digest = _digest(self.original)
        seen = json.loads(self._kept.read_text(encoding="utf-8")) if self._kept.exists() else {}
        if seen.get("digest") != digest:
            seen = dict(digest=digest, parts=list(threads.map(self._observed, (UNITS, HISTORIES))))
            self._kept.write_text(json.dumps(seen), encoding="utf-8")
        else:
            # So that everything is compiled in the copies.
            self._pytest(self.original, ["--collect-only", UNITS, HISTORIES], None)
        failed = []
        for known in seen["parts"]:
            names = ["", *known["tests"]]
            for test, (seconds, has_failed) in known["tests"].items():
                self._seconds[test] = seconds
                if has_failed:
                    failed.append(test)
            for file, lines in known["lines"].items():
                for line, tests in lines.items():
                    self._lines.setdefault(file, {}).setdefault(line, []).extend(names[number] for number in tests)
        for test in failed:
            del self._seconds[test]
        return failed

    def _observed(self, part: str) -> dict[str, t.Any]:
        record = self._directory / f"{part.replace('/', '-')}.json"
        self._pytest(self.original, [part], None, MUTANTS_RECORD=str(record))
        return json.loads(record.read_text(encoding="utf-8"))

    def batches(self, mutant: Mutant) -> list[list[str]]:
        """The tests that can notice a mutant, in the order in which they are run."""
        lines = self._lines.get(mutant.file, {})
        found = {test for line in range(mutant.first_line, mutant.last_line + 1) for test in lines.get(str(line), ())}
        if "" in found:
            # It is executed by an import.
            found.update(test for tests in lines.values() for test in tests)
        floor, dummy, name = mutant.file.removesuffix(".py").rpartition("/")
        own = tuple(f"tests/unit/plugins/module_utils/{floor}/test_{name}{end}" for end in ("_", ".py::"))
        batches: tuple[list[str], ...] = ([], [], [])
        for test in found & self._seconds.keys():
            batches[0 if test.startswith(own) else 2 if test.startswith(HISTORIES) else 1].append(test)
        return [sorted(batch, key=self._quickest_first(batch)) for batch in batches if batch]

    def _quickest_first(self, batch: t.Sequence[str]) -> t.Callable[[str], t.Any]:
        """File by file, since the tests of one share an emulator."""
        files: dict[str, float] = collections.defaultdict(float)
        for test in batch:
            files[_file_of(test)] += self._seconds[test]
        return lambda test: (files[_file_of(test)], _file_of(test), self._seconds[test], test)

    def judge(self, mutant: Mutant) -> tuple[str, str]:
        """Whether a mutant is killed, and by what."""
        batches = self.batches(mutant)
        if not batches:
            return SURVIVED, "no test executes it"
        with tempfile.TemporaryDirectory(dir=self._directory) as directory:
            copy = pathlib.Path(directory, "copy")
            shutil.copytree(self.original, copy, symlinks=True)
            changed = copy / "plugins" / "module_utils" / mutant.file
            changed.write_bytes(mutant.source)
            for compiled in changed.parent.glob(f"__pycache__/{changed.stem}.*"):
                compiled.unlink()
            chosen = pathlib.Path(directory, "chosen.json")
            for batch in batches:
                chosen.write_text(json.dumps(batch), encoding="utf-8")
                limit = START + PATIENCE * sum(self._seconds[test] for test in batch)
                by = self._pytest(copy, sorted(set(map(_file_of, batch))), limit, MUTANTS_CHOSEN=str(chosen))
                if by is not None:
                    return KILLED, by
        return SURVIVED, f"{sum(map(len, batches))} tests"

    def _pytest(
        self, copy: pathlib.Path, paths: t.Sequence[str], limit: float | None, **environment: str
    ) -> str | None:
        """Run tests; return what fails, or None."""
        collections_root = copy.parent / "collections"
        link = collections_root / "ansible_collections" / "community" / "amplitude"
        link.parent.mkdir(parents=True, exist_ok=True)
        # Two threads may observe the same copy.
        with contextlib.suppress(FileExistsError):
            link.symlink_to(copy)
        environment = dict(
            os.environ,
            PYTHONPATH=os.pathsep.join(map(str, (collections_root, copy / "tests" / "tools"))),
            HYPOTHESIS_STORAGE_DIRECTORY=str(copy / ".cache" / "hypothesis"),
            # Others do not tell the contexts of lines.
            COVERAGE_CORE="ctrace",
            **environment,
        )
        del environment["PYTHONDONTWRITEBYTECODE"]
        command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "mutants_plugin", "-p", "no:xdist"]
        command.append(f"--hypothesis-seed={SEED_OF_HISTORIES}")
        command += paths if limit is None else ["-x", *paths]
        run = subprocess.Popen(
            command,
            cwd=copy,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        )
        self._running.add(run)
        try:
            output = run.communicate(timeout=limit)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            return "a test without an end"
        finally:
            _end(run)
            self._running.discard(run)
        if run.returncode == 0:
            return None
        told = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR", "E  "))]
        return told[0] if told else f"pytest ended with {run.returncode}"

    def end(self) -> None:
        """End all that is running."""
        for run in list(self._running):
            _end(run)


def _end(run: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(run.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    run.wait()


def _digest(directory: pathlib.Path) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(path for part in ("plugins", "tests") for path in (directory / part).rglob("*.*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(directory)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def all_mutants(root: pathlib.Path, rooms: t.Sequence[str] = ()) -> list[Mutant]:
    """The mutants of some rooms or floors, or of all."""
    utils = root / "plugins" / "module_utils"
    files = [path.relative_to(utils).as_posix() for floor in FLOORS for path in sorted((utils / floor).glob("*.py"))]
    chosen = [file for file in files if not rooms or any(file == room or file.startswith(room + "/") for room in rooms)]
    if not chosen:
        sys.exit("There is no such room: {0}".format(", ".join(rooms)))
    return [mutant for file in chosen for mutant in mutants_of(file, (utils / file).read_bytes())]


def equivalents() -> dict[tuple[str, str, str], str]:
    """Why nobody can tell some mutants from the original, by their identities."""
    rows = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) or []
    return {(row["file"], row["before"], row["after"]): row["reason"] for row in rows}


def report(results: t.Mapping[Mutant, tuple[str, str]], equivalent: int) -> bool:
    """Print the survivors and the counts; return whether enough were killed."""
    print("\nSurvivors:" if any(result[0] == SURVIVED for result in results.values()) else "\nNo survivors.")
    rooms: dict[str, collections.Counter[str]] = {}
    for mutant, (result, by) in sorted(results.items()):
        rooms.setdefault(mutant.file, collections.Counter())[result] += 1
        if result == SURVIVED:
            print(
                f"{mutant.file}:{mutant.first_line} {mutant.operator} ({by})\n  - {mutant.before}\n  + {mutant.after}"
            )
    print("\n{0:<24} {1:>7} {2:>9}".format("room", KILLED, SURVIVED))
    for room, counts in rooms.items():
        print(f"{room:<24} {counts[KILLED]:>7} {counts[SURVIVED]:>9}")
    killed = sum(counts[KILLED] for counts in rooms.values())
    share = 100 * killed / max(1, len(results))
    print(f"{killed} of {len(results)} killed, which is {share:.1f} %; and {equivalent} equivalent ones left out")
    return share >= ENOUGH


def main() -> int:
    """Return an exit status: 0 if enough mutants were killed."""
    parser = argparse.ArgumentParser(prog="mutants.py", description=__doc__.splitlines()[0])
    parser.add_argument("mutants", nargs="?", default="250", help="how many, at random (250)")
    parser.add_argument("seed", nargs="?", default="", help="what they are chosen by")
    parser.add_argument(
        "--room", action="append", default=[], help="only of this one, such as _plan/single.py or _plan"
    )
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    arguments = parser.parse_args()
    seed = int(arguments.seed or random.SystemRandom().randrange(10**9))
    # A signal ends it like Ctrl-C, so that nothing stays behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(f"ended by signal {number}"))
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        tests = Tests(pathlib.Path(directory), ROOT / ".cache" / "mutants.json")
        known = equivalents()
        found = all_mutants(tests.original, arguments.room)
        drawn = random.Random(seed).sample(found, min(int(arguments.mutants), len(found)))
        chosen = [mutant for mutant in drawn if mutant.identity not in known]
        print(f"{len(drawn)} of {len(found)} mutants, seed {seed}; first all tests without a change", flush=True)
        threads = concurrent.futures.ThreadPoolExecutor(arguments.jobs)
        started = time.monotonic()
        results = {}
        try:
            for test in tests.observe(threads):
                print(f"left out, since it fails without a change: {test}")
            print(f"{time.monotonic() - started:.0f} seconds", flush=True)
            runs = {threads.submit(tests.judge, mutant): mutant for mutant in chosen}
            for run in concurrent.futures.as_completed(runs):
                mutant, results[runs[run]] = runs[run], run.result()
                seconds, (result, by) = time.monotonic() - started, results[mutant]
                line = f"{mutant.file}:{mutant.first_line} {mutant.operator}: {mutant.after}"
                print(f"{len(results):>4} {seconds:>5.0f}s {result} {line} [{by}]", flush=True)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            tests.end()
            threads.shutdown()
        return 0 if report(results, len(drawn) - len(chosen)) else 1


if __name__ == "__main__":
    sys.exit(main())
