# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks of addresses: parsing, and fast look-up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, TypeAlias

from ._errors import InvalidInput
from ._mapping import parse_address, parse_each
from ._messages import quote

Network: TypeAlias = IPv4Network | IPv6Network


class Networks:
    """Container of the addresses in some networks."""

    def __init__(self, networks: Iterable[Network]) -> None:
        # Bits of the networks by IP version and prefix length: a look-up in each set is fast.
        self._prefixes: dict[tuple[int, int], set[int]] = {}
        for network in networks:
            bits = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            self._prefixes.setdefault((network.version, network.prefixlen), set()).add(bits)

    def __contains__(self, address: Any) -> bool:
        number = int(address)
        return any(
            version == address.version and number >> (address.max_prefixlen - length) in bits
            for (version, length), bits in self._prefixes.items()
        )


def parse_network(text: Any) -> Network:
    """Parse an address or a CIDR prefix. Raises InvalidInput."""
    if not isinstance(text, str) or "/" not in text:
        return ip_network(parse_address(text))
    try:
        return ip_network(text.strip())
    except ValueError:
        pass
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise InvalidInput(f"{quote(text)} is neither an address nor a CIDR prefix") from None
    raise InvalidInput(f"{quote(text)} has bits of a host set: did you mean {network}?")


def parse_networks(texts: Sequence[Any], option: str) -> tuple[Network, ...]:
    """Parse a list of addresses and prefixes.

    Raises InvalidInput for all invalid items together.
    """
    return tuple(parse_each(texts, option, parse_network))
