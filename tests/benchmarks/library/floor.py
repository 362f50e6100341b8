# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor of any module: it does nothing, or nothing but import requests."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(argument_spec=dict(import_requests=dict(type="bool", default=False)))
    if module.params["import_requests"]:
        import requests  # noqa: F401 # pylint: disable=unused-import
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
