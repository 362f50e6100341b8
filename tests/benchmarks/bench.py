# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the modules against the floor of any module and against tasks with ansible.builtin.uri.

Everything is compared within one run: the contenders take turns, each is a whole ansible-playbook process, and the
median of several rounds counts. The figures are written to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/benchmarks.md"
KEY, PROJECT = "management-key", "1"
LOOP = 20
MANY = 100

Tasks = list[dict[str, t.Any]]


class Emulator:
    """An emulator in a process of its own, so that it does not slow down what is measured."""

    def __init__(self, directory: pathlib.Path) -> None:
        port_file = directory / "port"
        command = [sys.executable, str(ROOT / "tests/emulator"), "--port-file", str(port_file)]
        self._process = subprocess.Popen(command + ["--parent-pid", str(os.getpid())], stdout=subprocess.DEVNULL)
        while not port_file.exists():
            if self._process.poll() is not None:
                raise RuntimeError("The emulator did not start: see above.")
            time.sleep(0.01)
        self.url = "http://127.0.0.1:" + port_file.read_text().strip()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *dummy: t.Any) -> None:
        self._process.terminate()
        self._process.wait()

    def reset(self, count: int = 0, **switches: t.Any) -> None:
        """Begin again with so many active deployments."""
        rows = [dict(projectId=PROJECT, label=label(number), type="client") for number in range(count)]
        body = dict(seed=dict(keys={KEY: [PROJECT]}, deployments=rows), switches=switches)
        self._call("POST", "reset", body)

    def requests(self) -> list[dict[str, t.Any]]:
        """The requests since the last reset."""
        return self._call("GET", "requests")["requests"]

    def _call(self, method: str, path: str, body: t.Any = None) -> t.Any:
        request = urllib.request.Request(self.url + "/_emulator/" + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")


class Contender(t.NamedTuple):
    """Something to measure."""

    name: str
    tasks: Tasks
    #: Deployments that exist before.
    existing: int = 0
    switches: t.Mapping[str, t.Any] = {}
    rounds: int | None = None


class Figure(t.NamedTuple):
    """The median time of a contender's processes in seconds, and the requests of one of them.

    ``creations`` is how many creations a second the service saw from the first to the last of them; 0 if there were none.
    """

    seconds: float
    requests: int
    too_many: int
    creations: float


def label(number: int) -> str:
    return f"label-{number:06d}"


def labels(count: int) -> list[str]:
    return [label(number) for number in range(count)]


def floor(import_requests: bool) -> Tasks:
    return [{"floor": {"import_requests": import_requests}, "loop": labels(LOOP)}]


def single(count: int) -> Tasks:
    ask = dict(project_id=PROJECT, label="{{ item }}", type="client")
    return [{"community.amplitude.amplitude_deployment": ask, "loop": labels(count)}]


def many(count: int, **options: t.Any) -> Tasks:
    items = [dict(label=each, type="client") for each in labels(count)]
    return [{"community.amplitude.amplitude_deployments": dict(project_id=PROJECT, deployments=items, **options)}]


def uri_list(url: str) -> dict[str, t.Any]:
    headers = {"Authorization": "Bearer " + KEY}
    ask = dict(url=url + "/api/1/deployments?limit=1000", headers=headers, return_content=True)
    return {"ansible.builtin.uri": ask, "register": "listed"}


def uri(url: str, count: int) -> Tasks:
    """What a competent user would write: list, create what is missing, list again for the keys."""
    create = dict(
        url=url + "/api/1/deployments",
        method="POST",
        headers={"Authorization": "Bearer " + KEY},
        body_format="json",
        body=dict(projectId=PROJECT, label="{{ item }}", type="client"),
    )
    missing = "{{ wanted | difference(listed.json.deployments | rejectattr('deleted') | map(attribute='label')) }}"
    return [
        uri_list(url),
        {"ansible.builtin.uri": create, "loop": missing, "vars": {"wanted": labels(count)}, "register": "created"},
        dict(uri_list(url), when="created is changed or created.results | length > 0"),
    ]


def uri_one_by_one(url: str, count: int, missing: bool) -> Tasks:
    """The same for one deployment at a time, as in a task that is looped."""
    tasks = [dict(uri_list(url), loop=labels(count))]
    if missing:
        tasks += [dict(each, loop=labels(count)) for each in (uri(url, 1)[1], uri_list(url))]
        tasks[1].pop("vars")
    return tasks


def measure(emulator: Emulator, contenders: t.Sequence[Contender], rounds: int) -> dict[str, Figure]:
    """Run the contenders in turn, several times, and return the figure of each."""
    seconds: dict[str, list[float]] = {each.name: [] for each in contenders}
    last: dict[str, list[dict[str, t.Any]]] = {}
    environment = dict(
        os.environ,
        AMPLITUDE_MANAGEMENT_API_KEY=KEY,
        AMPLITUDE_BASE_URL=emulator.url,
        ANSIBLE_LIBRARY=str(ROOT / "tests/benchmarks/library"),
    )
    with tempfile.TemporaryDirectory() as directory:
        playbook = pathlib.Path(directory, "playbook.yml")
        for turn in range(rounds):
            for each in contenders:
                if each.rounds is not None and turn >= each.rounds:
                    continue
                emulator.reset(each.existing, **each.switches)
                play = dict(hosts="localhost", gather_facts=False, tasks=each.tasks)
                playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
                started = time.perf_counter()
                done = subprocess.run(
                    ["ansible-playbook", str(playbook)],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                )
                seconds[each.name].append(time.perf_counter() - started)
                if done.returncode != 0:
                    sys.exit(f"{each.name} failed:\n{done.stdout[-3000:]}")
                last[each.name] = emulator.requests()
                print(f"{each.name:60} {seconds[each.name][-1]:8.2f} s", flush=True)
    return {
        name: Figure(
            statistics.median(times),
            len(last[name]),
            sum(request["status"] == 429 for request in last[name]),
            rate([request["time"] for request in last[name] if request["method"] == "POST"]),
        )
        for name, times in seconds.items()
    }


def rate(times: t.Sequence[float]) -> float:
    """How many a second there were of what happened at these times."""
    return (len(times) - 1) / (max(times) - min(times)) if len(times) > 1 else 0.0


LISTING = """
import resource, sys, time
from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.plugins.module_utils._api.deployments import Deployments
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Observed
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
with Client(sys.argv[1], "management-key") as client:
    rows = Deployments(client).list()
    observed = Observed(rows)
print(len(rows), time.perf_counter() - started, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measure_listing(emulator: Emulator, count: int) -> tuple[float, float, float, int]:
    """Seconds, MiB before and at the peak, and requests, of a process that lists and indexes so many deployments."""
    emulator.reset(count, rate_limit=0)
    answer = subprocess.run(
        [sys.executable, "-c", LISTING, emulator.url], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    if int(answer[0]) != count:
        sys.exit(f"{answer[0]} of {count} deployments were listed")
    return float(answer[1]), int(answer[2]) / 1024, int(answer[3]) / 1024, len(emulator.requests())


def table(header: t.Sequence[str], rows: t.Iterable[t.Sequence[t.Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in lines) + "\n"


def report(emulator: Emulator, rounds: int) -> str:
    """Measure everything, and write the page."""
    few = max(1, rounds // 2)
    url = emulator.url
    nothing: Tasks = [{"ansible.builtin.meta": "noop"}]
    first = [
        Contender("a playbook without tasks", nothing),
        Contender("an empty module", floor(False)),
        Contender("an empty module that imports requests", floor(True)),
        Contender("`amplitude_deployment`, converged", single(LOOP), LOOP),
        Contender("`amplitude_deployment`, missing", single(LOOP)),
        Contender("`uri`, converged (list)", uri_one_by_one(url, LOOP, False), LOOP),
        Contender("`uri`, missing (list, create, list)", uri_one_by_one(url, LOOP, True)),
    ]
    second = [
        Contender("`amplitude_deployments`, missing", many(MANY)),
        Contender("`amplitude_deployments`, converged", many(MANY), MANY),
        Contender("loop of `amplitude_deployment`, missing", single(MANY), rounds=few),
        Contender("loop of `amplitude_deployment`, converged", single(MANY), MANY, rounds=few),
        Contender("`uri` (list, loop of creates, list), missing", uri(url, MANY), rounds=few),
        Contender("`uri` (list), converged", uri(url, MANY), MANY, rounds=few),
    ]
    third = [
        Contender(f"concurrency {each}", many(1000, concurrency=each), 0, dict(latency=0.1), rounds=few)
        for each in (8, 16)
    ]
    one = measure(emulator, first, rounds)
    hundred = measure(emulator, second, rounds)
    thousand = measure(emulator, third, few)
    start = one[first[0].name].seconds

    def task(name: str) -> float:
        return (one[name].seconds - start) / LOOP

    base = task("an empty module that imports requests")
    bulk = hundred["`amplitude_deployments`, missing"].seconds
    sections = [
        "## One task\n",
        f"Seconds for one task, from {LOOP} tasks in a loop, without the start of ansible-playbook ({start:.2f} s).\n",
        table(
            ["task", "seconds", "times an empty module that imports requests", "requests a task"],
            [
                [each.name, f"{task(each.name):.3f}", "%.2f" % (task(each.name) / base), one[each.name].requests / LOOP]
                for each in first[1:]
            ],
        ),
        f"## {MANY} deployments\n",
        "Whole processes of ansible-playbook, and the same without its start.\n",
        table(
            ["playbook", "seconds", "without the start", "times `amplitude_deployments`, missing", "requests"],
            [
                [
                    name,
                    f"{figure.seconds:.2f}",
                    "%.2f" % (figure.seconds - start),
                    f"{figure.seconds / bulk:.1f} ({(figure.seconds - start) / (bulk - start):.1f} without the start)",
                    figure.requests,
                ]
                for name, figure in hundred.items()
            ],
        ),
        "## 1,000 creations\n",
        "With a latency of 100 ms, and with the documented limit of 100 requests a second, which the emulator enforces.\n",
        table(
            [
                "`amplitude_deployments` with",
                "seconds without the start",
                "creations a second of that",
                "creations a second from the first to the last",
                "requests",
                "status 429",
            ],
            [
                [
                    name,
                    "%.1f" % (figure.seconds - start),
                    "%.1f" % (1000 / (figure.seconds - start)),
                    f"{figure.creations:.1f}",
                    figure.requests,
                    figure.too_many,
                ]
                for name, figure in thousand.items()
            ],
        ),
        "## Listing\n",
        "A process that lists and indexes that many deployments, from an emulator on the same machine.\n",
    ]
    rows = []
    for count in (10000, 100000):
        seconds, before, peak, requests = measure_listing(emulator, count)
        rows.append([count, f"{seconds:.1f}", f"{peak:.0f}", "%.0f" % (peak - before), requests])
        print(f"listing {count}: {seconds:.1f} s, {peak:.0f} MiB", flush=True)
    sections.append(table(["deployments", "seconds", "peak memory in MiB", "of it for the list", "requests"], rows))
    return "\n".join(sections)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the quick ones; half as many of the slow ones")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        emulator = stack.enter_context(Emulator(directory))
        figures = report(emulator, options.rounds)
    versions = subprocess.run(["ansible", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    text = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- figures: begin -->\n", "<!-- figures: end -->"
    head, tail = text[: text.index(begin) + len(begin)], text[text.index(end) :]
    machine = "Measured with {0} and Python {1} on {2} cores ({3}); {4} rounds.\n".format(
        versions.splitlines()[0].replace("[", "").replace("]", ""),
        platform.python_version(),
        os.cpu_count(),
        platform.machine(),
        options.rounds,
    )
    PAGE.write_text(f"{head}\n{machine}\n{figures}\n{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
