# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let tests import the collection by its full name, wherever the checkout is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from ansible.plugins.loader import init_plugin_loader
from ansible.utils.display import Display
from hypothesis import settings

CHECKOUT = Path(__file__).parents[2]
# A busy machine makes no example of a property wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

COLLECTIONS = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Show ansible's loader a tree with the checkout at the place that its name asks for.

    The tree is temporary and of this process alone, so that parallel workers don't meet in it.
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
