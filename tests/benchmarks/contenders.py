# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is compared: playbooks with the modules, with an empty module, and with ansible.builtin.uri."""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t
from functools import partial

import yaml

from .emulator import KEY, PROJECT, Seed, account, account_with_flags, label, labels, wanted

#: The contender that a row is about.
OWN = "own"
#: Deployments in a loop, from which the time of one task is told.
LOOP = 20

Tasks = list[dict[str, t.Any]]


class Contender(t.NamedTuple):
    """Something to measure: a playbook that is written, or one of the collection.

    ``seed``, ``switches``: what the emulator begins with. ``state``: the desired state that a playbook of the collection is
    given. ``program``: what lists in a process without Ansible, of those in listing, and how
    many.
    """

    name: str
    tasks: Tasks | None = None
    seed: t.Callable[[], Seed] = account
    switches: t.Mapping[str, t.Any] = {}
    hosts: t.Sequence[str] = ()
    playbook: str | None = None
    state: t.Callable[[], t.Mapping[str, t.Any]] = dict
    program: t.Sequence[str] = ()

    def command(self, directory: pathlib.Path, url: str) -> list[str]:
        """The command that runs it, with the files that it needs in a directory."""
        if self.program:
            return [sys.executable, str(pathlib.Path(__file__).with_name("listing.py")), *self.program, url]
        # JSON is YAML, and is written quickly.
        if self.playbook is not None:
            (directory / "state.yml").write_text(yaml.dump(self.state(), Dumper=yaml.CSafeDumper), encoding="utf-8")
            return ["ansible-playbook", self.playbook, "-e", "amplitude_state_file=state.yml", *REPORTS]
        play = dict(hosts="all" if self.hosts else "localhost", gather_facts=False, tasks=self.tasks)
        (directory / "playbook.yml").write_text(json.dumps([play]), encoding="utf-8")
        inventory = ["-i", ",".join(self.hosts) + ",", "-c", "local"] if self.hosts else []
        return ["ansible-playbook", "playbook.yml", "-e", f"ansible_python_interpreter={sys.executable}", *inventory]


REPORTS = ["-e", "amplitude_audit_directory=reports", "-e", "amplitude_plan_directory=reports"]

NOTHING = Contender("a playbook without tasks", [{"ansible.builtin.meta": "noop"}])
EMPTY_LOOP = Contender("an empty module", [{"floor": {"import_requests": False}, "loop": labels(LOOP)}])
FLOOR_LOOP = Contender(
    "an empty module that imports requests", [{"floor": {"import_requests": True}, "loop": labels(LOOP)}]
)
FLOOR = Contender("a playbook with one empty module that imports requests", [{"floor": {"import_requests": True}}])


def single(name: str, count: int, existing: int) -> Contender:
    """A loop of amplitude_deployment."""
    options = dict(project_id=PROJECT, label="{{ item }}", type="client")
    tasks: Tasks = [{"community.amplitude.amplitude_deployment": options, "loop": labels(count)}]
    return Contender(name, tasks, partial(account, existing))


def many(name: str, count: int, existing: int = 0, **switches: t.Any) -> Contender:
    """One task with amplitude_deployments, with its default options."""
    items = [dict(label=each, type="client") for each in labels(count)]
    tasks: Tasks = [{"community.amplitude.amplitude_deployments": dict(project_id=PROJECT, deployments=items)}]
    return Contender(name, tasks, partial(account, existing), switches)


def hosts(name: str, count: int, each: int) -> Contender:
    """Several hosts at once, which create so many each, with one key in one project."""
    names = [f"host{number}" for number in range(count)]
    items = [dict(label="{{ inventory_hostname }}-" + label(number), type="client") for number in range(each)]
    tasks: Tasks = [{"community.amplitude.amplitude_deployments": dict(project_id=PROJECT, deployments=items)}]
    return Contender(name, tasks, hosts=names)


def takeover(name: str, flags: int, **switches: t.Any) -> Contender:
    """A new deployment takes over from one that serves so many flags, and retires it."""
    options = dict(project_id=PROJECT, label=label(0), replaces="7", retire=True)
    tasks: Tasks = [{"community.amplitude.amplitude_deployment": options}]
    return Contender(name, tasks, partial(account_with_flags, flags), switches)


def of_collection(name: str, count: int, projects: int, gaps: int = 0) -> Contender:
    """A playbook of the collection, with so many deployments that are wanted, of which some are missing."""
    seed, state = partial(account, count, projects, gaps), partial(wanted, count, projects)
    return Contender(OWN, None, seed, playbook="community.amplitude." + name, state=state)


def listing(name: str, program: str, count: int) -> Contender:
    """What lists so many deployments, or only parses them, from a service without a limit."""
    return Contender(name, seed=partial(account, count), switches=dict(rate_limit=0), program=[program, str(count)])


def uri(name: str, count: int, existing: int) -> Contender:
    """What a competent user would write: list, create what is missing, list again for the keys."""
    missing = "{{ wanted | difference(listed.json.deployments | rejectattr('deleted') | map(attribute='label')) }}"
    create = dict(_create(), loop=missing, vars={"wanted": labels(count)}, register="created")
    again = dict(_list(), when="created is changed or created.results | length > 0")
    return Contender(name, [_list(), create, again], partial(account, existing))


def uri_one_by_one(name: str, count: int, existing: int) -> Contender:
    """The same for one deployment at a time, as in a task that is looped."""
    steps = [_list()] if existing else [_list(), _create(), _list()]
    return Contender(name, [dict(each, loop=labels(count)) for each in steps], partial(account, existing))


_HEADERS = {"Authorization": "Bearer " + KEY}
_URL = "{{ lookup('ansible.builtin.env', 'AMPLITUDE_BASE_URL') }}/api/1/deployments"


def _list() -> dict[str, t.Any]:
    options = dict(url=_URL + "?limit=1000", headers=_HEADERS, return_content=True)
    return {"ansible.builtin.uri": options, "register": "listed"}


def _create() -> dict[str, t.Any]:
    body = dict(projectId=PROJECT, label="{{ item }}", type="client")
    return {"ansible.builtin.uri": dict(url=_URL, method="POST", headers=_HEADERS, body_format="json", body=body)}
