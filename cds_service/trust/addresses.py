"""Which internet addresses a tenant's servers may have: public ones, private ones only where its file lists them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cds_service.tenants.tenant import Tenant

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
# RFC 6052, RFC 8215: IPv4 behind a NAT64 gateway; is_global says yes to all of the first, 169.254.169.254 included.
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
# Where clouds tell a machine its own credentials, outside 169.254.0.0/16; some are public addresses. Also where a
# tenant lists the network around them.
# Azure: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
# Alibaba Cloud: https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
# AWS over IPv6: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
# Oracle Cloud: https://docs.oracle.com/iaas/Content/Compute/Tasks/gettingmetadata.htm (192.0.0.192, as old images have)
_METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")))


def may_connect(host: str, address: str, tenant: Tenant) -> bool:
    """Whether the address that `host` resolved to may be connected to for this tenant (R-G01).

    Loopback only in demo and dev, and only where the host itself is written as loopback, so that no name
    can be pointed there. Link-local (cloud metadata), multicast and unspecified: never.
    """
    try:
        addresses = tuple(_forms(ipaddress.ip_address(address.split("%", 1)[0])))
    except ValueError:
        return False
    return all(_may(form, host, tenant) for form in addresses)


def is_loopback_name(host: str) -> bool:
    """Whether a host is written as the loopback interface: localhost, 127.0.0.0/8 or ::1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _may(address: IPAddress, host: str, tenant: Tenant) -> bool:
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA:
        return False
    if address.is_loopback:
        return not tenant.is_production and is_loopback_name(host)
    networks = map(ipaddress.ip_network, tenant.private_networks)
    return address.is_global or any(address.version == net.version and address in net for net in networks)


def _forms(address: IPAddress) -> Iterator[IPAddress]:
    """The address, or the IPv4 address that an IPv6 one stands for (mapped, 6to4, Teredo, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    else:
        yield address
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
        if any(address in network for network in _NAT64):
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
