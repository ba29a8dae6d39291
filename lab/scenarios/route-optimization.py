"""A mobile node and a correspondent, or two mobile nodes, talk over the direct path through 20 moves."""

import os

from homebound_lab import capture, daemons, directs, flows, packets
from homebound_lab.picture import (CORRESPONDENT, HOME_ADDRESS, PEER_HOME_ADDRESS, PEER_PREFIXES, PREFIXES, Picture,
                                   delays)
from homebound_lab.scenario import Key

TITLE = "the direct path after each move: return routability, or a shared Kbm; node to correspondent or node to node"
KEYS = {
    "rtt": Key(100, "round trip between any two of node, home agent and correspondent, in ms"),
    "rtt_mn_ha": Key(0, "the same for node and home agent alone; 0: as rtt"),
    "rtt_mn_cn": Key(0, "for node and correspondent (or the other node); 0: as rtt"),
    "rtt_ha_cn": Key(0, "for home agent and correspondent (or the other node); 0: as rtt"),
    "mode": Key("mn-cn", "who the other end is", ("mn-cn", "mn-mn")),
    "kbm": Key("rr", "Kbm from return routability, or shared by configuration (RFC 4449)", ("rr", "shared")),
    "token": Key("good", "age of the home keygen token at a move", ("good", "old")),
    "care_of": Key("new", "a new link-layer and care-of address at each move, or those of before: their tokens are still good",
                   ("new", "known")),
    "walk": Key("links", "between two visited links, or home as well (mn-cn)", ("links", "home")),
    "moves": Key(20, "how many moves"),
    "links": Key("two", "make before break with both links up for a while, or one interface", ("one", "two")),
    "overlap_ms": Key(0, "with links=two: how long both are up, in ms; 0: 200, or as long as round trips ask for"),
    "router": Key("instant", "who sends router advertisements; radvd now and then lets a newcomer wait for 500 ms",
                  ("radvd", "instant")),
    "interval_us": Key(0, "interval of the UDP streams, in us; 0: 1000, with old tokens 10000"),
}
LIMIT = 400
TOLERANCE = 20
TOKEN_S = 210  # MAX_TOKEN_LIFETIME
HOME_DAD = 1000  # ms
KCN = "000102030405060708090a0b0c0d0e0f10111213"


def round_trips(k):
    return {name: getattr(k, "rtt_" + name) or k.rtt for name in ("mn_ha", "mn_cn", "ha_cn")}


def expected(k):
    """The time of the messages, in ms, from the new link's carrier until the other end sends to the new place.

    To a correspondent: CoTI and CoT, if need be HoTI and HoT by the home agent at the same time, and half a round trip
    for the Binding Update, which is all that is needed where the tokens are still good. To a mobile node the CoTI and the BU go directly; its CoT and HoT come by its home agent,
    which is ours as well."""
    r = round_trips(k)
    if k.kbm == "shared" or (k.care_of == "known" and k.token == "good"):
        return r["mn_cn"] / 2
    care_of = r["mn_cn"] if k.mode == "mn-cn" else r["mn_cn"] / 2 + r["ha_cn"] / 2 + r["mn_ha"] / 2
    home = r["mn_ha"] + r["ha_cn"] if k.token == "old" else 0
    return max(care_of, home) + r["mn_cn"] / 2


def expected_of_both(k):
    """The same when both nodes move in the same instant. With payload protection a node that is away sends directly with
    both headers or not at all: one header alone would lead through the tunnel unprotected. So after the Binding Update of
    the other one, for its type 2 routing header, it waits for the acknowledgement of its own, for its Home Address option.
    That was sent when the Binding Update had come, as expected() says, and comes by the other one's home agent, as CoT does."""
    r = round_trips(k)
    both = k.payload and k.ipsec != "none"
    return expected(k) + ((r["mn_ha"] + r["ha_cn"]) / 2 if both else 0)


def expected_home(k, move):
    """The same where home is part of the walk. Coming home, a home keygen token is enough and is there: the Binding
    Update alone. Leaving it, the home agent's duplicate address detection (10.3.1) and its answer come first."""
    if move["to"]["mn"] == "home":
        return round_trips(k)["ha_cn"] / 2
    if move["from"]["mn"] == "home":
        return HOME_DAD + round_trips(k)["mn_ha"] + round_trips(k)["mn_cn"] / 2
    return expected(k)


def overlap(k):
    """Until the new path carries, what is on its way to the old place must still arrive."""
    r = round_trips(k)
    return k.overlap_ms or max(200, expected(k) + 50 + max(r["mn_cn"], (r["mn_ha"] + r["ha_cn"]) / 2))


def settle(k):
    """Until the path is direct again, and some time of that."""
    return 1 + 5 * max(round_trips(k).values()) / 1000 + (1 if k.walk == "home" else 0)


def stay(k):
    return settle(k) + (TOKEN_S + 19 if k.token == "old" else 0)


def key_file(lab, name, lines):
    path = lab.path(f"keys-{name}")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write("".join(f"{local} {peer} {KCN} 1122334455667788 99aabbccddeeff00\n" for local, peer in lines))
    return f'shared_keys = "{path}";\n'


def start(lab):
    k = lab.keys
    r = round_trips(k)
    devices = ("wlan0", "wlan1") if k.links == "two" else ("wlan0",)
    net = Picture(lab, branches=delays(r["mn_ha"], r["mn_cn"], r["ha_cn"]), interfaces=devices, router=k.router,
                  peer=k.mode == "mn-mn")
    capture.start(lab, net.capture_points())
    other = PEER_HOME_ADDRESS if k.mode == "mn-mn" else CORRESPONDENT

    def keys(name, local, peer):
        return key_file(lab, name, [(local, peer)]) if k.kbm == "shared" else ""

    net.ha_daemon = daemons.home_agent(lab, net)
    if k.mode == "mn-cn":
        net.cn_daemon = daemons.correspondent(lab, net, sections=keys("cn", CORRESPONDENT, HOME_ADDRESS))
    net.attach("link1")
    net.mn_daemon = daemons.mobile_node(lab, net, sections=keys("mn", HOME_ADDRESS, other))
    net.daemons = {"mn": net.mn_daemon}
    if k.mode == "mn-mn":
        net.attach("link3", "wlan02")
        net.cn_daemon = net.daemons["mn2"] = daemons.mobile_node(
            lab, net, host=net.mn2, sections=keys("mn2", PEER_HOME_ADDRESS, HOME_ADDRESS), home_address=PEER_HOME_ADDRESS)
    for name, daemon in net.daemons.items():
        lab.until(lambda: daemon.registration()[0] == "registered", 20, f"{name} to register")
    return net, other


def direct(daemon, peer):
    """Whether what the node sends to peer goes directly."""
    return any(c["peer"] == peer and c["path"] == "direct" for c in daemon.ask("correspondents") or [])


def one_move(lab, net, number, movers):
    k = lab.keys
    places = {"mn": ["link1", "link2", "home"][:3 if k.walk == "home" else 2], "mn2": list(PEER_PREFIXES)}
    move = {"nodes": movers, "from": {}, "to": {}, "up": {}, "down": {}}
    news = {}
    for node in movers:
        net.count[node] += 1
        host, nth = getattr(net, node), net.count[node]
        new, old = (host.interfaces[nth % len(host.interfaces)], host.interfaces[(nth - 1) % len(host.interfaces)])
        news[node] = (new, old)
        walk = places[node]
        move["from"][node], move["to"][node] = walk[(nth - 1) % len(walk)], walk[nth % len(walk)]
        if k.links == "two":
            net.daemons[node].ask("prefer", interface=new, preference=20 + nth)
    # No preference is above the home link's: it is left when it is gone.
    abrupt = k.links == "one" or "home" in move["from"].values()
    for node, (new, old) in news.items():
        if abrupt:
            move["down"][node] = net.detach(old)
    if abrupt:
        lab.sleep(0.02)
    for node, (new, _) in news.items():
        if k.care_of == "new":  # as stations do that do not want to be recognized
            host = getattr(net, node)
            host.ip(f"link set dev {new} down\nlink set dev {new} up address 02:{'01' if node == 'mn' else '02'}:00:00:00:"
                    f"{net.count[node]:02x}\n")
    for node, (new, _) in news.items():
        move["up"][node] = net.attach(move["to"][node], new)
    if not abrupt:
        lab.sleep(overlap(k) / 1000)
        for node, (_, old) in news.items():
            move["down"][node] = net.detach(old)
    return move


def run(lab):
    k = lab.keys
    net, other = start(lab)
    far = net.mn2 if k.mode == "mn-mn" else net.cn
    interval = k.interval_us or (10000 if k.token == "old" else 1000)
    down = flows.Stream(lab, "down", far, net.mn, HOME_ADDRESS, 5001, source=other, interval_us=interval)
    up = flows.Stream(lab, "up", net.mn, far, other, 5002, source=HOME_ADDRESS, interval_us=interval)
    tcp = flows.Transfer(lab, "tcp", net.mn, far, other, 5003, source=HOME_ADDRESS)
    lab.until(lambda: direct(net.mn_daemon, other), 20, "the direct path")
    if k.mode == "mn-mn":
        lab.until(lambda: direct(net.daemons["mn2"], HOME_ADDRESS), 20, "the direct path of the other node")
    lab.say("the direct path is there")
    turns = [["mn"]] if k.mode == "mn-cn" else [["mn"], ["mn2"], ["mn", "mn2"]]
    net.count = dict.fromkeys(net.daemons, 0)
    lab.facts["moves"] = []
    for number in range(k.moves):
        lab.sleep(stay(k) + lab.random.random())
        move = one_move(lab, net, number, turns[number % len(turns)])
        lab.facts["moves"].append(move)
        lab.say(f"move {number + 1}: " + ", ".join(f"{n} {move['from'][n]} -> {move['to'][n]}" for n in move["nodes"]))
    lab.sleep(settle(k) + 1)
    lab.facts["ended"] = lab.now()
    for stream in (down, up):
        stream.stop_sending()
    lab.sleep(1 + 2 * max(round_trips(k).values()) / 1000)
    tcp.finish()
    for stream in (down, up):
        stream.stop()
    for daemon in {net.ha_daemon, net.cn_daemon, net.mn_daemon}:
        lab.check(daemon.alive(), f"{daemon.name} died")
    lab.facts["correspondents"] = net.mn_daemon.ask("correspondents")


def judge(e):
    k, moves = e.keys, e.facts["moves"]
    r = round_trips(k)
    far = "mn2" if k.mode == "mn-mn" else "cn"
    nodes = {"mn": [f"mn-{d}" for d in ("wlan0", "wlan1")], "mn2": [f"mn2-{d}" for d in ("wlan02", "wlan12")],
             "cn": ["core-cn"]}
    count = 2 if k.links == "two" else 1
    ends = {"mn": nodes["mn"][:count], far: nodes[far][:count]}
    d = directs.Directs(e, moves, ends, {("mn", far): "up", (far, "mn"): "down"},
                        {"cn": delays(r["mn_ha"], r["mn_cn"], r["ha_cn"])["cn"] / 1000})
    gaps = [d.gaps(n) for n in range(len(moves))]
    lost, on_old_link, repeated = d.losses()
    slack = max(r.values()) / 1000
    e.figures.update(
        direct_gap_ms=[None if None in [g[0] for g in one] else max(g[0] for g in one) for one in gaps],
        own_direct_ms=[None if None in [g[1] for g in one] else max(g[1] for g in one) for one in gaps],
        expected_gap_ms=expected(k), lost=lost, lost_on_old_link=on_old_link, duplicated=repeated,
        moves=["+".join(m["nodes"]) for m in moves], overlap_ms=overlap(k) if k.links == "two" else 0,
        ha_payload_packets_while_direct=[d.at_agent_while_direct(n, slack) for n in range(len(moves))],
        sent=sum(log.sent for log in d.logs.values()))
    f = e.figures
    if k.care_of == "known":  # the first visit of a link is one of a new address
        e.figures["first_visits_ms"] = f["direct_gap_ms"][:2]
        f["direct_gap_ms"][:2] = []
        moves = moves[2:]
    wanted = [expected_home(k, m) if k.walk == "home" else expected_of_both(k) if len(m["nodes"]) > 1 else
              f["expected_gap_ms"] for m in moves]
    e.near("direct_gap_ms", f["direct_gap_ms"], wanted, TOLERANCE)
    for name in ("direct_gap_ms", "own_direct_ms"):
        e.check(None not in f[name], f"{name}: not direct again at moves {[i + 1 for i, v in enumerate(f[name]) if v is None]}")
    e.check(d.at_home_agent, "no payload ever at the home agent, not even in the moves: it would not be seen there")
    e.check(not any(f["ha_payload_packets_while_direct"]), "payload at the home agent while the path was direct: "
            f"{f['ha_payload_packets_while_direct']}")
    e.check(lost == 0, f"{lost} packets lost")
    e.check(repeated == 0, f"{repeated} packets arrived more than once")
    wrong = flows.whole(e.facts["transfers"]["tcp"])
    e.check(not wrong, wrong)
    witnesses(e, k, ends[far])


def witnesses(e, k, links):
    """At the other end's link, tshark and scapy read the same extension headers, and those that belong there."""
    other = PEER_HOME_ADDRESS if k.mode == "mn-mn" else CORRESPONDENT
    captures = [packets.one_of_each(e.path(link + ".pcapng")) for link in links]
    for port, sender, receiver in ((5001, other, HOME_ADDRESS), (5002, HOME_ADDRESS, other)):
        by_tshark, by_scapy = set(), set()
        for path in captures:
            by_tshark |= directs.headers_by_tshark(path, port)
            by_scapy |= directs.headers_by_scapy(path, port)
        e.check(by_tshark == by_scapy, f"tshark and scapy read port {port} differently: {by_tshark ^ by_scapy}")
        mobile = {HOME_ADDRESS, *([other] if k.mode == "mn-mn" else [])}
        complete = [row for row in by_tshark
                    if row[2] == (sender if sender in mobile else "") and row[3] == (receiver if receiver in mobile else "")]
        e.check(complete, f"no packet of port {port} with the headers of the direct path at {links}")
        for src, dst, hao, rh2 in by_tshark:
            e.check(hao in ("", sender) and rh2 in ("", receiver), f"port {port}: {src} > {dst}, option {hao}, header {rh2}")
