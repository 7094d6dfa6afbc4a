"""Which internet addresses a tenant's servers may have: public ones, private ones only where its file lists them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from cds_service.tenants.tenant import Tenant

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
# IPv6 addresses whose last 32 bits are an IPv4 address, of which is_global says yes: behind a NAT64 gateway (RFC 6052,
# RFC 8215), compatible (RFC 4291, 2.5.5.1) and translated (RFC 7915's predecessor RFC 2765, 2.1).
_HOLDING_IPV4 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))
_ISATAP = (0x5EFE, 0x0200_5EFE)  # before those 32 bits (RFC 5214, 6.1)
# Where clouds tell a machine its own credentials, outside 169.254.0.0/16; some are public addresses. Also where a
# tenant lists the network around them.
# Azure: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
# Alibaba Cloud: https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata (IPv6 fd00:100::100:200)
# AWS over IPv6: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html; of containers:
# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html (fd00:ec2::23)
# Oracle Cloud: https://docs.oracle.com/iaas/Content/Compute/Tasks/gettingmetadata.htm (192.0.0.192, as old images have)
# Google Cloud over IPv6: https://cloud.google.com/compute/docs/metadata/querying-metadata
# Scaleway: https://docs.cloud-init.io/en/latest/reference/datasources/scaleway.html
# Akamai: https://techdocs.akamai.com/cloud-computing/docs/metadata-service-api
_METADATA = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::/32", "fd20:ce::254", "fd00:c1::a9fe:a9fe",
            "fd00:42::42", "fd00:a9fe:a9fe::1", "fd00:100::100:200",
        ),
    )
)  # fmt: skip


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
    if address.is_link_local or address.is_multicast or address.is_unspecified or _in_any(address, _METADATA):
        return False
    if address.is_loopback:
        return not tenant.is_production and is_loopback_name(host)
    networks = map(ipaddress.ip_network, tenant.private_networks)
    return address.is_global or _in_any(address, networks)


def _in_any(address: IPAddress, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address.version == net.version and address in net for net in networks)


def _forms(address: IPAddress) -> Iterator[IPAddress]:
    """The address, or the IPv4 address that an IPv6 one stands for (mapped, 6to4, Teredo, NAT64 and others)."""
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
        holds = _in_any(address, _HOLDING_IPV4) or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
        if holds and not address.is_loopback:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
