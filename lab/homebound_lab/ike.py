"""IKE and ESP in captures: what a move of a tunnel costs."""

from collections import namedtuple

from . import flows, packets
from .picture import PREFIXES

EXCHANGES = {34: "IKE_SA_INIT", 35: "IKE_AUTH", 36: "CREATE_CHILD_SA", 37: "INFORMATIONAL"}
Message = namedtuple("Message", "time src dst exchange id response initiator")
ESP, IPV6 = 50, 41


def messages(path):
    """IKE messages of a capture, as tshark reads them."""
    path = packets.copy(path, "ike", lambda frame: packets.next_header(frame) != ESP)
    rows = packets.tshark(path, "isakmp && isakmp.exchangetype", "frame.time_epoch", "ipv6.src", "ipv6.dst",
                          "isakmp.exchangetype", "isakmp.messageid", "isakmp.flag_r", "isakmp.ispi")
    return [Message(float(t), src, dst, EXCHANGES.get(int(kind), kind), int(number, 16), truth(r), spi)
            for t, src, dst, kind, number, r, spi in rows]


def truth(word):
    return word in ("1", "True")


def exchanges(found):
    """The exchanges of some messages, by name: each request once, however often it was sent and on how many paths."""
    return [kind for _, kind in sorted({(m.id, m.exchange, m.initiator): (m.time, m.exchange)
                                        for m in reversed(found) if not m.response}.values())]


def tunnelled(path):
    """(time, destination) of what is in a tunnel, with ESP or without; the address as 16 octets."""
    return [(time, frame[38:54]) for time, frame in packets.frames(path)
            if frame[12:14] == b"\x86\xdd" and frame[20] in (ESP, IPV6)]


class Moves:
    """The moves of a run whose tunnel cannot be looked into: figures from what the applications noted, from the outer
    addresses of what is tunnelled, and from IKE. evidence: has path(). Moves home are not among what it is asked for."""

    def __init__(self, evidence, moves, rtt, until=float("inf")):
        """until: what is sent later does not count."""
        self.moves, self.one_way, self.until = moves, rtt / 2000, until
        self.logs = {"down": flows.Log(evidence, "down"), "up": flows.Log(evidence, "up")}
        self.ike = messages(evidence.path("mn-wlan0.pcapng"))
        self.tunnelled = tunnelled(evidence.path("core-ha.pcapng"))

    def window(self, number):
        later = self.moves[number + 1:number + 2]
        return self.moves[number]["up"], later[0]["down"] if later else float("inf")

    def first(self, direction, number):
        """ms from link up until the first packet is received from the new link, or was sent there."""
        up, end = self.window(number)
        shift = 0 if direction == "down" else self.one_way
        times = [t for _, _, t in self.logs[direction].arrivals if up + shift <= t < end]
        return round((min(times) - shift - up) * 1000, 1) if times else None

    def sent(self, number):
        """ms from link up until the gateway or home agent tunnels the first packet to the new link."""
        up, end = self.window(number)
        inside = packets.network(PREFIXES[self.moves[number]["to"]])
        times = [t for t, to in self.tunnelled if up <= t < end and inside(to)]
        return round((min(times) - up) * 1000, 1) if times else None

    def lost(self, direction):
        """How many were lost at each move, between the break and the first packet of the new link; and at other times."""
        log, at_move, other = self.logs[direction], [0] * len(self.moves), 0
        flows_again = [self.first(direction, n) for n in range(len(self.moves))]
        for s in log.missing:
            t = log.time_of(s)
            if s in log.failed or t > self.until or (direction == "up" and self.at_the_break(t)):
                continue
            hit = next((n for n, (m, again) in enumerate(zip(self.moves, flows_again)) if
                        m["down"] - self.one_way - 0.005 <= t <= m["up"] + (9 if again is None else again / 1000)), None)
            if hit is None:
                other += 1
            else:
                at_move[hit] += 1
        return at_move, other

    def at_the_break(self, time):
        """Whether the node gave a packet to its interface in the instant in which the link went; an application may be a
        packet late."""
        return any(m["down"] - 0.002 <= time < m["down"] + 0.001 for m in self.moves)

    def messages(self, number):
        up, end = self.window(number)
        return [m for m in self.ike if up <= m.time < end]

    def needed(self, number):
        """The messages on which it depended when traffic flows both ways: of exchanges that were asked at least half a
        round trip before that."""
        up, _ = self.window(number)
        last = max(self.first(direction, number) or float("inf") for direction in ("down", "up"))
        found = self.messages(number)
        asked = {(m.exchange, m.id) for m in found
                 if not m.response and m.time <= up + last / 1000 - self.one_way + 0.001}
        return [m for m in found if (m.exchange, m.id) in asked]
