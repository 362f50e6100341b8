# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The options that everything in this collection shares, and the client that is made from them."""

from __future__ import annotations

import os
import re
import sys
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleFallbackNotFound, missing_required_lib

from ._api.addresses import is_loopback
from ._api.client import REQUESTS_IMPORT_ERROR, Client
from ._api.waits import Waits
from ._errors import InputError, MissingLibrary, Problem
from ._given import is_blank, kind_of

if t.TYPE_CHECKING:
    from ._plan.approval import Approval

#: Documented: the two regions and their addresses.
BASE_URLS = {
    "us": "https://experiment.amplitude.com",
    "eu": "https://experiment.eu.amplitude.com",
}

#: A day. The longest time after which a quota is reset.
MOST_SECONDS = 86400

#: Characters. Ansible replaces the key wherever it is in a result: a shorter one would make holes everywhere.
SHORTEST_KEY = 8

_DOING = "connect to Amplitude"


def _env(*names: str) -> str:
    """The first of these environment variables that is not empty; CI systems define unset ones as empty."""
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise AnsibleFallbackNotFound


def connection_spec() -> dict[str, dict[str, t.Any]]:
    """The argument spec of the connection options, which the doc fragment ``connection`` documents."""
    return dict(
        management_api_key=dict(
            type="str",
            required=True,
            no_log=True,
            fallback=(_env, ["AMPLITUDE_MANAGEMENT_API_KEY", "AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY"]),
        ),
        region=dict(type="str", choices=list(BASE_URLS), default="us", fallback=(_env, ["AMPLITUDE_REGION"])),
        base_url=dict(type="str", fallback=(_env, ["AMPLITUDE_BASE_URL"])),
        validate_certs=dict(type="bool", default=True),
        ca_path=dict(type="path"),
        timeout=dict(type="float", default=30),
        retry_timeout=dict(type="float", default=120),
    )


def connection_from_environment() -> dict[str, tuple[str, str]]:
    """The connection options that have a value in the environment, which is taken where they are not set; and its name."""
    found = {}
    for option, spec in connection_spec().items():
        names = spec["fallback"][1] if "fallback" in spec else []
        name = next((name for name in names if os.environ.get(name)), None)
        if name is not None:
            found[option] = (os.environ[name], f"the environment variable {name}")
    return found


def connection_problems(given: t.Mapping[str, t.Any]) -> list[Problem]:
    """What is wrong with the key, the region and the address of a module, whether given or in the environment.

    Whatever can be a secret in them is not repeated.

    :param given: the options as they were given, without those that are blank.
    """
    values = {option: (given[option], "") for option in given}
    values = dict(connection_from_environment(), **values)
    problems = []
    for check in (check_key, check_region, check_base_url):
        try:
            check(values)
        except InputError as error:
            problems.append(Problem(error))
    return problems


#: The values of options, and where each comes from if that is not the task.
Sources = t.Mapping[str, t.Tuple[t.Any, str]]


def _named(option: str, source: str) -> str:
    return f"{option} (from {source})" if source else option


def check_key(values: Sources) -> None:
    """Make sure that there is a management API key that can be one.

    :raises InputError: saying what to do, without the key.
    """
    key, source = values.get("management_api_key", (None, ""))
    name = _named("management_api_key", source)
    if is_blank(key):
        raise InputError(
            _DOING,
            "management_api_key is not set",
            "set the option, or one of the environment variables AMPLITUDE_MANAGEMENT_API_KEY and "
            "AMPLITUDE_EXPERIMENT_MANAGEMENT_API_KEY where the module runs",
        )
    if not re.fullmatch(r"[!-~]+", str(key)):
        raise InputError(
            _DOING,
            f"{name} has characters that no key has, such as spaces, line breaks or non-ASCII letters",
            "give the management API key exactly as Amplitude shows it",
        )
    if len(str(key)) < SHORTEST_KEY:
        raise InputError(
            _DOING,
            f"{name} has fewer than {SHORTEST_KEY} characters, which no key has",
            "give the management API key exactly as Amplitude shows it",
        )


def check_region(values: Sources) -> None:
    """Make sure that a region that does not come from the task is one. For the task, Ansible does that.

    :raises InputError: saying where it comes from.
    """
    region, source = values.get("region", (None, ""))
    if source and region not in BASE_URLS:
        raise InputError(
            _DOING, f"{_named('region', source)} is {kind_of(region)}", f"set it to {' or '.join(BASE_URLS)}"
        )


def check_base_url(values: Sources) -> None:
    """Make sure that the address of the API can be one; see :func:`base_url_from`."""
    base_url, source = values.get("base_url", (None, ""))
    if not is_blank(base_url):
        base_url_from(str(base_url), "us", source)


#: What the options of a wanted deployment have to do with each other.
TOGETHER: dict[str, t.Any] = dict(
    required_one_of=[("id", "label")],
    mutually_exclusive=[("id", "previous_label"), ("id", "replaces"), ("previous_label", "replaces")],
)


def wanted_spec() -> dict[str, dict[str, t.Any]]:
    """The argument spec of a wanted deployment: an option for each field of :class:`._plan.wanted.Wanted`; and TOGETHER."""
    return dict(
        project_id=dict(type="str"),
        label=dict(type="str"),
        type=dict(type="str", choices=["client", "server"]),
        state=dict(type="str", choices=["present", "absent"], default="present"),
        id=dict(type="str"),
        previous_label=dict(type="str"),
        # These are keys of flags and experiments, not of deployments.
        flags=dict(type="list", elements="str"),
        experiments=dict(type="list", elements="str"),
        exclusive=dict(type="bool", default=False),
        replaces=dict(type="str"),
        retire=dict(type="bool", default=False),
    )


def rules_spec() -> dict[str, dict[str, t.Any]]:
    """The argument spec of how far a task may go; see :func:`._plan.wanted.rules_from`."""
    return dict(restore_archived=dict(type="bool", default=True), force=dict(type="bool", default=False))


def approval_spec() -> dict[str, dict[str, t.Any]]:
    """The argument spec of what was approved; see :func:`approval_in`."""
    return dict(approved_changes=dict(type="list", elements="dict"))


def approval_in(params: t.Mapping[str, t.Any]) -> Approval | None:
    """What was approved; None if nothing has to be.

    :raises InputError: as :func:`._plan.approval.approval_from`.
    """
    if params["approved_changes"] is None:
        return None
    # Imported here since most tasks need no approval: see _module.
    from ._plan.approval import approval_from

    return approval_from(params["approved_changes"])


def deployments_spec() -> dict[str, t.Any]:
    """The argument spec of an option that lists wanted deployments. That they have TOGETHER is told with their numbers."""
    return dict(type="list", elements="dict", options=wanted_spec())


def client_from(
    params: t.Mapping[str, t.Any], waits: Waits = Waits(), sources: t.Mapping[str, str] | None = None
) -> Client:
    """A client made from the values of the connection options.

    :param sources: where those come from that do not come from the task, unless that is told already.
    :raises MissingLibrary: requests is not installed.
    :raises InputError: the value of an option cannot be used.
    """
    if REQUESTS_IMPORT_ERROR is not None:
        install = f"To install it: {sys.executable} -m pip install requests"
        raise MissingLibrary(f"{missing_required_lib('requests')} {install}", REQUESTS_IMPORT_ERROR)
    values = {option: (params[option], (sources or {}).get(option, "")) for option in params}
    for check in (check_key, check_region):
        check(values)
    base_url = base_url_from(params["base_url"], params["region"], (sources or {}).get("base_url", ""))
    for option, least in (("timeout", 0.001), ("retry_timeout", 0)):
        if not least <= params[option] <= MOST_SECONDS:
            raise InputError(
                _DOING,
                f"{option} is {params[option]:g}",
                f"use a number of seconds from {least} to {MOST_SECONDS}",
            )
    return Client(
        base_url=base_url,
        management_api_key=params["management_api_key"],
        verify=_verify_from(params["validate_certs"], params["ca_path"]),
        timeout=params["timeout"],
        retry_timeout=params["retry_timeout"],
        waits=waits,
    )


def base_url_from(base_url: str | None, region: str, source: str = "") -> str:
    """The address below which ``/api/1`` is found, in one spelling: no trailing slash, no ``/api/1``.

    :param source: where it comes from, if that is not the task.
    :raises InputError: it is not an http(s) address, has a user name, a query or a fragment, or is plain http to a host
        that is not this machine.
    """
    if base_url is None or is_blank(base_url):
        return BASE_URLS[region]

    def unusable(problem: str) -> InputError:
        # The address itself is not repeated: what makes it unusable could be a password in it.
        return InputError(_DOING, f"{_named('base_url', source)} {problem}", f"use an address like {BASE_URLS['us']}")

    try:
        parts = urlsplit(base_url)
        host, dummy = parts.hostname, parts.port
    except ValueError:
        raise unusable("is not an address") from None
    if parts.scheme not in ("http", "https"):
        raise unusable("does not begin with https://")
    if not host or not re.fullmatch(r"[!-~]+", base_url):
        raise unusable("has no host, or characters that no address has")
    if "@" in parts.netloc or "?" in base_url or "#" in base_url:
        raise unusable("has a user name, a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise unusable("is plain http to another machine, which would send management_api_key in the clear")
    path = re.sub(r"(/api/1(/deployments)?)?/*\Z", "", re.sub(r"/{2,}", "/", parts.path))
    return f"{parts.scheme}://{parts.netloc}{path}"


def _verify_from(validate_certs: bool, ca_path: str | None) -> bool | str:
    if not validate_certs:
        return False
    if ca_path is None:
        return True
    if not os.path.exists(ca_path):
        raise InputError(
            _DOING,
            f"ca_path {ca_path!r} does not exist",
            "set it to the path of a file or directory with CA certificates, on the machine where the module runs",
        )
    return ca_path
