# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""What can go wrong, as one sentence each.

By design, everything below the modules raises these and nothing else; only a module's main() turns one into
fail_json(). Where several things are wrong with what is wanted, they are collected as :class:`Problem`, and
:func:`refusal` makes one error of all of them. The kinds of errors::

    AmplitudeError
    +-- MissingLibrary          a library is not installed where the module runs
    +-- InputError              the value of an option cannot be used
    +-- Refused                 what is wanted is ambiguous, contradicts what exists, or would do harm
    |   +-- Ambiguous               several deployments match
    |   +-- NotFound                nothing matches, and it cannot be created
    |   +-- TypeContradiction       what was found is of another type
    |   +-- DefaultDeployment       the default deployment would be archived
    |   +-- LabelTaken              another active deployment has the label
    |   +-- SeveralProblems         more than one of all these, or of InputError
    +-- RequestFailed           a request did not get its documented answer
        +-- ConnectionFailed        it was never carried to the service
        |   +-- ProxyLibraryMissing     since a library for the proxy is not installed
        +-- AnswerLost              it is unknown whether it was carried out
        +-- UnexpectedAnswer        success, but not what is promised
        |   +-- AnswerTooLarge          more than is read
        +-- ApiError                an error status, or a redirect
"""

from __future__ import annotations

import typing as t


class AmplitudeError(Exception):
    """One sentence for the person who runs the playbook.

    :param doing: what was attempted, as in "Could not <doing>".
    :param problem: what stood in the way.
    :param advice: what to do next.
    :param result: further return values for fail_json(), for example ``changed`` and ``changes``.

    ``warnings``: what the person should know of what was done before.
    ``problems``: what is wrong with what is wanted, if that is why; see :func:`refusal`.
    ``kind``: for programs, the documented return value ``failure.kind``. Where it is empty, it is that of the cause.
    ``transient``: whether trying again can help.
    ``outcome_unknown``: whether the service may have carried a request out anyway.
    """

    warnings: t.Sequence[str] = ()
    problems: t.Sequence[Problem] = ()
    kind: str = ""
    transient = False
    outcome_unknown = False

    def __init__(self, doing: str, problem: str, advice: str, **result: t.Any) -> None:
        self.doing = doing
        self.problem = problem
        self.advice = advice
        self.result = result
        super().__init__(doing, problem, advice)

    def __str__(self) -> str:
        return f"Could not {self.doing}: {self.problem}; {self.advice}."

    def failure(self) -> dict[str, t.Any]:
        """The documented return value ``failure``. What the service answered is taken from the error or its cause."""
        request: t.Any = self if isinstance(self, RequestFailed) else self.__cause__
        if not isinstance(request, RequestFailed):
            return dict(kind=self.kind, status=None, transient=self.transient, retry_after=None)
        return dict(
            kind=self.kind or request.kind,
            status=getattr(request, "status", None),
            transient=request.transient,
            retry_after=request.retry_after,
        )


class Problem(t.NamedTuple):
    """One thing that is wrong with what is wanted, and the deployment that it is about, if there is one.

    :param error: an InputError or a Refused.
    :param item: the number of the item in the list, counted from 1.
    """

    error: AmplitudeError
    item: int | None = None
    project_id: str | None = None
    label: str | None = None
    id: str | None = None

    @property
    def is_passing(self) -> bool:
        """Whether it may pass soon."""
        return isinstance(self.error, (Ambiguous, DefaultDeployment)) and self.error.passing

    def as_result(self) -> dict[str, t.Any]:
        """An element of the documented return value ``problems``."""
        about = dict(item=self.item, project_id=self.project_id, label=self.label, id=self.id)
        return dict(about, problem=self.error.problem, advice=self.error.advice)


def refusal(problems: t.Sequence[Problem]) -> AmplitudeError:
    """The error that tells of these problems: that of the only one, or one for all of them.

    They are told in the order of the items, but a label that is taken comes after the others: it may only be so because of
    what was refused for another reason.
    """
    told = sorted(problems, key=lambda each: (each.item is None, isinstance(each.error, LabelTaken), each.item or 0))
    error = told[0].error if len(told) == 1 else SeveralProblems(told)
    error.problems = told
    return error


class MissingLibrary(AmplitudeError):
    """A library that the collection needs is not installed where the module runs.

    :param message: the standard text of ansible.module_utils.basic.missing_required_lib().
    :param exception: the traceback of the failed import.
    """

    kind = "input"

    def __init__(self, message: str, exception: str) -> None:
        super().__init__("run", message, "", exception=exception)

    def __str__(self) -> str:
        return self.problem


class InputError(AmplitudeError):
    """An option has a value that cannot be used; found before anything is written."""

    kind = "input"


class Refused(AmplitudeError):
    """What is wanted is ambiguous, contradicts what exists, or would do harm; nothing was written for it."""

    kind = "refused"


class Ambiguous(Refused):
    """Several deployments match.

    :param passing: whether that may pass soon: two active deployments with one label can exist for a moment
        while another run settles who created it first; see :mod:`._apply.settle`.
    """

    def __init__(self, doing: str, problem: str, advice: str, passing: bool) -> None:
        super().__init__(doing, problem, advice)
        self.passing = self.transient = passing


class NotFound(Refused):
    """What is wanted does not exist and cannot be created from what is known about it."""


class TypeContradiction(Refused):
    """What was found has a different type from what is wanted."""


class Guarded(Refused):
    """What is wanted would do harm, and is only done with ``force``."""


class DefaultDeployment(Guarded):
    """What is to be archived is the default deployment of its project.

    :param passing: whether it may only seem so because its key is not listed yet.
    """

    def __init__(self, doing: str, problem: str, advice: str, passing: bool) -> None:
        super().__init__(doing, problem, advice)
        self.passing = self.transient = passing


class LabelTaken(Refused):
    """A label that is to become active belongs to another active deployment, which may be about to give it up."""


class SeveralProblems(Refused):
    """Several things are wrong with what is wanted: a sentence for each of them, as far as they fit.

    :param problems: at least two.
    """

    #: How many are told. All of them are in the return value ``problems``.
    MOST_TOLD = 20

    def __init__(self, problems: t.Sequence[Problem]) -> None:
        first = problems[0].error
        super().__init__(first.doing, first.problem, first.advice)
        if any(isinstance(each.error, InputError) for each in problems):
            self.kind = InputError.kind
        self.transient = all(each.is_passing for each in problems)
        self.problems = problems

    def __str__(self) -> str:
        told = [str(each.error) for each in self.problems[: self.MOST_TOLD]]
        more = len(self.problems) - len(told)
        if more:
            told.append(f"And {more} more; the return value problems lists all of them.")
        return " ".join(told)


class RequestFailed(AmplitudeError):
    """A request did not get its documented answer.

    :param transient: whether trying again can help (a refused connection: yes; a certificate that is not trusted: no).

    ``rarely_passes``: whether trying again helps only now and then (a host name that does not exist).
    ``retry_after``: seconds after which the service asked to be called again, or None.
    """

    rarely_passes = False
    retry_after: float | None = None

    def __init__(self, doing: str, problem: str, advice: str, transient: bool = False) -> None:
        super().__init__(doing, problem, advice)
        self.transient = transient


class ConnectionFailed(RequestFailed):
    """No connection was established, so the request never reached the service."""

    kind = "connection"


class ProxyLibraryMissing(ConnectionFailed):
    """The library for the proxy in the environment is not installed where the module runs."""

    kind = "input"


class AnswerLost(RequestFailed):
    """The request was sent, but its answer did not arrive in time, or not completely."""

    kind = "answer_lost"
    outcome_unknown = True


class UnexpectedAnswer(RequestFailed):
    """The service answered with success, but not what its documentation promises."""

    kind = "unexpected_answer"
    outcome_unknown = True


class AnswerTooLarge(UnexpectedAnswer):
    """The answer is larger than the limit for one answer; a page of a list may become smaller with fewer rows."""


class ApiError(RequestFailed):
    """The service answered with an error status (or a redirect, which is never followed).

    :param status: the HTTP status code.
    """

    kind = "api"

    def __init__(self, doing: str, problem: str, advice: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(doing, problem, advice, transient=status in (408, 425, 429) or status >= 500)
        self.status = status
        # 425 says that the request was not looked at; 408 comes from whoever waited for it, or for its answer.
        self.outcome_unknown = status == 408 or status >= 500 or status < 200
        self.retry_after = retry_after
