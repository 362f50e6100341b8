# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What has to be written to reach the desired state: a pure decision, returned as a value.

This is the only place that knows the rules. It knows neither HTTP nor Ansible; check mode, a real run and every other
user of the rules get the same plan.
"""

from __future__ import annotations

import collections
import re
import typing as t

from .._api.deployments import LABEL_CHARACTERS, Deployment, order_of_id
from .._errors import Ambiguous, LabelTaken, NotFound, Refused, TypeContradiction
from .guards import check_default
from .wanted import RETIRED, Rules, Wanted


class Change(t.NamedTuple):
    """One thing that has to be written.

    ``action``: ``create``, ``restore``, ``rename``, ``archive``, ``assign`` or ``unassign``. ``id`` is None where there is
    none before the task: for a create, and for an assignment of what is created. ``label`` is the label after the change,
    ``previous_label`` the one before a rename. Only a create has a ``type``, and only an assignment, or its removal, the
    key of a ``flag`` or an ``experiment``.
    """

    action: str
    project_id: str
    id: str | None
    label: str
    previous_label: str | None = None
    type: str | None = None
    flag: str | None = None
    experiment: str | None = None

    def as_result(self) -> dict[str, t.Any]:
        """An element of the documented return value ``changes``."""
        return dict(self._asdict())


class Plan(t.NamedTuple):
    """The decision about one deployment: how it is, how it will be, and the changes that lead there.

    ``before`` and ``after`` are None where there is no deployment; without ``changes`` they are the same. ``needs`` has
    the places of those plans among the ones made together that have to be carried out before: they give up the label
    that this one makes active, by a rename or an archive, or take it over, even by a create. ``wave`` orders them: those
    of one wave can be carried out in any order, after the waves before.
    """

    wanted: Wanted
    before: Deployment | None
    after: Deployment | None
    changes: tuple[Change, ...] = ()
    needs: tuple[int, ...] = ()
    wave: int = 0

    @property
    def archives(self) -> bool:
        """Whether an active deployment becomes an archived one."""
        return any(change.action == "archive" for change in self.changes)

    @property
    def warnings(self) -> list[str]:
        """What is as it should be, and may not be what was meant."""
        if self.wanted.state == "absent" and self.wanted.id is not None and self.before is None:
            return [f"There is no deployment with the id {self.wanted.id}, so nothing is archived: is the id correct?"]
        return []

    def diff(self) -> dict[str, t.Any]:
        """Before and after of the managed fields; ``{}`` stands for absent or archived. Never a key."""
        return dict(before=_managed(self.before), after=_managed(self.after))


def changes_between(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    """The changes that lead from one state of a deployment to another; one PATCH carries out all of them."""
    changes = []
    if before.deleted and not after.deleted:
        changes.append(Change("restore", before.project_id, before.id, before.label))
    if before.label != after.label:
        changes.append(Change("rename", before.project_id, before.id, after.label, before.label))
    if after.deleted and not before.deleted:
        changes.append(Change("archive", before.project_id, before.id, after.label))
    return tuple(changes)


class Observed:
    """The deployments of an account, archived ones too, indexed for the questions that a plan asks.

    There can be 100,000 of them, so the index has no lists or keys of its own: nearly every label occurs once.
    """

    def __init__(self, deployments: t.Iterable[Deployment]) -> None:
        self._by_id: dict[str | None, Deployment] = {}
        #: By project and label. A list is never changed, but replaced, since copies share it.
        self._by_label: dict[str, dict[str, Deployment | list[Deployment]]] = collections.defaultdict(dict)
        for deployment in deployments:
            self._by_id[deployment.id] = deployment
            self._add(deployment)

    def copy(self) -> Observed:
        """A copy, to try out what changes would lead to."""
        other = Observed(())
        other._by_id = dict(self._by_id)
        other._by_label.update((project_id, dict(labels)) for project_id, labels in self._by_label.items())
        return other

    def replace(self, before: Deployment | None, after: Deployment | None) -> None:
        """Pretend that a deployment has changed, has been created or, without an ``after``, is gone."""
        if before is not None:
            rows = self._labelled(before.project_id, before.label)
            rows.remove(before)
            self._by_label[before.project_id][before.label] = rows
            del self._by_id[before.id]
        if after is not None:
            self._by_id[after.id] = after
            self._add(after)

    def _add(self, row: Deployment) -> None:
        labels = self._by_label[row.project_id]
        labels[row.label] = [*self._labelled(row.project_id, row.label), row] if row.label in labels else row

    def _labelled(self, project_id: str, label: str) -> list[Deployment]:
        """The deployments with a label in a project, in a list of its own."""
        found = self._by_label.get(project_id, {}).get(label, ())
        return [found] if isinstance(found, Deployment) else list(found)

    def all(self) -> t.Iterable[Deployment]:
        """Every deployment, in no particular order."""
        return self._by_id.values()

    def all_active(self) -> t.Iterator[Deployment]:
        """Every deployment that is not archived, in no particular order."""
        return (row for row in self._by_id.values() if not row.deleted)

    def warnings_about(self, project_ids: t.Collection[str]) -> list[str]:
        """A warning for each of these projects of which nothing is listed. Documented: each has a default deployment."""
        listed = {row.project_id for row in self._by_id.values()}
        return [
            f"No deployment of project {project_id} is listed, not even its default one: perhaps the project_id is wrong, "
            "or the management API key does not cover the project."
            for project_id in sorted(set(project_ids) - listed, key=order_of_id)
        ]

    def with_id(self, identifier: str) -> Deployment | None:
        """The deployment with this id in any project."""
        return self._by_id.get(identifier)

    def with_label(self, project_id: str, label: str, deleted: bool) -> list[Deployment]:
        """The active or the archived deployments with exactly this label in a project, lowest id first."""
        found = [row for row in self._labelled(project_id, label) if row.deleted is deleted]
        return sorted(found, key=lambda row: order_of_id(row.id or ""))

    def with_similar_label(self, project_id: str, label: str) -> list[Deployment]:
        """The deployments, active ones first, whose label is the same apart from case."""
        found = [
            row for row in self._by_id.values() if row.project_id == project_id and row.label.lower() == label.lower()
        ]
        return sorted(found, key=lambda row: row.deleted)


def plan(
    wanted: Wanted, observed: Observed, rules: Rules, is_free: t.Callable[[Deployment], bool] = lambda row: True
) -> Plan:
    """Decide what has to be written for one deployment.

    :param is_free: whether a deployment can be taken over by ``previous_label``.
    :raises Refused: what is wanted is ambiguous, impossible or guarded; the message says what to do.
    """
    if wanted.is_replaced:
        return _plan_replaced(wanted, observed, rules)
    if wanted.state == "absent":
        return _plan_absent(wanted, observed, rules)
    return _plan_present(wanted, observed, rules, is_free)


def active_with_key(wanted: Wanted, observed: Observed) -> Deployment:
    """The active deployment with the wanted label, whose key the API has told.

    :raises Refused: there is none or are several, or it has no key.
    """
    doing = f"look up the key of {wanted}"
    found = _with_label(wanted, observed, deleted=False)
    if not found:
        archived = _with_label(wanted, observed, deleted=True)
        if archived:
            raise NotFound(
                doing,
                f"it is archived (id {_ids(archived)})",
                "use another label, or create a new one with the module amplitude_deployment and restore_archived: false",
            )
        raise NotFound(
            doing, "there is no deployment with this label", "correct label or project_id, or create it first"
        )
    if len(found) > 1:
        raise Refused(
            doing,
            f"several active deployments have this label, with the ids {_ids(found)}",
            "archive or rename all but the one that you mean (amplitude_deployment_info with include_usage shows which of "
            "them is used)",
        )
    if not found[0].key:
        raise Refused(doing, f"the API lists {name(found[0])} without a key", "ask Amplitude for it")
    return found[0]


def _plan_present(wanted: Wanted, observed: Observed, rules: Rules, is_free: t.Callable[[Deployment], bool]) -> Plan:
    before = _find_present(wanted, observed, rules, is_free)
    if before is None:
        return _plan_create(wanted, observed)
    if wanted.type and before.type and wanted.type != before.type:
        if wanted.id is not None:
            otherwise = "or correct the id"
        elif before.deleted:
            otherwise = "use another label, or set restore_archived to false to create a new one"
        else:
            otherwise = "or use another label"
        raise TypeContradiction(
            _doing(wanted),
            f"{name(before)} is a {before.type} deployment, and the API cannot change the type",
            f"set type to {before.type}, {otherwise}",
        )
    if before.deleted and not rules.restore_archived:
        raise Refused(
            _doing(wanted),
            f"{name(before)} is archived and restore_archived is false",
            "leave out id to create a new one with a new key",
        )
    label = wanted.label or before.label
    after = before._replace(label=label, deleted=False)
    changes = changes_between(before, after)
    if changes:
        _check_free(wanted, after, observed)
    return Plan(wanted, before, after, changes)


def _check_free(wanted: Wanted, after: Deployment, observed: Observed) -> None:
    """Refuse to make a label active that another active deployment has."""
    holders = [row for row in observed.with_label(after.project_id, after.label, deleted=False) if row.id != after.id]
    if holders:
        raise LabelTaken(
            _doing(wanted),
            f"the label {after.label!r} already belongs to the active deployment with the id {_ids(holders)}",
            "archive or rename that one first, or use another label",
        )


def _plan_create(wanted: Wanted, observed: Observed) -> Plan:
    replaced = None if wanted.replaces is None else observed.with_id(wanted.replaces)
    type = wanted.type or (replaced and replaced.type)
    if wanted.label is None or type is None:
        raise NotFound(
            _doing(wanted), "it does not exist, and type is missing", "set type to client or server to create it"
        )
    after = Deployment(None, wanted.project_id, wanted.label, None, type, False)
    return Plan(wanted, None, after, (Change("create", wanted.project_id, None, wanted.label, type=type),))


def superseded_label(row: Deployment) -> str:
    """The label of what gives its own up to another deployment."""
    suffix = re.sub(f"[^{LABEL_CHARACTERS}]", "-", row.id or "")
    return f"{row.label}-superseded-{suffix}"


def _plan_replaced(wanted: Wanted, observed: Observed, rules: Rules) -> Plan:
    """What another deployment takes over from gives up the label of that one, whether it is archived or not."""
    before = _find_by_id(wanted, observed)
    if before is None:
        raise NotFound(
            _doing(wanted),
            f"there is no deployment with the id {wanted.id}",
            "correct replaces (the module amplitude_deployment_info lists the ids)",
        )
    label = superseded_label(before) if before.label == wanted.label else before.label
    after = before._replace(label=label, deleted=before.deleted or wanted.state == RETIRED)
    if before.label != label or (wanted.retire and not before.deleted):
        check_default(_doing(wanted), before, rules)
    if before.label != label and not after.deleted:
        _check_free(wanted, after, observed)
    return Plan(wanted, before, after, changes_between(before, after))


def retired(plan: Plan) -> Plan:
    """The plan of what another deployment takes over from, once nothing of that is left to do."""
    after = t.cast(Deployment, plan.after)
    if not (plan.wanted.is_replaced and plan.wanted.retire) or after.deleted:
        return plan
    archived = after._replace(deleted=True)
    return plan._replace(after=archived, changes=plan.changes + changes_between(after, archived))


def _plan_absent(wanted: Wanted, observed: Observed, rules: Rules) -> Plan:
    if wanted.id is not None:
        before = _find_by_id(wanted, observed)
    else:
        before = _only(wanted, _with_label(wanted, observed, deleted=False))
        if before is None:
            archived = _with_label(wanted, observed, deleted=True)
            before = archived[0] if len(archived) == 1 else None
    if before is None or before.deleted:
        return Plan(wanted, before, before)
    if wanted.type and before.type and wanted.type != before.type:
        raise TypeContradiction(
            _doing(wanted),
            f"{name(before)} is a {before.type} deployment, so it is probably not the one that is meant",
            f"set type to {before.type} or leave it out to archive this one",
        )
    check_default(_doing(wanted), before, rules)
    after = before._replace(deleted=True)
    return Plan(wanted, before, after, changes_between(before, after))


def _find_present(
    wanted: Wanted, observed: Observed, rules: Rules, is_free: t.Callable[[Deployment], bool]
) -> Deployment | None:
    """The deployment to keep, rename or restore, or None if one has to be created."""
    if wanted.id is not None:
        found = _find_by_id(wanted, observed)
        if found is None:
            raise NotFound(
                _doing(wanted),
                f"there is no deployment with the id {wanted.id}",
                "correct the id (the module amplitude_deployment_info lists them), or leave it out to go by label",
            )
        return found
    active = _only(wanted, [row for row in _with_label(wanted, observed, deleted=False) if row.id != wanted.replaces])
    if wanted.replaces is not None:
        # What is archived may have leaked: a new key is the point.
        return active
    if active is None and wanted.previous_label is not None:
        previous = observed.with_label(wanted.project_id, wanted.previous_label, deleted=False)
        active = _only(wanted, [row for row in previous if is_free(row)])
    if active is None and rules.restore_archived:
        return _only(wanted, _with_label(wanted, observed, deleted=True))
    return active


def _find_by_id(wanted: Wanted, observed: Observed) -> Deployment | None:
    found = observed.with_id(wanted.id or "")
    if found is not None and found.project_id != wanted.project_id:
        raise Refused(
            _doing(wanted),
            f"{name(found)} belongs to project {found.project_id}",
            f"correct {'replaces' if wanted.is_replaced else 'id'} or project_id",
        )
    return found


def _with_label(wanted: Wanted, observed: Observed, deleted: bool) -> list[Deployment]:
    return observed.with_label(wanted.project_id, wanted.label or "", deleted)


def _only(wanted: Wanted, found: t.Sequence[Deployment]) -> Deployment | None:
    """The only one found, or None.

    :raises Ambiguous: there are several, so it is unclear which one is meant.
    """
    if len(found) > 1:
        raise Ambiguous(
            _doing(wanted),
            f"there are {len(found)} {'archived' if found[0].deleted else 'active'} deployments with the label "
            f"{found[0].label!r}, with the ids {_ids(found)}",
            _way_out(wanted, found[0]),
            passing=not found[0].deleted,
        )
    return found[0] if found else None


def _way_out(wanted: Wanted, found: Deployment) -> str:
    """What to do where several deployments are like this one."""
    if found.deleted:
        return "set id to say which one is meant, or set restore_archived to false to create a new one"
    what = "set id to say which one is meant" if wanted.replaces is None else "archive or rename all but one of them"
    return f"{what} (amplitude_deployment_info with include_usage shows which of them is used)"


def _managed(deployment: Deployment | None) -> dict[str, t.Any]:
    if deployment is None or deployment.deleted:
        return {}
    return dict(project_id=deployment.project_id, label=deployment.label, type=deployment.type)


def name(deployment: Deployment) -> str:
    """What a deployment is called in sentences."""
    return f"deployment {deployment.label!r} (id {deployment.id})"


def _ids(deployments: t.Iterable[Deployment]) -> str:
    return ", ".join(str(deployment.id) for deployment in deployments)


def _doing(wanted: Wanted) -> str:
    if wanted.is_replaced:
        return f"let deployment {wanted.label!r} in project {wanted.project_id} replace the one with the id {wanted.id}"
    return f"ensure that {wanted} is {wanted.state}"
