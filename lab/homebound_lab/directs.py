"""Figures of the direct path, from captures; see doc/lab.md for what each of them means.

A packet of a stream to a node takes the direct path when it is addressed to a care-of address of that node, not to its
home address, when its sender lets it go; whether the sender, who may have moved himself, needs his own home agent's help to
send it or not. A node's own packet takes it when it is on the link without a tunnel around it. Times count from the moment when the new link's carrier came, and are those of the
correspondent's own sending: what its branch of the core delays in the capture is taken off.
"""

from bisect import bisect_left
from itertools import islice

from . import flows, packets
from .picture import HOME_AGENT, PEER_PREFIXES, PREFIXES

INSIDE = {place: packets.network(prefix) for place, prefix in {**PREFIXES, **PEER_PREFIXES}.items()}
HA = packets.octets(HOME_AGENT)


class Directs:
    """moves: [{nodes: [names], from, to: {name: place}, up: {name: time}, end}]; ends: {name: capture files of that node};
    streams: {(sender, receiver): stream}; late: {name: seconds by which its capture shows packets late}."""

    def __init__(self, evidence, moves, ends, streams, late):
        self.e, self.moves, self.late = evidence, moves, late
        self.logs = {pair: flows.Log(evidence, name) for pair, name in streams.items()}
        self.seen = {name: sorted((s for link in links for s in evidence.streams(link)),
                                  key=lambda s: s.time) for name, links in ends.items()}
        self.times = {name: [s.time for s in seen] for name, seen in self.seen.items()}
        # Streams, and TCP in or out of a tunnel
        self.at_home_agent = [time for time, frame in packets.frames(evidence.path("core-ha.pcapng"))
                              if packets.is_payload(frame)]

    def until(self, number):
        later = self.moves[number + 1:number + 2]
        return min(later[0]["up"].values()) if later else self.e.facts["ended"]

    def first(self, sender, receiver, mover, number, downlink):
        """When the sender put the first packet on the direct path that has the mover's new place in it."""
        move, log = self.moves[number], self.logs[sender, receiver]
        inside, late = INSIDE[move["to"][mover]], self.late.get(sender, 0)
        seen = self.seen[sender]
        for s in islice(seen, bisect_left(self.times[sender], move["up"][mover] + late - 0.001), None):
            if s.flow == log.flow and move["up"][mover] <= s.time - late < self.until(number) and \
                    (inside(s.inner or s.destination) if downlink else not s.tunnelled and inside(s.source)):
                return s.time - late
        return None

    def gaps(self, number):
        """For each node that moved: (ms until the other's packets come directly, ms until its own go directly)."""
        found = []
        for mover in self.moves[number]["nodes"]:
            other = next(b for a, b in self.logs if a == mover)
            up = self.moves[number]["up"][mover]
            found.append([None if t is None else round((t - up) * 1000, 3)
                          for t in (self.first(other, mover, mover, number, True),
                                    self.first(mover, other, mover, number, False))])
        return found

    def at_agent_while_direct(self, number, slack):
        """Packets on the home agent's link from when both directions were direct until the next move; at home, where all
        of them pass it by, 0."""
        if "home" in self.moves[number]["to"].values():
            return 0
        gaps = self.gaps(number)
        if any(None in g for g in gaps):
            return None
        move = self.moves[number]
        start = max(move["up"][m] + max(g) / 1000 for m, g in zip(move["nodes"], gaps)) + slack
        return sum(start <= time < self.until(number) for time in self.at_home_agent)

    def on_old_link(self, pair, sequence):
        """Whether a lost packet was on its way to a place that its receiver had left, sent before the sender could know,
        or was given to its interface in the instant (1 ms) in which the link went."""
        sender, receiver = pair
        flow = self.logs[pair].flow
        sent = next((s for s in self.seen[sender] if s.flow == flow and s.sequence == sequence), None)
        if not sent:
            return False
        time = sent.time - self.late.get(sender, 0)
        for number, move in reversed(list(enumerate(self.moves))):
            if sender in move["from"] and abs(time - move["down"][sender]) <= 0.001:
                return True
            if receiver in move["from"] and move["down"][receiver] - self.e.keys.rtt / 1000 - 0.005 <= time and \
                    INSIDE[move["from"][receiver]](sent.inner or sent.destination):
                switched = self.first(sender, receiver, receiver, number, True)
                return switched is None or time <= switched
        return False

    def losses(self):
        """(lost, lost on a link that was left, repeated)."""
        missing = [(pair, q) for pair, log in self.logs.items() for q in log.missing]
        abrupt = self.e.keys.links == "one" or self.e.keys.walk == "home"
        old = sum(self.on_old_link(pair, q) for pair, q in missing) if abrupt else 0
        return len(missing) - old, old, sum(log.repeated for log in self.logs.values())


def headers_by_tshark(path, flow_port):
    """{(source on the wire, destination on the wire, home address option or "", type 2 routing header or "")} of a stream."""
    return {tuple(row) for row in packets.tshark(
        path, f"udp.dstport == {flow_port} and not ipv6.nxt == 41", "ipv6.src_host", "ipv6.dst_host",
        "ipv6.opt.mipv6.home_address", "ipv6.routing.mipv6.home_address")}


def headers_by_scapy(path, flow_port):
    """The same as scapy reads them."""
    from scapy.layers.inet6 import HAO, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting

    found, port = set(), flow_port.to_bytes(4, "big")
    for _, frame in packets.frames(path):
        if packets.MARK + port not in frame or frame[20] == 41:
            continue
        p = IPv6(frame[14:])
        hao = rh2 = ""
        if IPv6ExtHdrDestOpt in p:
            hao = next((str(o.hoa) for o in p[IPv6ExtHdrDestOpt].options if isinstance(o, HAO)), "")
        if IPv6ExtHdrRouting in p and p[IPv6ExtHdrRouting].type == 2 and p[IPv6ExtHdrRouting].segleft == 1:
            rh2 = p[IPv6ExtHdrRouting].addresses[0]
        found.add((p.src, p.dst, hao, rh2))
    return found
