# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make bench` measures, each figure beside its limit; the figures are written to docs/benchmarks.md."""
