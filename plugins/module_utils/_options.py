# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it can change in any release. Do not import it from elsewhere.

"""The options that everything in this collection shares, and the client that is made from them."""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleFallbackNotFound, missing_required_lib

from ._api.client import REQUESTS_IMPORT_ERROR, Client
from ._api.waits import Waits
from ._errors import InputError, MissingLibrary
from ._plan.wanted import Rules

#: Documented: the two regions and their addresses.
BASE_URLS = {
    "us": "https://experiment.amplitude.com",
    "eu": "https://experiment.eu.amplitude.com",
}

#: A day. The longest time after which a quota is reset.
MOST_SECONDS = 86400

_DOING = "connect to Amplitude"


def _env(*names: str) -> str:
    """The first of these environment variables that is not empty; CI systems define what is not set as empty."""
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


def connection_from_environment() -> dict[str, str]:
    """The connection options that have a value in the environment, which is taken where they are not set."""
    found = {}
    for option, spec in connection_spec().items():
        if "fallback" in spec:
            function, names = spec["fallback"]
            try:
                found[option] = function(*names)
            except AnsibleFallbackNotFound:
                pass
    return found


#: What the options of a wanted deployment have to do with each other.
TOGETHER: dict[str, t.Any] = dict(
    required_one_of=[("id", "label")],
    mutually_exclusive=[("id", "previous_label")],
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
    )


def rules_spec() -> dict[str, dict[str, t.Any]]:
    """The argument spec of how far a task may go; see :func:`rules_from`."""
    return dict(restore_archived=dict(type="bool", default=True), force=dict(type="bool", default=False))


def rules_from(params: t.Mapping[str, t.Any]) -> Rules:
    """How far a task may go."""
    return Rules(**{option: params[option] for option in Rules._fields})


def deployments_spec() -> dict[str, t.Any]:
    """The argument spec of an option that lists wanted deployments."""
    return dict(type="list", elements="dict", options=wanted_spec(), **TOGETHER)


def client_from(params: t.Mapping[str, t.Any], waits: Waits = Waits()) -> Client:
    """A client made from the values of the connection options.

    :raises MissingLibrary: requests is not installed.
    :raises InputError: the value of an option cannot be used.
    """
    if REQUESTS_IMPORT_ERROR is not None:
        raise MissingLibrary(missing_required_lib("requests"), REQUESTS_IMPORT_ERROR)
    key = params["management_api_key"]
    if not re.fullmatch(r"[!-~]+", key):
        raise InputError(
            _DOING,
            "management_api_key is empty"
            if not key
            else "management_api_key has characters that no key has, such as "
            "spaces, line breaks or letters beyond ASCII",
            "give the management API key exactly as Amplitude shows it",
        )
    for option, least in (("timeout", 0.001), ("retry_timeout", 0)):
        if not least <= params[option] <= MOST_SECONDS:
            raise InputError(
                _DOING,
                f"{option} is {params[option]:g}",
                f"give a number of seconds from {least} to {MOST_SECONDS}",
            )
    return Client(
        base_url=base_url_from(params["base_url"], params["region"]),
        management_api_key=key,
        verify=_verify_from(params["validate_certs"], params["ca_path"]),
        timeout=params["timeout"],
        retry_timeout=params["retry_timeout"],
        waits=waits,
    )


def base_url_from(base_url: str | None, region: str) -> str:
    """The address below which ``/api/1`` is found, in one spelling: no trailing slash, no ``/api/1``.

    :raises InputError: it is no http(s) address, has a user name, a query or a fragment, or is plain http to a host
        that is not this machine.
    """
    if base_url is None:
        return BASE_URLS[region]

    def unusable(problem: str) -> InputError:
        # The address itself is not repeated: what makes it unusable could be a password in it.
        return InputError(_DOING, f"base_url {problem}", "give an address like {0}".format(BASE_URLS["us"]))

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
    if parts.scheme == "http" and not _is_loopback(host):
        raise unusable("is plain http to another machine, which would send management_api_key in the clear")
    path = re.sub(r"(/api/1(/deployments)?)?/*\Z", "", re.sub(r"/{2,}", "/", parts.path))
    return f"{parts.scheme}://{parts.netloc}{path}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _verify_from(validate_certs: bool, ca_path: str | None) -> bool | str:
    if not validate_certs:
        return False
    if ca_path is None:
        return True
    if not os.path.exists(ca_path):
        raise InputError(
            _DOING,
            f"ca_path {ca_path!r} does not exist",
            "give the path of a file or directory with CA certificates, on the machine where the module runs",
        )
    return ca_path
