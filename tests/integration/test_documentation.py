# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is documented runs when pasted, and what the README lists is what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.server import Emulator

from .playbook import CHECKOUT, COLLECTION, run_playbook

PLUGINS = sorted([*CHECKOUT.glob("plugins/modules/*.py"), *CHECKOUT.glob("plugins/lookup/*.py")])
README = (CHECKOUT / "README.md").read_text("utf-8")
FLEET = [
    {"origin_ip": "192.0.2.10", "vendor": "aws", "region": "us-east-1"},
    {"origin_ip": "198.51.100.20", "vendor": "azure", "region": "westeurope"},
]


def examples(plugin: Path) -> list[dict[str, Any]]:
    """The tasks of a plugin's EXAMPLES."""
    text = re.search(r'^EXAMPLES = r"""$(.*?)^"""$', plugin.read_text("utf-8"), re.M | re.S)
    assert text, plugin
    return yaml.safe_load(text[1])


@pytest.fixture
def environment(emulator: Emulator) -> dict[str, str]:
    """What a reader has set before pasting."""
    for name in ("example.com", "example.net"):
        emulator.add_zone(name, mappings={"192.0.2.10": ("aws", "us-east-1")})
    return {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.stem)
def test_examples_of_plugins_run(plugin: Path, emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "cloudflare_api_token": emulator.token,
            "cloudflare_email": emulator.email,
            "cloudflare_api_key": emulator.key,
            "cloudflare_zone_id": emulator.add_zone("example.com").id,
            "fleet": FLEET,
        },
        "tasks": examples(plugin),
    }
    done = run_playbook(tmp_path, [play], environment=environment)
    assert done.returncode == 0, done.stdout


def test_playbooks_of_the_readme_run(environment: dict[str, str], emulator: Emulator, tmp_path: Path) -> None:
    playbooks = [yaml.safe_load(text) for text in re.findall(r"^```yaml$(.*?)^```$", README, re.M | re.S)]
    assert playbooks
    for playbook in playbooks:
        done = run_playbook(tmp_path, playbook, "--diff", environment=environment)
        assert done.returncode == 0, done.stdout
    assert emulator.add_zone("example.com").values()["2001:db8::30"] == ("gcp", "europe-west1")


def test_the_readme_lists_every_plugin() -> None:
    listed = re.findall(rf"^\| `{COLLECTION}\.(\w+)` \| (module|lookup) \|", README, re.M)
    kinds = {"modules": "module", "lookup": "lookup"}
    assert sorted(listed) == sorted((plugin.stem, kinds[plugin.parent.name]) for plugin in PLUGINS)


def test_the_readme_names_the_options_and_variables_of_credentials() -> None:
    table = re.findall(r"^\| [^|]+ \| (`api_[^|]+) \| (`CLOUDFLARE_[^|]+) \|$", README, re.M)
    options = [name for row in table for name in re.findall(r"`(\w+)`", row[0])]
    variables = [name for row in table for name in re.findall(r"`(\w+)`", row[1])]
    fragment = (CHECKOUT / "plugins/doc_fragments/cloudflare.py").read_text("utf-8")
    documented = re.findall(r"^  (api_\w+):\n    env:\n      - name: (\w+)", fragment, re.M)
    assert dict(zip(options, variables, strict=True)) == {
        option: variable for option, variable in documented if option != "api_url"
    }
