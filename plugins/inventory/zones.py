# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: zones
short_description: Use Cloudflare zones as inventory hosts
version_added: 1.0.0
description:
  - Creates a host for each zone that the credentials may read. A play can then run on the zones, as on any other hosts.
  - The name of a host is O(host_prefix) and the name of its zone, such as C(zone-example.com). If another zone of that
    name is selected too, or a host of an earlier inventory source has that name, C(_ZONEID) follows. A host of an
    earlier source is never changed.
  - All hosts are in the group C(cloudflare_zones). Their tasks run on the controller, by C(ansible_connection=local)
    and the Python that read the inventory as C(ansible_python_interpreter).
  - Reading zones takes one request for every 50 zones, and at least one request.
  - The name of the inventory file has to end with C(cloudflare_zones.yml) or C(cloudflare_zones.yaml). A warning names
    a file of another name that has this plugin.
author:
  - Contributors to the originops.cloudflare project (@originops)
options:
  plugin:
    description:
      - The name of this plugin, which marks the file as its configuration.
    type: str
    version_added: 1.0.0
    required: true
    choices:
      - originops.cloudflare.zones
  host_prefix:
    description:
      - The text before the name of a zone in the name of its host. It distinguishes the zone from a server of the same
        name.
      - If it is empty, and a later inventory source has a host with the name of a zone, Ansible merges both hosts, and
        tasks for that server run on the controller. Specify the file of the zones last.
    type: str
    version_added: 1.0.0
    default: zone-
  accounts:
    description:
      - The identifiers or names of the accounts to include, or shell patterns for the names. The default is all
        accounts.
      - An account without zones, and a pattern that selects none, cause a warning.
    type: list
    version_added: 1.0.0
    elements: str
    default: []
  names:
    description:
      - Shell patterns, such as V(*.example.com) or V(shop-?.example), for the names of the zones to include. The
        default is all names.
      - V(*.example.com) matches V(www.example.com), but not V(example.com).
      - A pattern that selects no zone causes a warning. So does a name without a wildcard, and the audit fails for it,
        also if O(accounts) or O(statuses) exclude its zone.
    type: list
    version_added: 1.0.0
    elements: str
    default: []
  statuses:
    description:
      - The statuses of the zones to include. An empty list includes all statuses.
    type: list
    version_added: 1.0.0
    elements: str
    choices:
      - active
      - initializing
      - moved
      - pending
    default:
      - active
extends_documentation_fragment:
  - originops.cloudflare.cloudflare
  - originops.cloudflare.cloudflare.environment
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
notes:
  - The variables of a host are C(cloudflare_zone_id), C(cloudflare_zone_name), C(cloudflare_zone_status),
    C(cloudflare_zone_account) with C(id) and C(name), and C(cloudflare_zone_plan), the name of the plan. Values that
    the service does not return are null.
  - The variable C(cloudflare_zones_inventory) has the path of the inventory file as C(file), as C(zones) the number of
    hosts that this file made, and as C(unmatched) the entries of O(names) that are names, not patterns, and select no
    zone, also if O(accounts) or O(statuses) exclude it. The roles compare C(zones) with the hosts in the inventory. If
    hosts are missing, as in a job slice of AWX, origins are missing too. The audit fails for the zones in
    C(unmatched).
  - The variable C(cloudflare_zones_files) of the group C(all) has the same of all files, by their paths.
  - O(accounts), O(host_prefix), O(names), O(api_token), O(api_email), O(api_key) and O(api_url) can be templates, with
    lookups and extra variables. Do not store secrets in the file, or encrypt them with Ansible Vault.
  - The cache has all zones before filters, so changed filters need no new requests. It distinguishes services and
    inventory files, but not credentials. Use another O(cache_connection) or O(cache_prefix) for credentials with access
    to other zones.
  - If plays run with another Python than the one that read the inventory, which is possible in AWX, set the variable
    C(ansible_python_interpreter) of the play to C({{ ansible_playbook_python }}).
  - Ansible warns of an inventory source that cannot be read, for example because of a refused token, and continues
    without it. Plays over zones are then skipped, with exit status 0. Set E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED)
    to V(true), or C(any_unparsed_is_failed = true) in the section C([inventory]) of C(ansible.cfg), so that the run
    fails instead. The playbook C(originops.cloudflare.audit) fails without zones anyway.
seealso:
  - module: originops.cloudflare.origin_cloud_region_batch
"""

EXAMPLES = r"""
# fmt: yaml+jinja
---
# A complete cloudflare_zones.yml: all active zones that the credentials of the environment may read. Run Ansible with
# ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=true in its environment, so that it does not continue without the zones.
plugin: originops.cloudflare.zones

---
# Zones of an account by name, including pending ones, in groups by plan and status
plugin: originops.cloudflare.zones
api_token: "{{ lookup('ansible.builtin.env', 'CLOUDFLARE_API_TOKEN') }}"
accounts:
  - Example
names:
  - example.*
  - "*.example"
statuses:
  - active
  - pending
keyed_groups:
  - key: cloudflare_zone_plan
    prefix: plan
  - key: cloudflare_zone_status
    prefix: status
groups:
  shops: cloudflare_zone_name is search('shop')
compose:
  origins_group: "'origins_of_' ~ (cloudflare_zone_name | replace('.', '_'))"

---
# Read from Cloudflare again only after ten minutes, or with ansible-playbook --flush-cache
plugin: originops.cloudflare.zones
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/cloudflare_zones
cache_timeout: 600

---
# A playbook for ansible-playbook -i cloudflare_zones.yml: each task manages the zone of its host, zone-example.com for
# example.com. Without zones the first play fails, with any settings of Ansible.
- name: Require zones
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Check that the inventory has zones
      ansible.builtin.assert:
        that: groups['cloudflare_zones'] | default([]) | length > 0

- name: Manage the origin mappings of all zones
  hosts: cloudflare_zones
  gather_facts: false
  module_defaults:
    group/originops.cloudflare.cloudflare:
      zone_id: "{{ cloudflare_zone_id }}"
  tasks:
    - name: Map the fleet
      originops.cloudflare.origin_cloud_region_batch:
        mappings: "{{ fleet }}"

    - name: Read the zone back
      originops.cloudflare.origin_cloud_region_info:
      register: zone
"""

import re
import sys
from collections import Counter
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._argspec import CONNECTION_ALIASES, CONNECTION_RULES, CONNECTION_SPEC, validate_options
from ..module_utils._connection import open_client
from ..module_utils._errors import InvalidInput, OriginOpsError
from ..module_utils._messages import quote, suggest
from ..module_utils._zones import list_zones

OWN_OPTIONS: dict[str, dict[str, Any]] = {
    "host_prefix": {"type": "str", "default": "zone-"},
    "accounts": {"type": "list", "elements": "str", "default": []},
    "names": {"type": "list", "elements": "str", "default": []},
    "statuses": {"type": "list", "elements": "str", "default": ["active"]},
}
VALIDATOR = ArgumentSpecValidator({**CONNECTION_SPEC, **OWN_OPTIONS}, **CONNECTION_RULES)

GROUP = "cloudflare_zones"
NAME = "originops.cloudflare.zones"
CONTINUES = "Ansible continues without these zones, unless ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED is true"
FILE_NAMES = ("cloudflare_zones.yml", "cloudflare_zones.yaml")

NAMES_PLUGIN = re.compile(rf"""^(\{{\s*)?["']?plugin["']?\s*:\s*["']?{re.escape(NAME)}(?![\w.])""".encode(), re.M)
MAX_MISNAMED_BYTES = 64 * 1024
"""Maximum size of files with other names to search for the plugin's name."""


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = NAME

    def verify_file(self, path: str) -> bool:
        if not super().verify_file(path):
            return False
        if path.endswith(FILE_NAMES):
            return True
        if path.endswith((".yml", ".yaml")) and _names_plugin(Path(path)):
            self.display.warning(
                f"{path} is not read: the name of an inventory file of {NAME} has to end with {' or '.join(FILE_NAMES)}"
            )
        return False

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        try:
            options = self._validate_options(self._read_config_data(path))
            zones = self._list_zones(options, path, cache)
        except OriginOpsError as error:
            raise AnsibleParserError(f"{error}. {CONTINUES}") from None
        chosen = self._filter_zones(zones, options)
        # Names, not patterns: each is the name of one zone.
        unmatched = [
            name for name in options["names"] if not re.search(r"[*?[]", name) and not _matching(chosen, [name])
        ]
        self._populate(chosen, options["host_prefix"], path, unmatched)

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        # Ansible's message about a value of another type contains the value.
        for name in ("api_token", "api_key", "account_api_key"):
            if isinstance((direct or {}).get(name), (dict, list)):
                raise AnsibleParserError(f"{name} is not text")
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)

    def _validate_options(self, config: dict[str, Any]) -> dict[str, Any]:
        """Validate the options about zones like those of modules."""
        known = self.get_options()
        names = [CONNECTION_ALIASES.get(name, name) for name in map(str, config)]
        for name in names:
            if name not in known:
                raise AnsibleParserError(f"option {name} is unknown: {suggest(name, known)}")
        self.templar.available_variables = self._vars
        # Only those of the file itself. Ansible has decrypted single values, but splits templates of lists.
        options = {
            name: self.templar.template(config[name] if name in OWN_OPTIONS else self.get_option(name))
            for name in VALIDATOR.argument_spec
            if name in names
        }
        valid = validate_options(VALIDATOR, {name: value for name, value in options.items() if value is not None})
        if not re.fullmatch(r"[\w.-]*", valid["host_prefix"], re.ASCII):
            prefix = quote(valid["host_prefix"])
            raise InvalidInput(f"host_prefix: {prefix} has other characters than letters, digits and . _ -")
        return valid

    def _list_zones(self, options: dict[str, Any], path: str, cache: bool) -> list[dict[str, Any]]:
        """List all zones as list_zones does, from the cache if allowed."""
        # The key has the service and the inventory file. It has no credentials: their hash in a file's name would let
        # guesses be tried, and a new token of the same user should find the zones that the old token has cached.
        service = sha256(options["api_url"].encode()).hexdigest()[:8]
        key = f"{self.get_cache_key(path)}_{service}"
        cached = self.get_option("cache")
        if cached and cache:
            try:
                return self.cache[key]
            except KeyError:
                pass
        with open_client(options) as client:
            zones = list_zones(client)
        if cached:
            self.cache[key] = zones
        return zones

    def _filter_zones(self, zones: list[dict[str, Any]], options: dict[str, Any]) -> list[dict[str, Any]]:
        """Select zones by all filters. Warn of accounts and patterns without any."""
        accounts, names, statuses = options["accounts"], options["names"], options["statuses"]
        for account in accounts:
            if not any(_is_in(zone, account) for zone in zones):
                self.display.warning(f"accounts: no zone that these credentials can read is in {quote(account)}")
        chosen = [
            zone
            for zone in zones
            if (not accounts or any(_is_in(zone, account) for account in accounts))
            and (not statuses or zone["status"] in statuses)
        ]
        for pattern in names:
            if not _matching(zones, [pattern]):
                self.display.warning(f"names: no zone that these credentials can read matches {quote(pattern)}")
            elif not _matching(chosen, [pattern]):
                self.display.warning(f"names: accounts or statuses exclude all zones that match {quote(pattern)}")
        return _matching(chosen, names) if names else chosen

    def _populate(self, zones: list[dict[str, Any]], prefix: str, path: str, unmatched: list[str]) -> None:
        self.inventory.add_group(GROUP)
        count = Counter(zone["name"] for zone in zones)
        hosts: dict[str, dict[str, Any]] = {}
        for zone in zones:
            host = prefix + zone["name"]
            if count[zone["name"]] > 1 or self._is_taken(host, zone["id"]):
                host = f"{host}_{zone['id']}"
            hosts[host] = zone
        # Hosts that another file of this plugin has made are counted there.
        made = {host for host in hosts if host not in self.inventory.hosts}
        counts = {"zones": len(made), "unmatched": unmatched}
        source = {"file": _no_template(path), **counts}
        # Of a file without a zone, and in a slice without a host of the file, only this variable is left.
        files = self.inventory.groups["all"].vars.get("cloudflare_zones_files", {})
        self.inventory.set_variable("all", "cloudflare_zones_files", {**files, path: counts})
        for host, zone in hosts.items():
            self.inventory.add_host(host, group=GROUP)
            for name, value in zone.items():
                self.inventory.set_variable(host, f"cloudflare_zone_{name}", _no_template(value))
            if host in made:
                self.inventory.set_variable(host, "cloudflare_zones_inventory", source)
            self.inventory.set_variable(host, "ansible_connection", "local")
            self.inventory.set_variable(host, "ansible_python_interpreter", sys.executable)
            self._construct(host)

    def _is_taken(self, host: str, zone_id: str) -> bool:
        """Check whether an earlier inventory source has another host of this name."""
        earlier = self.inventory.hosts.get(host)
        return earlier is not None and earlier.vars.get("cloudflare_zone_id") != zone_id

    def _construct(self, host: str) -> None:
        variables = self.inventory.get_host(host).get_vars()
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


def _names_plugin(path: Path) -> bool:
    """Check whether a small YAML file names this plugin.

    A file that cannot be read does not.
    """
    try:
        small = path.is_file() and path.stat().st_size <= MAX_MISNAMED_BYTES
        return small and bool(NAMES_PLUGIN.search(path.read_bytes()))
    except OSError:
        return False


def _is_in(zone: dict[str, Any], account: str) -> bool:
    """Check whether a zone is in an account.

    account is its identifier, its name, or a pattern of its name.
    """
    known = zone["account"].values()
    return account in known or fnmatchcase(zone["account"]["name"] or "", account)


def _matching(zones: list[dict[str, Any]], patterns: list[str]) -> list[dict[str, Any]]:
    """Return the zones with names that match a pattern."""
    return [zone for zone in zones if any(fnmatchcase(zone["name"].lower(), pattern.lower()) for pattern in patterns)]


def _no_template(value: Any) -> Any:
    """Mark text of the service that looks like a template.

    ansible-core before 2.19 would evaluate it. Other text is not marked, because the output of ansible-inventory
    shows the mark.
    """
    if isinstance(value, dict):
        return {key: _no_template(inner) for key, inner in value.items()}
    return wrap_var(value) if isinstance(value, str) and "{" in value else value
