# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the playbooks are written whole or not at all, and nothing is in check mode."""

from __future__ import annotations

import os

import pytest

from ansible_collections.community.amplitude.plugins.module_utils._errors import InputError
from ansible_collections.community.amplitude.plugins.plugin_utils._files import write_files

TEXTS = {"a.md": "ä\n", "b.json": "{}\n"}


def test_written(tmp_path):
    directory = tmp_path / "x/y"
    assert write_files(str(directory), TEXTS, True, "amplitude_x") is True and not directory.parent.exists()
    assert write_files(str(directory), TEXTS, False, "amplitude_x") is True
    assert {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()} == TEXTS
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o644}
    assert write_files(str(directory), TEXTS, False, "amplitude_x") is False
    changed = dict(TEXTS, **{"b.json": "[]\n"})
    assert write_files(str(directory), changed, True, "amplitude_x") is True
    assert (directory / "b.json").read_text(encoding="utf-8") == "{}\n"


def test_directory_keeps_its_permissions(tmp_path):
    tmp_path.chmod(0o700)
    write_files(str(tmp_path), TEXTS, False, "amplitude_x")
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_file_keeps_its_permissions(tmp_path, mode):
    """What only its owner could read must not be there for all the others."""
    (tmp_path / "a.md").write_text("old", encoding="utf-8")
    (tmp_path / "a.md").chmod(mode)
    write_files(str(tmp_path), TEXTS, False, "amplitude_x")
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {"a.md": mode, "b.json": 0o644}


def test_text_that_is_half_a_character(tmp_path):
    """The API can answer with such a label."""
    write_files(str(tmp_path), {"a.md": "\ud800"}, False, "amplitude_x")
    assert (tmp_path / "a.md").read_text(encoding="utf-8") == "\\ud800"


def test_link_stays_one(tmp_path):
    (tmp_path / "there").write_text("old", encoding="utf-8")
    (tmp_path / "a.md").symlink_to("there")
    write_files(str(tmp_path), {"a.md": "new"}, False, "amplitude_x")
    assert (tmp_path / "there").read_text(encoding="utf-8") == "new" and (tmp_path / "a.md").is_symlink()


def test_what_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    told = "; set amplitude_x to a path that the user who runs ansible-playbook can write to."
    with pytest.raises(InputError) as caught:
        write_files(str(tmp_path / "file/x"), TEXTS, False, "amplitude_x")
    assert str(caught.value) == f"Could not write into {tmp_path}/file/x: not a directory{told}"

    def full(*dummy):
        raise OSError(28, "No space left on device")

    write_files(str(tmp_path), TEXTS, False, "amplitude_x")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="no space left on device"):
        write_files(str(tmp_path), {"a.md": "new"}, False, "amplitude_x")
    assert (tmp_path / "a.md").read_text(encoding="utf-8") == TEXTS["a.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "b.json", "file"]
