# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of jobs that have each audited a zone with 3,500 mappings."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible_collections.originops.cloudflare.plugins.plugin_utils._report.model import aggregate, as_json
from support.reports import full_zone


def main() -> None:
    """Write the given number of reports, each in its own directory."""
    for number in range(int(sys.argv[1])):
        name = f"zone{number:03}.example"
        report = aggregate([{**full_zone(), "zone": name, "zone_id": f"{number:032x}"}], fail_on=())
        folder = Path("jobs") / name
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(as_json(report), "utf-8")


if __name__ == "__main__":
    main()
