# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run an emulator from the command line: `python -m emulator`."""

from __future__ import annotations

import json
import os
import signal
import sys
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from .app import API_VERSIONS
from .server import Emulator
from .state import Zone


def _arguments(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser("python -m emulator", description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--port", type=int, default=8790, help="port on the loopback interface; 0 picks a free one")
    parser.add_argument("--zone", nargs="+", default=["example.com"], metavar="NAME", help="zones to begin with")
    parser.add_argument(
        "--api-versions", nargs="+", choices=API_VERSIONS, default=API_VERSIONS, help="API versions to serve"
    )
    parser.add_argument("--no-tiered-cache", action="store_true", help="switch Tiered Cache off for the zones")
    parser.add_argument("--quota", type=int, default=Emulator.quota, help="requests in each window of five minutes")
    parser.add_argument("--lifetime", type=float, default=3600, metavar="SECONDS", help="maximum run time")
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="PATH",
        help="file for addresses and credentials in JSON",
    )
    return parser.parse_args(arguments)


@contextmanager
def _ready_file(path: Path, emulator: Emulator, zones: Sequence[Zone]) -> Iterator[None]:
    """Write the ready file atomically, and remove it at the end."""
    content = {
        "api_url": emulator.api_url,
        "control_url": emulator.control_url,
        "token": emulator.token,
        "email": emulator.email,
        "key": emulator.key,
        "zones": {zone.name: zone.id for zone in zones},
    }
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _run(options: Namespace) -> None:
    with Emulator(port=options.port, api_versions=options.api_versions, quota=options.quota) as emulator:
        zones = [emulator.add_zone(name, tiered_cache=not options.no_tiered_cache) for name in options.zone]
        print(f"The emulator listens on {emulator.api_url}, zones:")
        for zone in zones:
            print(f"  {zone.name} {zone.id}")
        print("To use it:")
        print(f"  export CLOUDFLARE_BASE_URL={emulator.api_url}")
        print(f"  export CLOUDFLARE_API_TOKEN={emulator.token}", flush=True)
        with _ready_file(options.ready_file, emulator, zones) if options.ready_file else nullcontext():
            emulator.wait(options.lifetime)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal, the stop endpoint or the end of the lifetime.

    Returns the exit status, 2 if the emulator cannot start.
    """
    options = _arguments(arguments)
    # SIGINT too, since a background process may ignore it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        try:
            _run(options)
        except (OSError, OverflowError) as error:
            print(f"The emulator can't start: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
