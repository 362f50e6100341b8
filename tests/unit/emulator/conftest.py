# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import shutil
import subprocess
import typing as t

import pytest
import requests

from ansible_collections.community.amplitude.tests.emulator import Emulator, account, app, traffic
from ansible_collections.community.amplitude.tests.support.clocks import SetClock
from ansible_collections.community.amplitude.tests.unit.emulator.api import Api


@pytest.fixture(scope="module")
def session() -> t.Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def api(session: requests.Session, emulator: Emulator) -> Api:
    return Api(session, emulator)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """The emulator's clock, before which nothing is waited for."""
    clock = SetClock()
    for module in (account, app, traffic):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: t.Any) -> pathlib.Path:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    path: pathlib.Path = tmp_path_factory.mktemp("tls") / "both.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    request += " -addext subjectAltName=IP:127.0.0.1 -keyout both.pem -out certificate.pem"
    subprocess.run(["openssl", *request.split()], cwd=path.parent, check=True, stderr=subprocess.DEVNULL)
    path.write_text(path.read_text() + (path.parent / "certificate.pem").read_text())
    return path
