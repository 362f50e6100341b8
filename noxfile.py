# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# /// script
# dependencies = ["nox>=2025.2.9", "antsibull-nox"]
# ///

"""The checks that collections in the Ansible package share; see antsibull-nox.toml."""

import sys

import nox

try:
    import antsibull_nox
except ImportError:
    sys.exit("antsibull-nox is needed in the Python that runs nox: 'make nox' sets it up.")

antsibull_nox.load_antsibull_nox_toml()

if __name__ == "__main__":
    nox.main()
