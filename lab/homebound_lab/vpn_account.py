"""What became of each packet of the streams in scenario vcm that did not arrive, from captures. Each has one reason of those
below, with conditions as narrow as they can be told from captures; what has none is `lost`, a fault. doc/lab.md has them in words."""

from collections import Counter

from . import headers, layers, packets
from .intranet import WALKS
from .watcher import ATTACKER

BINDING_UPDATE, BINDING_ACKNOWLEDGEMENT = 5, 6
AS_IT_GOES = 0.001  # s
AT_ONCE = 0.005  # s, in which a daemon acts on a message
PROBE_PORT = 27961
IN_CLEAR = 1.0  # s, so long after a packet in clear the gateway takes one by the SA for one that was under way
TOLD = 1.0  # s, so often the gateway looks at packets by an SA
HOME_DAD = 1.0  # s, RFC 6275 10.3.1
LOOP = 0.02  # s, between a moment and what the story notes of it
FIGURES = ("lost_by_core", "lost_on_old_link", "lost_unregistered", "lost_while_dead", "lost_until_proven")


class Lost:
    """A packet that did not arrive: who sent it to whom and when, and where it was seen (in order of time)."""

    def __init__(self, pair, number, sent):
        (self.sender, self.receiver), self.number, self.sent, self.seen = pair, number, sent, []

    @property
    def last(self):
        return self.seen[-1] if self.seen else None

    def words(self, start):
        last = f"last seen on {self.last.link} at {self.last.time - start:.3f}" if self.seen else "never seen"
        return f"{self.number} of {self.sender} to {self.receiver}, sent at {self.sent - start:.3f}: {last}"


def missing(run, streams):
    """All that did not arrive, as Lost."""
    found = {}
    for pair in streams:
        log = run.logs[pair]
        found.update({(log.flow, n): Lost(pair, n, log.time_of(n)) for n in log.missing})
    if found:
        for seen in (*run.seen.values(), run.lost):
            for s in seen:
                one = found.get(layers.flow(s)) if s.mac != ATTACKER else None  # what he repeats is no sign of the packet
                if one:
                    one.seen.append(s)
    for one in found.values():
        one.seen.sort(key=lambda s: s.time)
    return found.values()


class Account:
    def __init__(self, run, streams):
        self.run, self.moves, self.events = run, run.e.facts["moves"], run.e.facts["events"]
        self.overlap = run.k.overlap
        home = {packets.octets(a): name for name, a in run.at.home.items()}
        self.updates, self.answers, self.unheard = [], [], []  # (Seen, whose); unheard: signaling that the core lost
        for s in (s for seen in (*run.seen.values(), run.lost) for s in seen if s.proto == headers.MH and len(s.text) > 8):
            if s.text[2] == BINDING_UPDATE and s.source in home:
                self.updates.append((s, home[s.source]))
            elif s.text[2] == BINDING_ACKNOWLEDGEMENT and s.text[6] < 128 and s.destination in home:
                self.answers.append((s, home[s.destination]))
            if s.link == "lost":
                self.unheard += [(s, name) for a, name in home.items() if a in (s.source, s.destination)]
                self.unheard += [(s, name) for name in home.values() if name in WALKS and
                                 any(run.care_of(name, a) for a in (s.outer.source, s.outer.destination))]
        self.core, self.known = run.macs_of("core"), {}  # known: what heard() and lives() have found
        self.agent_link = "core-ha" if run.k.embodiment == 1 else "core-sg"
        self.lost = list(missing(run, streams))
        self.reasons = {one: self.reason(one) for one in self.lost}

    def figures(self):
        count = Counter(self.reasons.values())
        return {name: count[name] for name in ("lost", *FIGURES)}

    def faults(self):
        """In words, those without a reason."""
        start = self.moves[0]["up"] if self.moves else 0
        return [one.words(start) for one, reason in self.reasons.items() if reason == "lost"]

    def reason(self, one):
        if any(s.link == "lost" for s in one.seen):
            return "lost_by_core"
        for name, condition in (("lost_on_old_link", self.left_office), ("lost_on_old_link", self.as_it_went),
                                ("lost_on_old_link", self.left_link), ("lost_unregistered", self.unregistered),
                                ("lost_while_dead", self.dead_sender), ("lost_until_proven", self.unproven)):
            if condition(one):
                return name
        return "lost"

    # --- what is known

    def lives(self, who):
        """[(killed, started)] of a daemon."""
        if who not in self.known:
            killed = [x["time"] for x in self.events if (x["what"], x["whom"]) == ("killed", who)]
            started = [x["time"] for x in self.events if (x["what"], x["whom"]) == ("started", who)]
            self.known[who] = list(zip(killed, [*started, *[float("inf")] * (len(killed) - len(started))]))
        return self.known[who]

    def dead(self, who, begin, end):
        """Whether a daemon was dead at some time of this."""
        return any(killed - LOOP <= end and begin <= started + LOOP for killed, started in self.lives(who))

    def leaving(self, name, time, early=0.0):
        """The last move of a node by which it had left a link at this time, or would have `early` s later; None if there is none."""
        return next((m for m in reversed(self.moves) if m["node"] == name and m["down"] - early - 0.001 <= time), None)

    def unlucky(self, name, begin, end):
        """A Binding Update of this node, the answer, or a test of return routability was lost by the core in this time, or its daemon
        was dead."""
        return self.dead(name, begin, end) or any(whose == name and begin <= s.time <= end for s, whose in self.unheard)

    def heard(self, name, move):
        """When the living gateway first takes a Binding Update of the node after it has come to a link, or (embodiment 1) a packet by
        its SA when the last one in clear may be for long. A home agent has duplicate address detection then, and must live through it."""
        home, internal = packets.octets(self.run.at.home[name]), packets.octets(self.run.at.internal[name])
        private = self.run.k.embodiment == 1
        mine = [s for s in self.run.seen["core-sg"] if s.time >= move["up"] and s.mac in self.core and s.source in (internal, home) and
                not self.dead("sg", s.time, s.time + (0 if private else HOME_DAD))]
        refused = {s.text[8:10] for s in self.run.seen["core-sg"] if s.proto == headers.MH and s.destination == home and
                   s.text[2] == BINDING_ACKNOWLEDGEMENT and s.text[6] >= 128}
        update = next((s.time for s in mine if s.proto == headers.MH and s.text[2] == BINDING_UPDATE and s.text[6:8] not in refused),
                      float("inf"))
        by_sa = next((s.time for s in mine if private and s.spis and s.time >= move["down"] + IN_CLEAR), float("inf"))
        return min(update, by_sa + TOLD) + (0 if private else HOME_DAD)

    # --- reasons

    def left_office(self, one):
        """The gateway sent it to the office, or was to do it, where the receiver had been, and had not yet heard from outside of it:
        under way, or the Binding Update was lost, or one of the daemons dead."""
        if not one.seen or one.last.link not in ("core-sg", "office"):
            return False
        move = self.leaving(one.receiver, one.last.time, 2 * self.run.delays["sg"] / 1000)
        if move is None or move["from"] != "office":
            return False
        about = one.receiver, move["up"]
        heard = self.known[about] = self.known.get(about) or self.heard(one.receiver, move)
        soon = (max(self.run.delays[n] for n in ("mn1", "mn2")) + 2 * self.run.delays.get("ha", 0) + self.run.delays["sg"]) / 1000
        soon += HOME_DAD if self.run.k.embodiment == 2 else 0
        return one.last.time <= heard + AT_ONCE and (
            one.last.time <= max(move["down"] + LOOP, move["up"] + AT_ONCE) + soon or self.unlucky(one.receiver, move["up"], one.last.time) or
            self.dead("sg", move["up"], one.last.time))

    def as_it_went(self, one):
        """Its sender gave it to its link in the instant in which that went: its only one, or the office's, which it takes as long as
        it is there."""
        return not one.seen and any(m["node"] == one.sender and abs(one.sent - m["down"]) <= AS_IT_GOES and
                                    (m["from"] == "office" or not self.overlap) for m in self.moves)

    def left_link(self, one):
        """It was on its way to a care-of address on a link that the receiver had left, from somebody to whom no Binding Update of a
        later place had come, since it was lost or the daemon dead (without overlap: was under way as well)."""
        place = one.seen and self.run.care_of(one.receiver, one.last.outer.destination)
        move = place and self.leaving(one.receiver, one.last.time, max(self.run.delays.values()) / 1000)
        if not move or place == move["to"]:
            return False
        where, sender = one.last.outer.destination, one.last.outer.source
        first = next(s for s in one.seen if (s.outer.destination, s.outer.source) == (where, sender))
        told = [s.time for s, whose in self.updates if whose == one.receiver and s.link == first.link and s.outer.source != where and
                s.time >= move["up"]]
        delay = 2 * self.run.delays["ha" if first.link == "core-ha" else "sg"] / 1000 if first.link.startswith("core-") else 0
        return first.time <= min(told, default=float("inf")) + delay + AT_ONCE and (
            not self.overlap or self.unlucky(one.receiver, move["up"], one.last.time))

    def unregistered(self, one):
        """Its sender tunnelled it to its home agent from its only link, and the home agent did not yet have the binding: the Binding
        Update was lost, or the daemon had been dead when it left the last link."""
        if not one.seen or one.last.link != self.agent_link or one.last.mac not in self.core:
            return False
        care_of = one.last.outer.source
        move = self.leaving(one.sender, one.sent)
        if not move or not self.run.in_prefix.get(move["to"], lambda a: False)(care_of):
            return False
        delay = 2 * self.run.delays["ha" if self.agent_link == "core-ha" else "sg"] / 1000
        bound = [s.time for s, whose in self.answers if whose == one.sender and s.link == self.agent_link and s.mac not in self.core and
                 s.time >= move["up"] and s.outer.destination == care_of]
        return one.last.time <= min(bound, default=float("inf")) - delay + AT_ONCE and self.unlucky(one.sender, move["up"], one.last.time)

    def dead_sender(self, one):
        """Its sender had left its link while its daemon was dead, or was not registered since: nobody could say where it is, and
        its policies let nothing out in clear."""
        move = self.leaving(one.sender, one.sent)
        return bool(move) and any(killed - LOOP <= move["down"] and move["down"] <= started and one.sent <= started + LOOP
                                  for killed, started in self.lives(one.sender))

    def unproven(self, one):
        """Sender or receiver had just started inside, and nobody had answered its probe: until it is proven that it is inside, it
        is outside (V2)."""
        for name in (one.sender, one.receiver):
            time = one.last.time if name == one.receiver and one.seen else one.sent
            for killed, started in self.lives(name):
                move = self.leaving(name, started)
                inside = move is None or move["to"] == "office"
                if inside and started - LOOP <= time <= self.answered(name, started) + AT_ONCE:
                    return True
        return False

    def answered(self, name, begin):
        """When the first answer to a probe after this is on the link of the office."""
        internal = packets.octets(self.run.at.internal[name])
        return next((s.time for s in self.run.seen["office"] if s.time >= begin and s.destination == internal and s.proto == headers.UDP and
                     int.from_bytes(s.text[:2], "big") == PROBE_PORT), begin)
