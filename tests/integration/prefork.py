# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Process that has loaded Ansible, and forks for each of its programs.

Most of a short playbook's time is the start of ansible-playbook: imports, and the documentation of its plugins. Here
that is done once, and a run is a fork with its own arguments, environment and output. The ANSIBLE_ settings, which
Ansible reads from the environment at its start, are this process's own.

Standard input has a run on each line, as JSON; standard output gets the exit status of each.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
import warnings
from importlib import import_module
from typing import Any

LIMIT = 300
"""Maximum duration of a run, in seconds."""


def preload() -> None:
    """Import the modules of ansible-playbook, including its plugins."""
    for name in ("ansible.cli.playbook", "ansible.executor.playbook_executor", "requests"):
        import_module(name)
    loader = import_module("ansible.plugins.loader")
    loader.init_plugin_loader()
    for kind in ("inventory", "callback", "connection", "shell", "strategy", "filter", "test", "become"):
        list(getattr(loader, f"{kind}_loader").all(class_only=True))
    # Expected, since each fork configures it again.
    warnings.filterwarnings("ignore", "AnsibleCollectionFinder has already been configured")


def run(program: str, arguments: list[str], folder: str, environment: dict[str, str], output: list[str]) -> Any:
    """Run a program of Ansible here, and return its exit status."""
    signal.alarm(LIMIT)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, path in enumerate([os.devnull, *output]):
        os.dup2(os.open(path, os.O_RDWR), descriptor)
    sys.argv = [f"ansible-{program}", *arguments]
    try:
        import_module(f"ansible.cli.{program}").main(sys.argv)
    except SystemExit as exit:
        return exit.code
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """Serve runs until standard input ends."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home
        preload()
        for line in sys.stdin:
            child = os.fork()
            if not child:
                status = run(**json.loads(line))
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status or 0)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
