# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""JUnit XML reports."""

from __future__ import annotations

from xml.etree import ElementTree

from .model import TITLE, TITLES, Report, format_location, pluralize, unchecked_kinds, zone_name


def as_junit(report: Report) -> str:
    """Format the aggregate as JUnit XML.

    It has a suite for each zone, with a case for each kind of finding.
    """
    root = ElementTree.Element("testsuites", name=TITLE)
    for zone in report["zones"]:
        suite = ElementTree.SubElement(
            root, "testsuite", name=zone_name(zone), timestamp=zone["audited_on"].removesuffix("Z"), time="0"
        )
        _add_cases(suite, zone)
        _count(suite)
    _count(root)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add_cases(suite: ElementTree.Element, zone: Report) -> None:
    def add_case(name: str) -> ElementTree.Element:
        return ElementTree.SubElement(suite, "testcase", classname=zone_name(zone), name=name, time="0")

    if zone["error"] is not None:
        message = "the zone could not be audited"
        ElementTree.SubElement(add_case("Audit"), "error", type="error", message=message).text = zone["error"]
        return
    unchecked = unchecked_kinds(zone)
    for kind, title in TITLES.items():
        findings = [finding for finding in zone["findings"] if finding["kind"] == kind]
        case = add_case(title)
        if findings:
            failure = ElementTree.SubElement(
                case, "failure", type=kind, message=f"{title}: {pluralize(len(findings), 'finding')}"
            )
            failure.text = "\n".join(map(_line, findings))
        elif kind in unchecked:
            ElementTree.SubElement(case, "skipped", message=unchecked[kind])


def _line(finding: Report) -> str:
    """Format what is known of a finding on one line."""
    parts = {
        "": finding["origin_ip"],
        "hosts ": ", ".join(finding["hosts"]),
        "actual ": format_location(finding["actual"]),
        "expected ": format_location(finding["expected"]),
    }
    subject = "; ".join(f"{label}{value}" for label, value in parts.items() if value)
    return " ".join(f"{subject}: {finding['message']}".removeprefix(": ").split())


def _count(element: ElementTree.Element) -> None:
    """Set the attributes with the numbers of cases and of their outcomes."""
    tags = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for name, tag in tags.items():
        element.set(name, str(len(list(element.iter(tag)))))
