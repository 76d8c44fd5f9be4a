# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documented examples, which run when pasted, and the README's lists."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.server import Emulator
from support.cloud_hosts import origin
from support.published_ranges import write_ranges

from .playbook import CHECKOUT, COLLECTION, run_command, run_inventory, run_playbook

PLUGINS = sorted(path for folder in ("modules", "lookup", "filter") for path in CHECKOUT.glob(f"plugins/{folder}/*.py"))
INVENTORY = CHECKOUT / "plugins/inventory/zones.py"
README = (CHECKOUT / "README.md").read_text("utf-8")
FIRST_ZONE = (CHECKOUT / "docs" / "first-zone.md").read_text("utf-8")
FLEET = [
    {"origin_ip": "192.0.2.10", "vendor": "aws", "region": "us-east-1"},
    {"origin_ip": "198.51.100.20", "vendor": "azure", "region": "westeurope"},
]

WEB = {
    "name": "web1",
    "groups": ["web"],
    "origin_ip": "192.0.2.10",
    "origin_vendor": "aws",
    "origin_region": "us-east-1",
    "origin_zones": "example.com",
}


def examples(plugin: Path) -> list[Any]:
    """Return the YAML documents of a plugin's EXAMPLES, for most its tasks."""
    text = re.search(r'^EXAMPLES = r"""$(.*?)^"""$', plugin.read_text("utf-8"), re.M | re.S)
    assert text, plugin
    return list(yaml.safe_load_all(text[1]))


@pytest.fixture
def environment(emulator: Emulator) -> dict[str, str]:
    """Return the variables that a reader sets before pasting."""
    for name in ("example.com", "example.net"):
        emulator.add_zone(name, mappings={"192.0.2.10": ("aws", "us-east-1")})
    return {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.stem)
def test_examples_of_plugins_run(plugin: Path, emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    ranges, mirror = (write_ranges(tmp_path / name) for name in ("ranges", "mirror"))
    shutil.copy(ranges["azure"], tmp_path / "ServiceTags_Public.json")
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        # There is no access to the internet.
        "module_defaults": {f"{COLLECTION}.cloud_ip_ranges": {"sources": mirror}},
        "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "mirror": str(tmp_path / "mirror"),
            "cloudflare_api_token": emulator.token,
            "cloudflare_email": emulator.email,
            "cloudflare_api_key": emulator.key,
            "cloudflare_zone_id": emulator.add_zone("example.com").id,
            "fleet": FLEET,
            "published_ranges": mirror,
        },
        "pre_tasks": [{"ansible.builtin.add_host": WEB}],
        "tasks": examples(plugin)[0],
    }
    done = run_playbook(tmp_path, [play], environment=environment)
    assert done.returncode == 0, done.stdout


def test_examples_of_the_inventory_run(emulator: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    strict = {**environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    emulator.add_zone("shop.example")
    *inventories, playbook = examples(INVENTORY)
    assert inventories
    for inventory in inventories:
        (tmp_path / "cloudflare_zones.yml").write_text(yaml.safe_dump({**inventory, "strict": True}))
        done = run_inventory(tmp_path, "--graph", environment=strict)
        assert done.returncode == 0, done.stderr
        assert "example.com" in done.stdout
        assert "WARNING" not in done.stderr
    fleet = ["-e", json.dumps({"fleet": FLEET})]
    done = run_playbook(tmp_path, playbook, "-i", "cloudflare_zones.yml", *fleet, environment=strict)
    assert done.returncode == 0, done.stdout
    assert emulator.add_zone("example.net").values()["198.51.100.20"] == ("azure", "westeurope")


def test_playbooks_of_pages_run(environment: dict[str, str], emulator: Emulator, tmp_path: Path) -> None:
    roles = sorted(CHECKOUT.glob("roles/*/README.md"), reverse=True)
    texts = [README, FIRST_ZONE, *(path.read_text("utf-8") for path in roles)]
    blocks = [block for text in texts for block in re.findall(r"^```yaml$(.*?)^```$", text, re.M | re.S)]
    playbooks = [yaml.safe_load(block) for block in blocks]
    assert playbooks
    fleet = [origin("192.0.2.10", "aws/us-east-1"), origin("198.51.100.20", "azure/westeurope")]
    fleet += [origin("2001:db8::30", "gcp/europe-west1")]
    hosts = {f"web{number}": variables for number, variables in enumerate(fleet)}
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"children": {"web": {"hosts": hosts}}}}))
    for playbook in playbooks:
        done = run_playbook(tmp_path, playbook, "--diff", "-i", "hosts.yml", environment=environment)
        assert done.returncode == 0, done.stdout
    assert emulator.add_zone("example.com").values()["2001:db8::30"] == ("gcp", "europe-west1")
    assert (tmp_path / "audit" / "report.html").exists()


def test_the_command_of_the_first_zone_runs(emulator: Emulator, tmp_path: Path) -> None:
    [command] = [line for line in FIRST_ZONE.splitlines() if line.startswith("ansible localhost ")]
    zone = emulator.add_zone("example.com", tiered_cache=False, smart_tiered_cache=False)
    environment = {"CLOUDFLARE_BASE_URL": emulator.api_url, "CLOUDFLARE_API_TOKEN": emulator.token}
    done = run_command(tmp_path, command, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (zone.tiered_cache, zone.smart_tiered_cache) == (True, True)


def test_the_second_example_of_the_readme_runs(environment: dict[str, str], emulator: Emulator, tmp_path: Path) -> None:
    [block] = [text for text in re.findall(r"^```console$(.*?)^```$", README, re.M | re.S) if "map_zone" in text]
    zone = emulator.add_zone(
        "example.com",
        mappings={},
        dns_records=[{"type": "A", "name": "example.com", "content": "192.0.2.40", "proxied": True}],
    )
    # Copies of an earlier day, since there is no access to the internet.
    write_ranges(tmp_path / ".cache" / "originops.cloudflare")
    ahead, run = (run_command(tmp_path, command, environment) for command in block.strip().splitlines())
    for done in (ahead, run):
        assert done.returncode == 0, done.stdout + done.stderr
        assert "changed=1 " in done.stdout
    assert "+192.0.2.40: azure/eastus2" in ahead.stdout
    assert zone.values() == {"192.0.2.40": ("azure", "eastus2")}
    again = run_command(tmp_path, block.strip().splitlines()[1], environment)
    assert "changed=0 " in again.stdout


def test_the_readme_lists_all_plugins() -> None:
    kinds = {"modules": "module", "lookup": "lookup", "filter": "filter", "inventory": "inventory"}
    there = {(plugin.stem, kinds[plugin.parent.name]) for plugin in [*PLUGINS, INVENTORY]}
    there |= {(path.name, "role") for path in CHECKOUT.glob("roles/*")}
    there |= {(path.stem, "playbook") for path in CHECKOUT.glob("playbooks/*.yml")}
    listed = re.findall(rf"^\| `{COLLECTION}\.(\w+)` \| ([a-z, ]+) \|", README, re.M)
    assert sorted((name, kind) for name, listed_as in listed for kind in listed_as.split(", ")) == sorted(there)


def test_the_readme_names_the_options_and_variables_of_credentials() -> None:
    table = re.findall(r"^\| [^|]+ \| (`api_[^|]+) \| (`CLOUDFLARE_[^|]+) \|$", README, re.M)
    options = [name for row in table for name in re.findall(r"`(\w+)`", row[0])]
    variables = [name for row in table for name in re.findall(r"`(\w+)`", row[1])]
    fragment = (CHECKOUT / "plugins/doc_fragments/cloudflare.py").read_text("utf-8")
    documented = re.findall(r"^  (api_\w+):\n(?:    secret: true\n)?    env:\n      - name: (\w+)", fragment, re.M)
    assert dict(zip(options, variables, strict=True)) == {
        option: variable for option, variable in documented if option != "api_url"
    }
