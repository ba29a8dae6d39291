"""The watcher itself, on packets made by hand: what it must report, and what it must not."""

import os
import struct
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, os.path.join(ROOT, "lab"))

from homebound_lab import headers, packets, watcher  # noqa: E402
from homebound_lab.attacker import BA, BRR, BU, COT, COTI, HOT, HOTI, header  # noqa: E402
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT  # noqa: E402

CARE_OF, BEHIND = "2001:db8:a::42", "2001:db8:100:1::11"
OTHER = "2001:db8:b::7"
BRI, HEARTBEAT, SWITCH = 16, 13, 12
MPS = b"\x92\0\0\0\0\0\0\0"
NS = b"\x87" + bytes(23)
TCP = bytes(20)


def ip6(source, destination, proto, rest):
    return struct.pack(">IHBB", 6 << 28, len(rest), proto, 64) + packets.octets(source) + packets.octets(destination) + rest


def mobility(kind):
    return header(kind, bytes(10))


def hao(proto, rest, address=HOME_ADDRESS):
    return bytes([proto, 2, 1, 2, 0, 0, 0xC9, 16]) + packets.octets(address) + rest


def route2(proto, rest, address=HOME_ADDRESS, left=1):
    return bytes([proto, 2, 2, left]) + bytes(4) + packets.octets(address) + rest


def fragment(proto, rest, offset=0, more=True):
    return bytes([proto, 0]) + struct.pack(">HI", offset | more, 7) + rest


def up(proto, rest):
    return ip6(CARE_OF, HOME_AGENT, proto, rest)


def down(proto, rest):
    return ip6(HOME_AGENT, CARE_OF, proto, rest)


ESP = struct.pack(">II", 0x1001, 1) + bytes(40)
SIGNALS = {
    "update": up(60, hao(135, mobility(BU))),
    "acknowledgement": down(43, route2(135, mobility(BA))),
    "update behind hop-by-hop options": up(0, bytes([60, 0, 1, 4, 0, 0, 0, 0]) + hao(135, mobility(BU))),
    "update without option": up(135, mobility(BU)),
    "update at home": ip6(HOME_ADDRESS, HOME_AGENT, 135, mobility(BU)),
    "refusal to the care-of address": down(135, mobility(BA)),
    "refresh": down(43, route2(135, mobility(BRR))),
    "revocation": down(43, route2(135, mobility(BRI))),
    "refusal to anybody": ip6(HOME_AGENT, OTHER, 135, mobility(BA)),
    "home test of the home agent": ip6(HOME_AGENT, HOME_ADDRESS, 135, mobility(HOT)),
    "heartbeat": up(60, hao(135, mobility(HEARTBEAT))),
    "switch": down(43, route2(135, mobility(SWITCH))),
    "unknown type": down(43, route2(135, mobility(77))),
    "prefix solicitation": up(60, hao(58, MPS)),
    "prefix advertisement": down(43, route2(58, b"\x93" + MPS[1:])),
    "test init in the tunnel": up(41, ip6(HOME_ADDRESS, CORRESPONDENT, 135, mobility(HOTI))),
    "test in the tunnel": down(41, ip6(CORRESPONDENT, HOME_ADDRESS, 135, mobility(HOT))),
    "test in two tunnels": down(41, ip6(OTHER, CARE_OF, 41, ip6(CORRESPONDENT, HOME_ADDRESS, 135, mobility(HOT)))),
    "test in a tunnel with a limit": up(60, bytes([41, 0, 4, 1, 4, 1, 0, 0]) + ip6(HOME_ADDRESS, CORRESPONDENT, 135, mobility(HOTI))),
    "first fragment of an update": up(44, fragment(60, hao(135, mobility(BU)))),
    "first fragment, option before": up(60, hao(44, fragment(135, mobility(BU)))),
    "later fragment of an update": up(60, hao(44, fragment(135, bytes(16), offset=64))),
    "cut short": up(60, hao(135, mobility(BU)))[:64],
}
PAYLOAD = {
    "tunnel up": up(41, ip6(HOME_ADDRESS, CORRESPONDENT, 6, TCP)),
    "tunnel down": down(41, ip6(CORRESPONDENT, HOME_ADDRESS, 17, bytes(8))),
    "of a network": up(41, ip6(BEHIND, CORRESPONDENT, 6, TCP)),
    "fragment of a tunnel": up(44, fragment(41, ip6(HOME_ADDRESS, CORRESPONDENT, 6, TCP))),
    "later fragment of a tunnel": down(44, fragment(41, bytes(64), offset=800)),
    "ESP between others inside": up(41, ip6(HOME_ADDRESS, CORRESPONDENT, 50, ESP)),
    "plain": ip6(HOME_ADDRESS, CORRESPONDENT, 6, TCP),
    "plain of a network": ip6(CORRESPONDENT, BEHIND, 17, bytes(8)),
    "to the home agent with option": up(60, hao(6, TCP)),
    "home test init outside of the tunnel": ip6(HOME_ADDRESS, CORRESPONDENT, 135, mobility(HOTI)),
    "echo": ip6(HOME_ADDRESS, CORRESPONDENT, 58, b"\x80" + bytes(7)),
}
HARMLESS = {
    "ESP": up(50, ESP),
    "ESP behind option": up(60, hao(50, ESP)),
    "direct from the node": ip6(CARE_OF, CORRESPONDENT, 60, hao(6, TCP)),
    "direct to the node": ip6(CORRESPONDENT, CARE_OF, 43, route2(6, TCP)),
    "update of a correspondent": ip6(CARE_OF, CORRESPONDENT, 60, hao(135, mobility(BU))),
    "answer of a correspondent": ip6(CORRESPONDENT, CARE_OF, 43, route2(135, mobility(BA))),
    "care-of test": ip6(CARE_OF, CORRESPONDENT, 135, mobility(COTI)),
    "care-of test of a mobile router": ip6(CARE_OF, BEHIND, 135, mobility(COTI)),
    "its answer": ip6(CORRESPONDENT, CARE_OF, 135, mobility(COT)),
    "home agent as a correspondent": ip6(HOME_AGENT, OTHER, 135, mobility(HOT)),
    "its Binding Error": ip6(HOME_AGENT, OTHER, 135, mobility(7)),
    "neighbour discovery": ip6(HOME_ADDRESS, HOME_AGENT, 58, NS),
    "discovery of home agents": up(58, b"\x90" + bytes(7)),
    "tunnel between others": ip6(OTHER, CORRESPONDENT, 41, ip6(HOME_AGENT, OTHER, 6, TCP)),
    "of the care-of address": ip6(CARE_OF, CORRESPONDENT, 6, TCP),
    "not IPv6": b"\x45" + bytes(60),
    "nothing": b"",
}


def see(payload, visited=True):
    return watcher.Watcher([HOME_ADDRESS], [HOME_AGENT], ["2001:db8:100::/56"], payload), visited


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("payload", (False, True))
def test_signalling_is_seen(name, payload):
    w, _ = see(payload)
    for visited in (False, True):
        assert w.clear(SIGNALS[name], visited)


@pytest.mark.parametrize("name", PAYLOAD)
def test_payload_is_seen_when_protected(name):
    assert see(True)[0].clear(PAYLOAD[name], True)
    assert not see(False)[0].clear(PAYLOAD[name], True)


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("payload", (False, True))
def test_harmless_is_not_seen(name, payload):
    assert see(payload)[0].clear(HARMLESS[name], True) is None


def test_at_home_only_signalling_is_protected():
    w = see(True)[0]
    assert not w.clear(PAYLOAD["plain"], False)
    assert not w.clear(ip6(HOME_ADDRESS, CORRESPONDENT, 135, mobility(HOTI)), False)  # by the home agent, out of the tunnel
    assert w.clear(SIGNALS["update at home"], False)


@pytest.mark.parametrize("name", [*SIGNALS, *PAYLOAD, *HARMLESS])
def test_every_cut_is_read(name):
    """Captures end in the middle of packets; octets turn up changed."""
    whole = {**SIGNALS, **PAYLOAD, **HARMLESS}[name]
    for payload in (False, True):
        w = see(payload)[0]
        for size in range(len(whole)):
            w.clear(whole[:size], True)
        for at in range(len(whole)):
            w.clear(whole[:at] + b"\xff" + whole[at + 1:], True)


def test_what_the_header_parser_reads():
    p = headers.take_apart(SIGNALS["update"])
    assert (p.home, p.route, p.proto) == (packets.octets(HOME_ADDRESS), b"", 135)
    p = headers.take_apart(SIGNALS["acknowledgement"])
    assert (p.home, p.route, p.proto) == (b"", packets.octets(HOME_ADDRESS), 135)
    assert not headers.take_apart(down(43, route2(135, mobility(BA), left=0))).route
    for proto, rest in ((50, ESP), (17, struct.pack(">HHHH", 4500, 4500, 56, 0) + ESP)):
        assert headers.spi(up(proto, rest), headers.take_apart(up(proto, rest))) == 0x1001
    ike = struct.pack(">HHHH", 4500, 4500, 56, 0) + bytes(48)
    assert headers.spi(up(17, ike), headers.take_apart(up(17, ike))) is None


# --- captures

NODE, ROUTER, EVIL = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2", b"\2\x66\x66\x66\x66\x66"


def pcapng(path, frames, snaplen=9999):
    """frames: [(source, destination, packet)], a ms apart."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    with open(path, "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0)))
        for n, (source, destination, packet) in enumerate(frames):
            frame = destination + source + b"\x86\xdd" + packet
            part = frame[:snaplen]
            f.write(block(6, struct.pack("<IIIII", 0, 0, n * 1000, len(part), len(frame)) + part))
    return path


def hop(packet):
    return packet[:7] + bytes([packet[7] - 1]) + packet[8:]


def test_captures(tmp_path):
    update, tunnel, plain = SIGNALS["update"], PAYLOAD["tunnel up"], PAYLOAD["plain"]
    evil = up(60, hao(135, header(BU, b"evil" + bytes(6))))
    link1 = pcapng(tmp_path / "link1", [(NODE, ROUTER, p) for p in (update, tunnel, up(50, ESP), plain)] + [(EVIL, ROUTER, evil)])
    core = pcapng(tmp_path / "core-ha", [(ROUTER, NODE, hop(p)) for p in (update, tunnel, up(50, ESP), up(50, ESP), evil)])
    for payload, wanted in ((False, ["core-ha", "link1"]), (True, ["core-ha", "core-ha", "link1", "link1", "link1"])):
        s = watcher.Sightings(see(payload)[0])
        s.read("core-ha", core, False)  # before the link on which the attacker is recognized
        s.read("link1", link1, True)
        assert sorted(link for _, link, _, _ in s.ours()) == wanted
        assert s.packets_by_spi() == {"0x1001": 2}
        assert [t for t, *_ in s.ours()] == sorted(t for t, *_ in s.ours())


def test_forged_packets_are_not_counted(tmp_path):
    path = pcapng(tmp_path / "link1", [(NODE, ROUTER, PAYLOAD["tunnel up"]), (NODE, ROUTER, PAYLOAD["tunnel down"])])
    s = watcher.Sightings(see(True)[0], forged=[hop(PAYLOAD["tunnel up"])])
    s.read("link1", path, True)
    assert len(s.ours()) == 1


def test_what_comes_out_of_esp_is_not_on_the_wire(tmp_path):
    path = pcapng(tmp_path / "mn-wlan0", [(ROUTER, NODE, down(50, ESP)), (ROUTER, NODE, PAYLOAD["tunnel down"]),
                                          (NODE, ROUTER, PAYLOAD["tunnel up"])])
    for receives, wanted in (((), 2), ({ROUTER}, 1)):
        s = watcher.Sightings(see(True)[0])
        s.read("mn-wlan0", path, True, receives=receives)
        assert len(s.ours()) == wanted and s.packets_by_spi() == {"0x1001": 1}


def test_a_sequence_number_used_twice_is_seen(tmp_path):
    def esp(sequence, octet):
        return up(50, struct.pack(">II", 0x1001, sequence) + octet * 40)

    path = pcapng(tmp_path / "link1", [(NODE, ROUTER, p) for p in (esp(1, b"a"), esp(2, b"b"), hop(esp(1, b"a")), esp(2, b"c"))]
                  + [(EVIL, ROUTER, esp(1, b"e")), (NODE, ROUTER, up(60, hao(50, esp(1, b"a")[40:])))])
    s = watcher.Sightings(see(True)[0])
    s.read("link1", path, True)
    assert s.reused() == 1


def test_plain_packets_of_a_node_count_where_it_is_away(tmp_path):
    path = pcapng(tmp_path / "mn-wlan0", [(NODE, ROUTER, PAYLOAD["plain"])])
    for routers, wanted in (((), 0), ({ROUTER}, 1)):
        s = watcher.Sightings(see(True)[0])
        s.read("mn-wlan0", path, False, routers)
        assert len(s.ours()) == wanted


# --- packets of streams, whose headers are looked at once

def stream(sequence, octets=64):
    """UDP of the flow tool, with its checksum not the same in any two."""
    data = (packets.MARK + struct.pack(">II", 5001, sequence)).ljust(octets, b"\0")
    return struct.pack(">HHHH", 40000, 5001, 8 + len(data), sequence) + data


def directly(sequence):
    return ip6(CARE_OF, CORRESPONDENT, 60, hao(17, stream(sequence)))


def test_a_harmless_stream_hides_nothing(tmp_path):
    plain = ip6(HOME_ADDRESS, CORRESPONDENT, 17, stream(7))
    path = pcapng(tmp_path / "link1", [(NODE, ROUTER, p) for p in (directly(1), directly(2), plain, directly(3), plain, PAYLOAD["plain"])])
    s = watcher.Sightings(see(True)[0])
    s.read("link1", path, True)
    assert [round(t * 1000) for t, *_ in s.ours()] == [2, 4, 5] and len(s.harmless) == 1
    at_home = watcher.Sightings(see(True)[0])
    at_home.read("home", pcapng(tmp_path / "home", [(NODE, ROUTER, plain)]), False)
    at_home.read("link1", path, True)
    assert len(at_home.ours()) == 3


def test_headers_of_streams():
    def name(packet):
        return watcher.headers_of_stream(bytes(12) + b"\x86\xdd" + packet)

    assert name(directly(1)) == name(hop(directly(2))) != b""
    assert name(directly(1)) != name(ip6(OTHER, CORRESPONDENT, 60, hao(17, stream(1))))
    assert name(directly(1)[:-1]) == b"" == name(directly(1) + b"\0") == name(PAYLOAD["plain"])
    assert name(ip6(CARE_OF, CORRESPONDENT, 60, bytes([17, 2]) + packets.MARK + bytes(18) + stream(1)[:8])) == b""


def test_one_of_each(tmp_path):
    tcp = [ip6(CARE_OF, CORRESPONDENT, 6, TCP), ip6(CARE_OF, CORRESPONDENT, 60, hao(6, TCP)),
           ip6(CARE_OF, CORRESPONDENT, 43, route2(60, hao(6, TCP)))]
    wanted = [directly(1), ip6(OTHER, CORRESPONDENT, 60, hao(17, stream(2))), SIGNALS["update"], SIGNALS["update"],
              ip6(CARE_OF, CORRESPONDENT, 60, hao(17, stream(3, 65)))]
    path = pcapng(tmp_path / "x.pcapng", [(NODE, ROUTER, p) for p in (*wanted, *tcp, directly(4), directly(5))])
    assert [frame[14:] for _, frame in packets.frames(packets.one_of_each(str(path)))] == wanted
