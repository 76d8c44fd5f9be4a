# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Import of the collection by its full name, from any checkout."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from ansible.plugins.loader import init_plugin_loader
from ansible.utils.display import Display
from hypothesis import settings

CHECKOUT = Path(__file__).parents[2]
# Examples of properties have no deadline: a slow machine is not a failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

COLLECTIONS = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Give Ansible's loader a tree with a link to the checkout.

    The link is at the path of the collection's name. The tree is temporary and private to this process, so that
    parallel workers do not share it.
    """
    config.stash[COLLECTIONS] = tree = tempfile.TemporaryDirectory()
    collection = Path(tree.name, "ansible_collections", "originops", "cloudflare")
    collection.parent.mkdir(parents=True)
    collection.symlink_to(CHECKOUT, target_is_directory=True)
    init_plugin_loader([tree.name])


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[COLLECTIONS].cleanup()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the user's proxies, certificates and credentials."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY", "CLOUDFLARE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def forgetful_display() -> None:
    """Forget warnings of earlier tests: a process shows each only once."""
    for shown in (Display()._warns, Display()._deprecations):
        shown.clear()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record waits before and between attempts, in seconds, without waiting."""
    seconds: list[float] = []
    pause = "ansible_collections.originops.cloudflare.plugins.module_utils._http._pause"
    monkeypatch.setattr(pause, lambda wait, _stop: seconds.append(wait) if wait else None)
    return seconds
