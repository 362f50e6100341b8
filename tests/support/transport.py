# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients over TLS and through proxies, and what they are told."""

from __future__ import annotations

import contextlib
import ctypes
import re
import signal
import ssl
import subprocess
import sys

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import RequestFailed
from ansible_collections.community.amplitude.plugins.module_utils._options import client_from
from ansible_collections.community.amplitude.tests.support.client import KEY, PATH, SENTENCE
from ansible_collections.community.amplitude.tests.support.clocks import eventually
from ansible_collections.community.amplitude.tests.support.modules import run_module

PASSWORD = "s3cr3t@proxy"

SEED = dict(keys={KEY: [1]}, deployments=[dict(id=7, projectId=1, label="api", type="server")])
#: Seconds that a machine may take on top of a timeout, however busy it is.
SLACK = 60.0


def table(*rows):
    """One test for each row, whose first field is its name."""
    return [pytest.param(*row[1:-1], row[-1], id=row[0]) for row in rows]


def tls(authority, *names, **dates):
    """What a server needs to show a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **dates).configure_cert(context)
    return context


def client_to(url, **options):
    """A client as the modules make it; it retries nothing unless told to."""
    params = dict(management_api_key=KEY, base_url=url, region="us", validate_certs=True, ca_path=None)
    params.update(dict(timeout=60, retry_timeout=0), **options)
    return client_from(params)


def ask_client(url, **options):
    """The error of a client that lists the deployments, or None if it gets the list."""
    with client_to(url, **options) as client:
        try:
            assert [row["id"] for row in client.get_json(PATH, "list the deployments")["deployments"]] == [7]
        except RequestFailed as error:
            return str(error)
    return None


def ask_module(url, **options):
    """The same for a module."""
    given = dict(dict(timeout=60, retry_timeout=0), **options)
    result = run_module("amplitude_deployment_info", management_api_key=KEY, base_url=url, **given)
    if result.get("failed"):
        assert "Traceback" not in str(result)
        return result["msg"]
    assert [row["id"] for row in result["deployments"]] == ["7"]
    return None


ASK = {"client": ask_client, "module": ask_module}
both_ways = pytest.mark.parametrize("ask", ASK.values(), ids=list(ASK))


def check(error, pattern):
    """An error has to be one sentence without a secret and match a pattern; no error is expected if that is None."""
    if pattern is None:
        assert error is None
    else:
        assert error is not None and SENTENCE.fullmatch(error) and re.search(pattern, error)
        assert KEY not in error


NOT_TRUSTED = (
    r"the TLS certificate of https://127\.0\.0\.1:\d+ is not trusted \([\w ]+\); "
    "pass the certificate of its authority in ca_path, or correct base_url"
)


def end_with_parent():
    """ansible-test runs each test in a process of its own, which ends without ending what fixtures have begun."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


@contextlib.contextmanager
def proxy(directory, *arguments):
    """The program proxy.py in a process of its own; its port."""
    port_file = directory / "port"
    command = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0", "--port-file", str(port_file)]
    command += ["--num-acceptors", "1", "--num-workers", "1", "--data-dir", str(directory)]
    with open(str(directory / "log"), "wb") as log:
        process = subprocess.Popen(
            command + list(arguments), cwd=str(directory), stdout=log, stderr=log, preexec_fn=end_with_parent
        )
    try:
        eventually(lambda: (port_file.exists() and port_file.read_text().strip()) or process.poll() is not None)
        assert process.poll() is None, (directory / "log").read_text()
        yield int(port_file.read_text())
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
