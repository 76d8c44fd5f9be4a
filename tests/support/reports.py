# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit reports to render: a small fleet, a full zone, hostile zones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from ansible_collections.originops.cloudflare.plugins.module_utils._schema import KINDS, SCHEMA_VERSION
from emulator.state import REGIONS

Report = dict[str, Any]

ACCOUNT = "d41d8cd98f00b204e9800998ecf8427e"

WITHOUT_ORIGINS = dict.fromkeys(
    ("missing", "wrong", "stale", "unresolved", "no_origins"), "there are no origins to compare with"
)
"""Kinds that are not checked without origins, with their reason."""


def location(text: str | None) -> dict[str, str | None] | None:
    """Parse aws/us-east-1, or aws without region, into vendor and region."""
    if text is None:
        return None
    vendor, _slash, region = text.partition("/")
    return {"vendor": vendor, "region": region or None}


def colos(text: str | None) -> list[str]:
    """Return the data centres of a text like aws/us-east-1."""
    vendor, _slash, region = (text or "").partition("/")
    return sorted(REGIONS.get(vendor, {}).get(region, []))


def finding(
    kind: str,
    origin_ip: str | None = None,
    message: str = "Something is not as it should be.",
    *,
    hosts: Iterable[str] = (),
    actual: str | None = None,
    expected: str | None = None,
) -> Report:
    return {
        "kind": kind,
        "origin_ip": origin_ip,
        "hosts": list(hosts),
        "actual": location(actual),
        "expected": location(expected),
        "actual_colos": colos(actual),
        "expected_colos": colos(expected),
        "message": message,
    }


def mapping(origin_ip: str, value: str, *, hosts: Iterable[str] = ()) -> Report:
    vendor, region = value.split("/")
    return {
        "origin_ip": origin_ip,
        "vendor": vendor,
        "region": region,
        "modified_on": "2026-03-01T12:00:00Z",
        "upper_tier_colos": colos(value),
        "hosts": list(hosts),
        "findings": [],
    }


def zone_report(
    zone: str | None, mappings: Sequence[Report] = (), findings: Sequence[Report] = (), **fields: Any
) -> Report:
    """Build the report of a zone from its mappings and findings.

    Fields override the result.
    """
    kinds: dict[str | None, dict[str, None]] = {}
    for item in findings:
        kinds.setdefault(item["origin_ip"], {})[item["kind"]] = None
    not_checked = fields.get("not_checked", {})
    return {
        "schema_version": SCHEMA_VERSION,
        "zone": zone,
        "zone_id": f"{abs(sum(map(ord, zone or ''))):032x}",
        "account_id": ACCOUNT,
        "api_version": "v2",
        "audited_on": "2026-11-24T07:00:00Z",
        "error": None,
        "sources": ["inventory"],
        "only_in": {},
        "ranges": {"aws": "2026-11-23T22:15:00Z", "gcp": "2026-11-20T04:00:00Z"},
        "tiered_cache": True,
        "smart_tiered_cache": True,
        "obtained_codes": True,
        "total_count": len(mappings),
        "limit": 3500,
        # Few audits look at traffic.
        "checked": [
            kind for kind in KINDS if kind not in not_checked and (kind != "misrouted" or fields.get("traffic"))
        ],
        "not_checked": not_checked,
        "unavailable": [],
        "counts": {kind: sum(item["kind"] == kind for item in findings) for kind in KINDS},
        "findings": sorted(findings, key=lambda item: KINDS.index(item["kind"])),
        "mappings": [{**item, "findings": [*kinds.get(item["origin_ip"], ())]} for item in mappings],
        "repair": {
            "present": [
                {"origin_ip": item["origin_ip"], **item["expected"]}
                for item in findings
                if item["kind"] in ("missing", "wrong") and item["expected"]
            ],
            "absent": [
                {"origin_ip": item["origin_ip"], **item["actual"]}
                for item in findings
                if item["kind"] == "stale" and item["actual"]
            ],
        },
        "traffic": None,
        **fields,
    }


def tier(colo: str, requests: int, total: int, expected: bool | None) -> Report:
    return {"colo": colo, "requests": requests, "share": round(100 * requests / total, 1), "expected": expected}


def reached(
    origin_ip: str,
    value: str | None = None,
    through: Mapping[str, int] | None = None,
    *,
    direct: int | None = 0,
    unsure: Iterable[str] = (),
    published: Sequence[str] | None = None,
) -> Report:
    """Build an origin of the traffic, mapped to a value if it has one.

    `through` has its requests by data centre, None if they are not known. `unsure` are data centres that may be
    expected.
    """
    expected = colos(value)
    total = sum((through or {}).values())
    tiers = [
        tier(colo, requests, total, None if colo in unsure or not expected else colo in expected)
        for colo, requests in sorted((through or {}).items(), key=lambda item: -item[1])
    ]
    compared = sum(item["requests"] for item in tiers if item["expected"] is not None)
    good = sum(item["requests"] for item in tiers if item["expected"])
    return {
        "origin_ip": origin_ip,
        **(location(value) or {"vendor": None, "region": None}),
        "requests": None if through is None else total,
        "direct": None if through is None else direct,
        "upper_tiers": tiers,
        "expected": expected,
        "share_expected": round(100 * good / compared, 1) if compared else None,
        "published": None if published is None else [*map(location, published)],
    }


def limit(code: str, reason: str, *names: str) -> Report:
    return {"code": code, "reason": reason, "names": [*names]}


def full_traffic(report: Report) -> Report:
    """Add much traffic to the report of a zone.

    It has about as many groups as a query of ten zones returns for one.
    """
    report["traffic"] = traffic(
        [
            *(
                reached(item["origin_ip"], f"{item['vendor']}/{item['region']}", {"IAD": 900 + number, "FRA": number})
                for number, item in enumerate(report["mappings"][:1000])
            ),
            *(reached(f"203.0.113.{number}", None, {"FRA": 100 * number}, published=[]) for number in range(1, 250)),
        ]
    )
    return report


def traffic(origins: Iterable[Report] = (), **fields: Any) -> Report:
    """Build the traffic of a zone. Fields override the result."""
    return {
        "since": "2026-11-23T07:00:00Z",
        "until": "2026-11-24T07:00:00Z",
        "origins": sorted(origins, key=lambda origin: (-(origin["requests"] or 0), -(origin["direct"] or 0))),
        "not_available": None,
        "limits": [],
        "error": None,
        **fields,
    }


def unknown_traffic(**fields: Any) -> Report:
    """Build the unknown traffic of a zone. Fields override the result."""
    return traffic(since=None, until=None, **fields)


def fleet_with_traffic() -> list[Report]:
    """Build the small fleet with known, partly known and unknown traffic."""
    shop, docs, static, blog, failed = small_fleet()
    shop["traffic"] = traffic(
        [
            reached("192.0.2.9", "aws/us-east-1", {"IAD": 9000, "EWR": 1000}, direct=250),
            reached("192.0.2.10", "aws/us-east-1", {"SEA": 700, "IAD": 80, "PDX": 20}),
            reached(
                "192.0.2.100", "aws/eu-central-1", {"FRA": 400, "Frankfurt am Main": 100}, unsure=["Frankfurt am Main"]
            ),
            reached("198.51.100.20", "azure/westeurope", {}),
            reached("203.0.113.7", "oci/us-seattle-0", {"SEA": 40}),
            reached("192.0.2.44", None, {"SEA": 4000, "IAD": 1000}, published=["aws/us-west-2"]),
            reached(
                "203.0.113.200", None, {"FRA": 30, "AMS": 20, "CDG": 10, "LHR": 5, "MAD": 4, "WAW": 2}, published=[]
            ),
            reached("198.51.100.200", None, {}, direct=12, published=["aws"]),
        ],
        limits=[
            limit(
                "unknown_colos", "data centres could not be compared, for their spelling is unknown: Frankfurt am Main"
            )
        ],
    )
    shop["checked"] = [kind for kind in KINDS if kind != "misrouted"]
    shop["not_checked"] = {"misrouted": "not all of the traffic could be compared: see its limits"}
    shop["unavailable"] = ["misrouted"]
    message = "192.0.2.10 is mapped to aws/us-east-1, but 10 percent of about 800 requests came through EWR or IAD"
    shop["findings"].append(finding("misrouted", "192.0.2.10", message, actual="aws/us-east-1"))
    shop["findings"].sort(key=lambda item: KINDS.index(item["kind"]))
    shop["counts"]["misrouted"] = 1
    shop["mappings"][1]["findings"].append("misrouted")
    docs["traffic"] = traffic(
        [reached(f"203.0.113.{n}", "gcp/europe-west1", {"BRU": 500 + n, "AMS": 50}) for n in range(20, 32)]
    )
    docs["checked"] = [*KINDS]
    static["traffic"] = unknown_traffic(
        not_available=limit("fields", "the analytics of the zone's plan lack the field originIP", "originIP")
    )
    blog["traffic"] = traffic(
        [reached(f"198.51.100.{n}", "gcp/us-central1", {}) for n in range(70, 73)],
        limits=[limit("no_traffic", "no request reached an origin in this time, so nothing is proven")],
    )
    return [shop, docs, static, blog, failed]


def failed_report(zone: str | None, error: str, **fields: Any) -> Report:
    """Build the report of a zone that could not be audited.

    Fields override the result.
    """
    nothing: Report = {
        "zone_id": None,
        "account_id": None,
        "api_version": None,
        "error": error,
        "sources": [],
        "ranges": {},
        "tiered_cache": None,
        "smart_tiered_cache": None,
        "obtained_codes": None,
        "not_checked": dict.fromkeys(KINDS, "the zone could not be audited"),
    }
    return zone_report(zone, **{**nothing, **fields})


def small_fleet() -> list[Report]:
    """Build reports of five zones, with all kinds of failures.

    They have all kinds of findings but misrouted, which needs traffic.
    """
    shop = zone_report(
        "shop.example.com",
        [
            mapping("192.0.2.9", "aws/us-east-1", hosts=["web1.shop.example.com"]),
            mapping("192.0.2.10", "aws/us-east-1", hosts=["web2.shop.example.com"]),
            mapping("192.0.2.100", "aws/eu-central-1", hosts=["web3.shop.example.com"]),
            mapping("198.51.100.20", "azure/westeurope"),
            mapping("198.51.100.21", "azure/northeurope", hosts=["api1.shop.example.com", "api2.shop.example.com"]),
            mapping("203.0.113.7", "oci/us-seattle-0", hosts=["batch.shop.example.com"]),
            mapping("2001:db8::30", "gcp/europe-west1", hosts=["img1.shop.example.com"]),
        ],
        [
            finding(
                "missing",
                "192.0.2.44",
                "The inventory has this origin, and the zone has no mapping for it.",
                hosts=["web4.shop.example.com"],
                expected="aws/us-west-2",
            ),
            finding(
                "wrong",
                "192.0.2.10",
                "The zone maps the address to another region than the inventory has.",
                hosts=["web2.shop.example.com"],
                actual="aws/us-east-1",
                expected="aws/us-west-2",
            ),
            finding(
                "stale",
                "198.51.100.20",
                "The address is mapped, but no origin of the inventory has it.",
                actual="azure/westeurope",
            ),
            finding(
                "contradicted",
                "2001:db8::30",
                "The ranges that the clouds publish place the address in aws/eu-west-1.",
                hosts=["img1.shop.example.com"],
                actual="gcp/europe-west1",
                expected="aws/eu-west-1",
            ),
            finding(
                "unsupported",
                "203.0.113.7",
                "Cloudflare does not, or no longer, support the region.",
                hosts=["batch.shop.example.com"],
                actual="oci/us-seattle-0",
            ),
            finding(
                "unresolved",
                None,
                "The host has no public address.",
                hosts=["db1.shop.example.com"],
            ),
            finding("near_limit", None, "The zone holds 3,400 of the 3,500 mappings that a zone can hold."),
            finding("without_effect", None, "Smart Tiered Cache is off, so the mappings have no effect."),
        ],
        smart_tiered_cache=False,
        total_count=3400,
    )
    clean = zone_report(
        "docs.example.org",
        [mapping(f"203.0.113.{number}", "gcp/europe-west1", hosts=[f"docs{number}"]) for number in range(20, 32)],
    )
    alone = zone_report(
        "static.example.net",
        [mapping(f"198.51.100.{number}", "azure/westeurope") for number in range(90, 96)],
        sources=[],
        ranges={},
        obtained_codes=None,
        api_version="v1",
        not_checked={
            **WITHOUT_ORIGINS,
            "contradicted": "there are no published ranges to compare with",
            "unsupported": "the supported regions could not be read",
        },
        unavailable=["unsupported"],
    )
    empty = zone_report(
        "blog.example.org",
        [mapping(f"198.51.100.{number}", "gcp/us-central1") for number in range(70, 73)],
        [finding("no_origins", None, "The zone has 3 mappings, but inventory has no origin.")],
    )
    failed = failed_report("gone.example.com", "there is no zone gone.example.com that the token can see")
    return [shop, clean, alone, empty, failed]


def full_zone(findings: int = 140) -> Report:
    """Build the report of a zone with 3,500 mappings, some of them wrong."""
    places = [f"{vendor}/{region}" for vendor, regions in REGIONS.items() for region in regions]
    favourites = ["aws/us-east-1", "aws/eu-central-1", "azure/westeurope", "gcp/europe-west1", "oci/us-ashburn-1"]
    mappings = [
        mapping(
            str(ip_address("198.18.0.0" if number < 2800 else "2001:db8::") + number),
            favourites[number % 5] if number % 3 else places[number % len(places)],
            hosts=[f"origin-{number:04}.fleet.example.com"],
        )
        for number in range(3500)
    ]
    wrong = [
        finding(
            "wrong",
            item["origin_ip"],
            "The zone maps the address to another region than the inventory has.",
            hosts=item["hosts"],
            actual=f"{item['vendor']}/{item['region']}",
            expected="aws/us-west-2",
        )
        for item in mappings[:: max(1, 3500 // findings)][:findings]
    ]
    return zone_report("fleet.example.com", mappings, wrong)


HOSTILE = (
    "<script>document.title = 'broken into'</script>",
    "</script><img src=x onerror=\"document.title = 'broken into'\">",
    "</style><h1>a heading</h1>",
    "\"><a href='javascript:alert(1)'>x</a>",
    "one | two || three",
    "first\nsecond\r\n\r\n# third",
    "[a link](https://example.com) ![an image](https://example.com/x.png) https://example.com www.example.com",
    "`code` ``more`` \\| *bold* __bold__ ~~gone~~ $x$",
    "&lt;b&gt; &amp; ]]> <!-- x -->",
    "{{ 7 * 7 }} {% raw %}",
    "control \x00\x08\x1b[31m\x7f\ufffe and half \ud800 characters",
    "long" * 500,
    "\u202egnp.exe",
)


def shown(text: str) -> str:
    """Return a text as displayed: single blanks, a sign for non-characters."""
    return " ".join(
        "".join("\ufffd" if character in "\x00\x08\x1b\ufffe\ud800" else character for character in text).split()
    )


def hostile_reports(texts: Iterable[str] = HOSTILE) -> list[Report]:
    """Build reports with each text as zone, host, region and message."""
    reports: list[Report] = []
    for number, text in enumerate(texts):
        address = f"192.0.2.{number + 1}"
        found = finding("wrong", address, text, hosts=[text, text], actual="aws/us-east-1", expected="gcp")
        hostile: Mapping[str, str] = {"vendor": text, "region": text}
        report = zone_report(
            text, [mapping(address, "aws/us-east-1", hosts=[text])], [{**found, "actual": hostile, "expected": hostile}]
        )
        for item in report["mappings"]:
            item.update(hostile, upper_tier_colos=[text])
        origins = [reached(address, "aws/us-east-1", {text: 5, "IAD": 7}), reached("203.0.113.1", None, {text: 2})]
        for origin in origins:
            origin.update(dict.fromkeys(("vendor", "region"), origin["vendor"] and text), published=[hostile])
        report["traffic"] = traffic(origins, limits=[limit("partial", text, text)])
        reports += [report, failed_report(f"{text} (failed)", text)]
    return reports
