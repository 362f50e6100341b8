# SPDX-FileCopyrightText: The community.amplitude contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx builds the documentation site; see tests/tools/docs."""

import pathlib
import re
import zlib

project = "community.amplitude"
copyright = "The community.amplitude contributors"
html_title = "community.amplitude"
html_short_title = html_title
html_theme = "sphinx_ansible_theme"
html_theme_options = {"documentation_home_url": "index.html", "topbar_links": {}}
html_static_path = ["site"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"
# Every reference has to lead somewhere.
nitpicky = True

# The pages of Ansible that the generated ones refer to, so that the site can be built without a network.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
ANSIBLE_LABELS = {
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
inventory = pathlib.Path(__file__).resolve().parents[1] / ".cache/docs/ansible.inv"
labels = "".join("{0} std:label -1 {1} -\n".format(*each) for each in ANSIBLE_LABELS.items())
inventory.write_bytes(
    b"# Sphinx inventory version 2\n# Project: Ansible\n# Version:\n"
    b"# The remainder of this file is compressed using zlib.\n" + zlib.compress(labels.encode())
)
intersphinx_mapping = {"ansible": (ANSIBLE, str(inventory))}

# Where ansible-doc leads to a guide in the repository, the site has it itself.
GUIDES = "https://github.com/ansible-collections/community.amplitude/blob/main/docs/docsite/rst/"


def lead_to_guides(app, name, source):
    """Make links to guides in the text of a page, ``source[0]``, lead to the site."""
    source[0] = re.sub(re.escape(GUIDES) + r"(\w+)\.rst", r"docsite/\1.html", source[0])


def setup(app):
    """Change the text of each page before Sphinx reads it."""
    app.connect("source-read", lead_to_guides)
