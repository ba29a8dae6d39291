"""Figures of scenario vcm, from captures read through all layers; doc/lab.md says what each of them means."""

import ipaddress
import re
from collections import Counter

from . import flows, headers, layers, packets, vcm_wire, vpn, vpn_keys, vpn_order
from .headers import ESP, IPV6, MH, UDP
from .intranet import LINKS, WALKS, addresses, delays
from .vpn_account import HOME_DAD, Account
from .watcher import ATTACKER, IKE, NEIGHBOUR_DISCOVERY, Watcher, mac, words

TOLERANCE = 20  # ms
REPORTED = 10
OTHER = {"mn1": "mn2", "mn2": "mn1"}
STREAMS = {("mn1", "mn2"): "up", ("mn2", "mn1"): "down"}
NOT_OF_A_MOVE = ("PROBE", "PROBE-REPLY")
SLACK = 0.3  # s, for packets under way


class Run:
    """A finished run, all captures read."""

    def __init__(self, e):
        self.e, self.k = e, e.keys
        self.at, self.delays = addresses(e.keys.embodiment), delays(e.keys.rtt)
        reader = layers.Reader(layers.known_keys(e, ("mn1", "mn2", "sg")))
        self.seen = {link: list(reader.link(link, e.wire(link + ".pcapng"))) for link in e.facts.get("captured", {})}
        self.lost = self.seen.pop("lost", [])  # by the core
        self.logs = {pair: flows.Log(e, name) for pair, name in STREAMS.items()}
        self.sessions = session_spis(e, self.at.home)
        self.in_prefix = {link: packets.network(row[3]) for link, row in LINKS.items()}
        self.place_of, self.direct = {}, {}  # what care_of() and direct_packets() have found

    def macs_of(self, host):
        return {mac(m) for m, h in self.e.facts["macs"].items() if h == host}

    def event(self, what, whom=None):
        return next((x["time"] for x in self.e.facts["events"] if x["what"] == what and whom in (None, x["whom"])), None)

    def messages(self):
        """Messages of the manager's protocol where they are all to be seen, once."""
        link = "servers" if self.k.where == "host" else "core-sg"
        return [m for m in map(layers.message, self.seen.get(link, ())) if m]

    def care_of(self, name, address):
        """The link to which a care-of address of this node belongs."""
        if (name, address) not in self.place_of:
            self.place_of[name, address] = next((link for link in WALKS[name] if self.in_prefix[link](address)), None)
        return self.place_of[name, address]

    def of_pair(self, seen):
        """Whether it is payload of the two nodes."""
        return layers.is_payload(seen)

    def direct_packets(self, sender, receiver):
        """Payload in the session's ESP between care-of addresses, on the links of the sender and of the receiver:
        {link: [Seen]}."""
        if (sender, receiver) in self.direct:
            return self.direct[sender, receiver]
        found = self.direct[sender, receiver] = {}
        for link in (*WALKS[sender], *WALKS[receiver]):
            found[link] = [s for s in self.seen.get(link, ()) if s.spis and s.spis[0] in self.sessions and self.of_pair(s) and
                           self.care_of(sender, s.outer.source) and self.care_of(receiver, s.outer.destination)]
        return found


def session_spis(e, home):
    """SPIs of all SAs that ended at both home addresses."""
    found, ends = set(), {home["mn1"], home["mn2"]}
    for host in ("mn1", "mn2"):
        with open(e.path(f"xfrm-{host}.log"), errors="replace") as f:
            for source, destination, spi in re.findall(r"src (\S+) dst (\S+)\s+proto esp spi (0x[0-9a-f]+)", f.read()):
                if {source, destination} == ends:
                    found.add(int(spi, 16))
    return found


# --- what must not be readable

OURS = ("mn1", "mn2", "sg", "ha", "core", "vcm", "files", "ar1", "ar2", "ar3", "ar4", "ar5", "ar6")


class Secrets:
    """What is readable outside and must not be: addresses of the intranet, payload; in embodiment 2, where internal addresses
    are those of Mobile IPv6, what the watcher wants to be protected with payload protection."""

    def __init__(self, e, at, ours=OURS):
        self.private = e.keys.embodiment == 1
        self.internal = [packets.octets(a) for a in (*at.internal.values(), at.vcm, at.files, at.servers_router)]
        self.watcher = Watcher(at.home.values(), [at.home_agent], payload=True)
        self.manager = packets.octets(at.vcm)
        self.foreign = {ATTACKER} | {mac(m) for m, host in e.facts.get("macs", {}).items() if host not in ours}

    def exposed(self, seen):
        """What is readable of a packet, in words; None if all is well."""
        if seen.mac in self.foreign:
            return None
        packet, octets = seen.readable, seen.octets
        readable = octets[:packet.at] if packet.proto == ESP else octets
        if seen.link == "fake" and packet.proto == ESP and packet.destination == self.manager:
            return None  # a node asks whether it is inside: who imitates the office learns these two addresses
        if packet.proto != ESP and (layers.is_payload(seen) or packets.MARK in octets):
            return f"payload {words(packet)}"
        if self.private:
            return next((f"{ipaddress.IPv6Address(a)} in {words(packet)}, protocol {packet.proto}"
                         for a in self.internal if a in readable), None)
        if seen.outer.proto == IPV6 and packet.proto == UDP and packet.first and octets[packet.at:packet.at + 4] == IKE and \
                self.watcher.with_agent(packet):
            return None  # about the SAs of the tunnel that it goes through
        if packet.proto in (ESP, MH) or headers.ICMPV6 == packet.proto and octets[packet.at] in NEIGHBOUR_DISCOVERY:
            return None if packet.proto != MH else self.watcher.clear(octets, True)
        return self.watcher.clear(octets, True)


def clear(run, ours=OURS):
    """[(time, link, words)] of what could be read outside; what hosts that are not ours sent does not count."""
    secrets = Secrets(run.e, run.at, ours)
    found = []
    for link, seen in run.seen.items():
        if link not in ("office", "servers"):
            found += [(s.time, link, text) for s in seen if (text := secrets.exposed(s))]
    return sorted(found)


def esp(run):
    """(packets by SPI on the link that saw most of them, sequence numbers used for two packets)."""
    most, first, twice = Counter(), {}, set()
    for link, seen in run.seen.items():
        here = Counter()
        for s in seen:
            if s.readable.proto == ESP and s.readable.first and len(s.octets) >= s.readable.at + 40:
                at = s.readable.at
                here[int.from_bytes(s.octets[at:at + 4], "big")] += 1
                number, start = s.octets[at:at + 8], s.octets[at + 8:at + 40]
                if first.setdefault(number, start) != start:
                    twice.add(number)
        for spi, count in here.items():
            most[spi] = max(most[spi], count)
    return {f"0x{spi:x}": count for spi, count in sorted(most.items())}, len(twice)


# --- times

def detected(run):
    """When the gateway could first know that both are outside and talk: a packet of the pair that came by the SA of the node
    that left last reaches it."""
    left = run.e.facts["moves"][1]["up"]
    source, core = packets.octets(run.at.internal["mn1"]), run.macs_of("core")
    return next((s.time for s in run.seen["core-sg"] if s.time >= left and s.mac in core and run.of_pair(s) and s.spis and
                 s.source == source), None)


def first_direct(run):
    """{receiver: when the first packet between care-of addresses reached its link}."""
    found = {}
    for sender, receiver in STREAMS:
        arrivals = [s.time for link, seen in run.direct_packets(sender, receiver).items() if link in WALKS[receiver] for s in seen]
        found[receiver] = min(arrivals, default=None)
    return found


def waits_for_place(k):
    """The node that left last is inside for itself when it is outside for the gateway."""
    return k.embodiment == 1 and k.overlap


def expected_first_direct(run):
    """{receiver: the time of the messages alone, in ms, from the detection}. By seed 003, figure 2, and doc/vcm.md: REPORT to the
    VCM (202), OFFER (206, 210), READY (208, 212), PEER-READY; then each node's Binding Update by the other one's home agent and
    its answer back the same way (218); then a packet (220). The gateway has a binding of the node that left first, and with overlap
    of the one that left last; without, it still sends to it by its home agent. With overlap it has reported both long before, at
    that binding: the other node is ready, and the offer waits for the PLACE of the one that left last, which leaves with the
    first packet by its SA."""
    d, k = run.delays, run.k
    way = d["mn1"] + d["mn2"]
    if k.embodiment == 1:
        to = {"mn1": d["sg"] + d["mn1"] + (0 if k.overlap else 2 * d["ha"]), "mn2": d["sg"] + d["mn2"]}
        by_agent = way + 2 * d["ha"]
    else:
        to = {name: d["sg"] + d[name] for name in OTHER}
        by_agent = way + 2 * d["sg"]
    manager = 2 * d["vcm"] if k.where == "host" else 0
    awaited = ("mn1",) if waits_for_place(k) else tuple(OTHER)
    invited = manager + max(to[name] + d[name] + d["sg"] for name in awaited) if k.keys == "asymmetric" else 0  # and PUBLIC back
    ready = {name: invited + manager + to[name] + d[name] + d["sg"] for name in OTHER}  # at the gateway
    if waits_for_place(k) and k.keys == "symmetric":
        ready["mn2"] = 0
    told = {name: ready[OTHER[name]] + manager + to[name] for name in OTHER}
    # Nobody binds with others before he is registered, and at a first binding the home agent has its duplicate address detection
    # first: in embodiment 2 always, else without overlap. What is detected and the Binding Update leave together.
    registered = HOME_DAD * 1000 + (to["mn1"] if k.embodiment == 2 else d["mn1"] - d["sg"])
    bind = {"mn1": max(told["mn1"], registered if k.embodiment == 2 or not k.overlap else 0), "mn2": told["mn2"]}
    out = {name: way if bind[OTHER[name]] + by_agent <= bind[name] else by_agent for name in OTHER}
    direct = {name: max(bind[name] + out[name] + by_agent, bind[OTHER[name]] + out[OTHER[name]]) for name in OTHER}
    return {OTHER[name]: round(direct[name] + way, 3) for name in OTHER}


def switched(run, number):
    """ms from a move's link up until the other node's first packet to the new care-of address leaves."""
    moves = run.e.facts["moves"]
    move = moves[number]
    mover, other = move["node"], OTHER[move["node"]]
    until = moves[number + 1]["up"] if number + 1 < len(moves) else float("inf")
    here = run.in_prefix[move["to"]]
    times = [s.time for link, seen in run.direct_packets(other, mover).items() if link in WALKS[other]
             for s in seen if move["up"] <= s.time < until and here(s.outer.destination)]
    return round((min(times) - move["up"]) * 1000, 3) if times else None


def inside(run):
    """ms from a return's link up until the node knows that it is inside."""
    up = {m["node"]: m["up"] for m in run.e.facts["moves"] if m["to"] == "office"}
    return [round((x["time"] - up[x["whom"]]) * 1000, 3) for x in run.e.facts["events"] if x["what"] == "inside"]


def expected_inside(run):
    """One round trip to the manager, of a PROBE and its answer; to the home agent there is none."""
    return 2 * run.delays["vcm"] if run.k.embodiment == 1 and run.k.where == "host" else 0


def expected_direct_gap(run):
    """Half a round trip with Kcn: the Binding Update alone. Else return routability: the Care-of Test Init directly, its answer
    by way of the other node's home agent (RFC 6275 5.2.5, 11.6), then the Binding Update."""
    d, k = run.delays, run.k
    way = d["mn1"] + d["mn2"]
    agent = d["ha"] if k.embodiment == 1 else d["sg"]
    return way if k.kcn else 2 * way + way + 2 * agent


def direct_after(run):
    """ms from the last node's leaving the office until both send directly for the first time."""
    direct, out = run.event("direct", "first"), [m["up"] for m in run.e.facts["moves"] if m["from"] == "office"]
    return round((direct - max(out)) * 1000) if direct and out else None


def not_direct(run):
    """[(begin, end)] of the times in which the two may talk by the gateway, after they were direct for the first time: from a node's
    death until they are direct again. In embodiment 2 the gateway is the home agent, by which what a node sends may go, in the
    session's SAs, until its binding with the other one is new."""
    events = run.e.facts["events"]
    times = [(m["up"], m["up"] + SLACK) for m in run.e.facts["moves"] if "sas" in m and run.k.embodiment == 2]
    for killed in (x["time"] for x in events if x["what"] == "killed" and x["whom"] in OTHER):
        times.append((killed, next((x["time"] for x in events if (x["what"], x["whom"]) == ("direct", "after the kill")), float("inf")) + SLACK))
    return times


def while_direct(run):
    """Packets of the pair on the gateway's links, from when the path was direct until the first node returns."""
    start, end = run.event("direct", "first"), run.e.facts.get("returning")
    if start is None or end is None:
        return None
    times = not_direct(run)
    return sum(1 for link in ("core-sg", "office", "servers") for s in run.seen[link]
               if start + SLACK <= s.time < end and run.of_pair(s) and not any(a <= s.time < b for a, b in times))


def by_home_agent(run):
    """[ESP packets of the sessions that went by a home agent before both had the direct path (seed 003, 214 and 216), and later
    than that, but for those right after a move of who sent them]."""
    agent, start, end = "core-ha" if run.k.embodiment == 1 else "core-sg", run.event("direct", "first"), run.e.facts.get("returning")
    times = [*not_direct(run), *((m["up"], m["up"] + SLACK) for m in run.e.facts["moves"])]
    found = {}
    for s in run.seen[agent]:
        if s.readable.proto == ESP and s.spis and s.spis[0] in run.sessions and (end is None or s.time < end):
            found.setdefault(s.octets[s.readable.at:s.readable.at + 8], s.time)
    late = sum(1 for time in found.values() if start is not None and time > start + SLACK and not any(a <= time < b for a, b in times))
    return [len(found) - late, late]


def said(message):
    """Which nodes a REPORT is about."""
    return " ".join(f"{names[kind]} " + " ".join(str(ipaddress.IPv6Address(data[at:at + 16])) for at in range(len(data) % 16, len(data), 16))
                    for kind, data in message.options if kind in (names := {3: "NODE", 4: "PAIR", 5: "CORRESPONDENT"}))


def at_moves(run):
    """Messages of the manager's protocol in the second after a move while direct."""
    return [f"{m.kind} {ipaddress.IPv6Address(m.source)} > {ipaddress.IPv6Address(m.destination)} {said(m)}".rstrip() for m in run.messages()
            for move in run.e.facts["moves"] if "sas" in move and move["up"] <= m.time < move["up"] + 1 and
            m.kind not in NOT_OF_A_MOVE]


# --- the order of figure 2

def order(run):
    """Complaints about the order of the messages of the first session: each node has READY only after its OFFER, nobody sends
    by the new SA before the other's READY was passed on to him."""
    manager = packets.octets(vpn.manager_of(run, run.k.where))
    start, end = detected(run), run.event("direct", "first")
    if start is not None and waits_for_place(run.k):
        start = run.e.facts["moves"][1]["up"]
    mine = [m for m in run.messages() if start is not None and end is not None and start - 0.005 <= m.time <= end + 1]
    wrong = []

    def times(kind, name, to):
        address = packets.octets(run.at.internal[name])
        ends = (manager, address) if to else (address, manager)
        return [m.time for m in mine if m.kind == kind and (m.source, m.destination) == ends]

    def first(kind, name, to):
        return next(iter(times(kind, name, to)), None)

    def taken(name, ready):
        """The OFFER that READY answers: one that came too early for the node is said again."""
        return max((t for t in times("OFFER", name, True) if ready is not None and t <= ready), default=None)

    steps = {}
    for name in OTHER:
        ready = first("READY", name, False)
        steps[name] = {"OFFER": taken(name, ready), "READY": ready,
                       "PEER-READY": first("PEER-READY", name, True), "ACTIVE": first("ACTIVE", name, False)}
        missing = [kind for kind, time in steps[name].items() if time is None]
        if missing:
            wrong.append(f"{name}: no {', '.join(missing)}")
    if wrong:
        return wrong, steps
    for name, other in OTHER.items():
        direct = min((s.time for link, seen in run.direct_packets(name, other).items() if link in WALKS[name] for s in seen),
                     default=None)
        row = [("OFFER", steps[name]["OFFER"]), ("READY", steps[name]["READY"]),
               ("PEER-READY to the other", steps[other]["PEER-READY"])]
        chain = row + [("the other's first packet by the session", min(
            (s.time for link, seen in run.direct_packets(other, name).items() if link in WALKS[other] for s in seen), default=None))]
        wrong += [f"{name}: {a} at {x:.6f} is not before {b} at {y:.6f}" for (a, x), (b, y) in zip(chain, chain[1:])
                  if y is not None and x > y]
        if direct is not None and direct < steps[name]["PEER-READY"]:
            wrong.append(f"{name} sent by the session at {direct:.6f}, before PEER-READY at {steps[name]['PEER-READY']:.6f}")
    wrong += vpn_order.reported(run, min(steps[n]["OFFER"] for n in OTHER))
    for name, other in OTHER.items():
        wrong += vpn_order.bound(run, name, other)
    return wrong, steps


# --- verdict

def untouched(run):
    """Complaints: a move changed an SA of the session, or set its counters back."""
    wrong = []
    for move in run.e.facts["moves"]:
        for host, (before, after) in move.get("sas", {}).items():
            for spi, sa in before.items():
                if int(spi, 16) in run.sessions and not (spi in after and after[spi]["packets"] >= sa["packets"] and
                                                         after[spi]["source"] == sa["source"]):
                    wrong.append(f"{host}: SA {spi} was {sa}, is {after.get(spi)} after {move['from']} -> {move['to']}")
    return wrong


def judge(e):
    run, quiet = Run(e), e.keys.kill == "none" and not e.keys.loss
    readable = clear(run)
    account = Account(run, STREAMS)
    e.figures.update(account.figures())
    e.figures["duplicated"] = sum(log.repeated for log in run.logs.values())
    e.figures["clear"] = len(readable)
    e.figures["esp"], e.figures["reused"] = esp(run)
    e.figures["direct_after_ms"] = direct_after(run)
    if e.keys.kill != "none":
        e.figures["direct_again_ms"] = e.facts.get("direct_again_ms")
    judge_always(e, run, readable, account)
    vpn_keys.judge(e, run.seen, run.at)
    if e.facts.get("returning") is None:
        e.check(False, "the story did not come to its end")
        return
    moves = [n for n, m in enumerate(e.facts["moves"]) if "sas" in m]
    at, arrivals = detected(run), first_direct(run)
    e.figures["first_direct_ms"] = {name: None if t is None or at is None else round((t - at) * 1000, 3) for name, t in arrivals.items()}
    e.figures["expected_first_direct_ms"] = expected_first_direct(run)
    e.figures["direct_gap_ms"] = [switched(run, n) for n in moves]
    e.figures["expected_direct_gap_ms"] = expected_direct_gap(run)
    e.figures["sg_payload_packets_while_direct"] = while_direct(run)
    e.check(e.figures["sg_payload_packets_while_direct"] == 0, f"{e.figures['sg_payload_packets_while_direct']} packets of the pair at "
            "the gateway while they talked directly")
    e.figures["by_home_agent"] = by_home_agent(run)
    e.check(e.figures["by_home_agent"][1] == 0, f"{e.figures['by_home_agent'][1]} packets of a direct session went by a home agent")
    if quiet:
        judge_quiet(e, run)


def judge_always(e, run, readable, account):
    """What holds whoever dies, and whatever is lost."""
    e.check(not e.figures["reused"], f"{e.figures['reused']} sequence numbers were used for two packets")
    e.check(e.figures["esp"], "no ESP packet on any link")
    e.check(run.sessions, "no SA of a session was ever made")
    e.check(not readable, f"{len(readable)} packets could be read outside")
    for time, link, text in readable[:REPORTED]:
        e.check(False, f"readable at {time:.6f} on {link}: {text}")
    faults = account.faults()
    e.check(not faults or e.keys.fake, f"{len(faults)} packets lost")  # the attacker's link leads nowhere
    for text in faults[:REPORTED] if not e.keys.fake else ():
        e.check(False, f"lost: {text}")
    e.check(not e.figures["duplicated"], f"{e.figures['duplicated']} packets arrived more than once")
    wrong = flows.whole(e.facts["transfers"]["tcp"]) if "transfers" in e.facts else "TCP did not come to its end"
    e.check(not wrong, wrong)


def judge_quiet(e, run):
    f = e.figures
    e.check(None not in f["first_direct_ms"].values(), "no packet between care-of addresses")
    for name, wanted in f["expected_first_direct_ms"].items() if e.keys.kcn else ():
        # It is counted from a packet, and PLACE may have left right behind the one before.
        e.near("first_direct_ms", [f["first_direct_ms"][name]], [wanted], TOLERANCE, 1 + e.keys.interval_us / 1000)
    e.check(None not in f["direct_gap_ms"], f"not direct again after moves: {f['direct_gap_ms']}")
    e.near("direct_gap_ms", f["direct_gap_ms"], [f["expected_direct_gap_ms"]] * len(f["direct_gap_ms"]), TOLERANCE)
    for text in untouched(run):
        e.check(False, text)
    if not e.keys.overlap:
        f["inside_ms"], f["expected_inside_ms"] = inside(run), expected_inside(run)
        e.near("inside_ms", f["inside_ms"], [f["expected_inside_ms"]] * len(OTHER), TOLERANCE)
    asked = at_moves(run)
    e.check(not asked, f"messages at moves: {asked[:REPORTED]}")
    wrong, steps = order(run)
    start = min((t for row in steps.values() for t in row.values() if t is not None), default=0)
    f["steps_ms"] = {name: {kind: None if t is None else round((t - start) * 1000, 1) for kind, t in row.items()}
                     for name, row in steps.items()}
    for text in wrong:
        e.check(False, text)
    e.check(f["by_home_agent"][0] <= len(OTHER), f"{f['by_home_agent'][0]} packets of the session by a home agent, one each way at most")
