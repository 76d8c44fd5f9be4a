# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Export of mappings to files, which never replace other files."""

from __future__ import annotations

import re
import resource
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.originops.cloudflare.plugins.filter.origin_mappings import origin_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._batch import ensure_mappings
from ansible_collections.originops.cloudflare.plugins.module_utils._export import export_mappings
from emulator.faults import Change, Fault
from emulator.server import Emulator
from emulator.state import Zone
from support.operations import Result, both, perform, result_of
from support.values import Values, as_values

MAPPINGS: Values = {
    "192.0.2.10": ("aws", "us-east-1"),
    "198.51.100.20": ("azure", "westeurope"),
    # Without quotes, YAML parses the first as a number, and the second as a key.
    "2001:10:20:30:40:50:51:52": ("gcp", "us-east1"),
    "2001:db8::": ("oci", "us-ashburn-1"),
    "::ffff:192.0.2.7": ("aws", "us-west-2"),
    "::ffff:c0:0:2:7": ("aws", "us-west-2"),
}


@pytest.fixture
def zone(emulator: Emulator) -> Zone:
    return emulator.add_zone("example.com", mappings=MAPPINGS)


def run(emulator: Emulator, zone: Zone, dest: Path, check_mode: bool = False, **chosen: Any) -> Result:
    result = result_of(
        perform, export_mappings, emulator.api_url, check_mode, zone_id=zone.id, dest=str(dest), **chosen
    )
    assert emulator.writes == []
    return result


def contents(dest: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(dest.iterdir())}


@both
def test_each_file_has_all_mappings(emulator: Emulator, zone: Zone, tmp_path: Path, served: str) -> None:
    emulator.api_versions = (served,)
    dest = tmp_path / "new" / "export"
    ahead = run(emulator, zone, dest, check_mode=True)
    assert not dest.parent.exists()
    result = run(emulator, zone, dest)
    assert result == ahead
    assert (result["changed"], result["total_count"], result["api_version"]) == (True, len(MAPPINGS), served)
    assert sorted(result["files"].values()) == [str(path) for path in sorted(dest.iterdir())]
    assert {path.stat().st_mode & 0o777 for path in dest.iterdir()} == {0o600}
    texts = contents(dest)
    listed = yaml.safe_load(texts["mappings.yml"])["origins"]
    assert as_values(listed) == MAPPINGS
    hosts = yaml.safe_load(texts["hosts.yml"])["origins"]["hosts"]
    assert {"origins-192.0.2.10", "origins-2001-db8--"} <= hosts.keys()
    from_hosts = origin_mappings(hosts)
    assert from_hosts == listed
    terraform = texts["mappings.tf"]
    entries = re.findall(r'^    "([^"]+)" += { vendor = "(\w+)", region = "([\w-]+)" }$', terraform, re.M)
    assert {address: (vendor, region) for address, vendor, region in entries} == MAPPINGS
    imports = re.findall(
        r'^import {\n  to = cloudflare_origin_cloud_region\.origins\["(.+)"\]\n  id = "(\w+)/(.+)"\n}$', terraform, re.M
    )
    assert imports == [(address, zone.id, address) for address, _vendor, _region in entries]
    again = run(emulator, zone, dest)
    assert (again["changed"], contents(dest)) == (False, texts)


def test_the_list_gives_an_empty_zone_the_same_mappings(emulator: Emulator, zone: Zone, tmp_path: Path) -> None:
    run(emulator, zone, tmp_path, formats=["list"], name="fleet")
    [text] = contents(tmp_path).values()
    empty = emulator.add_zone("example.net")
    perform(ensure_mappings, emulator.api_url, zone_id=empty.id, mappings=yaml.safe_load(text)["fleet"])
    assert empty.values() == MAPPINGS


def test_an_empty_zone(emulator: Emulator, tmp_path: Path) -> None:
    zone = emulator.add_zone("example.com")
    assert run(emulator, zone, tmp_path)["total_count"] == 0
    texts = contents(tmp_path)
    assert yaml.safe_load(texts["mappings.yml"]) == {"origins": []}
    assert yaml.safe_load(texts["hosts.yml"]) == {"origins": {"hosts": {}}}
    assert "  for_each = {}\n" in texts["mappings.tf"]
    assert "import" not in texts["mappings.tf"]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("kind", ["file", "directory", "link", "dangling link"])
def test_nothing_is_replaced(emulator: Emulator, zone: Zone, tmp_path: Path, kind: str, check_mode: bool) -> None:
    dest = tmp_path / "export"
    dest.mkdir()
    path, elsewhere = dest / "hosts.yml", tmp_path / "elsewhere"
    if kind == "file":
        path.write_text("mine")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(elsewhere)
    if kind == "link":
        elsewhere.write_text("mine")
    result = run(emulator, zone, dest, check_mode)
    assert result["msg"] == (
        f"Nothing was written, because these have another content: {path}. Move them away, or set another dest"
    )
    assert (result["changed"], [child.name for child in dest.iterdir()]) == (False, ["hosts.yml"])
    assert kind in ("directory", "dangling link") or path.read_text() == "mine"
    assert elsewhere.exists() is (kind == "link")


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_unusable_directory(emulator: Emulator, zone: Zone, tmp_path: Path, check_mode: bool) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for dest in (file, file / "below"):
        assert f"dest: {file} is not a directory" == run(emulator, zone, dest, check_mode)["msg"]
    for dest in (tmp_path / "a\0b", tmp_path / "a\ud800b"):
        assert "is not a path" in run(emulator, zone, dest, check_mode)["msg"]
    assert emulator.requests == []


def test_an_unwritable_directory(emulator: Emulator, zone: Zone) -> None:
    result = run(emulator, zone, Path("/proc/export"))
    assert (result["msg"].startswith("dest: cannot write /proc"), result["changed"]) == (True, False)


def test_a_failure_between_two_files_names_the_written_ones(emulator: Emulator, zone: Zone, tmp_path: Path) -> None:
    run(emulator, zone, tmp_path / "sizes")
    size = len((tmp_path / "sizes" / "mappings.yml").read_bytes())
    dest = tmp_path / "export"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        result = run(emulator, zone, dest, formats=["list", "terraform"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result["msg"] == f"dest: cannot write {dest}: File too large. Written before: {dest / 'mappings.yml'}"
    assert (result["changed"], [*contents(dest)]) == (True, ["mappings.yml"])


@pytest.mark.parametrize("name", ["", "two words", "origins-1", "1st", "../up", "é"])
def test_a_name_unsuitable_for_a_format(emulator: Emulator, zone: Zone, tmp_path: Path, name: str) -> None:
    assert "has other characters than letters" in run(emulator, zone, tmp_path, name=name)["msg"]
    assert emulator.requests == []


@pytest.mark.parametrize("region", ['"', "{{ lookup('pipe', 'id') }}", "${file('/etc/passwd')}", "%{if true}", "é", ""])
def test_a_region_that_could_be_evaluated_is_refused(
    emulator: Emulator, zone: Zone, tmp_path: Path, region: str
) -> None:
    def change(response: Any) -> Any:
        response["result"][0]["region"] = region
        return response

    emulator.faults = [Fault(effect=Change(change))]
    assert "characters that cannot be written safely" in run(emulator, zone, tmp_path)["msg"]
    assert contents(tmp_path) == {}
