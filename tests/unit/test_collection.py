# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Structure of the collection: imports, and documentation of the code."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ansible.release import __version__

from ansible_collections.originops.cloudflare.plugins.action import (
    audit_zones,
    cloud_ip_ranges,
    map_zones,
    origin_cloud_region,
)
from ansible_collections.originops.cloudflare.plugins.doc_fragments.cloudflare import ModuleDocFragment
from ansible_collections.originops.cloudflare.plugins.inventory import zones
from ansible_collections.originops.cloudflare.plugins.lookup import origin_cloud_supported_regions
from ansible_collections.originops.cloudflare.plugins.module_utils._argspec import ARGUMENT_SPEC, CONNECTION_SPEC
from ansible_collections.originops.cloudflare.plugins.module_utils._connection import CREDENTIAL_VARIABLES
from ansible_collections.originops.cloudflare.plugins.plugin_utils._many_zones import CONNECTION
from emulator.server import Emulator
from matrix import LOWEST, SUPPORTED
from support.operations import options
from support.values import fleet, items

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
SOURCES = sorted(PLUGINS.rglob("*.py"))
PLUGIN_NAMES = {path.stem for path in SOURCES if not path.parent.name.endswith("_utils")}
PACKAGE = "ansible_collections.originops.cloudflare.plugins"

# A file of the core imports only from lower layers, which gives an order to read them in.
CORE = [
    {"_concurrency", "_failures", "_messages", "_python"},
    {"_errors", "_schema"},
    {"_files", "_hints", "_mapping"},
    {"_http", "_locations", "_networks", "_plan", "_regions"},
    {"_client", "_guards"},
    {"_endpoints", "_zones"},
    {"_apply", "_endpoints_v1"},
    {"_connection"},
    {"_argspec", "_batch", "_info", "_settings", "_single"},
    {"_module"},
]
HEIGHT = {name: height for height, layer in enumerate(CORE) for name in layer}
ON_DEMAND = {
    *("_apply", "_concurrency", "_endpoints_v1", "_failures", "_guards"),
    *("_hints", "_networks", "_regions", "_zones"),
}
"""Files of the core that a task without changes and failures does not need."""
# Each wing is one subject on top of the core, in files of its own.
WINGS = {"_audit", "_export", "_in_process", "_inventory", "_origins", "_ranges", "_report", "_traffic"}
ABOVE = {"_access", "_many_zones"}
"""Parts that combine wings."""
KNOW_ANSIBLE = {"_argspec", "_module"}

PUBLIC = {
    "ansible": {"constants"},
    "ansible.errors": {"AnsibleError", "AnsibleFilterError", "AnsibleLookupError", "AnsibleParserError"},
    "ansible.module_utils": {"basic", "secrets"},
    "ansible.module_utils.basic": {"missing_required_lib"},
    "ansible.module_utils.common.arg_spec": {"ArgumentSpecValidator"},
    "ansible.module_utils.common.parameters": {"env_fallback"},
    "ansible.module_utils.common.validation": {"check_type_dict"},
    "ansible.module_utils.parsing.convert_bool": {"boolean"},
    "ansible.playbook.task": {"Task"},
    "ansible.plugins.action": {"ActionBase"},
    "ansible.plugins.action.normal": {"ActionModule"},
    "ansible.plugins.inventory": {"BaseInventoryPlugin", "Cacheable", "Constructable"},
    "ansible.plugins.lookup": {"LookupBase"},
    "ansible.template": {"Templar"},
    "ansible.utils.display": {"Display"},
    "ansible.utils.unsafe_proxy": {"wrap_var"},
}
"""Names of ansible-core in use: those of its developer guide for plugins, and a type."""


def imports(path: Path) -> Iterator[str]:
    """Yield the names of the modules that a file imports from.

    Relative names have leading dots.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "module_utils":
            yield from ("." * node.level + f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def label(path: Path) -> str:
    return str(path.relative_to(PLUGINS))


def part_of(path: Path) -> str:
    """Return the part of a file: core file, wing or kind of plugin."""
    folder, name, *_rest = path.relative_to(PLUGINS).with_suffix("").parts
    return name if folder in ("module_utils", "plugin_utils") else folder


def own_imports(path: Path) -> set[str]:
    """Return the parts that a file imports from, except its own."""
    names = set()
    for name in imports(path):
        if name.startswith("."):
            dots = len(name) - len(name.lstrip("."))
            names.add(part_of(path.parents[dots - 1].joinpath(*name.lstrip(".").split(".")).with_suffix(".py")))
    return names - {part_of(path)}


def test_every_file_is_in_a_layer_or_wing() -> None:
    shared = {part_of(path) for path in SOURCES if path.relative_to(PLUGINS).parts[0].endswith("_utils")}
    assert shared == HEIGHT.keys() | WINGS | ABOVE


def test_names_in_the_tables_of_the_architecture_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\|(?: \d \|)? `(\w+_utils/\S+)` \|(.*)\|$", page, re.M)
    assert len(rows) > 10
    for place, cells in rows:
        path = PLUGINS / place
        assert path.exists(), place
        folder = path if path.is_dir() else path.parent
        code = "\n".join(file.read_text("utf-8") for file in folder.glob("*.py"))
        for name in re.findall(r"`([\w.]+)`", cells):
            if name.endswith(".py"):
                assert (folder / name).exists(), f"{place}: {name}"
            elif name not in PLUGIN_NAMES:
                for part in name.split("."):
                    assert re.search(rf"(?:def|class) {part}\b|^{part}\b", code, re.M), f"{place}: {name}"


def test_the_picture_of_the_architecture_has_the_layers() -> None:
    svg = "{http://www.w3.org/2000/svg}"
    picture = ElementTree.parse(ROOT / "docs" / "architecture.svg")

    def drawn(kind: str) -> list[set[str]]:
        groups = picture.findall(f".//{svg}g[@class='{kind}']")
        return [{str(name.text) for name in group.iterfind(f".//{svg}tspan[@class='name']")} for group in groups]

    assert drawn("layer")[::-1] == CORE
    assert drawn("wings") == [WINGS]
    assert drawn("above") == [ABOVE]


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_core_never_imports_a_wing_and_wings_never_import_each_other(path: Path) -> None:
    part, used = part_of(path), own_imports(path)
    if part in HEIGHT:
        assert {name for name in used if HEIGHT.get(name, len(CORE)) >= HEIGHT[part]} == set()
    elif part in WINGS:
        assert used <= HEIGHT.keys()
    elif part in ABOVE:
        assert used <= HEIGHT.keys() | WINGS


@pytest.mark.parametrize("name", ["origin_cloud_region", "origin_cloud_region_batch", "tiered_cache"])
def test_a_task_that_changes_nothing_imports_only_what_it_needs(name: str, emulator: Emulator, tmp_path: Path) -> None:
    zone = emulator.add_zone("example.com", mappings=fleet(2))
    [first, _second] = listed = items(fleet(2))
    arguments = {
        "origin_cloud_region": first,
        "origin_cloud_region_batch": {"mappings": listed, "purge": True},
        "tiered_cache": {"enabled": True, "smart": True},
    }[name]
    needed = {"tiered_cache": {"_concurrency"}}
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    chosen = options(emulator.api_url, module.ARGUMENT_SPEC, zone_id=zone.id, **arguments)
    (tmp_path / "ansible_collections" / "originops").mkdir(parents=True)
    (tmp_path / "ansible_collections" / "originops" / "cloudflare").symlink_to(ROOT)
    code = f"""
import json, sys
sys.path.insert(0, {str(tmp_path)!r})
from {PACKAGE}.modules import {name}
result = {name}.MODULE.execute({chosen!r}, check_mode=False, diff=True)
loaded = [name.rpartition(".")[2] for name in sys.modules if name.startswith("{PACKAGE}.module_utils.")]
print(json.dumps([result["failed"] or result["changed"], loaded]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    changed, loaded = json.loads(done.stdout)
    assert not changed
    assert ON_DEMAND & {*loaded} == needed.get(name, set())
    assert "_http" in loaded


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_imports_are_available_to_users(path: Path) -> None:
    allowed = {"", *sys.stdlib_module_names, "ansible", "requests", "urllib3"}
    foreign = {name.partition(".")[0] for name in imports(path)} - allowed
    assert foreign == set()


def test_nothing_private_of_ansible_is_imported() -> None:
    used: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not [alias for alias in node.names if alias.name.partition(".")[0] == "ansible"], path
            elif isinstance(node, ast.ImportFrom) and not node.level and f"{node.module}.".startswith("ansible."):
                used.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
    assert used == PUBLIC


@pytest.mark.parametrize(
    "plugin",
    [
        audit_zones.ActionModule,
        cloud_ip_ranges.ActionModule,
        map_zones.ActionModule,
        origin_cloud_region.ActionModule,
        origin_cloud_supported_regions.LookupModule,
        zones.InventoryModule,
    ],
    ids=lambda plugin: plugin.__module__.rpartition(".")[2],
)
def test_nothing_private_of_ansible_is_overridden(plugin: type) -> None:
    own = [base for base in plugin.__mro__ if base.__module__.startswith("ansible_collections.")]
    above = [base for base in plugin.__mro__ if base.__module__.startswith("ansible.")]
    private = {name for base in own for name in vars(base) if name.startswith("_") and not name.endswith("__")}
    made_by_python = {"_abc_impl", "_is_protocol"}
    assert above
    assert private & {name for base in above for name in vars(base)} <= made_by_python


@pytest.mark.parametrize("name", sorted(HEIGHT.keys() - KNOW_ANSIBLE))
def test_most_of_the_core_does_not_know_ansible(name: str) -> None:
    names = imports(PLUGINS / "module_utils" / f"{name}.py")
    assert [name for name in names if name.partition(".")[0] == "ansible"] == []


def test_the_action_group_has_all_modules_with_the_common_options() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    common = "  - originops.cloudflare.cloudflare\n"
    with_them = [name for name in MODULES if common in (PLUGINS / "modules" / f"{name}.py").read_text(encoding="utf-8")]
    assert sorted(runtime["action_groups"]["cloudflare"]) == with_them


def test_every_option_has_version_added() -> None:
    fragments = (ModuleDocFragment.DOCUMENTATION, ModuleDocFragment.API_VERSION, ModuleDocFragment.ZONE)
    texts = [*fragments, ModuleDocFragment.MANY_ZONES]
    for folder in ("filter", "inventory", "lookup", "modules"):
        for path in (PLUGINS / folder).glob("*.py"):
            text = re.search(r'^DOCUMENTATION = r"""$(.*?)^"""$', path.read_text("utf-8"), re.M | re.S)
            assert text, path
            texts.append(text[1])
    specs = [yaml.safe_load(text) for text in texts]
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        specs += yaml.safe_load(path.read_text("utf-8"))["argument_specs"].values()
    options = [option for spec in specs for option in options_of(spec)]
    assert [name for name, dated in options if not dated] == []


@pytest.mark.parametrize("action", [audit_zones, map_zones], ids=lambda module: module.__name__.rpartition(".")[2])
def test_actions_of_the_controller_are_documented_as_they_are(action: ModuleType) -> None:
    module = (PLUGINS / "modules" / Path(str(action.__file__)).name).read_text("utf-8")
    text = re.search(r'^DOCUMENTATION = r"""$(.*?)^"""$', module, re.M | re.S)
    assert text
    fragments = (ModuleDocFragment.DOCUMENTATION, ModuleDocFragment.API_VERSION, ModuleDocFragment.MANY_ZONES)
    texts = [text[1], *fragments]
    documented = {name: option for text in texts for name, option in yaml.safe_load(text)["options"].items()}

    def described(options: dict[str, Any]) -> dict[str, Any]:
        facts = ("type", "elements", "choices", "default", "required")
        return {name: {fact: option[fact] for fact in facts if fact in option} for name, option in options.items()}

    assert described(documented) == described({**CONNECTION, **action.ActionModule.argument_spec})


@pytest.mark.parametrize("name", sorted({*MODULES} - {"audit_zones", "map_zones"}))
def test_ansible_lint_checks_the_options_of_tasks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Call main of an action or a module as ansible-lint does.

    It uses a class that stops main after the validation of the options.
    """

    class Checked(Exception):
        pass

    def check(argument_spec: dict[str, Any], **_rules: Any) -> None:
        assert "api_url" in argument_spec or name == "cloud_ip_ranges"
        raise Checked

    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule", check)
    has_action = (PLUGINS / "action" / f"{name}.py").exists()
    plugin = importlib.import_module(f"{PACKAGE}.{'action' if has_action else 'modules'}.{name}")
    with pytest.raises(Checked):
        plugin.main()


@pytest.mark.parametrize("role", sorted(path.name for path in ROOT.glob("roles/*")))
def test_the_readme_of_a_role_lists_its_variables(role: str) -> None:
    folder = ROOT / "roles" / role
    specs = yaml.safe_load((folder / "meta" / "argument_specs.yml").read_text("utf-8"))["argument_specs"]
    options = {name: option for spec in specs.values() for name, option in spec["options"].items()}
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.+) \|$", (folder / "README.md").read_text("utf-8"), re.M)
    assert [name for name, _default, _meaning in rows] == [*options]
    for name, default, _meaning in rows:
        if "default" in options[name]:
            wanted = options[name]["default"]
            values = wanted if isinstance(wanted, list) and wanted else [wanted]
            assert re.findall("`([^`]+)`", default)[: len(values)] == [as_text(value) for value in values]
    defaults = yaml.safe_load((folder / "defaults" / "main.yml").read_text("utf-8"))
    assert defaults.keys() == options.keys()
    documented_defaults = {name: option["default"] for name, option in options.items() if "default" in option}
    assert {name: defaults[name] for name in documented_defaults} == documented_defaults


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def options_of(spec: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield the name of each option, and True if it has a version.

    Nested options are included. spec is a specification or an option.
    """
    for name, option in {**spec.get("options", {}), **spec.get("suboptions", {})}.items():
        yield name, "version_added" in option
        yield from options_of(option)


def documented(text: str) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(text)["options"]


def test_the_fragments_document_the_common_options() -> None:
    relevant = ("type", "default", "choices", "elements", "required", "aliases")
    connection = documented(ModuleDocFragment.DOCUMENTATION)
    zone = documented(ModuleDocFragment.API_VERSION) | documented(ModuleDocFragment.ZONE)
    options = connection | zone
    assert connection.keys() == CONNECTION_SPEC.keys() == options.keys() - zone.keys()
    assert {name: {key: option[key] for key in relevant if key in option} for name, option in options.items()} == {
        name: {key: option[key] for key in relevant if key in option} for name, option in ARGUMENT_SPEC.items()
    }


def test_the_fragment_documents_the_environment() -> None:
    read = {name: [variable] for name, variable in CREDENTIAL_VARIABLES.items()}
    read |= {name: option["fallback"][1] for name, option in ARGUMENT_SPEC.items() if "fallback" in option}
    options = documented(ModuleDocFragment.ENVIRONMENT)
    # ansible-core 2.22 and later mask these values; sanity tests of earlier versions may refuse the key.
    masking = tuple(map(int, __version__.split(".")[:2])) >= (2, 22)
    secret = {name for name, option in ARGUMENT_SPEC.items() if option.get("no_log") and masking}
    assert {name for name, option in options.items() if option.get("secret")} == secret
    assert {name: [source["name"] for source in option["env"]] for name, option in options.items()} == read
    for [variable] in read.values():
        assert f"E({variable})" in ModuleDocFragment.DOCUMENTATION


def test_the_promised_versions_are_tested() -> None:
    lowest = {name: version.removesuffix(".0") for name, version in (package.split("==") for package in LOWEST)}
    core = lowest.pop("ansible-core")
    runtime, config = (
        yaml.safe_load((ROOT / name).read_text("utf-8")) for name in ("meta/runtime.yml", "tests/config.yml")
    )
    newest = list(SUPPORTED)[-1]
    assert f"ansible-core {core} to {newest} " in (ROOT / "README.md").read_text("utf-8")
    roles = [yaml.safe_load(path.read_text("utf-8")) for path in ROOT.glob("roles/*/meta/main.yml")]
    assert runtime["requires_ansible"] == f">={core}.0"
    assert {role["galaxy_info"]["min_ansible_version"] for role in roles} == {core} == {next(iter(SUPPORTED))}
    assert config["modules"]["python_requires"] == f">={SUPPORTED[core][0]}"
    required = re.findall(r"^\w.*", (ROOT / "requirements.txt").read_text("utf-8"), re.M)
    assert required == [f"{name}>={version}" for name, version in lowest.items()]
    for documentation in (ModuleDocFragment.DOCUMENTATION, (PLUGINS / "modules/cloud_ip_ranges.py").read_text("utf-8")):
        named = re.findall(r"^  - (\w+) >= ([\d.]+)", documentation, re.M)
        assert named == [("python", SUPPORTED[core][0]), *lowest.items()]


def test_permissions_are_those_of_the_security_page() -> None:
    security = (ROOT / "docs" / "security.md").read_text("utf-8")
    table = re.findall(r"^\| ([^|]+: (?:Read|Edit)) \| (?:zone|account) \|", security, re.M)
    assert len(table) == 7
    pages = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md"), *SOURCES]
    permission = r"(?:Load Balancing: )?[A-Z]\w+(?: (?:and|[A-Z]\w+))*: (?:Read|Edit)\b"
    for page in pages:
        text = " ".join(re.sub(r'"\n +f?"', "", page.read_text("utf-8")).split())
        assert set(re.findall(permission, text)) <= set(table), page
        assert not re.search(r"(?:Zone|Account)(?:,| >) [A-Z][\w: ]+(?:,| >) (?:Read|Edit)\b", text), page
        # The permission group of Cache Rules is explained once.
        assert text.count("Cache Settings") == (page.name == "security.md"), page


@pytest.mark.parametrize("version", ["3.6", "3.9"])
def test_modules_name_an_old_python(version: str, tmp_path: Path) -> None:
    # ansible-core 2.16 still runs modules by Python 3.6, which must be able to compile them.
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    python = str(found[0]) if found else shutil.which(f"python{version}")
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    (tmp_path / "ansible_collections" / "originops").mkdir(parents=True)
    (tmp_path / "ansible_collections" / "originops" / "cloudflare").symlink_to(ROOT)
    for name in sorted({*MODULES} - {"audit_zones", "map_zones"}):
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {PACKAGE}.modules.{name}"
        done = subprocess.run([python, "-B", "-c", code], capture_output=True, text=True, check=False)
        assert "need Python 3.10 or later" in done.stdout, f"{name}: {done.stderr}"
