"""The address and the port of a server: the node's private side, and a port that is free there."""

from __future__ import annotations

import ipaddress
import random
import socket

import psutil

from executors.serving.errors import AddressError

LOOPBACK = "127.0.0.1"
TRIES = 200


def node_address(interface: str | None, local: bool = False) -> str:
    """The IPv4 address of this node that a server listens on.

    The one of `interface`; without a name the loopback where all users are `local`, else the
    private address that the node's name stands for, else its first private one. Raises
    AddressError where there is none, and for a public address that nobody named.
    """
    found = interface_addresses()
    if interface is not None:
        if interface not in found:
            raise AddressError(
                f"expected a network interface {interface!r} with an IPv4 address on "
                f"{socket.gethostname()}, found {', '.join(sorted(found)) or 'none'}; correct "
                "site.serve.interface"
            )
        return found[interface]
    if local:
        return LOOPBACK
    private = [address for _, address in sorted(found.items()) if is_private(address)]
    named = _address_of_name()
    if named in private:
        return str(named)
    if private:
        return private[0]
    raise AddressError(
        f"expected a private IPv4 address on {socket.gethostname()}, found "
        f"{', '.join(sorted(found.values())) or 'none'}; name the interface that servers may "
        "listen on with site.serve.interface"
    )


def interface_addresses() -> dict[str, str]:
    """The first IPv4 address of every network interface that is up."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    return {
        name: found[0]
        for name, addresses in psutil.net_if_addrs().items()
        if name in up and (found := [a.address for a in addresses if a.family == socket.AF_INET])
    }


def is_private(address: str) -> bool:
    """Whether other nodes may reach `address` and the rest of the world may not."""
    parsed = ipaddress.ip_address(address)
    return parsed.is_private and not parsed.is_loopback and not parsed.is_link_local


def free_port(address: str, ports: tuple[int, int], taken: tuple[int, ...] = ()) -> int:
    """A random port of `ports`, both ends included, that nobody listens on at `address`.

    Random, so that two servers that start on a node at once hardly meet; the one that loses the
    port after all starts again with another. AddressError if none of many tries is free.
    """
    low, high = ports
    chosen = random.SystemRandom()
    for _ in range(TRIES):
        port = chosen.randint(low, high)
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise AddressError(
        f"expected a free port of {low} to {high} at {address}, found none in {TRIES} tries; widen "
        "site.serve.ports"
    )


def _address_of_name() -> str | None:
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return None
