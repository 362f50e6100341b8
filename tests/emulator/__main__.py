# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python tests/emulator`` and ``python -m tests.emulator``."""

from __future__ import annotations

import importlib
import pathlib
import sys

package = __package__
if not package:  # run as a directory: make the directory a package, so that relative imports work
    directory = pathlib.Path(__file__).resolve().parent
    sys.path[0] = str(directory.parent)
    package = directory.name

if __name__ == "__main__":
    try:
        cli = importlib.import_module(package + ".cli")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("flask", "werkzeug"):
            raise
        sys.exit(f"The emulator needs Flask: {sys.executable} -m pip install flask")
    sys.exit(cli.main())
