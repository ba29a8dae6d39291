"""What others try against two nodes that talk directly, and what must come of it: nothing.

`mn3` is a node of the same intranet, inside, with good SAs of its own with the connectivity manager: it speaks of the others'
session, and in others' names. `core` stands for whoever carries the packets outside: it forges, and repeats what it has seen.
Each attack is a function whose first line says what must happen; it returns None, or what went wrong. The first is no attack:
it shows that the tools work."""

from homebound_lab import insider, layers, packets, scenario, vpn, vpn_figures, vpn_story
from homebound_lab import vcm_wire as wire
from homebound_lab.insider import Insider, Wire, datagram
from homebound_lab.scenario import Key
from homebound_lab.vpn_account import Account

vcm = scenario.load("vcm")

TITLE = "forged, repeated and other nodes' messages against a session of two nodes"
IPSEC = False
KEYS = {**{name: vcm.KEYS[name] for name in vcm.KEYS if name not in ("kill", "loss", "fake")},
        "only": Key("all", "one attack alone, by its name")}
LIMIT = 200
ATTACKS = []


def attack(f):
    ATTACKS.append(f)
    return f


def setup(lab):
    k = lab.keys
    k.kill, k.loss, k.fake = "none", 0, False
    net = vcm.setup(lab)
    net.manager, net.third = vpn.manager_of(net, k.where), net.at.internal["mn3"]
    net.mn3 = net.on_link("mn3", "office", net.third)
    if k.where == "host":
        keys = [row for row in vpn.manual_keys(lab.seed, vpn.pairs_of(net, k.where)) if net.third in row[:2]]
        insider.install(net.mn3, net.third, net.manager, [row for row in keys if row[2] == "manager"])
    return net


def sessions(net):
    return {name: [(s.get("session"), s.get("generation"), s.get("state"), s.get("spi_in"), s.get("spi_out"))
                   for s in net.daemons[name].ask("sessions") or []] for name in vpn.NODES}


def state(net):
    """What nobody but the three may change."""
    return {"sessions": sessions(net), "manager": [
        {key: s.get(key) for key in ("session", "generation", "state", "spi_a", "spi_b")}
        for s in net.daemons["vcm"].ask("sessions") or []],
        "places": {c["node"]: c["place"] for c in net.daemons["vcm"].ask("contexts") or [] if c["node"] != net.third}}


def number(net):
    """(session, generation) as numbers: that they are known to the attacker does not help him."""
    text, generation = sessions(net)["mn1"][0][:2]
    return int(text, 16), generation


@attack
def the_tool_is_right(lab, net):
    """What mn3 says of itself is acknowledged."""
    status = net.insider.ask(wire.PLACE, [wire.node(net.third, net.at.home["mn3"], False)])
    return None if status == 0 else f"its own place: status {status}"


@attack
def report_by_a_node(lab, net):
    """mn3 reports that the others are inside, and a pair of itself and mn1: only a gateway may."""
    at = net.at
    status = net.insider.ask(wire.REPORT, [wire.node(at.internal["mn1"], at.home["mn1"], False),
                                           wire.pair(net.third, at.internal["mn1"])])
    return "the report was taken" if status == 0 else None


@attack
def place_of_another(lab, net):
    """mn3 says where mn1 is: nobody but mn1 may."""
    status = net.insider.ask(wire.PLACE, [wire.node(net.at.internal["mn1"], net.at.home["mn1"], False)])
    return "mn3 may say where mn1 is" if status == 0 else None


@attack
def session_of_others(lab, net):
    """READY, ACTIVE, PUBLIC and DOWN for a session that is not one's own are not taken, and tell nothing."""
    which = wire.session(*number(net))
    for kind, more in ((wire.READY, []), (wire.ACTIVE, []), (wire.PUBLIC, [wire.option(12, bytes(range(32)))]),
                       (wire.DOWN, [wire.option(wire.REASON, b"\3"), wire.option(wire.COUNTERS, bytes(16))])):
        if net.insider.ask(kind, [which, *more]) == 0:
            return f"message {kind} was taken"
    return None


@attack
def straight_to_a_node(lab, net):
    """END, PEER-READY, CLOSE and OFFER from mn3 itself to mn1: only the manager may."""
    which, to = wire.session(*number(net)), net.at.internal["mn1"]
    for kind, options in ((wire.END, [which, wire.option(wire.REASON, b"\0")]), (wire.PEER_READY, [which]),
                          (wire.CLOSE, [which]),
                          (wire.OFFER, wire.offer(*number(net), net.at.internal["mn2"], net.at.home["mn2"], (4096, 4097)))):
        net.insider.send(kind, options, to=to)
    lab.sleep(1)
    return None


def forged(net):
    """Messages that would end the session if the manager or the gateway had sent them: [(source, destination, message)]."""
    which, at = wire.session(*number(net)), net.at
    end = wire.message(wire.END, 77, 1, 1, [which, wire.option(wire.REASON, b"\0")])
    report = wire.message(wire.REPORT, 77, 1, 1, [wire.node(at.internal["mn1"], at.home["mn1"], False)])
    down = wire.message(wire.DOWN, 77, 1, 1, [which, wire.option(wire.REASON, b"\0"), wire.option(wire.COUNTERS, bytes(16))])
    hello = wire.message(wire.HELLO, 77, 1, 0)
    found = [(net.manager, at.internal["mn1"], end), (net.manager, at.internal["mn2"], hello)]
    return found + [(vpn.gateway_of(net, net.where), net.manager, report), (at.internal["mn1"], net.manager, down),
                    (at.internal["mn1"], net.manager, hello)]


@attack
def in_others_names_inside(lab, net):
    """Without an SA nobody inside speaks for manager or gateway. (In a node's name he may send anything: that is what the gateway
    takes for its return, doc/vcm.md.)"""
    out = Wire(net.mn3, "eth0", net.sg.mac_of("int0"))
    for source, destination, message in forged(net)[:3]:
        for _ in range(3):
            out.put(datagram(source, destination, message))
            lab.sleep(0.05)
    out.close()
    lab.sleep(1)
    return None


@attack
def in_others_names_outside(lab, net):
    """Nor outside, to the gateway or to a node."""
    ways = [Wire(net.core, "sg", net.sg.mac_of("up0"))]
    for host, device in ((net.mn1, net.mn1_device), (net.mn2, net.mn2_device)):
        router = net.host_of(net.place[device])
        ways.append(Wire(router, "lan0", host.mac_of(device)))
    for way in ways:
        for source, destination, message in forged(net):
            way.put(datagram(source, destination, message))
            lab.sleep(0.05)
        way.close()
    lab.sleep(1)
    return None


@attack
def again_what_was_seen(lab, net):
    """All ESP that core has carried to the gateway, and all that the routers have carried to the nodes, once more."""
    where = [("core-sg", net.core, "sg", net.sg.mac_of("up0"))]
    for host, device in ((net.mn1, net.mn1_device), (net.mn2, net.mn2_device)):
        place = net.place[device]
        where.append((place, net.host_of(place), "lan0", host.mac_of(device)))
    for link, host, device, to in where:
        way, count = Wire(host, device, to), 0
        octets = bytes.fromhex(to.replace(":", ""))
        for _, frame, length in layers.packets_of(lab.path(link + ".pcapng")):
            if frame[:6] == octets and length == len(frame) and b"\x86\xdd" == frame[12:14] and packets.MARK not in frame:
                way.put(frame[14:])
                count += 1
                if count % 200 == 0:
                    lab.sleep(0.02)
        way.close()
        lab.say(f"{count} packets of {link} once more")
    lab.sleep(1)
    return None


def run(lab):
    net = setup(lab)
    net.where = lab.keys.where
    story = vpn_story.Story(lab, net)
    story.settle("inside")
    streams = vcm.talk(lab, net)
    story.both_direct()
    net.mn1_device, net.mn2_device = (vpn_story.DEVICES[n][story.device[n]] for n in vpn.NODES)
    net.insider = Insider(lab, net.mn3, net.third, net.manager)
    story.stay(1)
    lab.facts["tried"] = []
    for f in ATTACKS:
        if lab.keys.only not in ("all", f.__name__):
            continue
        before = state(net)
        wrong = f(lab, net)
        after = state(net)
        lab.check(wrong is None, f"{f.__name__}: {wrong}")
        lab.check(before == after, f"{f.__name__}: was {before}, is {after}")
        lab.check(story.is_direct(), f"{f.__name__}: not direct any more")
        lab.facts["tried"].append(f.__name__)
        lab.say(f.__name__.replace("_", " "))
    lab.check(not net.insider.keys_got(), f"mn3 was told keys by messages {net.insider.keys_got()}")
    story.stay(1)
    vcm.end(lab, net, streams)


def judge(e):
    run = vpn_figures.Run(e)
    readable = vpn_figures.clear(run)
    e.figures.update(tried=len(e.facts.get("tried", ())), clear=len(readable),
                     lost=Account(run, vpn_figures.STREAMS).figures()["lost"],
                     duplicated=sum(log.repeated for log in run.logs.values()))
    e.check(e.figures["tried"] == len(ATTACKS) or e.keys.only != "all", "not all attacks were tried")
    e.check(not readable, f"{len(readable)} packets could be read outside: {readable[:5]}")
    e.check(e.figures["duplicated"] == 0, "packets came twice")
    e.check(e.figures["lost"] == 0, f"{e.figures['lost']} packets lost")
