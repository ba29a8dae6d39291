"""Three mobile nodes outside that talk in pairs: what begins a session, and what ends one. They leave the office without a word, and
talk only then (the other trigger of requirement V5); one way only (V12); all three with each other, two of them on the same link.
New keys by hand; two move while their session is being made; a node is revoked, a pair is denied, a pair is silent (V14); then all
return in the same moment (V11). Nothing is lost, repeated or readable over any of it, and no key is in any file."""

import re
from itertools import combinations
from types import SimpleNamespace

from homebound_lab import capture, flows, layers, scenario, vcm_wire, vpn, vpn_figures, vpn_keys, watcher
from homebound_lab.intranet import Intranet, addresses
from homebound_lab.scenario import Key

vcm = scenario.load("vcm")

TITLE = "three nodes outside that talk in pairs: one way, revoked, denied, silent, back in the same moment"
IPSEC = False
KEYS = {**{name: vcm.KEYS[name] for name in ("embodiment", "where", "keys", "kcn", "rtt", "interval_us")},
        "idle": Key(6, "s after which a session without traffic ends"),
        "probe": Key(2, "s after which a node that hears nothing asks"),
        "hold": Key(4, "s in which the gateway does not report a pair again"),
        "office_ms": Key(0, "time from the gateway to a host of the office"),
        "packets": Key(1, "packets of a pair before the gateway reports it")}
LIMIT = 200
NODES = ("mn1", "mn2", "mn3")
WALK = {"mn1": "link1", "mn2": "link4", "mn3": "link1"}
LONGEST = 20  # s, for a session to begin or to end
SLACK = 0.5  # s, for packets under way
AT_ONCE = 2  # packets


def setup(lab):
    k = lab.keys
    k.ipsec, k.ike_rekey, k.manager_ipsec, k.overlap = "manual", 0, "manual", True
    net = Intranet(lab, k.embodiment, k.rtt)
    net.manager_ipsec, lab.daemon_options = k.manager_ipsec, ["-d"]  # nor is a key in what they log then
    net.third_node()
    if k.office_ms:  # a return takes as long as the gateway's answer: what is sent meanwhile is not lost either
        net.sg.command(["tc", "qdisc", "add", "dev", "int0", "root", "netem", "delay", f"{k.office_ms}ms"])
    for name in (*NODES, "sg"):
        vpn.watch(lab, getattr(net, name))
    capture.start(lab, net.capture_points(), snaplen=700)
    net.daemons = {"ha": vpn.home_agent(lab, net)} if k.embodiment == 1 else {}
    net.daemons["sg"] = vpn.gateway(lab, net, f"	hold = {k.hold};\n	threshold = {{ packets = {k.packets}; seconds = 10; }};\n")
    net.daemons["vcm"] = vpn.manager(lab, net)
    for name in NODES:
        net.attach("office", net.devices[name][0])
        net.daemons[name] = vpn.node(lab, net, name, f"	probe = {k.probe};\n	idle = {k.idle};\n")
    return net


class Pairs:
    """The steps, and what they have in common."""

    def __init__(self, lab, net):
        self.lab, self.net, self.streams = lab, net, {}
        self.at, self.preference = {name: 0 for name in NODES}, 20  # which of its interfaces each node uses
        self.ways = lab.facts.setdefault("ways", [])  # [pair, "direct" or "gateway", from, to]

    def goes(self, way, *pairs):
        """From now on these pairs talk so."""
        now = self.lab.now()
        for one, two in map(sorted, pairs):
            for last in [w for w in self.ways if w[0] == [one, two] and w[3] is None]:
                last[3] = now
            if way:
                self.ways.append([[one, two], way, now, None])

    def until(self, condition, what, timeout=LONGEST):
        return self.lab.until(condition, timeout, what)

    def place_of(self, name):
        return (((self.net.daemons[name].ask("status") or {}).get("mobile_node") or {}).get("vpn") or {}).get("place")

    def settle(self, place):
        for name in NODES:
            self.until(lambda: self.place_of(name) == place, f"{name} to be {place}")

    def session(self, name, other):
        peer = self.net.at.internal[other]
        return next((s for s in self.net.daemons[name].ask("sessions") or [] if s["peer"] == peer), {})

    def is_direct(self, one, other):
        ends = self.session(one, other), self.session(other, one)
        return all(s.get("state") == "direct" and s.get("path") for s in ends) and ends[0]["session"]

    def is_ended(self, one, other):
        return not any(self.session(*ends).get("state") == "direct" for ends in ((one, other), (other, one)))

    def direct(self, *pairs):
        """Waits until these are; their sessions."""
        found = [self.until(lambda: self.is_direct(*pair), f"{'-'.join(pair)} to be direct") for pair in pairs]
        self.goes("direct", *pairs)
        self.lab.say(f"direct: {', '.join(map('-'.join, pairs))}")
        return found

    def ended(self, way, *pairs):
        for pair in pairs:
            self.until(lambda: self.is_ended(*pair), f"{'-'.join(pair)} to end")
        self.goes(way, *pairs)

    def same(self, pair, session, what):
        self.lab.check(self.is_direct(*pair) == session, f"{what}: the session of {'-'.join(pair)} is another one")

    def talk(self, sender, receiver):
        at, number = self.net.at.internal, len(self.streams)
        stream = flows.Stream(self.lab, f"{sender}-{receiver}-{number}", getattr(self.net, sender), getattr(self.net, receiver), at[receiver],
                              5100 + number, source=at[sender], interval_us=self.lab.keys.interval_us)
        self.streams[sender, receiver] = stream
        self.lab.facts["streams"][stream.name]["number"] = 5100 + number

    def hush(self, sender, receiver):
        self.streams[sender, receiver].stop_sending()

    def move(self, places, seconds=1):
        """These nodes, in the same moment, each with its other interface; the last place is left after a while."""
        old = {name: self.net.devices[name][self.at[name]] for name in places}
        for name in places:
            self.at[name] ^= 1
            self.preference += 1
            self.net.daemons[name].ask("prefer", interface=self.net.devices[name][self.at[name]], preference=self.preference)
        for name, place in places.items():
            self.net.attach(place, self.net.devices[name][self.at[name]])
        self.lab.sleep(seconds + 6 * self.lab.keys.rtt / 1000)
        for name in places:
            self.net.detach(old[name])

    def vcm(self, *words):
        return self.net.daemons["vcm"].ctl("vcm", *words)


def leave(lab, net, p):
    """All three, and none says a word to another: there is nothing to report."""
    for name in NODES:
        p.move({name: WALK[name]})
    p.settle("outside")
    p.until(lambda: sorted(c["place"] for c in p.vcm("contexts")) == ["outside"] * 3, "the manager to know of all three")
    lab.check(p.vcm("sessions") == [], "a session of nodes that do not talk")


def one_way(lab, net, p):
    """Packets to mn2 alone: it never says anything itself, and the path is not taken for dead, nor the session for idle."""
    p.talk("mn1", "mn2")
    session, = p.direct(("mn1", "mn2"))
    lab.sleep(lab.keys.idle + lab.keys.probe + 6)
    p.same(("mn1", "mn2"), session, "one way")
    lab.facts["one_way_until"] = lab.now()


def all_talk(lab, net, p):
    """Three sessions at once; mn1 and mn3 are on one link."""
    for pair in (("mn1", "mn3"), ("mn3", "mn1"), ("mn3", "mn2")):
        p.talk(*pair)
    found = p.direct(("mn1", "mn2"), ("mn1", "mn3"), ("mn2", "mn3"))
    lab.check(len(set(found)) == 3, f"sessions {found}")
    lab.sleep(2)


def new_keys(lab, net, p):
    """By hand: the next generation, in the same session."""
    before = p.session("mn1", "mn3")
    p.vcm("rekey", net.at.internal["mn1"], net.at.internal["mn3"])
    p.until(lambda: all(p.session(*ends).get("generation") == before["generation"] + 1 for ends in (("mn1", "mn3"), ("mn3", "mn1"))),
            "the next generation")
    lab.check(p.direct(("mn1", "mn3")) == [before["session"]], "new keys: another session")
    lab.sleep(1)


def moving(lab, net, p):
    """A session that was ended by hand comes again; in the moment in which it is offered both nodes move."""
    before, pair = p.is_direct("mn1", "mn2"), ("mn1", "mn2")
    p.goes(None, pair)
    p.vcm("end", *(net.at.internal[name] for name in pair))
    p.until(lambda: any(p.session(*ends).get("session", before) != before for ends in (pair, pair[::-1])), "another session")
    lab.check(not p.is_direct(*pair), "it was direct before anybody could move")
    p.move({"mn1": "link2", "mn2": "link5"})
    p.direct(pair)
    lab.sleep(1)


def revoked(lab, net, p):
    """mn3 has no session any more and gets none, though it goes on talking; those of others stay."""
    kept = p.is_direct("mn1", "mn2")
    p.goes(None, ("mn1", "mn3"), ("mn2", "mn3"))
    p.vcm("revoke", net.at.internal["mn3"])
    p.ended("gateway", ("mn1", "mn3"), ("mn2", "mn3"))
    lab.sleep(lab.keys.hold + 3)
    lab.check(p.is_ended("mn1", "mn3") and p.is_ended("mn2", "mn3"), "a session of a node that is revoked")
    p.same(("mn1", "mn2"), kept, "revoked")
    p.goes(None, ("mn1", "mn3"), ("mn2", "mn3"))
    p.vcm("unrevoke", net.at.internal["mn3"])
    p.direct(("mn1", "mn3"), ("mn2", "mn3"))
    lab.sleep(1)


def denied(lab, net, p):
    """A rule for one pair, while it talks directly; taken away again later."""
    manager = net.daemons["vcm"]
    kept = p.is_direct("mn2", "mn3")
    with open(manager.conf) as f:
        before = f.read()
    rule = f'{{ between = "{net.at.internal["mn1"]}"; and = "{net.at.internal["mn3"]}"; action = "deny"; }}, '
    write(manager.conf, before.replace("pairs = ( ", "pairs = ( " + rule))
    p.goes(None, ("mn1", "mn3"))
    p.vcm("reload")
    p.ended("gateway", ("mn1", "mn3"))
    lab.sleep(lab.keys.hold + 3)
    lab.check(p.is_ended("mn1", "mn3"), "a session of a pair that is denied")
    p.same(("mn2", "mn3"), kept, "denied")
    p.goes(None, ("mn1", "mn3"))
    write(manager.conf, before)
    p.vcm("reload")
    p.direct(("mn1", "mn3"))
    lab.sleep(1)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def silent(lab, net, p):
    """The only stream of a pair ends: its session does, and comes with the next packet."""
    kept = p.is_direct("mn1", "mn2")
    p.hush("mn3", "mn2")
    begin = lab.now()
    p.ended(None, ("mn2", "mn3"))
    lab.facts["idle_s"] = lab.now() - begin
    p.same(("mn1", "mn2"), kept, "idle")
    p.talk("mn2", "mn3")
    p.direct(("mn2", "mn3"))
    lab.sleep(1)


def all_return(lab, net, p):
    """In the same moment."""
    p.goes(None, *combinations(NODES, 2))
    p.move({name: "office" for name in NODES}, 3)
    p.settle("inside")
    p.ended(None, *combinations(NODES, 2))
    lab.sleep(2)


def run(lab):
    net = setup(lab)
    p = Pairs(lab, net)
    p.settle("inside")
    try:
        for step in (leave, one_way, all_talk, new_keys, moving, revoked, denied, silent, all_return):
            step(lab, net, p)
            lab.say(step.__name__.replace("_", " "))
    finally:
        for stream in p.streams.values():
            if stream.sender.alive():
                stream.stop_sending()
        lab.sleep(1)
        for stream in p.streams.values():
            stream.stop()
    for name, daemon in net.daemons.items():
        lab.check(daemon.alive(), f"{daemon.name} of {name} died")
        with open(f"/proc/{daemon.process.pid}/limits") as f:
            lab.check(re.search("Max core file size +1 +1 ", f.read()), f"{daemon.name} of {name} may leave its keys in a core")
    vpn_keys.keep(lab, net)


def judge(e):
    at = addresses(e.keys.embodiment)
    reader = layers.Reader(layers.known_keys(e, (*NODES, "sg")))
    run = SimpleNamespace(e=e, at=at, seen={link: list(reader.link(link, e.wire(link + ".pcapng"))) for link in e.facts.get("captured", {})})
    logs = {s["number"]: flows.Log(e, name) for name, s in e.facts["streams"].items()}
    readable = vpn_figures.clear(run, (*vpn_figures.OURS, "mn3"))
    e.figures.update(lost=sum(len(log.missing) for log in logs.values()), duplicated=sum(log.repeated for log in logs.values()),
                     clear=len(readable), reused=vpn_figures.esp(run)[1], idle_s=e.facts.get("idle_s"))
    for name in ("lost", "duplicated", "clear", "reused"):
        e.check(e.figures[name] == 0, f"{name}: {e.figures[name]}")
    for time, link, text in readable[:5]:
        e.check(False, f"readable at {time:.6f} on {link}: {text}")
    e.check(all(log.received for log in logs.values()), "a stream of which nothing arrived")
    e.check(e.figures["idle_s"] is None or e.keys.idle <= e.figures["idle_s"] <= e.keys.idle + 3, f"idle after {e.figures['idle_s']} s")
    ways(e, run)
    one_way_alone(e, run)
    if e.keys.where == "host":
        threshold(e, run)
    vpn_keys.judge(e, run.seen, at)


def ways(e, run):
    """Payload of a pair with a session is not at the gateway; of one that may have none it is there, and in no SA of a session."""
    pair_of = {s["number"]: sorted((s["from"], s["to"])) for s in e.facts["streams"].values()}
    sessions = vpn_keys.session_spis(e, run.at.home)
    e.figures["sg_payload_packets_while_direct"] = 0
    at_gateway = [(s.time, pair_of[layers.flow(s)[0]], s.spis) for s in run.seen["core-sg"] if layers.flow(s)]
    for pair, way, start, end in e.facts["ways"]:
        here = [spis for time, whose, spis in at_gateway if whose == pair and start + SLACK <= time < (end or float("inf"))]
        if way == "direct":
            e.figures["sg_payload_packets_while_direct"] += len(here)
            e.check(not here, f"{len(here)} packets of {'-'.join(pair)} at the gateway, though they talk directly")
        else:
            e.check(here, f"no packet of {'-'.join(pair)} at the gateway, though they have no session")
            astray = [spis for spis in here if sessions & set(spis)]
            e.check(not astray, f"{len(astray)} packets of {'-'.join(pair)} in SAs of a session that has ended")


def one_way_alone(e, run):
    """What the silent node sent was no payload."""
    back = [s for seen in run.seen.values() for s in seen if layers.flow(s) and s.time < e.facts.get("one_way_until", 0) and
            s.source == vpn_keys.packets.octets(run.at.internal["mn2"])]
    e.check("one_way_until" in e.facts and not back, f"{len(back)} packets of the node that was to be silent")


def threshold(e, run):
    """The first pair is reported with the packet that makes it enough, as the gateway's configuration says, and at once then."""
    report = next((m.time for m in map(layers.message, run.seen["servers"]) if m and m.kind == "REPORT" and
                   any(o == vcm_wire.PAIR for o, _ in m.options)), 0)
    core = {watcher.mac(m) for m, host in e.facts["macs"].items() if host == "core"}
    sent = [s.time for s in run.seen["core-sg"] if layers.flow(s) and s.time <= report and s.mac in core]
    e.figures["packets_until_report"] = len(sent)
    e.check(e.keys.packets <= len(sent) <= e.keys.packets + AT_ONCE, f"{len(sent)} packets until the report, {e.keys.packets} wanted")
