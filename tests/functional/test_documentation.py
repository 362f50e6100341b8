# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several modules take or return is documented in the same words, and is what the code takes or returns."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.community.amplitude.plugins.module_utils import _errors
from ansible_collections.community.amplitude.plugins.module_utils._options import wanted_spec
from ansible_collections.community.amplitude.plugins.module_utils._plan.single import Change

ONE, MANY = "amplitude_deployment", "amplitude_deployments"
INFO, DRIFT = "amplitude_deployment_info", "amplitude_drift_info"
MODULES, LOOKUP = (ONE, MANY, INFO, DRIFT), "deployment_key"
#: Which field of a return value is not the same in ONE and MANY, and why.
DIFFERENT = {
    ("pending", "returned"): "of many deployments it is of use to know which are left even if nothing has been written",
}


@pytest.fixture(scope="module")
def documents(run):
    """What ansible-doc tells of the modules and the lookup, by their names."""

    def told(*arguments):
        done = run("ansible-doc", "-j", *arguments)
        assert done.status == 0, done.output
        return {name.rsplit(".", 1)[1]: content for name, content in json.loads(done.output).items()}

    modules = told(*("community.amplitude." + module for module in MODULES))
    return dict(modules, **told("-t", "lookup", "community.amplitude." + LOOKUP))


def plain(value):
    """The same with suboptions called like options."""
    return json.loads(re.sub(r"\bO\([\w.\[\]]+\]\.", "O(", json.dumps(value)))


def paragraphs(value):
    """The description of an option or a return value."""
    described = plain(value["description"])
    return [described] if isinstance(described, str) else described


def walk(values, within="contains", path=()):
    """All return values or options, by their paths."""
    for name, value in values.items():
        yield (*path, name), value
        yield from walk(value.get(within) or {}, within, (*path, name))


@pytest.mark.parametrize(
    ("module", "path", "most"), [(MANY, ["deployments"], None), (DRIFT, ["projects", "deployments"], 1)]
)
def test_item_of_a_list_is_documented_as_one_deployment(documents, module, path, most):
    own = documents[ONE]["doc"]["options"]
    items = documents[module]["doc"]["options"]
    for name in path:
        items = items[name]["suboptions"]
    assert set(items) == set(wanted_spec())
    for name in set(items) - {"project_id"}:
        assert plain(items[name]) == dict(own[name], description=own[name]["description"][:most])


def returned(document, name):
    """A return value and what it contains, by their paths."""
    return dict(walk({name: document["return"][name]}))


def common(value, other):
    """The paragraphs of a description without those about options that another module does not have."""
    options = {path[-1] for path, dummy in walk(other["doc"]["options"], "suboptions")}
    return [each for each in paragraphs(value) if set(re.findall(r"\bO\((\w+)", each)) <= options]


@pytest.mark.parametrize("name", ["changes", "pending", "problems", "failure"])
def test_modules_that_write_return_the_same(documents, name):
    one, many = returned(documents[ONE], name), returned(documents[MANY], name)
    assert list(one) == list(many)
    for path in one:
        compare(documents, name, one[path], many[path])


def test_deployment_is_returned_as_one_of_many(documents):
    one, many = documents[ONE]["return"]["deployment"]["contains"], documents[MANY]["return"]["deployments"]["contains"]
    assert list(one) == list(many)
    for name in one:
        compare(documents, name, one[name], many[name])


def compare(documents, name, one, many):
    """Make sure that ONE and MANY say the same of a return value."""
    for field in {"type", "elements", "returned", "sample"} - {field for each, field in DIFFERENT if each == name}:
        assert one.get(field) == many.get(field)
    assert common(one, documents[MANY]) == common(many, documents[ONE])


@pytest.mark.parametrize(
    ("module", "name"),
    [(INFO, "deployments"), (INFO, "problems"), (INFO, "failure"), (DRIFT, "problems"), (DRIFT, "failure")],
)
def test_modules_that_read_return_the_same(documents, module, name):
    """They may say less, but in the same words."""
    own, full = returned(documents[module], name), returned(documents[MANY], name)
    shared = [path for path in own if path in full and path != ("deployments",)]
    assert len(shared) > 4
    for path in shared:
        assert [own[path].get(field) for field in ("type", "elements", "returned")] == [
            full[path].get(field) for field in ("type", "elements", "returned")
        ]
        first, *others = paragraphs(full[path])
        assert paragraphs(own[path])[0] == first and set(paragraphs(own[path])) <= {first, *others}


@pytest.mark.parametrize("module", MODULES)
def test_what_is_returned_is_documented(documents, module):
    """The elements of lists, and the kinds of failures."""
    values = documents[module]["return"]
    error = _errors.InputError("do", "problem", "advice")
    assert set(values["problems"]["contains"]) == set(_errors.Problem(error).as_result())
    assert set(values["failure"]["contains"]) == set(error.failure())
    if "changes" in values:
        assert set(values["changes"]["contains"]) == set(Change._fields)
    errors = [each for each in vars(_errors).values() if isinstance(each, type)]
    kinds = {each.kind for each in errors if issubclass(each, _errors.AmplitudeError)} - {""}
    text = " ".join(paragraphs(values["failure"]["contains"]["kind"]))
    assert set(re.findall(r"V\((\w+)\) if", text)) == kinds


@pytest.mark.parametrize("name", [*MODULES, LOOKUP])
def test_descriptions_are_sentences(documents, name):
    document = documents[name]
    described = [*walk(document["doc"]["options"], "suboptions"), *walk(document["return"])]
    said = [*document["doc"]["description"], *document["doc"]["notes"]]
    for dummy, value in described:
        said += paragraphs(value)
        if isinstance(value.get("choices"), dict):
            said += value["choices"].values()
    assert len(said) > 20
    assert [each for each in said if not re.fullmatch(r"[A-Z].*\.|U\(.*\)", each)] == []
