# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check of the Python version, which modules call before other imports.

The code is valid in old versions too: anything after it may be a syntax error there.
"""

import json
import sys


def check() -> None:
    """Fail as a module does if Python is older than 3.10."""
    if sys.version_info >= (3, 10):  # noqa: UP036 - the target's Python is not the controller's
        return
    version = ".".join(map(str, sys.version_info[:3]))
    message = (
        f"the modules of originops.cloudflare need Python 3.10 or later, but {sys.executable} is {version}: set "
        "ansible_python_interpreter to a newer one"
    )
    sys.stdout.write(json.dumps({"failed": True, "msg": message}) + "\n")
    raise SystemExit(1)
