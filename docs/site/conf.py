# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx configuration of the site that `make docs` builds.

See the session docs of noxfile.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

GALAXY = yaml.safe_load(Path(__file__).parents[2].joinpath("galaxy.yml").read_text("utf-8"))

project = f"{GALAXY['namespace']}.{GALAXY['name']}"
release = GALAXY["version"]
author = copyright = f"{GALAXY['authors'][0]}, {GALAXY['license'][0]}"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
exclude_patterns = ["README.md"]  # the index includes it
myst_heading_anchors = 4  # as Git hosts have them

default_role = "any"  # as antsibull-docs writes
nitpicky = True
# References to Ansible's own documentation, which need a network to resolve.
nitpick_ignore_regex = [
    ("std:ref", r"action_plugins|ansible_configuration_settings|common_return_values"),
    ("std:envvar", r"ANSIBLE_\w+"),
]

html_theme = "furo"
html_title = f"{project} {release}"
html_show_sphinx = html_copy_source = html_use_index = False
html_static_path = ["static"]
html_css_files = ["site.css"]
antsibull_ext_color_scheme = "none"  # site.css has it
highlight_language = "YAML+Jinja"


def suit_theme(app: Any, page: str, source: list[str]) -> None:
    """Shorten titles of reference pages, and remove their table of contents."""
    if not page.startswith("reference/"):
        return
    text = re.sub(r"^\.\. contents::\n(   :.*\n)+", "", source[0], flags=re.M)
    # As long as the URLs in galaxy.yml are examples, the buttons do not work.
    link = r"^(Collection links\n~+\n+)?\.\. ansible-links::\n\n(?:  - .*\n +url: .*\.example/.*\n +external: .*\n)+"
    text = re.sub(link, "", text, flags=re.M)
    title = rf"^{re.escape(project)}\.(\w+ \w+) -- (.*)\n\++$"
    source[0] = re.sub(title, lambda it: f"{it[1]}\n{'+' * len(it[1])}\n\n*{it[2]}*", text, flags=re.M)


def setup(app: Any) -> None:
    app.connect("source-read", suit_theme)
