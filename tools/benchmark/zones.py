# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the cost of many zones.

By audits and roles, by reports, by forks, by ansible-runner, and with the rate limit in reach.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .figures import load, machine, parse_arguments, write
from .process import CHECKOUT, COLLECTIONS, run
from .service import Service, emulated
from .work import Mapping, Step, creation
from .zones_report import (
    AUDIT_GROUPS,
    AUDIT_LIST,
    AUDIT_ZONES,
    BASELINES,
    COMMANDS,
    EMPTY,
    EMPTY_LIST,
    PIPE,
    RATE_LIMITED,
    REPORTS,
    ROLE_GROUPS,
    RUN,
    TASK,
    report,
)

TOKEN = "{{ lookup('ansible.builtin.file', lookup('ansible.builtin.env', 'CLOUDFLARE_TOKEN_FILE')) }}"
"""Template that reads the token in jobs of ansible-runner.

The token is in a file, because ansible-runner writes down the environment of jobs.
"""

IN_RUNNER = (RUN, PIPE)
AUDITS = (AUDIT_GROUPS, AUDIT_ZONES, AUDIT_LIST)


@dataclass(frozen=True)
class Scale:
    """Amount of work. The defaults are those of `make scale`."""

    zones: int = 200
    mappings: int = 20
    """Mappings in each zone."""
    reports: int = 50
    """Reports of zones with 3,500 mappings."""
    forks: Sequence[int] = (5, 20)
    usual_forks: int = 20
    """Forks of runs that do not compare forks."""
    latency: int = 50
    """Milliseconds that every request takes at least."""
    quota: int = 200
    """Requests in a window, if the rate limit is in reach."""
    window: int = 20
    """Seconds."""


QUICK = Scale(zones=4, mappings=3, reports=1, forks=(2,), usual_forks=2, latency=0, quota=8, window=2)
"""Minimum to see that everything runs."""


@dataclass(frozen=True)
class Sample:
    """Run over all zones, and its cost."""

    way: str
    case: str
    forks: int
    seconds: float
    """Time from the start of the command to its end."""
    memory: int
    """Peak of the largest process, in KiB."""
    requests: int = 0
    """Granted requests, including those that list the zones."""
    most: int = 0
    """Maximum of granted requests for one zone."""
    refused: int = 0
    """Responses with status 429."""
    replayed: float | None = None
    """Seconds that the same requests take 16 threads of requests.

    Requests that list the zones are left out.
    """
    page: int | None = None
    """Bytes of report.html."""


def main() -> None:
    """Measure, and write a report and the raw figures."""
    command, quick, folder = parse_arguments("scale", __doc__)
    scale = QUICK if quick else Scale()
    where = machine(("ansible-core", "ansible-runner", "requests"))
    samples = []
    for sample in _measure(scale):
        print(f"{sample.way}, {sample.case}, {sample.forks} forks: {sample.seconds:.1f} s, {sample.requests} requests")
        samples.append(asdict(sample))
    where["load average at the end"] = load()
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "zones.json", command=command, machine=where, scale=asdict(scale), samples=samples)
    # From what was written, so that the one file has all data of the other.
    figures = json.loads((folder / "zones.json").read_text("utf-8"))
    (folder / "zones.md").write_text(report(figures), "utf-8")
    print(f"{folder / 'zones.md'} has the figures.")


def _measure(scale: Scale) -> Iterator[Sample]:
    create, unchanged = creation(scale.mappings)
    with emulated(scale.latency) as service:
        for way in (EMPTY, EMPTY_LIST, *BASELINES):
            yield _sample(service, scale, way, unchanged, scale.usual_forks)
        yield _rendering(scale)
        for forks in scale.forks:
            for step in (create, unchanged):
                yield _sample(service, scale, TASK, step, forks)
        for way in IN_RUNNER:
            yield _sample(service, scale, way, unchanged, scale.usual_forks)
    with emulated(scale.latency, scale.quota, scale.window) as service:
        yield _sample(service, scale, RATE_LIMITED, create, scale.usual_forks)


def _sample(service: Service, scale: Scale, way: str, step: Step, forks: int) -> Sample:
    names = [f"zone{number:03}.example" for number in range(scale.zones)]
    zones = {name: service.set_zone(name, step.current) for name in names}
    service.forget_requests()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_files(folder, service, way, zones, step.wanted)
        token = (
            {"CLOUDFLARE_TOKEN_FILE": str(folder / "token")}
            if way in IN_RUNNER
            else {"CLOUDFLARE_API_TOKEN": service.token}
        )
        seconds, memory = _run(way, forks, folder, {"CLOUDFLARE_BASE_URL": service.api_url, **token})
        recorded = service.recorded()
        _check(folder, service, way, names, step.wanted)
    granted = [request for request in recorded if request["status"] != 429]
    of_zones = [request for request in granted if request["path"] != "/zones"]
    counts = Counter(request["path"].split("/")[2] for request in of_zones)
    return Sample(
        way,
        step.case,
        forks,
        seconds,
        memory,
        requests=len(granted),
        most=max(counts.values(), default=0),
        refused=len(recorded) - len(granted),
        replayed=_replay(service, of_zones) if way in BASELINES else None,
    )


def _run(way: str, forks: int, folder: Path, environment: dict[str, str]) -> tuple[float, int]:
    """Run the command of a way, and return seconds and peak memory in KiB."""
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        **environment,
    }
    began = time.perf_counter()
    _printed, memory = run(["bash", "-o", "pipefail", "-c", COMMANDS[way].format(forks=forks)], folder, environment)
    return round(time.perf_counter() - began, 2), memory


def _replay(service: Service, requests: Sequence[dict[str, Any]]) -> float:
    """Send requests again in another process, and return the seconds."""
    job = {"api_url": service.api_url, "token": service.token, "requests": requests}
    environment = {"PYTHONPATH": str(CHECKOUT / "tools")}
    command = [sys.executable, "-m", "benchmark.programs.replay"]
    printed, _memory = run(command, CHECKOUT, environment, json.dumps(job))
    return round(float(printed), 2)


def _rendering(scale: Scale) -> Sample:
    """Measure the last step of several jobs: merging their reports."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {"PYTHONPATH": os.pathsep.join(map(str, (CHECKOUT / "tools", CHECKOUT / "tests", COLLECTIONS)))}
        run([sys.executable, "-m", "benchmark.programs.full_reports", str(scale.reports)], folder, environment)
        step = {"ansible.builtin.include_role": {"name": "originops.cloudflare.audit", "tasks_from": "merge.yml"}}
        variables = {
            "audit_reports": sorted(str(path.relative_to(folder)) for path in folder.glob("jobs/*")),
            "audit_max_age": 10**6,
            "audit_fail_on": [],
        }
        play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [step]}
        (folder / "merge.yml").write_text(json.dumps([play]), "utf-8")
        seconds, memory = _run(REPORTS, scale.usual_forks, folder, {})
        totals = json.loads((folder / "audit" / "report.json").read_text("utf-8"))["totals"]
        if (totals["audited"], totals["mappings"]) != (scale.reports, scale.reports * 3500):
            raise SystemExit(f"{REPORTS}: not every mapping is in the report: {totals}")
        page = (folder / "audit" / "report.html").stat().st_size
    return Sample(REPORTS, "merge", scale.usual_forks, seconds, memory, page=page)


def _write_files(folder: Path, service: Service, way: str, zones: dict[str, str], fleet: Sequence[Mapping]) -> None:
    """Write all files that a command reads. zones are identifiers by name."""
    inventory = {"plugin": "originops.cloudflare.zones"}
    task = {
        "name": "Bring the zone to its mappings",
        "originops.cloudflare.origin_cloud_region_batch": {
            "zone_id": "{{ cloudflare_zone_id }}",
            "mappings": "{{ fleet }}",
        },
    }
    play = {"hosts": "cloudflare_zones", "gather_facts": False}
    playbook = {**play, "vars": {"fleet": fleet}, "tasks": [task]}
    with_token = {"group/originops.cloudflare.cloudflare": {"api_token": TOKEN}}
    role = {**play, "roles": ["originops.cloudflare.origin_regions"], "vars": {"origin_regions_purge": True}}
    listed = [{"zone": name, "zone_id": zone_id, "group": _group(name)} for name, zone_id in zones.items()]
    files: dict[str, Any] = {
        "cloudflare_zones.yml": inventory,
        "fleet.yml": [playbook],
        "regions.yml": [role],
        "listed_regions.yml": [{**role, "hosts": "localhost"}],
        "empty.yml": [{"hosts": "localhost", "gather_facts": False, "tasks": []}],
        "listed.json": {"audit_hosts": "localhost", "audit_zones": listed, "origin_regions_zones": listed},
        "origins.yml": {"all": {"children": {_group(name): {"hosts": _hosts(name, fleet)} for name in zones}}},
        "runner/inventory/cloudflare_zones.yml": {**inventory, "api_token": TOKEN},
        "runner/project/fleet.yml": [{**playbook, "module_defaults": with_token}],
    }
    if way in (AUDIT_GROUPS, ROLE_GROUPS):
        zone = {
            "zone": "{{ cloudflare_zone_name }}",
            "zone_id": "{{ cloudflare_zone_id }}",
            "group": "{{ 'origins_' ~ cloudflare_zone_name | replace('.', '_') }}",
        }
        files["group_vars/cloudflare_zones.yml"] = {"origin_regions_zones": [zone], "audit_zones": [zone]}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), "utf-8")
    token = folder / "token"
    token.touch(0o600)
    token.write_text(service.token, "utf-8")


def _group(zone: str) -> str:
    return f"origins_{zone.replace('.', '_')}"


def _hosts(zone: str, fleet: Sequence[Mapping]) -> dict[str, Mapping]:
    """Return a host for each origin of a zone."""
    return {
        f"{mapping['origin_ip']}.{zone}": {
            "origin_ip": mapping["origin_ip"],
            "origin_vendor": mapping["vendor"],
            "origin_region": mapping["region"],
            "origin_zones": zone,
        }
        for mapping in fleet
    }


def _check(folder: Path, service: Service, way: str, names: Sequence[str], fleet: Sequence[Mapping]) -> None:
    """Exit if a run did not do its work, or left the token behind."""
    wrong = [name for name in names if not service.holds(name, fleet)]
    if wrong:
        raise SystemExit(f"{way}: {len(wrong)} zones do not hold what they should, such as {wrong[0]}")
    if way in AUDITS:
        totals = json.loads((folder / "audit" / "report.json").read_text("utf-8"))["totals"]
        if not totals["zones"] == totals["audited"] == totals["clean"] == len(names):
            raise SystemExit(f"{way}: not every zone is in the report, and in it as it is: {totals}")
    if way in IN_RUNNER:
        artifacts = {path: path.read_bytes() for path in folder.rglob("artifacts/**/*") if path.is_file()}
        # Without artifacts the search proves nothing: they contain the environment.
        if not any(b"CLOUDFLARE_TOKEN_FILE" in content for content in artifacts.values()):
            raise SystemExit(f"{way}: there are no artifacts")
    token = service.token.encode()
    leaks = [path for path in folder.rglob("*") if path.is_file() and token in path.read_bytes()]
    if leaks != [folder / "token"]:
        raise SystemExit(f"{way}: the token is in {', '.join(str(path.relative_to(folder)) for path in leaks)}")


if __name__ == "__main__":
    main()
