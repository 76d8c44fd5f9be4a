# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JUnit XML reports, limited to the schema of Jenkins' xunit plugin."""

from __future__ import annotations

from collections.abc import Collection
from xml.etree import ElementTree

from .model import GENERATOR, TITLE, TITLES, Report, format_location, labelled, pluralize

_COUNTS = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


def as_junit(report: Report) -> str:
    """Format the aggregate as JUnit XML.

    It has a suite for each zone, with a case for each kind of finding: a failure if findings of the kind fail the
    audit, an error if the kind could not be checked and this fails the audit, skipped if it was not checked. Reports
    that could not be merged, or no zone at all, are an error in a suite of their own. A case fails or is an error if
    and only if the audit failed.
    """
    root = ElementTree.Element("testsuites", name=TITLE)
    for label, zone in labelled(report):
        suite = ElementTree.SubElement(
            root, "testsuite", name=label, timestamp=zone["audited_on"].removesuffix("Z"), time="0"
        )
        _add_cases(suite, zone, report["fail_on"])
        _count(suite, _COUNTS)
    reasons = report["not_merged"] if report["zones"] else report["failures"]
    if reasons:
        suite = ElementTree.SubElement(root, "testsuite", name=TITLE, time="0")
        message = "reports could not be merged" if report["zones"] else "nothing was audited"
        _add_error(suite, message, "\n".join(reasons))
        _count(suite, _COUNTS)
    _count(root, ("tests", "failures", "errors"))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- generator: {GENERATOR} -->\n{text}\n'


def _add_cases(suite: ElementTree.Element, zone: Report, fail_on: Collection[str]) -> None:
    if zone["error"] is not None:
        _add_error(suite, "the zone could not be audited", zone["error"])
        return
    for kind, title in TITLES.items():
        findings = [finding for finding in zone["findings"] if finding["kind"] == kind]
        reason = zone["not_checked"].get(kind)
        case = _add_case(suite, title)
        if findings:
            number = f"{title}: {pluralize(len(findings), 'finding')}"
            if kind in fail_on:
                outcome = ElementTree.SubElement(case, "failure", type=kind, message=number)
            else:
                outcome = ElementTree.SubElement(case, "system-out")
            outcome.text = "\n".join(map(_line, findings))
        if kind in zone["unavailable"] and kind in fail_on:
            ElementTree.SubElement(case, "error", type=kind, message=reason or "it could not be checked")
        elif reason and not findings:
            ElementTree.SubElement(case, "skipped", message=reason)


def _add_case(suite: ElementTree.Element, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=suite.get("name", ""), name=name, time="0")


def _add_error(suite: ElementTree.Element, message: str, text: str) -> None:
    error = ElementTree.SubElement(_add_case(suite, "Audit"), "error", type="error", message=message)
    error.text = text


def _line(finding: Report) -> str:
    """Format a finding on one line, with all that is known."""
    parts = {
        "": finding["origin_ip"],
        "hosts ": ", ".join(finding["hosts"]),
        "actual ": format_location(finding["actual"]),
        "expected ": format_location(finding["expected"]),
    }
    subject = "; ".join(f"{label}{value}" for label, value in parts.items() if value)
    return " ".join(f"{subject}: {finding['message']}".removeprefix(": ").split())


def _count(element: ElementTree.Element, attributes: Collection[str]) -> None:
    """Set attributes with the numbers of cases and of their outcomes."""
    for name in attributes:
        element.set(name, str(len(list(element.iter(_COUNTS[name])))))
