# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the variables, and the steps that check what they are given with it."""

from __future__ import annotations

import os

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError
from ansible_collections.community.amplitude.plugins.modules import amplitude_deployments, amplitude_drift_info
from ansible_collections.community.amplitude.plugins.plugin_utils._options_of_step import options_from
from ansible_collections.community.amplitude.plugins.plugin_utils._variables import (
    CONNECTION,
    NOT_IN_STATE_FILE,
    PLAYBOOKS,
    RULES,
    TABLE,
    of_step,
)

EACH = [(step, variable) for step in PLAYBOOKS for variable in of_step(step)]
REFUSE_BLANK = [("apply", "plan_file")]


def names(pairs):
    return [f"{step} {variable.option}" for step, variable in pairs]


def test_no_playbook_has_two_of_one_name():
    for step in PLAYBOOKS:
        options = [variable.option for variable in of_step(step)]
        assert len(options) == len(set(options))
    assert {step for variable in TABLE for step in variable.playbooks} == set(PLAYBOOKS)


def test_desired_state_is_no_option_and_stands_in_a_file():
    assert {variable.name for variable in TABLE} - NOT_IN_STATE_FILE == {"amplitude_projects"}
    assert "projects" not in {variable.option for dummy, variable in EACH}


def test_options_that_modules_are_given():
    assert {variable.option for variable in TABLE if variable.module} == {*CONNECTION, *RULES}
    assert set(RULES) <= set(amplitude_deployments.SPEC)
    # The table says of both modules what one of them has.
    assert amplitude_drift_info.SPEC["restore_archived"] == amplitude_deployments.SPEC["restore_archived"]


@pytest.mark.parametrize("step", PLAYBOOKS)
def test_what_is_not_set_has_the_default(step):
    defaults = {
        variable.option: None if variable.module else variable.spec.get("default") for variable in of_step(step)
    }
    assert options_from(dict(step=step)) == dict(defaults, step=step)


@pytest.mark.parametrize("blank", [None, ""])
@pytest.mark.parametrize(("step", "variable"), EACH, ids=names(EACH))
def test_blank_is_not_set_or_refused(step, variable, blank):
    given = {"step": step, variable.option: blank}
    if (step, variable.option) in REFUSE_BLANK:
        with pytest.raises(InputError, match=f"{variable.name} is blank"):
            options_from(given)
    else:
        assert options_from(given) == options_from(dict(step=step))


@pytest.mark.parametrize(("step", "variable"), EACH, ids=names(EACH))
def test_type(step, variable):
    def value_of(given):
        return options_from({"step": step, variable.option: given})[variable.option]

    if variable.module or variable.spec["type"] == "list":
        # A module says itself what is wrong with what is an option of it, and lists of IDs can be text.
        assert [value_of(given) for given in (["x"], "x", 1, False)] == [["x"], "x", 1, False]
    elif variable.spec["type"] == "path":
        assert value_of("~/x") == os.path.expanduser("~/x")
    else:
        assert variable.spec["type"] == "bool"
        assert [value_of(given) for given in ("yes", False)] == [True, False]
        with pytest.raises(InputError, match=f"'{variable.option}'") as told:
            value_of("perhaps")
        assert told.value.advice == "correct the amplitude_… variable of that name"


@pytest.mark.parametrize("step", PLAYBOOKS)
def test_variables_of_other_playbooks_and_unknown_ones(step):
    others = {variable.option for variable in TABLE} - {variable.option for variable in of_step(step)}
    for option in sorted(others | {"unknown"}):
        with pytest.raises(InputError, match=option):
            options_from({"step": step, option: "x"})


@pytest.mark.parametrize("given", [{}, dict(step="delete"), dict(step=None, state_file="x")])
def test_step_has_to_be_known(given):
    with pytest.raises(InputError, match="step"):
        options_from(given)
