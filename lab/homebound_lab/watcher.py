"""What must be protected between a mobile node and its home agent, and was seen in clear on any link.

Protected are (RFC 3775 as RFC 6275 has it, 5.1 and 5.2.5; RFC 4877, 3): Mobility Headers between the node, at its home or
care-of address, and the home agent; mobile prefix discovery; Mobility Headers in the tunnel between them, such as Home
Test Init and Home Test; with payload protection the whole tunnel, and everything of the home address or of a network
behind the node on a visited link, unless it goes directly between the node and a correspondent (9.3).

Not protected: return routability and bindings with correspondents, Neighbor Discovery, discovery of home agents; what is
sent at home on the home link, except for signalling.

What others than nodes, home agents, routers and the correspondent have put on a link (attackers) is not counted, wherever
it is seen later. Where ESP ends, the kernel shows a capture what was in the tunnel as if it had come by the wire: at a
node's interface, and at the home agent's towards the others, only what it sends is looked at. The other end of the link, or
the link before, has seen what it receives.
"""

import ipaddress
from collections import Counter

from . import headers, packets
from .headers import ESP, ICMPV6, IPV6, MH, TCP, UDP

MOBILE_PREFIX = {146: "Mobile Prefix Solicitation", 147: "Mobile Prefix Advertisement"}
NEIGHBOUR_DISCOVERY = range(133, 138)
NAMES = {0: "Binding Refresh Request", 1: "Home Test Init", 2: "Care-of Test Init", 3: "Home Test", 4: "Care-of Test",
         5: "Binding Update", 6: "Binding Acknowledgement", 7: "Binding Error", 12: "Home Agent Switch",
         13: "Heartbeat", 16: "Binding Revocation"}
AS_CORRESPONDENT = (1, 2, 3, 4, 7)  # between a home agent and whoever takes it for a correspondent
CARE_OF_TEST = 4
IKE = b"\x01\xf4\x01\xf4"  # both ports
DEEPEST = 4
REPORTED = 10
ATTACKER = bytes.fromhex("026666666666")  # attacker.py, hostile_packets.py
# Interfaces of hosts at which ESP ends, by the name of the capture or its first part
ENDS = {"mn": "mn", "mn2": "mn2", "core-ha": "ha"}
# Where no node is at home: the links on which nothing of a home address is to be seen in clear
VISITED = ("link1", "link2", "link3", "link4", "core-ar1", "core-ar2", "core-ar3", "core-ar4")


def words(packet):
    def side(address, option, name):
        text = str(ipaddress.IPv6Address(address))
        return f"{text} ({name} {ipaddress.IPv6Address(option)})" if option else text
    return f"{side(packet.source, packet.home, 'home address')} > {side(packet.destination, packet.route, 'routed to')}"


def name_of(data, packet):
    if packet.proto == MH:
        kind = data[packet.at + 2] if packet.first and len(data) > packet.at + 2 else None
        return NAMES.get(kind, f"Mobility Header of type {kind}")
    if packet.proto == ICMPV6 and packet.first and len(data) > packet.at:
        return MOBILE_PREFIX.get(data[packet.at], f"ICMPv6 type {data[packet.at]}")
    return {TCP: "TCP", UDP: "UDP", IPV6: "tunnel", ESP: "ESP"}.get(packet.proto, f"protocol {packet.proto}")


class Watcher:
    """homes: home addresses; agents: addresses of home agents; networks: those behind the nodes; payload: protected too."""

    def __init__(self, homes, agents, networks=(), payload=False):
        self.homes, self.agents, self.payload = set(map(packets.octets, homes)), set(map(packets.octets, agents)), payload
        self.networks = [ipaddress.IPv6Network(n) for n in networks]

    def of_node(self, address):
        """Whether an address is a node's home address, or in a network behind one."""
        return address in self.homes or \
            bool(self.networks) and any(ipaddress.IPv6Address(address) in n for n in self.networks)

    def with_agent(self, packet):
        """Whether one end on the wire is a home agent and the other is none."""
        return (packet.source in self.agents) != (packet.destination in self.agents)

    def clear(self, data, visited, outer=None):
        """What of a packet should have been protected, in words; None if all is well. visited: it was on a link that is
        no node's home. outer: its first header, if that has been taken apart."""
        outer = outer or headers.take_apart(data)
        if not outer or outer.proto == ESP:
            return None
        if outer.proto == IPV6 and self.with_agent(outer):
            return self.in_tunnel(data, outer)
        if self.is_signal(data, outer) and self.with_agent(outer) and not self.as_correspondent(data, outer):
            return f"{name_of(data, outer)} {words(outer)}"
        if self.payload and visited:
            return self.astray(data, outer)
        return None

    @staticmethod
    def kind(data, packet):
        return data[packet.at + 2] if packet.first and len(data) > packet.at + 2 else None

    def is_signal(self, data, packet):
        return packet.proto == MH or \
            packet.proto == ICMPV6 and packet.first and len(data) > packet.at and data[packet.at] in MOBILE_PREFIX

    def as_correspondent(self, data, packet):
        """Whether it has nothing to do with a home address and belongs to return routability, in which a home agent
        may be the correspondent of anybody."""
        return packet.proto == MH and packet.first and len(data) > packet.at + 2 and \
            data[packet.at + 2] in AS_CORRESPONDENT and \
            not any(self.of_node(a) for a in (packet.source, packet.destination, packet.home, packet.route) if a)

    def in_tunnel(self, data, outer):
        """A tunnel without ESP: with payload protection never; without it, no Mobility Header in it."""
        inner, depth = outer, 0
        while inner and inner.proto == IPV6 and inner.first and depth < DEEPEST:
            within = headers.take_apart(data, inner.at)
            if not within:
                break
            inner, depth = within, depth + 1
        if self.with_agent(inner) and (self.of_node(inner.source) or self.of_node(inner.destination)):
            if inner.proto == ESP:  # ICMPv6 of the home agent itself, in transport mode
                return None
            if inner.proto == UDP and inner.first and data[inner.at:inner.at + 4] == IKE:  # it protects itself
                return None
        if self.payload or depth and self.is_signal(data, inner):
            return f"{name_of(data, inner)} {words(inner)} in the tunnel {words(outer)}"
        return None

    def astray(self, data, packet):
        """With payload protection: a packet of the node on a visited link that neither goes directly nor in ESP."""
        if packet.proto == ICMPV6 and packet.first and len(data) > packet.at and data[packet.at] in NEIGHBOUR_DISCOVERY:
            return None
        if packet.proto == MH and not packet.home and (packet.source not in self.homes or self.kind(data, packet) == CARE_OF_TEST):
            return None  # a care-of test; a mobile node that is the correspondent of another sends it from its home address
        direct = (packet.home or packet.route) and not self.with_agent(packet)
        if not direct and any(self.of_node(a) for a in (packet.source, packet.destination, packet.home, packet.route) if a):
            return f"{name_of(data, packet)} {words(packet)} outside of any tunnel"
        return None


def dull(frame, watcher, visited):
    """Whether a frame, by a glance at fixed places, is one of the many that cannot matter."""
    kind = frame[20]
    if kind == UDP or kind == TCP:
        return not (watcher.payload and visited) and packets_port(frame) != 4500
    return kind == IPV6 and not watcher.payload and len(frame) > 94 and frame[60] in (UDP, TCP)


def packets_port(frame):
    """The higher of two ports that could be that of ESP in UDP."""
    return 4500 if headers.NAT_T in (frame[54:56], frame[56:58]) else 0


def headers_of_stream(frame):
    """What tells a packet of the streams from others that the watcher sees in another light: the octets in front of the UDP
    checksum. b"" if it is none, or more than that."""
    mark = frame.find(packets.MARK, 62)
    if mark < 0 or int.from_bytes(frame[mark - 4:mark - 2], "big") != len(frame) - mark + 8:
        return b""
    return frame[14:21] + frame[22:mark - 2]


def fingerprint(frame):
    """A packet without what routers change: hop limit, traffic class, flow label."""
    return frame[18:21] + frame[22:]


class Sightings:
    """All captures of a run read by one watcher: what was in clear, and ESP by SPI."""

    def __init__(self, watcher, foreign=(), forged=(), rekeyed=float("inf")):
        """foreign: source addresses (6 octets) of frames that are not the watched hosts'; forged: packets that a test
        sent in a watched host's name, as octets from the IPv6 header on."""
        self.watcher = watcher
        self.rekeyed = rekeyed  # when all SAs got other keys, with the same SPIs
        self.foreign_macs = {ATTACKER, *foreign}
        self.foreign = {fingerprint(bytes(14) + packet) for packet in forged}
        self.clear = []  # (time, link, text, fingerprint)
        self.esp = {}  # {link: Counter of SPIs}
        self.numbers = {}  # {(after new keys, SPI and sequence number as octets): the start of what came with it}
        self.harmless = set()  # headers of streams, with which nothing was wrong
        self.twice = []  # (SPI and sequence number, fingerprint) of ESP that came with other contents before

    def read(self, link, path, visited, routers=(), receives=()):
        """routers: source or destination addresses of frames that make an interface of a node one of a visited link;
        receives: source addresses of frames that are not looked at, since ESP ends here."""
        spis = self.esp.setdefault(link, Counter())
        for time, frame in packets.frames(path):
            if len(frame) < 54 or frame[12:14] != b"\x86\xdd":
                continue
            if frame[6:12] in self.foreign_macs:
                self.foreign.add(fingerprint(frame))
                continue
            if frame[20] == ESP:
                self.count(time, spis, frame, 54)
                continue
            if frame[6:12] in receives:
                continue
            away = visited or frame[:6] in routers or frame[6:12] in routers
            if not dull(frame, self.watcher, away):
                self.look(time, link, frame, away, spis)

    def look(self, time, link, frame, away, spis):
        name = headers_of_stream(frame)
        if name and (name, away) in self.harmless:
            return
        data = frame[14:]
        packet = headers.take_apart(data)
        number = packet and headers.spi(data, packet)
        if number:
            self.count(time, spis, frame, 14 + packet.at + (8 if packet.proto == UDP else 0))
            return
        text = self.watcher.clear(data, away, packet)
        if name and not text:
            self.harmless.add((name, away))
        if text:
            self.clear.append((time, link, text, fingerprint(frame)))

    def count(self, time, spis, frame, at):
        """An ESP packet that starts at `at`."""
        spis[int.from_bytes(frame[at:at + 4], "big")] += 1
        number, start = frame[at:at + 8], frame[at + 8:at + 40]
        if self.numbers.setdefault((time > self.rekeyed, number), start) != start:
            self.twice.append((number, fingerprint(frame)))

    def reused(self):
        """How many packets of ours had an SPI and sequence number that another packet had before: with counter mode and its
        kin that would give away both (RFC 4106, 2)."""
        return len({number for number, print_ in self.twice if print_ not in self.foreign})

    def ours(self):
        """In the order of time, without what attackers sent."""
        return sorted((s for s in self.clear if s[3] not in self.foreign), key=lambda s: s[0])

    def packets_by_spi(self):
        """{SPI in hexadecimal: packets on the link that saw most of them}."""
        most = Counter()
        for spis in self.esp.values():
            for number, count in spis.items():
                most[number] = max(most[number], count)
        return {f"0x{number:x}": count for number, count in sorted(most.items())}


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def sightings(e):
    """Of the captures of a finished run."""
    watched, captured = e.facts["watched"], e.facts.get("captured", {})
    of_host = {mac(m): host for m, host in e.facts.get("macs", {}).items()}
    known = {*watched["hosts"], *e.facts.get("routers", ()), "cn"}
    seen = Sightings(Watcher(watched["homes"], watched["agents"], watched["networks"], e.keys.payload),
                     foreign=[m for m, host in of_host.items() if host not in known],
                     forged=[bytes.fromhex(p) for p in e.facts.get("forged", ())],
                     rekeyed=e.facts.get("new keys", float("inf")))
    access = {m for m, host in of_host.items() if host.startswith("ar")}
    for link in captured:
        end = ENDS.get(link) or ENDS.get(link.split("-")[0])
        receives = {m for m, host in of_host.items() if end and host != end}
        seen.read(link, e.wire(link + ".pcapng"), link in VISITED, access, receives)
    return seen


def judge(e):
    """The figures clear and esp, and with IPsec what they must be."""
    if "watched" not in e.facts:
        return
    seen = sightings(e)
    clear, e.figures["esp"] = seen.ours(), seen.packets_by_spi()
    e.figures["clear"] = len(clear)
    if e.keys.ipsec == "none":
        return
    e.figures["reused"] = seen.reused()
    e.check(not e.figures["reused"], f"{e.figures['reused']} sequence numbers were used for two packets")
    # A node that is soon at home again may not have had any of its messages heard on links that lose them.
    e.check(e.figures["esp"] or getattr(e.keys, "loss", 0), "no ESP packet on any link")
    e.check(not clear, f"{len(clear)} packets were in clear")
    for time, link, text, _ in clear[:REPORTED]:
        e.check(False, f"in clear at {time:.6f} on {link}: {text}")
