# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operation of origin_cloud_region_export: mappings as files.

The files are for Ansible and Terraform.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ._connection import ZoneClient, open_zone
from ._errors import InvalidInput, OriginOpsError, Outcome
from ._files import check_directory
from ._mapping import OriginMapping, address_order, canonical
from ._messages import quote

TERRAFORM_RESOURCE = "cloudflare_origin_cloud_region"
"""Resource of Cloudflare's provider, imported by ZONE_ID/ORIGIN_IP."""

PLAIN = re.compile(r"[A-Za-z0-9._-]{1,100}")
"""Vendors and regions that mean the same in every format.

Ansible evaluates templates, and Terraform has its own.
"""

Format = Callable[[Sequence[OriginMapping], ZoneClient, str], str]
"""Function from the sorted mappings of a zone to the text of a file.

The last argument is the name of the collection of mappings.
"""


def export_mappings(options: Mapping[str, Any], check_mode: bool) -> Outcome:
    """Write the mappings of a zone to files, without replacing any file."""
    name, directory = options["name"], os.path.abspath(options["dest"])
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InvalidInput(f"name: {quote(name)} has other characters than letters, digits and underscores")
    check_directory("dest", directory)
    with open_zone(options) as zone:
        _api, current = zone.negotiate(lambda api: api.fetch_all())
        mappings = sorted(current.mappings.values(), key=lambda mapping: address_order(mapping.address))
        for mapping in mappings:
            if not (PLAIN.fullmatch(mapping.vendor) and PLAIN.fullmatch(mapping.region)):
                raise OriginOpsError(f"The mapping {quote(str(mapping))} has characters that cannot be written safely")
        files = {kind: os.path.join(directory, FORMATS[kind][0]) for kind in options["formats"]}
        texts = {files[kind]: FORMATS[kind][1](mappings, zone, name) for kind in files}
        new = {path: text for path, text in texts.items() if not _holds(path, text)}
        if other := [path for path in new if os.path.lexists(path)]:
            raise OriginOpsError(
                f"Nothing was written, because these have another content: {', '.join(other)}. Move them away, or set "
                "another dest"
            )
        if new and not check_mode:
            _write(directory, new)
    result = {"changed": bool(new), "files": files, "total_count": len(mappings), **zone.source}
    return Outcome(result, deprecation=zone.deprecation)


def _holds(path: str, text: str) -> bool:
    """Check whether a file has this text."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read(len(text) + 1) == text
    except (OSError, ValueError):
        return False


def _write(directory: str, texts: Mapping[str, str]) -> None:
    """Write new files, for their owner only. Raises OriginOpsError."""
    written: list[str] = []
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        for path, text in texts.items():
            with open(path, "x", encoding="utf-8", newline="", opener=_open_private) as file:
                try:
                    file.write(text)
                    file.flush()
                except BaseException:
                    with suppress(OSError):
                        os.unlink(path)
                    raise
            written.append(path)
    except OSError as error:
        message = f"dest: cannot write {error.filename or directory}: {error.strerror}"
        before = f". Written before: {', '.join(written)}" if written else ""
        raise OriginOpsError(message + before, changed=bool(written)) from None


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _as_list(mappings: Sequence[OriginMapping], zone: ZoneClient, name: str) -> str:
    """Format mappings as a YAML file with a variable, for the option mappings."""
    return _as_yaml(
        zone,
        "Variable for the option mappings of the module originops.cloudflare.origin_cloud_region_batch.",
        f"{name}:",
        [f"  - {_flow(mapping.value())}" for mapping in mappings] or ["  []"],
    )


def _as_hosts(mappings: Sequence[OriginMapping], zone: ZoneClient, name: str) -> str:
    """Format mappings as a YAML inventory: a group, with a host per address."""
    hosts = []
    for mapping in mappings:
        host = f"{name}-{canonical(mapping.address).replace(':', '-')}"
        variables = {
            "origin_ip": canonical(mapping.address),
            "origin_vendor": mapping.vendor,
            "origin_region": mapping.region,
        }
        hosts.append(f'    "{host}": {_flow(variables)}')
    return _as_yaml(
        zone,
        "Inventory of origins, for the role originops.cloudflare.origin_regions.",
        f"{name}:\n  hosts:",
        hosts or ["    {}"],
    )


def _as_yaml(zone: ZoneClient, purpose: str, head: str, lines: Sequence[str]) -> str:
    return "\n".join([f"# {_title(zone)}", f"# {purpose}", "---", head, *lines, ""])


def _title(zone: ZoneClient) -> str:
    return f"Origin cloud region mappings of the Cloudflare zone {zone.label}."


def _flow(values: Mapping[str, str | None]) -> str:
    """Format values as a YAML dictionary on one line.

    All values have quotes: otherwise YAML parses some IPv6 addresses as numbers, and others as keys.
    """
    return f"{{{', '.join(f'{key}: {_quoted(value)}' for key, value in values.items())}}}"


def _quoted(value: str | None) -> str:
    return f'"{value}"'


def _as_terraform(mappings: Sequence[OriginMapping], zone: ZoneClient, name: str) -> str:
    """Format mappings as a Terraform configuration that imports each."""
    addresses = [_quoted(canonical(mapping.address)) for mapping in mappings]
    width = max(map(len, addresses), default=0)
    entries = [
        f'    {address:{width}} = {{ vendor = "{mapping.vendor}", region = "{mapping.region}" }}'
        for address, mapping in zip(addresses, mappings, strict=True)
    ]
    lines = [
        f"# {_title(zone)}",
        "# For Terraform 1.5 and Cloudflare's provider 5.20, or later.",
        f'resource "{TERRAFORM_RESOURCE}" "{name}" {{',
        *(["  for_each = {", *entries, "  }"] if entries else ["  for_each = {}"]),
        f'  zone_id   = "{zone.id}"',
        "  origin_ip = each.key",
        "  vendor    = each.value.vendor",
        "  region    = each.value.region",
        "}",
    ]
    for address, mapping in zip(addresses, mappings, strict=True):
        lines += [
            "",
            "import {",
            f"  to = {TERRAFORM_RESOURCE}.{name}[{address}]",
            f'  id = "{zone.id}/{canonical(mapping.address)}"',
            "}",
        ]
    return "\n".join([*lines, ""])


FORMATS: dict[str, tuple[str, Format]] = {
    "list": ("mappings.yml", _as_list),
    "hosts": ("hosts.yml", _as_hosts),
    "terraform": ("mappings.tf", _as_terraform),
}
"""Formats by name: the name of the file, and the function."""
