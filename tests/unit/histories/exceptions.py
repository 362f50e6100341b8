# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of the laws, and what is not demanded: a scene, and by law its exceptions."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.community.amplitude.tests.unit.histories import model
from ansible_collections.community.amplitude.tests.unit.histories.lists import End
from ansible_collections.community.amplitude.tests.unit.histories.story import Deed, Fault, History


@dataclasses.dataclass
class Scene:
    """What is known of a step when it is judged.

    :param deeds: the runs at the same time.
    :param hands: whether somebody edits by hand meanwhile.
    :param before: the deployments before it, as ``flags`` are the flags and experiments.
    :param ends: what is allowed to come of it, if it was looked for.
    :param place: the project and the label that it is about, if it is about one.
    """

    history: History
    deeds: list[Deed] = dataclasses.field(default_factory=list)
    faults: t.Sequence[Fault] = ()
    hands: bool = False
    before: t.Sequence[model.Row] = ()
    flags: t.Sequence[model.Row] = ()
    ends: t.Sequence[End] = ()
    place: tuple[str, str] = ("", "")

    @property
    def is_alone(self) -> bool:
        return len(self.deeds) == 1 and not self.hands

    @property
    def is_lagging(self) -> bool:
        return any(self.history.switches.get(name) for name in ("stale_lists", "stale_seconds"))

    @property
    def is_refused(self) -> bool:
        """Whether the API does not accept what has to be written, because archived labels count as taken."""
        return not any(end.accepted for end in self.ends)

    @property
    def writers(self) -> list[Deed]:
        return [deed for deed in self.deeds if not deed.check_mode]


class Exempt(t.NamedTuple):
    """Why a law is not demanded of a run in a scene."""

    name: str
    reason: str
    applies: t.Callable[[Scene, Deed], bool]


def _passes(fault: Fault) -> bool:
    """Whether a run that is allowed to wait has to get over a fault."""
    status = fault.get("status", 503) if fault["action"] == "status" else 503
    return fault["action"] in ("status", "cut", "truncate") and status >= 429 and 1 <= fault.get("times", 1) <= 3


def _is_warned(scene: Scene, deed: Deed) -> bool:
    return any("could not be read back" in warning or "not show it yet" in warning for warning in deed.warnings)


def _is_overtaken(scene: Scene, deed: Deed) -> bool:
    """Whether somebody wrote what the last list of a run did not show."""
    return bool(deed.overtaken_by)


def _is_withdrawn(scene: Scene, deed: Deed) -> bool:
    return any("withdrawn" in warning for warning in deed.warnings)


def _has_no_project(scene: Scene, deed: Deed) -> bool:
    several = len({item["project_id"] for item in deed.items}) > 1
    return several and not all("project_id" in change for change in deed.result["pending"])


def _has_key_twice(scene: Scene, deed: Deed) -> bool:
    """Whether what is both done and pending is about several flags, or experiments, with one key."""
    keys = [(row["kind"], row["projectId"], row["key"]) for row in scene.flags]
    both = [change for change in deed.result["pending"] if change in deed.result.get("changes", [])]
    return all(
        max(keys.count((kind + "s", change["project_id"], change[kind])) for kind in ("flag", "experiment")) > 1
        for change in both
    )


def _wants_else(scene: Scene, deed: Deed) -> bool:
    """Whether one of several runs wants something else of a place than that the deployment with its label is there."""
    if all(each.items == scene.writers[0].items for each in scene.writers):
        return any(item.get("id") or item.get("state") == "absent" for item in deed.items)
    for each in scene.writers:
        if each.options.get("purge"):
            return True
        for item in each.items:
            if (
                item.get("id")
                or item.get("replaces")
                or (item["project_id"], item.get("previous_label")) == scene.place
            ):
                return True
            if item.get("state") == "absent":
                return True
            if not each.is_bulk and (item["project_id"], item["label"]) != scene.place:
                return True
    return False


def _is_hasty(scene: Scene, deed: Deed) -> bool:
    if all(each.is_patient for each in scene.deeds):
        return False
    previous = {item.get("previous_label") for each in scene.deeds for item in each.items}
    given = any((row["projectId"], row["label"]) == scene.place or row["label"] in previous for row in scene.before)
    return given or bool(scene.history.switches.get("opaque_ids"))


HANDS = Exempt("by hand", "somebody edits by hand meanwhile", lambda scene, deed: scene.hands)
FAULTS = Exempt("faults", "the network or the service fails", lambda scene, deed: bool(scene.faults))
KILLED = Exempt("killed", "a run was killed", lambda scene, deed: any(each.killed for each in scene.deeds))
IMPATIENT = Exempt(
    "impatient",
    "a run may not wait for what the list does not show yet",
    lambda scene, deed: not all(each.is_patient for each in scene.deeds) and scene.is_lagging,
)
HASTY = Exempt("hasty", "a run may not wait for its rivals, and ids do not tell who was first", _is_hasty)
REFUSED = Exempt("refused", "the API does not accept what has to be written", lambda scene, deed: scene.is_refused)
FAILED = Exempt(
    "failed", "not all runs ended well", lambda scene, deed: not all(each.succeeded for each in scene.deeds)
)
RIVALS = Exempt(
    "whose write", "nobody can know whose write a list shows", lambda scene, deed: deed.lost and not scene.is_alone
)
UNKNOWN = Exempt(
    "not known",
    "the run says itself that it is not known",
    lambda scene, deed: deed.lost and deed.failed and "not known whether" in deed.result["msg"],
)
OVERTAKEN = Exempt("overtaken", "somebody wrote what the last list of the run does not show", _is_overtaken)
OVERTAKEN_BY_HAND = Exempt(
    "overtaken by hand",
    "somebody edited by hand what no run has read since",
    lambda scene, deed: all("by hand" in each.overtaken_by for each in scene.writers),
)
WARNED = Exempt("warned", "the run warns that an edit was accepted, but not seen", _is_warned)
WITHDRAWN = Exempt("withdrawn", "a run has taken back what it wrote", _is_withdrawn)
WANTS_ELSE = Exempt("wants else", "another run wants something else of the same label", _wants_else)
READER = Exempt(
    "readers of a withdrawn one",
    "faults.rst: where ids do not count up, a run can find what another withdraws a moment later",
    lambda scene, deed: not deed.changed,
)
NO_TIME = Exempt(
    "no time to see it",
    "faults.rst: the run warns that retry_timeout leaves no time to see its rivals withdraw",
    lambda scene, deed: any("leaves no time to confirm that" in warning for warning in deed.warnings),
)
SHIFTED = Exempt(
    "shifted", "the list changed while its pages were read", lambda scene, deed: len(set(deed.watermarks)) > 1
)
REPLACES = Exempt(
    "replaces",
    "the API replaces what a flag has instead of adding to it, and the run says so",
    lambda scene, deed: deed.failed and "instead of adding" in deed.result["msg"],
)
NO_WAY_BACK = Exempt(
    "no way back",
    "what would bring back what was there is refused, too, or cannot be read",
    lambda scene, deed: any(
        request["status"] != 200 for request in deed.requests if request["method"] in ("GET", "PATCH")
    ),
)
SHIFTED_FLAGS = Exempt(
    "shifted flags",
    "a list of flags or experiments changed while its pages were read",
    lambda scene, deed: any(len(set(watermarks)) > 1 for watermarks in deed.sights.values()),
)

#: Every law, with what is not demanded.
EXCEPTIONS: dict[str, tuple[Exempt, ...]] = {
    "no exception leaves a module": (),
    "the management key stays secret": (),
    "keys are only where they belong": (),
    "check mode sends GETs only": (),
    "check mode writes nothing": (),
    "check mode agrees with the documentation": (),
    "check mode foresees errors": (
        FAULTS,
        KILLED,
        HANDS,
        Exempt(
            "too many requests",
            "what needs the service is not waited for beside what is wrong in itself",
            lambda scene, deed: (
                bool(scene.history.switches.get("rate_limit"))
                and deed.failed
                and deed.result["failure"]["kind"] == "input"
            ),
        ),
    ),
    "check mode foresees changed": (HANDS, WITHDRAWN),
    "check mode foresees changes": (HANDS, WITHDRAWN),
    "check mode foresees diff": (HANDS, WITHDRAWN),
    "check mode foresees the deployments": (HANDS, WITHDRAWN),
    "every error is a sentence": (),
    "what is refused is not written": (HANDS,),
    "what was written is told": (RIVALS, UNKNOWN),
    # An edit that is accepted and changes nothing, because another run has made the same one, counts as a change:
    # the API answers both with OK.
    "what is told was written": (RIVALS,),
    "changed is told by changes": (),
    "a change is never both done and pending": (
        WITHDRAWN,
        Exempt("key twice", "changes of two flags with one key, which are taken over, look the same", _has_key_twice),
        Exempt("no project", "a change that does not tell its project looks like one in another", _has_no_project),
    ),
    "what is done and what is pending are what was foreseen": (
        HANDS,
        WITHDRAWN,
        UNKNOWN,
        Exempt(
            "refused",
            "of a list that is refused, pending tells what is not",
            lambda scene, deed: "problems" in deed.result and not deed.committed,
        ),
    ),
    "what the API refuses fails": (FAULTS, KILLED, HANDS),
    "nothing hinders it": (FAULTS, KILLED, HANDS, IMPATIENT),
    "there is nothing to warn of": (FAULTS, HANDS, IMPATIENT),
    "changed is that something was written": (FAULTS, HANDS),
    "one write for each deployment": (
        FAULTS,
        HANDS,
        Exempt("rate limit", "refused requests count", lambda scene, deed: "rate_limit" in scene.history.switches),
    ),
    "faults that pass are got over": (
        HANDS,
        REFUSED,
        Exempt("killed", "it was killed", lambda scene, deed: deed.killed),
        Exempt("impatient", "it may not wait", lambda scene, deed: not deed.is_patient),
        Exempt("for good", "a fault does not pass", lambda scene, deed: not all(map(_passes, scene.faults))),
    ),
    "what is wanted becomes true": (OVERTAKEN, HANDS),
    "what is returned is what was wanted": (
        Exempt(
            "renamed meanwhile",
            "the API archives by id, whatever the label is meanwhile, and the run warns of it",
            lambda scene, deed: any("while this run archived it" in warning for warning in deed.warnings),
        ),
    ),
    "what is returned is true": (OVERTAKEN, WARNED, NO_TIME),
    "the last list shows what is returned": (WARNED, SHIFTED, NO_TIME),
    "the last list does not show what is absent": (WARNED, SHIFTED),
    "each item has a deployment of its own": (),
    "no enabled flag is left without an active deployment": (SHIFTED, SHIFTED_FLAGS),
    "only what was asked for is assigned and removed": (SHIFTED, SHIFTED_FLAGS),
    "nothing is removed before the list shows the new one": (SHIFTED, SHIFTED_FLAGS),
    "what is retired is nowhere but on archived flags": (SHIFTED, SHIFTED_FLAGS),
    "what is served is told where it is managed": (),
    "the last list shows what is served": (WARNED, SHIFTED_FLAGS),
    "what is told to be served is served": (WARNED, OVERTAKEN),
    "what is wanted is served": (
        OVERTAKEN,
        HANDS,
        Exempt(
            "lost before",
            "the API has replaced what a flag had, and the run that noticed it could not put everything back",
            lambda scene, deed: scene.history.switches.get("assigning", "adds") != "adds",
        ),
    ),
    "check mode foresees what is served": (HANDS, WITHDRAWN),
    "what an API that replaces takes away is put back": (FAULTS, KILLED, HANDS),
    "without a new one the old one has its label back": (KILLED, HANDS, NO_WAY_BACK),
    "a run that did not end well can be run again": (REFUSED,),
    "what others do is got over": (
        Exempt(
            "not shown",
            "nothing is taken away, and no second flag is tried, before the list shows what was assigned",
            lambda scene, deed: "does not list deployment" in deed.result.get("msg", ""),
        ),
        Exempt(
            "made active twice",
            "somebody has given it, by hand, the label of another active one",
            lambda scene, deed: "are all active with the label" in deed.result.get("msg", ""),
        ),
        Exempt(
            "archived with its label",
            "faults.rst: where the labels of archived ones count, one that appears while a run creates blocks it",
            lambda scene, deed: (
                scene.history.switches.get("unique_labels") == "all"
                and "and the archived deployment" in deed.result.get("msg", "")
            ),
        ),
        REPLACES,
        OVERTAKEN,
        FAULTS,
        KILLED,
        REFUSED,
        IMPATIENT,
    ),
    "what a failed run has returned stays": (HANDS, UNKNOWN),
    "a re-run sends no write": (
        WARNED,
        OVERTAKEN,
        Exempt(
            "purge",
            "what is purged is decided once: not what others, or a lost race, have made active since",
            lambda scene, deed: bool(deed.options.get("purge")) and (scene.hands or _is_withdrawn(scene, deed)),
        ),
        Exempt(
            "warned", "the first run warned of it", lambda scene, deed: scene.is_lagging and _is_warned(scene, deed)
        ),
    ),
    "a re-run is unchanged": (),
    "a re-run finds the same": (OVERTAKEN,),
    "no label is active twice": (OVERTAKEN_BY_HAND, FAILED),
    "all find the same": (HANDS, HASTY, WANTS_ELSE, READER),
    "what is found is there": (HANDS, HASTY, WANTS_ELSE, FAILED),
    "none of several like runs fails": (REPLACES, HANDS, FAULTS, KILLED, REFUSED, IMPATIENT),
    "the list is right": (),
    "a list that can be read is read": (FAULTS,),
}
