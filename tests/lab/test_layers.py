"""What scenario vcm's judge reads in packets made by hand: all layers with keys, and what is readable without any."""

import os
import struct
import sys
from types import SimpleNamespace

import pytest
from conftest import ROOT

sys.path.insert(0, os.path.join(ROOT, "lab"))

from homebound_lab import insider, layers, vcm_wire, vpn_figures  # noqa: E402
from homebound_lab.attacker import BU, esp, header  # noqa: E402
from homebound_lab.hostile_packets import ip6, with_checksum  # noqa: E402
from homebound_lab.intranet import addresses  # noqa: E402

AT = addresses(1)
ONE, TWO, CARE_OF = AT.internal["mn1"], AT.internal["mn2"], "2001:db8:a1::5"
OUTER = ("", "", "gateway", 0x1000, "aes-gcm-128", "11" * 20)
INNER = ("", "", "manager", 0x2000, "aes-gcm-128", "22" * 20)
KEYS = {row[3]: (row[4], bytes.fromhex(row[5])) for row in (OUTER, INNER)}
ESP, UDP, IPV6, ICMPV6, MH = 50, 17, 41, 58, 135
SHORT = dict(ids=lambda v: "" if isinstance(v, (bytes, dict)) else None)
MACS = b"\2\0\0\0\0\1" + b"\2\0\0\0\0\2" + b"\x86\xdd"


def stream(source=ONE, destination=TWO, number=7):
    udp = struct.pack(">HHHH", 5001, 5001, 72, 0) + b"HBFL" + struct.pack(">II", 5001, number) + bytes(52)
    return ip6(source, destination, UDP, with_checksum(udp, 6, UDP, source, destination))


def tunnelled(packet, source=AT.home["mn1"], destination=AT.gateway):
    return ip6(source, destination, ESP, esp(OUTER, 3, IPV6, packet))


def to_manager():
    text = insider.datagram(ONE, AT.vcm, vcm_wire.message(vcm_wire.READY, 9, 1, 2, [vcm_wire.session(5, 1)]))
    return ip6(ONE, AT.vcm, ESP, esp(INNER, 4, UDP, text[40:]))


def seen(packet, keys=KEYS):
    frame = MACS + packet
    return layers.Reader(keys).frame(0.0, "link", frame, len(frame))


def secrets(embodiment=1):
    e = SimpleNamespace(keys=SimpleNamespace(embodiment=embodiment), facts={"macs": {}})
    return vpn_figures.Secrets(e, addresses(embodiment))


def test_through_a_tunnel():
    s = seen(tunnelled(stream()))
    assert (s.spis, layers.flow(s)) == ((0x1000,), (5001, 7))
    assert s.source == vpn_figures.packets.octets(ONE)


def test_through_two_layers_of_esp():
    m = layers.message(seen(tunnelled(to_manager())))
    assert (m.kind, m.sequence, m.options[0][0]) == ("READY", 9, vcm_wire.SESSION)


def test_without_the_inner_key():
    assert layers.message(seen(tunnelled(to_manager()), {0x1000: KEYS[0x1000]})) is None


@pytest.mark.parametrize("packet", [tunnelled(stream()), tunnelled(to_manager()),
                                    ip6(CARE_OF, AT.home_agent, IPV6, tunnelled(stream())),
                                    ip6(CARE_OF, AT.home_agent, MH, header(BU, bytes(6)))], **SHORT)
@pytest.mark.parametrize("keys", [KEYS, {}], **SHORT)
def test_nothing_readable(packet, keys):
    assert secrets().exposed(seen(packet, keys)) is None


@pytest.mark.parametrize("packet", [
    stream(), stream(AT.home["mn1"], AT.home["mn2"]), ip6(CARE_OF, AT.home_agent, IPV6, stream()), to_manager(),
    ip6(AT.home["mn1"], AT.gateway, IPV6, to_manager()),
    ip6("fe80::1", "ff02::1", ICMPV6, b"\x87" + bytes(7) + vpn_figures.packets.octets(ONE))], **SHORT)
def test_readable(packet):
    assert secrets().exposed(seen(packet))


@pytest.mark.parametrize("packet, exposed", [
    (stream(*[addresses(2).home[n] for n in ("mn1", "mn2")]), True), (ip6(CARE_OF, AT.home_agent, MH, header(BU, bytes(6))), True),
    (tunnelled(stream(), AT.home["mn1"], AT.home_agent), False)], **SHORT)
def test_embodiment_2(packet, exposed):
    assert bool(secrets(2).exposed(seen(packet))) is exposed
