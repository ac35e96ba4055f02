"""Addresses and ports: the private side of a node, and a port that is free there."""

from __future__ import annotations

import socket

import pytest

from executors.serving import address
from executors.serving.address import free_port, is_private, node_address
from executors.serving.errors import AddressError


def interfaces(monkeypatch: pytest.MonkeyPatch, name: str | None, **found: str) -> None:
    monkeypatch.setattr(address, "interface_addresses", lambda: found)
    monkeypatch.setattr(address, "_address_of_name", lambda: name)


def test_the_named_interface_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    interfaces(monkeypatch, None, eth0="10.0.0.1", hsn0="198.51.100.7")
    assert node_address("hsn0") == "198.51.100.7"
    with pytest.raises(AddressError, match="found eth0, hsn0"):
        node_address("ib0")


def test_the_private_address_of_the_name_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    interfaces(monkeypatch, "10.9.9.9", lo="127.0.0.1", eth0="192.168.1.5", ib0="10.9.9.9")
    assert node_address(None) == "10.9.9.9"
    interfaces(monkeypatch, "127.0.1.1", lo="127.0.0.1", eth0="192.168.1.5", ib0="10.9.9.9")
    assert node_address(None) == "192.168.1.5"
    assert node_address(None, local=True) == "127.0.0.1"


def test_a_public_address_is_taken_only_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    interfaces(monkeypatch, "8.8.8.8", lo="127.0.0.1", eth0="8.8.8.8")
    with pytest.raises(AddressError, match=r"site\.serve\.interface"):
        node_address(None)
    assert node_address("eth0") == "8.8.8.8"


def test_private_is_neither_public_nor_this_machine_only() -> None:
    told = {a: is_private(a) for a in ("10.0.0.1", "8.8.8.8", "127.0.0.1", "169.254.0.1")}
    assert told == {"10.0.0.1": True, "8.8.8.8": False, "127.0.0.1": False, "169.254.0.1": False}


def test_this_machine_has_a_loopback() -> None:
    assert "127.0.0.1" in address.interface_addresses().values()


def test_a_taken_port_is_not_given() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=r"widen site\.serve\.ports"):
            free_port("127.0.0.1", (port, port))
    assert free_port("127.0.0.1", (port, port)) == port
    with pytest.raises(AddressError):
        free_port("127.0.0.1", (port, port), taken=(port,))
