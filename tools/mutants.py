# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mutation test: count random changes of the core that unit tests notice.

All tests run in copies of the checkout. The first run measures which tests reach which lines. Then each mutant is
tested by the tests that reach its lines, or by all tests if these lines run during import.

Strings, annotations, decorators and assertions are left alone: mutants of these say little about the tests.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from queue import SimpleQueue

import pytest

CHECKOUT = Path(__file__).parents[1]
CORE = "plugins/module_utils"
TESTS = "tests/unit"
RESULTS = Path("build/mutants.json")

WORKERS = 2
SAMPLE = 3
"""Number of tests of each file that run before all others.

Most mutants are noticed by many tests.
"""
PATIENCE = 60
"""Minimum timeout of a test, or of the start of a run, in seconds."""

OPERATORS = {
    "==": "!=",
    "!=": "==",
    "<<": ">>",
    ">>": "<<",
    "<=": "<",
    ">=": ">",
    "<": "<=",
    ">": ">=",
    "not in": "in",
    "is not": "is",
    "in": "not in",
    "is": "is not",
    "and": "or",
    "or": "and",
    "**": "*",
    "//": "*",
    "*": "//",
    "/": "*",
    "%": "//",
    "+": "-",
    "-": "+",
}
"""Operators and their replacements."""
# Of two with the same beginning the longer comes first. A comment may be beside an operator.
OPERATOR = re.compile(rf"#.*|({'|'.join(map(re.escape, OPERATORS))})".replace(r"\ ", r"\s+").encode())
# Before Python 3.12 the places of expressions in f-strings are wrong.
LEFT_ALONE = (ast.Assert, ast.JoinedStr)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, order=True)
class Mutant:
    """Change of one place in a file.

    Lines and columns count from 1, columns in bytes.
    """

    file: str
    line: int
    column: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {' '.join(self.old.split())} -> {' '.join(self.new.split())}"


@dataclass(frozen=True)
class Site:
    """Place of a mutant in its source."""

    source: bytes
    start: int
    end: int
    lines: range
    """Lines from the beginning of the statement to the end of the change."""
    imported: bool
    """Flag for lines that run during import, outside of all functions."""

    def mutated(self, new: str) -> bytes:
        return self.source[: self.start] + new.encode() + self.source[self.end :]


def find_mutants(file: str, source: bytes) -> dict[Mutant, Site]:
    """Return all mutants of a file."""
    starts = [0, *accumulate(len(line) + 1 for line in source.split(b"\n"))]
    found = {}
    for node, statement, imported in _walk(ast.parse(source), 1, imported=True):
        for start, end, new in _changes(node, source, starts):
            line, last = (source.count(b"\n", 0, place) + 1 for place in (start, end))
            mutant = Mutant(file, line, start - starts[line - 1] + 1, source[start:end].decode(), new)
            found[mutant] = Site(source, start, end, range(statement, last + 1), imported)
    return found


def _walk(node: ast.AST, statement: int, *, imported: bool) -> Iterator[tuple[ast.AST, int, bool]]:
    """Yield nodes with the first line of their statement, and a flag.

    The flag is true if the node runs during import.
    """
    if isinstance(node, LEFT_ALONE):
        return
    if isinstance(node, ast.stmt):
        statement = node.lineno
    yield node, statement, imported
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns", "decorator_list"}:
            outside = imported and not (name == "body" and isinstance(node, FUNCTIONS))
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _walk(child, statement, imported=outside)


def _changes(node: ast.AST, source: bytes, starts: list[int]) -> Iterator[tuple[int, int, str]]:
    """Yield the changes of one node: start, end, and the new text."""

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def text(node: ast.expr) -> str:
        return source[slice(*span(node))].decode()

    def replace(left: ast.expr, right: ast.expr) -> Iterator[tuple[int, int, str]]:
        """Replace the operator between two operands.

        Parentheses and comments may be there too.
        """
        for match in OPERATOR.finditer(source, span(left)[1], span(right)[0]):
            if match[1]:
                yield *match.span(1), OPERATORS[" ".join(match[1].decode().split())]

    def negate(test: ast.expr) -> Iterator[tuple[int, int, str]]:
        """Negate a condition, unless the change of its operator does the same."""
        match test:
            case ast.UnaryOp() | ast.Constant():
                return
            case ast.Compare(ops=[operator]) if not isinstance(operator, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
                return
        yield *span(test), f"not ({text(test)})"

    match node:
        case ast.Compare():
            for left, right in pairwise([node.left, *node.comparators]):
                yield from replace(left, right)
        case ast.BoolOp():
            for left, right in pairwise(node.values):
                yield from replace(left, right)
        case ast.BinOp(left=ast.Constant(value=str())):
            return
        case ast.BinOp():
            yield from replace(node.left, node.right)
        case ast.AugAssign():
            yield from replace(node.target, node.value)
        case ast.UnaryOp(op=ast.Not()):
            yield *span(node), re.sub(r"^not\s*", "", text(node))
        case ast.Constant(value=bool() as value):
            yield *span(node), str(not value)
        case ast.Constant(value=int() | float() as value):
            yield *span(node), str(value + 1)
        case ast.Expr(value=ast.Call()):
            yield *span(node), "pass"
        # Callers seldom distinguish None from another constant that is false.
        case ast.Return(value=ast.expr() as result) if not (isinstance(result, ast.Constant) and not result.value):
            yield *span(result), "None"
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            yield from negate(test)
        case ast.comprehension():
            for test in node.ifs:
                yield from negate(test)


def choose(mutants: Iterable[Mutant], number: int, seed: int) -> list[Mutant]:
    """Choose random mutants, the same for the same seed and sources."""
    ordered = sorted(mutants)
    return sorted(random.Random(seed).sample(ordered, min(number, len(ordered))))


@dataclass(frozen=True)
class Result:
    mutant: Mutant
    verdict: str
    """`killed`, `survived` or `timed out`."""
    test: str | None
    """Test that failed or took too long."""
    tests: int
    """Number of tests that could have noticed the mutant."""


@dataclass(frozen=True)
class Run:
    """A run of pytest."""

    status: int | None
    """Exit status; None after a timeout."""
    reports: list[tuple[str, str, float]]
    """Tests with an outcome and a number of seconds, in the order of time."""

    def failed(self) -> list[str]:
        return list(dict.fromkeys(test for test, outcome, _seconds in self.reports if outcome == "failed"))


class Suite:
    """Tests in a copy of the checkout, one run at a time."""

    def __init__(self, folder: Path) -> None:
        """Copy the files that git tracks, or would add."""
        self._copy = folder / "checkout"
        self._output = folder / "output"
        self._chosen = folder / "tests.json"
        self._reports = folder / "reports"
        self._scratch = folder / "tmp"
        self._scratch.mkdir(parents=True)
        command = ("git", "ls-files", "-coz", "--exclude-standard")
        names = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, names):
            if (CHECKOUT / name).is_file():
                (self._copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(CHECKOUT / name, self._copy / name)

    def run(self, *arguments: str, timeout: float | None = None) -> Run:
        self._reports.write_text("", encoding="utf-8")
        # Hypothesis would begin with the examples that noticed another mutant.
        shutil.rmtree(self._copy / ".hypothesis", ignore_errors=True)
        environment = {
            "PYTHONPATH": str(self._copy / "tools"),
            "TMPDIR": str(self._scratch),
            "MUTANTS_TESTS": str(self._chosen),
            "MUTANTS_REPORTS": str(self._reports),
        }
        options = ("--quiet", "-p", "mutants", "--hypothesis-seed=0")
        with self._output.open("w") as output:
            try:
                status = subprocess.run(
                    (sys.executable, "-m", "pytest", *options, *arguments),
                    cwd=self._copy,
                    env=os.environ | environment,
                    timeout=timeout,
                    check=False,
                    stdout=output,
                    stderr=output,
                ).returncode
            except subprocess.TimeoutExpired:
                status = None
        return Run(status, [json.loads(line) for line in self._reports.read_text(encoding="utf-8").splitlines()])

    def run_only(self, tests: list[str], *arguments: str, timeout: float | None = None) -> Run:
        """Run tests in the order of a list."""
        self._chosen.write_text(json.dumps(tests), encoding="utf-8")
        run = self.run(*sorted(set(map(file_of, tests))), *arguments, timeout=timeout)
        self._chosen.unlink()
        return run

    def measure(self) -> Baseline:
        """Run all tests without a mutant, and return the baseline.

        Exits if a test fails twice. A test that fails once is left out.
        """
        parallel = (f"--numprocesses={WORKERS}", "--dist=worksteal")
        run = self.run(TESTS, *parallel, f"--cov={CORE}", "--cov-context=test", "--cov-report=")
        output = self._output.read_text(errors="replace")
        unsteady = run.failed()
        if run.status and (not unsteady or self.run_only(unsteady).status):
            sys.exit(f"{output}\nThe tests fail without a mutant.")
        for test in unsteady:
            print(f"left out, since this test failed without a mutant, and then passed: {test}", flush=True)
        seconds: defaultdict[str, float] = defaultdict(float)
        for test, _outcome, duration in run.reports:
            if test not in unsteady:
                seconds[test] += duration
        command = (sys.executable, "-m", "coverage", "json", "--quiet", "--show-contexts", "-o", str(self._output))
        subprocess.run(command, cwd=self._copy, check=True)
        files = json.loads(self._output.read_bytes())["files"]
        return Baseline(seconds, {name: file["contexts"] for name, file in files.items()})

    def judge(self, mutant: Mutant, site: Site, baseline: Baseline) -> Result:
        """Run the tests that can notice a mutant, until one fails."""
        path = self._copy / mutant.file
        path.write_bytes(site.mutated(mutant.new))
        tests = baseline.tests_for(mutant, site)
        verdict, test = self._verdict(tests, baseline)
        path.write_bytes(site.source)
        return Result(mutant, verdict, test, len(tests))

    def _verdict(self, tests: list[str], baseline: Baseline) -> tuple[str, str | None]:
        longest = max(PATIENCE, 5 * max(baseline.seconds.values()))
        bounds = ("--exitfirst", "-o", f"faulthandler_timeout={longest}", "-o", "faulthandler_exit_on_timeout=true")
        while tests:
            run = self.run_only(tests, *bounds, timeout=longest + 3 * baseline.cost(tests))
            if run.status in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
                break
            last = run.reports[-1][0] if run.reports else None
            # A test that takes too long ends the process as if it had failed, but without a report.
            if run.status in {None, pytest.ExitCode.TESTS_FAILED} and not run.failed():
                return "timed out", last
            # On a busy machine a test may fail by itself: it has to fail twice.
            if last not in tests or self.run_only([last], *bounds, timeout=2 * longest).status != 0:
                return "killed", last
            tests = tests[tests.index(last) + 1 :]
        return "survived", None


class Baseline:
    """Tests without a mutant: durations in seconds, and lines reached."""

    def __init__(self, seconds: dict[str, float], contexts: dict[str, dict[str, list[str]]]) -> None:
        """Read coverage's contexts by file and line.

        A context is `tests/unit/test_a.py::test_b|run`, for example. A line that a fixture reaches may matter for all
        tests of the file.
        """
        self.seconds = seconds
        together = defaultdict(set)
        for test in seconds:
            together[file_of(test)].add(test)
        self._reaching: dict[str, dict[int, set[str]]] = defaultdict(dict)
        for file, lines in contexts.items():
            for line, entries in lines.items():
                reaching = self._reaching[file][int(line)] = set()
                for test, _bar, phase in (entry.rpartition("|") for entry in entries):
                    reaching |= together[file_of(test)] if phase == "setup" else {test} & seconds.keys()

    def tests_for(self, mutant: Mutant, site: Site) -> list[str]:
        """Return the tests that can notice a mutant, most promising first."""
        lines = self._reaching[mutant.file]
        if site.imported:
            near = set().union(*lines.values())
            return self._ordered(near) + self._ordered(self.seconds.keys() - near)
        return self._ordered(set().union(*(lines.get(line, ()) for line in site.lines)))

    def _ordered(self, tests: set[str]) -> list[str]:
        """Order tests: a sample of each file, then the others.

        In both, the fastest files come first.
        """
        shuffled = random.Random(0).sample(sorted(tests), len(tests))
        files = [list(group) for _file, group in groupby(sorted(shuffled, key=file_of), file_of)]
        samples, others = [group[:SAMPLE] for group in files], [group[SAMPLE:] for group in files]
        return [test for group in (*sorted(samples, key=self.cost), *sorted(others, key=self.cost)) for test in group]

    def cost(self, tests: Iterable[str]) -> float:
        return sum(self.seconds[test] for test in tests)


def file_of(test: str) -> str:
    return test.partition("::")[0]


# In the runs of tests this file is a plugin of pytest: it chooses and orders tests, and writes reports.


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    chosen = Path(os.environ["MUTANTS_TESTS"])
    if chosen.exists():
        place = {test: number for number, test in enumerate(json.loads(chosen.read_text(encoding="utf-8")))}
        items[:] = sorted((item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid])


def pytest_runtest_logstart(nodeid: str) -> None:
    _write_report(nodeid, "started", 0)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _write_report(report.nodeid, report.outcome, report.duration)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _write_report(report.nodeid, report.outcome, 0)


def _write_report(*report: str | float) -> None:
    # The reports of parallel workers come through the process that started them.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        with Path(os.environ["MUTANTS_REPORTS"]).open("a", encoding="utf-8") as file:
            print(json.dumps(report), file=file)


def show(result: Result, site: Site) -> None:
    """Print a mutant with its changed lines."""
    before, after = (source.decode().splitlines() for source in (site.source, site.mutated(result.mutant.new)))
    difference = list(difflib.unified_diff(before, after, n=0, lineterm=""))[3:]
    print(f"{result.verdict}, {result.tests} tests: {result.mutant}", *difference, sep="\n    ", flush=True)


def main() -> None:
    parser = ArgumentParser(prog="make mutants", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--number", type=int, default=100, help="how many mutants to choose (100)")
    parser.add_argument("--seed", type=int, default=0, help="another seed chooses other mutants (0)")
    parser.add_argument("--mutants", type=Path, metavar="FILE", help=f"take the mutants of an earlier {RESULTS}")
    arguments = parser.parse_args()

    sites: dict[Mutant, Site] = {}
    for path in CHECKOUT.joinpath(CORE).glob("*.py"):
        sites |= find_mutants(str(path.relative_to(CHECKOUT)), path.read_bytes())
    if arguments.mutants:
        chosen = [Mutant(**entry["mutant"]) for entry in json.loads(arguments.mutants.read_bytes())]
        if missing := [mutant for mutant in chosen if mutant not in sites]:
            parser.error(f"the sources do not have this mutant: {missing[0]}")
    else:
        chosen = choose(sites, arguments.number, arguments.seed)

    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(WORKERS) as pool:
        suites: SimpleQueue[Suite] = SimpleQueue()
        for number in range(WORKERS):
            suites.put(Suite(Path(folder, str(number))))
        suite = suites.get()
        baseline = suite.measure()
        suites.put(suite)

        def judge(mutant: Mutant) -> Result:
            suite = suites.get()
            result = suite.judge(mutant, sites[mutant], baseline)
            suites.put(suite)
            if result.verdict == "survived":
                show(result, sites[mutant])
            return result

        results = list(pool.map(judge, chosen))
    path = CHECKOUT / RESULTS
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n", encoding="utf-8")
    count = Counter(result.verdict for result in results)
    killed, survived, late = (count[verdict] for verdict in ("killed", "survived", "timed out"))
    print(f"{len(results)} mutants: {killed} killed, {survived} survived, {late} timed out")


if __name__ == "__main__":
    main()
