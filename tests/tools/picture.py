# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make docs/images/audit.webp, the picture of the audit in the README: an account on the emulator, audited by the playbook.

Run it after a change of the page, and look at the picture: tests/tools/env test python tests/tools/picture.py
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from ansible_collections.community.amplitude.tests.emulator import Emulator
from ansible_collections.community.amplitude.tests.support import browser

PICTURE = pathlib.Path(__file__).resolve().parents[2] / "docs/images/audit.webp"
WIDTH, HEIGHT, QUALITY = 1120, 860, 70
#: Small enough for a README on a slow line.
MOST_BYTES = 60_000
#: What stands in the page for what is different on every machine.
ADDRESS, STATE_FILE, TIME = "https://experiment.amplitude.com", "deployments.yml", "2026-07-01 02:00 UTC"

SHOPS = {"123456": "eu", "123457": "us", "123458": "apac"}
APPS = (
    "web-shop mobile-app checkout-api payment-api search-api loyalty-app loyalty-api newsletter backoffice store-finder "
    "recommendations gift-cards returns-portal price-engine order-tracker help-center live-chat fraud-check "
    "partner-portal stock-feed reviews wishlist"
).split()


def main() -> int | str:
    if browser.find() is None:
        return "A picture needs chromium."
    with tempfile.TemporaryDirectory() as place, Emulator() as emulator:
        directory = pathlib.Path(place)
        page = directory / "audit.html"
        projects = _account(emulator)
        (directory / STATE_FILE).write_text(yaml.safe_dump(dict(amplitude_projects=projects)), encoding="utf-8")
        environment = dict(os.environ, AMPLITUDE_BASE_URL=emulator.url, AMPLITUDE_MANAGEMENT_API_KEY="management-key")
        command = ["ansible-playbook", "community.amplitude.audit", "-e", "amplitude_state_file=" + STATE_FILE]
        done = subprocess.run(command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            return done.stdout
        text = page.read_text(encoding="utf-8")
        text = text.replace(f"<dd>{emulator.url}<", f"<dd>{ADDRESS.partition('//')[2]} (US)<")
        text = text.replace(str(directory.resolve() / STATE_FILE), STATE_FILE)
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", TIME, text)
        page.write_text(text, encoding="utf-8")
        with browser.started() as started:
            shown = browser.Page(started)
            shown.show(page.as_uri(), WIDTH, HEIGHT)
            PICTURE.parent.mkdir(exist_ok=True)
            shown.picture(PICTURE, "webp", quality=QUALITY)
    size = PICTURE.stat().st_size
    print(f"{PICTURE}: {WIDTH} x {HEIGHT}, {size} bytes")
    return 0 if size <= MOST_BYTES else f"It has more than {MOST_BYTES} bytes."


def _account(emulator: Emulator) -> list[dict[str, object]]:
    """Put an account into the emulator, and return what is wanted of it: most, but not all, is as it should be."""
    rows: list[dict[str, object]] = []
    projects: list[dict[str, object]] = []
    for project_id, shop in SHOPS.items():
        labels = [f"{shop}-{app}" for app in APPS]
        types = ["server" if re.search("api|engine|feed|check", label) else "client" for label in labels]
        rows.append(dict(projectId=project_id, label="default", type=None))
        rows += [dict(projectId=project_id, label=label, type=kind) for label, kind in zip(labels, types)]
        wanted = [dict(label=label, type=kind) for label, kind in zip(labels, types)]
        projects.append(dict(project_id=project_id, deployments=wanted))
    for number, row in enumerate(rows):
        row["id"] = str(40100 + 7 * number)
    of = {row["label"]: row for row in rows}
    wanted = {item["label"]: item for project in projects for item in project["deployments"]}
    # Somebody has tidied up by hand, and somebody has begun something new.
    rows.remove(of["us-gift-cards"])
    rows.remove(of["apac-live-chat"])
    of["eu-newsletter"]["deleted"] = True
    of["apac-order-tracker"]["deleted"] = True
    wanted["us-store-finder"]["id"] = of["us-store-finder"]["id"]
    of["us-store-finder"]["label"] = "us-shop-finder"
    wanted["eu-stock-feed"]["state"] = "absent"
    wanted["eu-checkout-api"].update(experiments=["one-page-checkout"], flags=["fast-search"])
    rows.append(dict(projectId="123458", label="apac-hackathon", type="client", id="40990"))
    rows.append(dict(projectId="123460", label="default", type=None, id="40991"))
    used = [row["id"] for row in rows if row["projectId"] == "123456" and row["label"] != "eu-stock-feed"]
    flags = [
        dict(id="1", projectId="123456", key="fast-search", deployments=used),
        dict(
            id="2",
            projectId="123457",
            key="new-home",
            deployments=[row["id"] for row in rows if row["projectId"] == "123457"],
        ),
        dict(
            id="3",
            projectId="123458",
            key="new-home",
            deployments=[row["id"] for row in rows if row["projectId"] == "123458"][:-3],
        ),
    ]
    experiments = [dict(id="4", projectId="123456", key="one-page-checkout", deployments=[])]
    covered = [*SHOPS, "123460"]
    emulator.reset(dict(keys={"management-key": covered}, deployments=rows, flags=flags, experiments=experiments))
    return projects


if __name__ == "__main__":
    sys.exit(main())
