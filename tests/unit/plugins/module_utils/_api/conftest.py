# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers with a certificate, authorities to trust, and proxies."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import trustme

from ansible_collections.community.amplitude.plugins.module_utils._api.client import Client
from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.support.client import KEY, seed
from ansible_collections.community.amplitude.tests.support.transport import PASSWORD, SEED, proxy, tls

# Servers with a certificate, and authorities to trust


@pytest.fixture(scope="module")
def authority():
    """The private authority that issues the certificates of all servers here."""
    return trustme.CA()


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory):
    """A directory with the authority (good), another one (bad), both as a directory (.d), and what is none at all."""
    directory = tmp_path_factory.mktemp("authorities")
    for name, issuer in (("good", authority), ("bad", trustme.CA())):
        (directory / (name + ".d")).mkdir()
        issuer.cert_pem.write_to_path(str(directory / (name + ".pem")))
        if shutil.which("openssl"):
            command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(directory / (name + ".pem"))]
            subject_hash = subprocess.check_output(command, universal_newlines=True).strip()
            issuer.cert_pem.write_to_path(str(directory / (name + ".d") / (subject_hash + ".0")))
    (directory / "empty.pem").touch()
    (directory / "words.pem").write_text("This is no certificate.\n")
    (directory / "empty.d").mkdir()
    return directory


@pytest.fixture
def given(files):
    """Fills in the paths of the files in options and environment variables."""

    def fill_in(values):
        if any(str(value).endswith((".d", ".d/")) for value in values.values()) and not shutil.which("openssl"):
            pytest.skip("openssl is needed to name the files of a directory of authorities")
        is_file = re.compile(r".+\.(pem|d)\Z")
        return {
            name: str(files / value) if isinstance(value, str) and is_file.match(value) else value
            for name, value in values.items()
        }

    return fill_in


@pytest.fixture(scope="module")
def _secure(authority):
    with Emulator(ssl_context=tls(authority, "127.0.0.1")) as emulator:
        yield emulator


@pytest.fixture
def secure(_secure):
    """An emulator that speaks TLS, as it is after a start."""
    _secure.reset(SEED)
    return _secure


@pytest.fixture
def trusting(files):
    """The option that makes the servers here trusted."""
    return dict(ca_path=str(files / "good.pem"))


@pytest.fixture(scope="module")
def open_proxy(tmp_path_factory):
    """A proxy for everybody."""
    with proxy(tmp_path_factory.mktemp("open_proxy")) as port:
        yield port


@pytest.fixture(scope="module")
def guarded_proxy(tmp_path_factory):
    """A proxy that asks for a password."""
    with proxy(tmp_path_factory.mktemp("guarded_proxy"), "--basic-auth", "user:" + PASSWORD) as port:
        yield port


@pytest.fixture(scope="module")
def tls_proxy(tmp_path_factory, authority):
    """A proxy that is itself spoken to over TLS."""
    directory = tmp_path_factory.mktemp("tls_proxy")
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(directory / "server.pem"))
    path = str(directory / "server.pem")
    with proxy(directory, "--cert-file", path, "--key-file", path) as port:
        yield port


@pytest.fixture
def client(emulator):
    """A client of an emulator with one deployment; it never retries."""
    emulator.reset(seed(), rate_limit=0)
    with Client(emulator.url, KEY, timeout=60, retry_timeout=0) as client:
        yield client
