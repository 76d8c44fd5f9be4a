# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quick runs of the benchmarks, at any speed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from benchmark import zones, zones_report
from benchmark.figures import Figures
from benchmark.plot import LINES, growth_plot
from benchmark.report import CASES, report
from benchmark.subjects import BASELINE, DIRECT, MODULE, OPERATION, subjects
from benchmark.work import QUICK
from benchmark.zones_report import (
    AUDIT_GROUPS,
    AUDIT_LIST,
    AUDIT_ZONES,
    BASELINES,
    COMMANDS,
    EMPTY,
    EMPTY_LIST,
    RATE_LIMITED,
    REPORTS,
    TASK,
)

from .playbook import CHECKOUT

[LATENCY] = QUICK.latencies
PAGES = 2


def test_a_quick_run(tmp_path: Path) -> None:
    """Check all results in one test, so that there is one run."""
    run_benchmark("benchmark", tmp_path)
    figures = Figures.read(tmp_path / "figures.json")
    check_completeness(figures)
    check_budgets(figures)
    check_page(tmp_path, figures)
    check_plot(tmp_path, figures)


def check_completeness(figures: Figures) -> None:
    done = {(sample.subject, sample.case, sample.size) for sample in figures.samples}
    assert done == {(subject.name, step.case, step.size) for subject in subjects(QUICK) for step in subject.steps}
    assert all(sample.seconds > 0 and sample.memory > 0 for sample in figures.samples)


def check_budgets(figures: Figures) -> None:
    expected = {
        "create": 1 + 1 + PAGES,
        "unchanged": PAGES,
        "change": PAGES + 1 + 1,
        "remove": PAGES + 1,
        "replace": PAGES + 1 + PAGES + PAGES,
    }
    for way in (DIRECT, MODULE, OPERATION):
        assert {case: figures.measure(way, LATENCY, case).requests for case in CASES} == expected
    assert [figures.measure(BASELINE, LATENCY, case).requests for case in CASES] == [2, 2, 3, 3, 6]
    assert {figures.measure(way, LATENCY, "refused").requests for way in (DIRECT, MODULE)} == {0}


def check_page(folder: Path, figures: Figures) -> None:
    page = (folder / "README.md").read_text("utf-8")
    assert page == report(figures)
    check_tables(page)
    for way in (DIRECT, MODULE):
        for case in CASES:
            measure = figures.measure(way, LATENCY, case)
            assert re.search(rf"^\| {LATENCY} ms \|.*\| {measure} \|.*\| {measure.requests} \|", page, re.M)
    links = re.findall(r"\]\(([^)#]+)\)", page)
    assert sorted({*links, "README.md"}) == sorted(path.name for path in folder.iterdir())


def check_plot(folder: Path, figures: Figures) -> None:
    picture = (folder / "growth.svg").read_text("utf-8")
    assert picture == growth_plot(figures)
    lines = ElementTree.fromstring(picture).findall(".//{*}polyline")
    with_the_baseline = 2 * len(LINES)
    assert [len(line.attrib["points"].split()) for line in lines] == [len(QUICK.growth) + 1] * with_the_baseline
    # The faster peer is in the picture too, measured for the largest number only, and once in the key.
    assert len(ElementTree.fromstring(picture).findall(".//{*}circle")) == len(LINES) + 1


def test_a_quick_run_over_zones(tmp_path: Path) -> None:
    run_benchmark("benchmark.zones", tmp_path)
    figures = json.loads((tmp_path / "zones.json").read_text("utf-8"))
    page = (tmp_path / "zones.md").read_text("utf-8")
    assert page == zones_report.report(figures)
    check_tables(page)
    samples = {(sample["way"], sample["case"]): sample for sample in figures["samples"]}
    assert {way for way, _case in samples} == {*COMMANDS}
    assert all(sample["seconds"] > 0 and sample["memory"] > 0 for sample in samples.values())
    rendered = samples.pop((REPORTS, "merge"))
    assert rendered["page"] > 0
    assert {key: sample["most"] for key, sample in samples.items()} == {
        **{(way, "unchanged"): 1 for way in COMMANDS if way not in {RATE_LIMITED, REPORTS}},
        **{(way, "unchanged"): 4 for way in (AUDIT_GROUPS, AUDIT_ZONES, AUDIT_LIST)},
        **{(way, "unchanged"): 0 for way in (EMPTY, EMPTY_LIST)},
        (TASK, "create"): 3,
        (RATE_LIMITED, "create"): 3,
    }
    for (way, _case), sample in samples.items():
        listing = EMPTY_LIST not in {way, BASELINES.get(way)}
        assert sample["requests"] == listing + sample["most"] * zones.QUICK.zones
        assert (sample["replayed"] is not None) is (way in BASELINES)


def run_benchmark(module: str, folder: Path) -> None:
    """Run a benchmark as its make target does, with figures in a directory."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--quick", "--output", folder],
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT / 'tools'}:{CHECKOUT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def check_tables(page: str) -> None:
    """Check that all rows of a table have the same number of cells."""
    for table in re.findall(r"(?:^\|.*\n)+", page, re.M):
        assert len({row.count("|") for row in table.splitlines()}) == 1
