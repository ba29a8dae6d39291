"""Figures of moves, from captures: see doc/lab.md for what each of them means.

A move is {from, to, device, down, up} with times of the wall clock; everything is counted from `up`, the moment the
new link's carrier came. A node's packet is told to use a place by its outermost addresses: tunnelled and with a
care-of address of that link's prefix, or, at home, plain and with the home address.
"""

from collections import defaultdict

from . import flows, packets
from .picture import HOME_ADDRESS, PLACES, PREFIXES

HOA = packets.octets(HOME_ADDRESS)
INSIDE = {place: packets.network(prefix) for place, prefix in PREFIXES.items()}
OF_PLACE = {"home": "home", "link1": "link1", "link2": "link2", "core-ar1": "link1", "core-ar2": "link2"}
RS, RA, BU, BA = 133, 134, 5, 6


def place_of(sighting, downlink, home=HOA):
    """The place whose link the packet is addressed to (downlink) or comes from; None on the plain side."""
    address = sighting.destination if downlink else sighting.source
    if sighting.tunnelled:
        return next((place for place in ("link1", "link2") if INSIDE[place](address)), None)
    return "home" if address == home else None


class Handovers:
    def __init__(self, evidence, moves, downlink="down", uplink="up", home=HOME_ADDRESS):
        """home: the address at the node's end of the streams; that of a host, if the node is its router."""
        self.home = packets.octets(home)
        self.e, self.moves = evidence, moves
        self.logs = {"down": flows.Log(evidence, downlink), "up": flows.Log(evidence, uplink)}
        self.nodes = sorted({m["device"] for m in moves})
        self.seen = {link: evidence.streams(link)
                     for link in (*OF_PLACE, "core-ha", *(f"mn-{d}" for d in self.nodes))}

    def window(self, number):
        """From the move's link-up to when the next move begins."""
        later = self.moves[number + 1:number + 2]
        end = min(later[0]["down"], later[0]["up"]) if later else float("inf")
        return self.moves[number]["up"], end

    def first(self, link, number, direction, delivered):
        """Time of the first packet of a stream on a link, after the move and of the new place."""
        up, end = self.window(number)
        log, place = self.logs[direction], self.moves[number]["to"]
        for s in self.seen[link]:
            if s.flow == log.flow and up <= s.time < end and place_of(s, direction == "down", self.home) == place and \
                    (not delivered or s.sequence in log.received):
                return s.time
        return None

    def gaps(self):
        """The three figures of each move in ms, None where it never happened."""
        found = {"downlink_sent_ms": [], "downlink_gap_ms": [], "uplink_gap_ms": []}
        for number, move in enumerate(self.moves):
            node = f"mn-{move['device']}"
            leaving = "home" if move["to"] == "home" else "core-ha"
            for name, time in (("downlink_sent_ms", self.first(leaving, number, "down", False)),
                               ("downlink_gap_ms", self.first(node, number, "down", True)),
                               ("uplink_gap_ms", self.first(node, number, "up", True))):
                found[name].append(None if time is None else round((time - move["up"]) * 1000, 3))
        return found

    def parts(self):
        """Where the time goes: until the router was heard, until the binding update, until its answer."""
        signalling = {d: packets.signalling(self.e.path(f"mn-{d}.pcapng")) for d in self.nodes}
        found = {"movement_detection_ms": [], "address_ms": [], "bu_ba_ms": []}
        for number, move in enumerate(self.moves):
            up, end = self.window(number)
            messages = [m for m in signalling[move["device"]] if up <= m.time < end]
            ra = next((m.time for m in messages if m.icmp == RA), None)
            bu = next((m.time for m in messages if m.mh == BU and (ra is None or m.time >= ra)), None)
            ba = next((m.time for m in messages if m.mh == BA and bu is not None and m.time >= bu), None)
            for name, start, time in (("movement_detection_ms", up, ra), ("address_ms", ra, bu), ("bu_ba_ms", bu, ba)):
                found[name].append(None if start is None or time is None else round((time - start) * 1000, 3))
        return found

    def last_seen(self, direction):
        """{sequence: (link, sighting)} of the last sighting of each missing packet."""
        log = self.logs[direction]
        missing, last = set(log.missing), {}
        order = ["core-ha", "core-ar1", "core-ar2", *PLACES, *(f"mn-{d}" for d in self.nodes)]
        if direction == "up":
            order.reverse()
        for link in order:
            for s in self.seen[link]:
                if s.flow == log.flow and s.sequence in missing and \
                        (s.sequence not in last or s.time >= last[s.sequence][1].time):
                    last[s.sequence] = (link, s)
        return last

    def losses(self):
        """Counts of missing packets by what became of them."""
        counts = defaultdict(int)
        gaps = self.gaps()
        switched = list(zip(self.moves, gaps["downlink_sent_ms"]))
        noticed = list(zip(self.moves, gaps["uplink_gap_ms"]))
        down, up = self.last_seen("down"), self.last_seen("up")
        for sequence in self.logs["down"].missing:
            link, sighting = down.get(sequence, (None, None))
            place = sighting and place_of(sighting, True, self.home)
            if place and self.abandoned(place, sighting.time, switched):
                counts["lost_on_old_link"] += 1
            else:
                counts[f"lost_downlink_after_{link or 'core-cn'}"] += 1
        for sequence in self.logs["up"].missing:
            if sequence in self.logs["up"].failed:
                counts["not_taken" if self.logs["up"].failed[sequence] == "EAGAIN" else "refused"] += 1
                continue
            link, sighting = up.get(sequence, (None, None))
            sent = self.logs["up"].time_of(sequence)
            if link and self.at_the_break(link, sighting.time):
                counts["lost_on_old_link"] += 1
            elif link and self.unaware(sent, noticed):
                counts["lost_unaware"] += 1
            elif link:
                counts[f"lost_uplink_after_{link}"] += 1
            elif any(m["down"] <= sent < m["up"] for m in self.moves):
                counts["lost_in_node_without_link"] += 1
            else:
                counts["lost_in_node"] += 1
        return dict(counts)

    def at_the_break(self, link, time):
        """Whether the node gave a packet to its interface in the instant in which the link went: the capture on the
        node shows it, the wire never had it."""
        return link.startswith("mn-") and any(m["down"] <= time < m["down"] + 0.001 for m in self.moves)

    @staticmethod
    def unaware(sent, noticed):
        """Whether a packet left after a move without any carrier event, and before the node noticed the move."""
        return any(m["down"] == m["up"] <= sent < m["up"] + (float("inf") if gap is None else gap / 1000)
                   for m, gap in noticed)

    def abandoned(self, place, time, switched):
        """Whether a packet last seen at `time` on its way to `place` met the end of the node's stay there: the
        node left that place before the packet could arrive, and the home agent did not know yet (its first
        packet to the next place left after this one had)."""
        slack = self.e.keys.rtt / 1000 + 0.005
        for move, gap in switched:
            if move["from"] == place and move["down"] - slack <= time:
                known = float("inf") if gap is None else move["up"] + gap / 1000 + self.e.keys.rtt / 2000 + 0.005
                if time <= known:
                    return True
        return False


def figures(evidence, moves, waits=False):
    """Fills evidence.figures with all of them and returns the Handovers. waits: the node is set to keep its own
    packets for longer than a socket has room for; what the full socket did not take is then not lost."""
    h = Handovers(evidence, moves)
    losses = h.losses()
    on_old_link = losses.pop("lost_on_old_link", 0)
    unaware = losses.pop("lost_unaware", 0)
    held_back = losses.pop("not_taken", 0)
    if held_back and not waits:
        losses["not_taken"] = held_back
    evidence.figures.update(h.gaps())
    evidence.figures.update(h.parts())
    evidence.figures.update(
        moves=[f"{m['from']}->{m['to']}" for m in moves],
        lost=sum(losses.values()), lost_on_old_link=on_old_link, lost_where=losses,
        lost_unaware=unaware, held_back=held_back,
        duplicated=sum(log.repeated for log in h.logs.values()),
        sent=sum(log.sent for log in h.logs.values()),
        received=sum(len(log.received) for log in h.logs.values()))
    return h
