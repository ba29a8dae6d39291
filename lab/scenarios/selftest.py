"""The lab itself: no daemon of ours, only the kernel's own autoconfiguration."""

import re

from homebound_lab import capture, flows, packets
from homebound_lab.lab import OPTIMISTIC, TENTATIVE
from homebound_lab.picture import CORRESPONDENT, HOME_AGENT, PREFIXES, ROUTERS, Picture
from homebound_lab.scenario import Key

TITLE = "the lab checks itself: delays, moves, traffic, captures"
KEYS = {
    "rtt": Key(100, "round trip between the node and its home agent, in ms"),
    "router": Key("radvd", "who sends router advertisements", ("radvd", "instant")),
    "seconds": Key(3, "how long traffic flows at each place"),
}
LIMIT = 90
IPSEC = False


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt, router=lab.keys.router)
    net.mn.sysctl(conf__wlan0__optimistic_dad=1, conf__wlan0__use_optimistic=1)
    return net


def address_in(net, prefix):
    """The node's address in a prefix, once it may be used."""
    for address, _, _, flags in net.mn.addresses():
        if packets.octets(address)[:8] == packets.octets(prefix.split("/")[0])[:8] and \
                (flags & OPTIMISTIC or not flags & TENTATIVE):
            return address
    return None


def ping(host, destination, count=3):
    out = host.command(["ping", "-n", "-c", str(count), "-i", "0.2", "-W", "3", destination], check=False)
    return [float(t) for t in re.findall(r"time=([\d.]+) ms", out)]


def run(lab):
    net = setup(lab)
    capture.start(lab, net.capture_points())
    lab.say("topology is up")
    lab.facts["visits"] = visits = []
    for place in ("home", "link1", "link2"):
        net.detach()
        net.mn.ip("addr flush dev wlan0 scope global\nroute flush dev wlan0\n")
        move = net.move(place)
        address = lab.until(lambda: address_in(net, PREFIXES[place]), 10, f"an address at {place}", step=0.005)
        visit = {"place": place, "up": move["up"], "configured": lab.now(), "address": address}
        net.mn.ip(f"route replace default via {router_address(net, place)} dev wlan0\n")
        for destination in (CORRESPONDENT, HOME_AGENT):  # so that neighbours are known
            lab.until(lambda: ping(net.mn, destination, 1), 10, f"an answer from {destination}")
        visit["ping_ms"] = ping(net.mn, HOME_AGENT)
        down = flows.Stream(lab, f"{place}-down", net.cn, net.mn, address, 5001)
        up = flows.Stream(lab, f"{place}-up", net.mn, net.cn, CORRESPONDENT, 5002, source=address)
        tcp = flows.Transfer(lab, f"{place}-tcp", net.mn, net.cn, CORRESPONDENT, 5003, source=address)
        lab.sleep(lab.keys.seconds)
        for stream in (down, up):
            stream.stop_sending()
        tcp.finish()
        for stream in (down, up):
            stream.stop()
        visits.append(visit)
        lab.say(f"{place}: address {address}, ping {visit['ping_ms']} ms")
    wrong = net.mn.command(["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", "-I", visits[1]["address"],
                            CORRESPONDENT], check=False)
    lab.check("time=" not in wrong, "a packet with a source address of another link was let through")


def router_address(net, place):
    device = ROUTERS[place][1]
    return next(a for a, _, d, _ in net.host_of(place).addresses() if d == device and a.startswith("fe80:"))


def judge(e):
    e.figures["address_ms"] = [round((v["configured"] - v["up"]) * 1000, 3) for v in e.facts["visits"]]
    e.figures["ping_ms"] = [v["ping_ms"] for v in e.facts["visits"]]
    for visit in e.facts["visits"]:
        slack = 2 if e.simulated else 40
        rtt = 0 if visit["place"] == "home" else e.keys.rtt
        e.check(len(visit["ping_ms"]) == 3, f"{visit['place']}: pings were lost: {visit['ping_ms']}")
        for t in visit["ping_ms"]:
            e.check(rtt <= t < rtt + slack, f"{visit['place']}: ping took {t} ms, {rtt} to {rtt + slack} wanted")
    for name, transfer in e.facts["transfers"].items():
        wrong = flows.whole(transfer)
        e.check(not wrong, f"{name}: {wrong}")
    e.figures["tcp_octets"] = sum(t["client"]["sent"] + t["server"]["sent"] for t in e.facts["transfers"].values())
    received = sent = 0
    for name in e.facts["streams"]:
        s = flows.Log(e, name)
        sent += s.sent
        received += len(s.arrivals)
        e.check(s.sent >= 900 * e.keys.seconds, f"{name}: only {s.sent} packets were sent")
        e.check(not s.missing, f"{name}: {len(s.missing)} packets lost")
        e.check(not s.repeated, f"{name}: {s.repeated} packets repeated")
    e.figures.update(sent=sent, received=received)
    for place in PREFIXES:
        seen = e.streams(place)
        e.check(len(seen) >= 2 * 900 * e.keys.seconds, f"the capture of {place} has only {len(seen)} stream packets")
    rows = packets.tshark(packets.signalling_file(e.path("link1.pcapng")), "icmpv6.type==134", "icmpv6.opt.prefix")
    e.check(rows and rows[0][0] == "2001:db8:a::", "tshark sees no advertisement of link 1's prefix")
    rows = packets.tshark(packets.signalling_file(e.path("home.pcapng")), "icmpv6.type==134", "icmpv6.nd.ra.flag.h", "icmpv6.opt.home_agent_lifetime",
                          "icmpv6.opt.prefix.flag.r")
    e.check(rows and rows[0][0] in ("1", "True"), f"tshark sees no H bit on the home link: {rows[:1]}")
