"""Tell what kind of network an address belongs to, by the registries of IANA.

An address that only wraps another one (IPv4-mapped, NAT64, 6to4, Teredo) is of the kind of that
one: it is where its packets arrive.
"""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

LOOPBACK, LINK_LOCAL, PRIVATE = "loopback", "link-local", "private"
METADATA, SPECIAL = "cloud-metadata", "special-purpose"

_KINDS = [
    (METADATA, "169.254.169.254/32 169.254.170.2/32 169.254.170.23/32 fd00:ec2::/32"),
    (METADATA, "100.100.100.200/32 168.63.129.16/32 192.0.0.192/32 fd20:ce::254/128"),
    (LOOPBACK, "127.0.0.0/8 ::1/128"),
    (LINK_LOCAL, "169.254.0.0/16 fe80::/10"),
    (PRIVATE, "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 198.18.0.0/15"),
    (PRIVATE, "fc00::/7 fec0::/10 64:ff9b:1::/48"),
    (SPECIAL, "0.0.0.0/8 192.0.0.0/24 192.88.99.0/24 224.0.0.0/4 240.0.0.0/4"),
    (SPECIAL, "::/96 100::/64 ff00::/8 2001:2::/48 5f00::/16"),
]
_NETWORKS = [(kind, ip_network(text)) for kind, texts in _KINDS for text in texts.split()]
_NAT64 = ip_network("64:ff9b::/96")


@lru_cache(maxsize=4096)
def kind_of(address: str) -> str:
    """Return the kind of an IP address that no page from outside may lead to; empty for others."""
    ip = _unwrapped(ip_address(address.partition("%")[0]))
    return next((kind for kind, network in _NETWORKS if ip in network), "")


@lru_cache(maxsize=4096)
def literal(host: str) -> str:
    """Return the IP address that a host is written as, empty where it is a name.

    ``127.1``, ``0x7f000001`` and ``2130706433`` are addresses to every resolver (inet_aton(3)).
    """
    host = host.strip("[]").rstrip(".")
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    if not host[:1].isdigit():
        return ""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return ""


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
    if inner is None and 1 < int(ip) < 1 << 32:  # IPv4-compatible (RFC 4291, 2.5.5.1)
        return IPv4Address(int(ip))
    return inner or ip
