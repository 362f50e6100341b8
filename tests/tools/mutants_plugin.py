# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plugin of pytest for mutants.py: it tells which test executes which lines, or runs chosen tests in their order."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

#: A file to write: of each test the seconds it took, whether it failed, and the lines it has executed.
RECORD = os.environ.get("MUTANTS_RECORD")
#: A file to read: the tests to run.
CHOSEN = os.environ.get("MUTANTS_CHOSEN")


class Recorder:
    """Writes down what each test executes; what is executed by an import belongs to the test ''."""

    def __init__(self, file: str) -> None:
        from coverage import Coverage

        self._file = pathlib.Path(file)
        self._tests: dict[str, tuple[float, bool]] = {}
        self._coverage = Coverage(data_file=None, config_file=False, source=["plugins/module_utils"])
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> t.Generator[None, object, object]:
        self._coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        seconds, failed = self._tests.get(report.nodeid, (0.0, False))
        self._tests[report.nodeid] = seconds + report.duration, failed or report.failed

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        root = pathlib.Path.cwd() / "plugins" / "module_utils"
        # By number, since the names are long and each line is executed by hundreds.
        numbers = {test: number for number, test in enumerate(["", *self._tests])}
        lines = {
            pathlib.Path(file).resolve().relative_to(root.resolve()).as_posix(): {
                line: sorted({numbers[test] for test in tests}) for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        self._file.write_text(json.dumps(dict(tests=self._tests, lines=lines)), encoding="utf-8")


class Chooser:
    """Runs the chosen tests in their order. A test that fails is run once more: it may have failed for want of time."""

    def __init__(self, file: str) -> None:
        tests = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
        self._places = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._places), key=lambda item: self._places[item.nodeid]
        )
        for item in items:
            # That it fails is enough: the smallest example of it is not needed.
            function = getattr(item, "obj", None)
            given = getattr(function, "_hypothesis_internal_use_settings", None)
            if given is not None:
                function._hypothesis_internal_use_settings = settings(given, phases=[Phase.explicit, Phase.generate])

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        for attempt in (1, 2):
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if not any(report.failed for report in reports):
                break
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        return True


def pytest_configure(config: pytest.Config) -> None:
    if RECORD:
        config.pluginmanager.register(Recorder(RECORD))
    if CHOSEN:
        config.pluginmanager.register(Chooser(CHOSEN))
