# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""axe-core, which looks for what keeps people from using a page: one file, fetched with npm and kept in .cache/."""

from __future__ import annotations

import base64
import hashlib
import io
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

CACHE = pathlib.Path(__file__).resolve().parents[2] / ".cache/axe"
VERSION = "4.14.1"
#: The integrity of the package, as npm has it.
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
MEMBER = "package/axe.min.js"


class Missing(Exception):
    """Why axe-core is not here."""


def script() -> str:
    """The text of axe-core.

    :raises Missing: it is not here yet, and cannot be fetched.
    :raises AssertionError: what was fetched is something else.
    """
    kept = CACHE / f"axe-{VERSION}.min.js"
    if not kept.exists():
        text = _fetched()
        CACHE.mkdir(parents=True, exist_ok=True)
        # Other tests may be doing the same.
        with tempfile.NamedTemporaryFile("wb", dir=CACHE, delete=False) as file:
            file.write(text)
        pathlib.Path(file.name).replace(kept)
    return kept.read_text(encoding="utf-8")


def _fetched() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("needs npm to fetch axe-core")
    with tempfile.TemporaryDirectory() as place:
        command = [npm, "pack", "--silent", f"axe-core@{VERSION}"]
        done = subprocess.run(
            command, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        found = list(pathlib.Path(place).glob("*.tgz"))
        if done.returncode or not found:
            raise Missing(f"npm cannot fetch axe-core: {done.stdout.decode(errors='replace')[-200:]}")
        packed = found[0].read_bytes()
    digest = base64.b64encode(hashlib.sha512(packed).digest()).decode("ascii")
    assert digest == SHA512, f"axe-core {VERSION} has the SHA-512 {digest}"
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None
        return member.read()
