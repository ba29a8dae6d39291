"""A tunnel to a security gateway that strongSwan makes and moves (RFC 4555), under traffic.

mip6d on the node finds links and makes care-of addresses, and keeps out of the tunnel (`moves = "charon"`); or it is not
there, and the kernel configures itself (mip6d=no). The tunnel's inner address is what the gateway gives out of a pool.
"""

import re

from homebound_lab import capture, daemons, flows, ike, packets, snapshot, strongswan
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, PEER_HOME_ADDRESS as OTHER, Picture, PREFIXES
from homebound_lab.scenario import Key

TITLE = "a node's tunnel to a security gateway is moved by strongSwan with MOBIKE"
KEYS = {
    "rtt": Key(100, "round trip between the node and the gateway, in ms"),
    "moves": Key(20, "how many moves"),
    "mip6d": Key(True, "mip6d detects movement and makes the care-of address; if not, the kernel"),
    "mobike": Key(True, "MOBIKE; if not, a full IKEv2 set-up after each move"),
    "inner": Key("learnt", "the home address: the tunnel's inner address as IKEv2 gives it (TIA), learnt or configured; or another "
                 "one, for which SAs of its own are asked", ("learnt", "configured", "other")),
    "restart": Key(False, "after the moves mip6d is killed, and strongSwan"),
    "links": Key("one", "one interface, or two with both links up for a while", ("one", "two")),
    "down_ms": Key(20, "how long there is no link at all, in ms"),
    "interval_us": Key(1000, "interval of the UDP streams, in us"),
}
LIMIT = 240
IPSEC = False
TOLERANCE = 20
GRACE = 5  # s: so long mip6d gives strongSwan to follow (daemon_moves_ask.c)
ROAM_DELAY = 100  # ms: charon waits so long after a change of addresses, for there may be more (kernel-netlink, ROAM_DELAY)
DEVICES = ("wlan0", "wlan1")
WALK = ("link2", "link1")

GATEWAY = """connections { gw {
	version = 2
	mobike = %(mobike)s
	local_addrs = %(gateway)s
	pools = inner
	local { auth = psk
		id = gw.example }
	remote { auth = psk
		id = mn.example }
	children {
		net { local_ts = ::/0
			esp_proposals = aes128gcm16-noesn }
		home { local_ts = ::/0
			remote_ts = %(other)s/128
			esp_proposals = aes128gcm16-noesn } }
	proposals = aes128gcm16-prfsha256-ecp256
} }
pools { inner { addrs = %(inner)s/128 } }
secrets { ike-1 { secret = "a secret for the lab alone" } }
"""
NODE = """connections { gw {
	version = 2
	mobike = %(mobike)s
	remote_addrs = %(gateway)s
	vips = ::
	local { auth = psk
		id = mn.example }
	remote { auth = psk
		id = gw.example }
	children {
		net { remote_ts = ::/0
			esp_proposals = aes128gcm16-noesn }
		home { remote_ts = ::/0
			local_ts = %(other)s/128
			esp_proposals = aes128gcm16-noesn } }
	proposals = aes128gcm16-prfsha256-ecp256
} }
secrets { ike-1 { secret = "a secret for the lab alone" } }
"""
# The inner address is mip6d's to configure, and not one that IKE could be sent from.
# Of two ways that work it shall take the one that mip6d routes by.
WITH_MIP6D = "	interfaces_ignore = mip6mn0\n	prefer_best_path = yes\n"
ALONE = "	install_virtual_ip = yes\n"


def setup(lab):
    k = lab.keys
    net = Picture(lab, rtt_ms=k.rtt, router="instant", interfaces=DEVICES if k.links == "two" else DEVICES[:1])
    capture.start(lab, net.capture_points())
    values = {"mobike": "yes" if k.mobike else "no", "gateway": HOME_AGENT, "inner": HOME_ADDRESS, "other": OTHER}
    net.inner = OTHER if k.inner == "other" else HOME_ADDRESS
    net.child = "home" if k.inner == "other" else "net"
    net.gateway = strongswan.StrongSwan(lab, net.ha, GATEWAY % values).start()
    net.client = strongswan.StrongSwan(lab, net.mn, NODE % values, more=WITH_MIP6D if k.mip6d else ALONE).start()
    if k.mip6d:  # it asks strongSwan for the tunnel
        known = {} if k.inner == "learnt" else {"inner": net.inner, "gateway": HOME_AGENT}
        net.mn_daemon = daemons.with_tunnel(lab, net, net.client.socket, net.child, **known)
    net.attach("link1")
    lab.until(lambda: usable(net, "link1"), 10, "an address of link1")
    if not k.mip6d:
        net.client.initiate(net.child)
    if k.inner == "other":
        net.client.initiate("net")  # the tunnel of the address that IKEv2 has given is there as well
    lab.until(lambda: not net.cn.popen(["ping", "-n", "-c", "1", "-W", "1", net.inner], stdout=-3).wait(),
              20, "an answer from the inner address")
    return net


def usable(net, place):
    """Whether the node has an address of a place that is not tentative, or optimistic."""
    inside = packets.network(PREFIXES[place])
    return any(inside(packets.octets(a)) and (not flags & 0x40 or flags & 0x04) for a, _, _, flags in net.mn.addresses())


def one_move(lab, net, number):
    target = WALK[number % 2]
    if lab.keys.links == "two":
        return overlapping_move(lab, net, number, target)
    before, down = net.place["wlan0"], net.detach()
    if not lab.keys.mip6d:  # what a manager of connections does; the kernel keeps addresses and routes
        net.mn.command(["ip", "-6", "addr", "flush", "dev", "wlan0", "scope", "global", "dynamic"])
        for kind in ("ra", "kernel"):
            net.mn.command(["ip", "-6", "route", "flush", "dev", "wlan0", "root", "::/0", "proto", kind], check=False)
    lab.sleep(lab.keys.down_ms / 1000)
    return {"from": before, "to": target, "device": "wlan0", "down": down, "up": net.attach(target)}


def overlapping_move(lab, net, number, target):
    """The new link is there, and preferred, for a while before the old one goes."""
    new, old = (DEVICES[1], DEVICES[0])[::-1 if number % 2 else 1]
    before, up = net.place[old], net.attach(target, new)
    lab.until(lambda: usable(net, target), 10, f"an address of {target}", step=0.001)
    up = lab.now()
    net.mn_daemon.ask("prefer", interface=new, preference=20 + number)
    lab.sleep(stay(lab.keys))
    return {"from": before, "to": target, "device": new, "up": up, "down": net.detach(old)}


def stay(k):
    return (1 if k.mip6d else 8) + 6 * k.rtt / 1000


def run(lab):
    net = setup(lab)
    k = lab.keys
    down = flows.Stream(lab, "down", net.cn, net.mn, net.inner, 5001, interval_us=k.interval_us)
    up = flows.Stream(lab, "up", net.mn, net.cn, CORRESPONDENT, 5002, source=net.inner, interval_us=k.interval_us)
    tcp = flows.Transfer(lab, "tcp", net.mn, net.cn, CORRESPONDENT, 5003, source=net.inner)
    lab.facts["moves"] = []
    for number in range(k.moves):
        lab.sleep(stay(k) + lab.random.random())
        lab.facts["moves"].append(one_move(lab, net, number))
    lab.sleep(stay(k) + 1)
    if k.restart:
        restart(lab, net)
    for stream in (down, up):
        stream.stop_sending()
    lab.sleep(1 + 2 * k.rtt / 1000)
    tcp.finish(timeout=200)
    for stream in (down, up):
        stream.stop()
    if k.mip6d:
        lab.facts["tunnel"] = net.mn_daemon.ask("stats")["tunnel"]
        lab.check(net.mn_daemon.alive(), "mip6d died")
    lab.facts["children"] = len(net.client.children(net.child))
    if k.mip6d:
        lab.check(net.mn_daemon.stop() == 0, "mip6d did not end well")
        left = [line for line in snapshot.take(net.mn) if re.search(r"mip6|proto 175|\b627[5-9]\b", line)]
        lab.check(not left, f"mip6d left behind: {left}")
        lab.check(len(net.client.children(net.child)) == 1, "the tunnel ended with mip6d")


def restart(lab, net):
    """Both daemons are killed, one after the other; neither loses the tunnel for longer than strongSwan's part takes."""
    net.mn_daemon.kill()
    lab.sleep(1)
    net.mn_daemon.start()
    lab.sleep(stay(lab.keys))
    lab.facts["moves"].append(one_move(lab, net, len(lab.facts["moves"])))
    lab.sleep(stay(lab.keys) + 1)
    net.client.kill()
    net.client.start()
    lab.facts["orphaned"] = one_move(lab, net, len(lab.facts["moves"]))
    lab.holds_within(lambda: net.mn_daemon.ask("stats")["tunnel"]["care_of"].startswith(prefix_of(net.place["wlan0"])),
                     30, "a tunnel by a strongSwan that does not know of the former one")
    lab.sleep(stay(lab.keys))
    # Without a policy and without mip6d nothing may leave in clear; mip6d then asks for another tunnel.
    net.mn_daemon.kill()
    net.client.swanctl("--terminate", "--ike", "gw")
    lab.sleep(1)
    net.mn_daemon.start()
    lab.holds_within(lambda: net.client.children(net.child) and net.mn_daemon.ask("stats")["tunnel"]["there"], 30,
                     "another tunnel")
    lab.sleep(stay(lab.keys))


def prefix_of(place):
    return PREFIXES[place].split("::")[0]


# --- judging

def judge(e):
    k, orphaned = e.keys, e.facts.get("orphaned")
    m = ike.Moves(e, e.facts["moves"], k.rtt, orphaned["down"] - k.rtt / 2000 - 0.005 if orphaned else float("inf"))
    numbers = range(len(m.moves))
    f = e.figures
    f["downlink_sent_ms"] = [m.sent(n) for n in numbers]
    f["downlink_gap_ms"] = [m.first("down", n) for n in numbers]
    f["uplink_gap_ms"] = [m.first("up", n) for n in numbers]
    f["ike_exchanges"] = [len(ike.exchanges(m.needed(n))) for n in numbers]
    f["ike_messages"] = [len(m.needed(n)) for n in numbers]
    f["ike_messages_in_all"] = [len(m.messages(n)) for n in numbers]
    f["ike"] = sorted({" ".join(ike.exchanges(m.needed(n))) for n in numbers})
    (lost_down, other_down), (lost_up, other_up) = m.lost("down"), m.lost("up")
    f["lost_downlink"], f["lost_uplink"] = sum(lost_down), sum(lost_up)
    f["not_taken_up"] = len(m.logs["up"].failed)
    f["clear"] = sum(len(e.streams(link)) for link in ("link1", "link2"))
    wrong = flows.whole(e.facts["transfers"]["tcp"])
    e.check(not wrong, wrong)
    e.check(f["clear"] == 0, f"{f['clear']} packets of the streams in clear")
    e.check(other_down + other_up == 0, f"{other_down} packets down and {other_up} up lost at other times than moves")
    e.check(m.logs["down"].repeated + m.logs["up"].repeated == 0, "packets arrived more than once")
    e.check(e.facts["children"] == 1, f"{e.facts['children']} CHILD_SAs at the end, not one")
    if k.mip6d:
        judge_mip6d(e, m)


def judge_restart(e, m):
    """A move that the dead strongSwan should have followed: mip6d waits for that, and then asks the new one."""
    up = e.facts["orphaned"]["up"]
    back = [min(t for _, _, t in log.arrivals if t >= up + m.one_way) - up for log in m.logs.values()]
    e.figures["orphaned_s"] = [round(b, 2) for b in back]
    e.check(max(back) < GRACE + 1 + 5 * e.keys.rtt / 1000, f"traffic flows again after {e.figures['orphaned_s']} s")


def judge_mip6d(e, m):
    k, f = e.keys, e.figures
    e.check(f["lost_uplink"] == 0, f"{f['lost_uplink']} packets of the node's own lost")
    if k.restart:
        judge_restart(e, m)
    else:
        e.check(e.facts["tunnel"]["moved"] == len(m.moves), f"mip6d saw {e.facts['tunnel']['moved']} moves of the tunnel")
    if not k.mobike:
        return
    if k.links == "two":
        e.check(f["lost_downlink"] == 0 and f["not_taken_up"] == 0,
                f"{f['lost_downlink']} packets down lost, {f['not_taken_up']} up not taken, though both links were there")
        return
    # One exchange to find out whether the path works, one to tell the gateway of it (RFC 4555 3.5, 3.10).
    for name, trips in (("downlink_sent_ms", 1.5), ("downlink_gap_ms", 2), ("uplink_gap_ms", 1)):
        e.near(name, f[name], [ROAM_DELAY + trips * k.rtt] * len(m.moves), TOLERANCE)
    e.check(set(f["ike_exchanges"]) == {2}, f"IKE exchanges: {f['ike']}")
    with open(e.path("charon-mn.log"), errors="replace") as log:
        text = log.read()
    asked = re.findall(r"generating INFORMATIONAL request (\d+) \[.*N\(UPD_SA_ADDR\).*N\(COOKIE2\)", text)
    answered = set(re.findall(r"parsed INFORMATIONAL response (\d+) \[.*N\(COOKIE2\)", text))
    f["updates"] = len(set(asked))
    e.check(set(asked) <= answered and len(set(asked)) == len(m.moves),
            f"{len(set(asked))} UPDATE_SA_ADDRESSES with COOKIE2, {len(answered)} answered, {len(m.moves)} moves")
