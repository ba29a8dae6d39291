"""A node that was told no home agent finds those of its home link, uses the best, and goes to the next when that one is
gone (RFC 6275 11.4.1, 10.5); and it learns of changes of its home prefixes (11.4.2, 11.4.3, 10.6)."""

import ipaddress

from homebound_lab import capture, daemons, flows, packets
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, HOME_PREFIX, SECOND_HOME_AGENT, Picture
from homebound_lab.routers import Router
from homebound_lab.scenario import Key

TITLE = "home agents and home prefixes are discovered; the best home agent dies; the home prefix is renumbered"
KEYS = {
    "rtt": Key(100, "round trip between the node and its home agents, in ms"),
    "interval_us": Key(10000, "interval of the UDP streams, in us"),
    "known": Key("both", "with IPsec: whether the node has keys, or connections, for both home agents or not for the preferred one",
                 ("both", "one")),
}
LIMIT = 200
ANYCAST = "2001:db8:1:0:fdff:ffff:ffff:fffe"  # RFC 2526
NEW_PREFIX = "2001:db8:11::/64"
REQUEST, REPLY, SOLICITATION, ADVERTISEMENT = 144, 145, 146, 147


def node(net):
    return (net.mn_daemon.ask("status") or {}).get("mobile_node") or {}


def served_by(net, agent):
    status = node(net)
    return status.get("registration") == "registered" and status.get("home_agent") == agent


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt, ha2=True)
    capture.start(lab, net.capture_points())
    net.router2 = Router(lab, net.ha2, "home0", HOME_PREFIX, "radvd", 1000, home_agent=SECOND_HOME_AGENT, preference=20)
    net.router2.wait_ready()
    net.ha_daemon = daemons.home_agent(lab, net, more="\tpreference = 10;\n")
    net.ha2_daemon = daemons.home_agent(lab, net, host=net.ha2, home_agent=SECOND_HOME_AGENT, more="\tpreference = 20;\n")
    for daemon, others in ((net.ha_daemon, SECOND_HOME_AGENT), (net.ha2_daemon, HOME_AGENT)):
        lab.until(lambda: others in str(daemon.ask("home-agents")), 10, f"{daemon.name} to hear of the other home agent")
    net.attach("link1")
    if lab.keys.known == "one":
        lab.unknown_agents = [SECOND_HOME_AGENT]
    net.mn_daemon = daemons.mobile_node(lab, net, home_agent="auto", more='\troute_optimization = ();\n')
    return net


def not_known(lab, net):
    """The preferred home agent is told to the operator and passed over; nothing is said to it in clear (watcher.py)."""
    lab.until(lambda: served_by(net, HOME_AGENT), 60, "the registration with the home agent that there are keys for")
    said = [line for line in net.mn_daemon.log_lines() if SECOND_HOME_AGENT in line and "so there is no registration with it" in line]
    lab.check(len(said) == 1, f"what the log says of the home agent without keys: {said}")
    lab.facts["passed_over_s"] = lab.now() - lab.facts["started"]


def run(lab):
    net = setup(lab)
    lab.facts["started"] = lab.now()
    if lab.keys.known == "one":
        not_known(lab, net)
        return
    lab.until(lambda: served_by(net, SECOND_HOME_AGENT), 30, "the registration with the preferred home agent")
    lab.facts["found"] = net.ha_daemon.ask("home-agents")
    lab.facts["candidates"] = net.mn_daemon.ask("home-agents")
    lab.say("found the preferred home agent")
    tcp = flows.Transfer(lab, "tcp", net.mn, net.cn, CORRESPONDENT, 5003, source=HOME_ADDRESS)
    lab.sleep(2)
    # the preferred one dies, and so do its advertisements
    lab.facts["dies"] = lab.now()
    net.ha2_daemon.kill()
    net.router2.stop()
    net.ha2.ip("link set home0 down\n")
    net.move("link2")
    lab.until(lambda: served_by(net, HOME_AGENT), 200, "the registration with the next home agent", longest=2)
    lab.facts["next_s"] = lab.now() - lab.facts["dies"]
    lab.say(f"registered with the next home agent after {lab.facts['next_s']:.1f} s")
    # a second home prefix, and the first one deprecated, while the session runs
    lab.sleep(2)
    lab.facts["renumbered"] = lab.now()
    net.ha_daemon.ctl("prefixes", "set", NEW_PREFIX, "7200", "3600")
    net.ha_daemon.ctl("prefixes", "set", HOME_PREFIX, "900", "0")
    lab.until(lambda: NEW_PREFIX in str(net.mn_daemon.ask("prefixes")), 1000, "the node to hear of the new prefix", longest=5)
    lab.facts["heard_s"] = lab.now() - lab.facts["renumbered"]
    lab.facts["prefixes"] = net.mn_daemon.ask("prefixes")
    lab.say(f"the node heard of the new home prefix after {lab.facts['heard_s']:.1f} s")
    lab.sleep(5)
    status = node(net)
    lab.check(status["remaining_s"] <= 900, f"the binding lives longer than its prefix: {status}")
    lab.check(status["registration"] == "registered", f"{status}")
    tcp.finish()
    for daemon in (net.mn_daemon, net.ha_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")


def judge(e):
    if e.keys.known == "one":
        e.figures["passed_over_s"] = round(e.facts["passed_over_s"], 1)
        return
    home = packets.tshark(packets.signalling_file(e.path("home.pcapng")), "icmpv6.type >= 144 && icmpv6.type <= 147", "frame.time_epoch", "icmpv6.type",
                          "ipv6.src", "ipv6.dst", "icmpv6.mip6.home_agent_address", "icmpv6.mip6.identifier")
    visited = [r for link in ("link1", "link2") for r in packets.tshark(
        packets.signalling_file(e.path(link + ".pcapng")), "icmpv6.type >= 144 && icmpv6.type <= 147", "frame.time_epoch", "icmpv6.type", "ipv6.src",
        "ipv6.dst", "icmpv6.mip6.home_agent_address", "icmpv6.mip6.identifier", "ipv6.opt.mipv6.home_address",
        "ipv6.routing.mipv6.home_address", "icmpv6.opt.prefix")]
    requests = [r for r in visited if r[1] == str(REQUEST)]
    replies = [r for r in visited if r[1] == str(REPLY)]
    e.check(requests and all(ipaddress.ip_address(r[3]) == ipaddress.ip_address(ANYCAST) for r in requests),
            f"requests: {requests}")
    e.check(replies and all(r[2] in (HOME_AGENT, SECOND_HOME_AGENT) for r in replies), f"replies: {replies}")
    e.check(replies and replies[0][4] == SECOND_HOME_AGENT, f"the preferred home agent is not the first: {replies}")
    e.check({r[5] for r in replies} <= {r[5] for r in requests}, "a reply with an identifier that nobody asked with")
    asked = [r for r in visited if r[1] == str(SOLICITATION)]
    told = [r for r in visited if r[1] == str(ADVERTISEMENT)]
    e.check(asked and all(r[6] == HOME_ADDRESS for r in asked), f"solicitations without a Home Address option: {asked}")
    e.check(told and all(r[7] == HOME_ADDRESS for r in told), f"advertisements without a type 2 routing header: {told}")
    e.check(len(told) >= 2, f"one unsolicited and one solicited advertisement: {told}")
    e.figures.update(requests=len(requests), replies=len(replies), solicitations=len(asked), advertisements=len(told),
                     next_home_agent_s=round(e.facts["next_s"], 1), prefix_heard_s=round(e.facts["heard_s"], 1),
                     on_home_link=len(home))
    wrong = flows.whole(e.facts["transfers"]["tcp"])
    e.check(not wrong, wrong)
