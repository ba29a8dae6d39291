"""A node is sent from one home agent of its home link to another and back (RFC 5142) with its sessions running."""

from homebound_lab import capture, daemons, flows, packets
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, SECOND_HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "a node is sent to another home agent and back while its sessions run"
KEYS = {
    "rtt": Key(100, "round trip between the node and its home agents, in ms"),
    "path": Key("tunnel", "of the data: by the home agents, or directly to a correspondent that has a binding",
                ("tunnel", "direct")),
    "interval_us": Key(1000, "interval of the UDP streams, in us"),
}
LIMIT = 120
NOBODY = "2001:db8:1::dead"
DAD = 1000  # ms, at the new home agent (RFC 6275 10.3.1)
# Round trips before a Binding Update can leave for a home agent with which there are no SAs: IKE_SA_INIT and IKE_AUTH
IKE = {"none": 0, "manual": 0, "strongswan": 2}


def mobile_node(net):
    return (net.mn_daemon.ask("status") or {}).get("mobile_node") or {}


def active(daemon):
    return [b for b in daemon.ask("bindings") or [] if b["state"] == "active"]


def served_by(net, daemon, address):
    status = mobile_node(net)
    return status.get("registration") == "registered" and status.get("home_agent") == address and active(daemon)


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt, ha2=True)
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net)
    net.ha2_daemon = daemons.home_agent(lab, net, host=net.ha2, home_agent=SECOND_HOME_AGENT)
    net.attach("link1")
    if lab.keys.path == "direct":
        net.cn_daemon = daemons.correspondent(lab, net)
    when = "always" if lab.keys.path == "direct" else "never"
    net.mn_daemon = daemons.mobile_node(
        lab, net, more_agents=[NOBODY], more="\tunprotected_signals = true;\n"
        f"\troute_optimization = ( {{ to = \"::/0\"; when = \"{when}\"; }} );\n")
    lab.until(lambda: served_by(net, net.ha_daemon, HOME_AGENT), 20, "the registration")
    return net


def switch(lab, net, old, new, address, whom):
    start = lab.now()
    old.ctl("switch", whom, address)
    lab.until(lambda: served_by(net, new, address), 20, f"the registration with {address}")
    lab.check(not active(old), f"{old.name} still has the binding")
    lab.sleep(3)
    return {"at": start, "to": address}


def unheard(lab, net):
    """The node is out of reach, the message is repeated until it hears it; the binding is not made longer meanwhile."""
    left = active(net.ha_daemon)[0]["remaining_s"]
    net.detach()
    net.ha_daemon.ctl("switch", HOME_ADDRESS, SECOND_HOME_AGENT)
    lab.sleep(22)  # 5 + 10 s, and some of the next 20
    net.attach("link2")
    lab.until(lambda: mobile_node(net).get("care_of"), 10, "the node's new place")
    lab.sleep(2)
    still = active(net.ha_daemon)
    lab.check(still and still[0]["switching"] and still[0]["remaining_s"] < left - 20,
              f"the node has moved while it was asked to leave: {still}")
    lab.until(lambda: served_by(net, net.ha2_daemon, SECOND_HOME_AGENT), 25, "the registration with the second one")


def crash(lab, net):
    """Killed while it is with the second home agent: the next life goes on there, not at the configured one."""
    net.mn_daemon.kill()
    lab.sleep(2)
    net.mn_daemon.start()
    lab.until(lambda: served_by(net, net.ha2_daemon, SECOND_HOME_AGENT), 20, "the node after a crash")
    lab.check(not active(net.ha_daemon), "it registers with the first home agent as well")


def nobody_there(lab, net):
    """The first of the list does not answer, three times; the second takes it."""
    lab.facts["nobody_from"] = lab.now()
    net.ha2_daemon.ctl("switch", HOME_ADDRESS, NOBODY, HOME_AGENT)
    lab.until(lambda: served_by(net, net.ha_daemon, HOME_AGENT), 30, "the second of the list")
    lab.check(not active(net.ha2_daemon), "the second home agent still has the binding")


def run(lab):
    net, k = setup(lab), lab.keys
    down = flows.Stream(lab, "down", net.cn, net.mn, HOME_ADDRESS, 5001, interval_us=k.interval_us)
    up = flows.Stream(lab, "up", net.mn, net.cn, CORRESPONDENT, 5002, source=HOME_ADDRESS, interval_us=k.interval_us)
    tcp = flows.Transfer(lab, "tcp", net.mn, net.cn, CORRESPONDENT, 5003, source=HOME_ADDRESS)
    lab.sleep(2)
    lab.facts["switches"] = [
        switch(lab, net, net.ha_daemon, net.ha2_daemon, SECOND_HOME_AGENT, HOME_ADDRESS),
        switch(lab, net, net.ha2_daemon, net.ha_daemon, HOME_AGENT, "all")]
    for stream in (down, up):
        stream.stop_sending()
    lab.sleep(2)
    tcp.finish()
    for stream in (down, up):
        stream.stop()
    unheard(lab, net)
    crash(lab, net)
    nobody_there(lab, net)
    net.move("home")
    lab.until(lambda: not active(net.ha_daemon) and mobile_node(net).get("registration") == "none", 20,
              "the return to the home link")
    for daemon in (net.mn_daemon, net.ha_daemon, net.ha2_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")


def updates_behind_ike(e):
    """ms from the answer to IKE_AUTH until the Binding Update that waited for its SA leaves, at each switch."""
    link = packets.signalling_file(e.path("mn-wlan0.pcapng"))
    done = [float(r[0]) for r in packets.tshark(link, f"isakmp.exchangetype == 35 && "
                                                f"(ipv6.src == {HOME_AGENT} || ipv6.src == {SECOND_HOME_AGENT})", "frame.time_epoch")]
    updates = [float(r[0]) for r in packets.tshark(link, "mip6.mhtype == 5 && mip6.bu.lifetime > 0", "frame.time_epoch")]
    first = [next((t for t in done if t > s["at"]), None) for s in e.facts["switches"]]
    return [None if t is None else round(1000 * (next((u for u in updates if u > t), t + 9) - t), 1) for t in first]


def judge(e):
    link = packets.signalling_file(e.path("core-ha.pcapng"))
    rows = packets.tshark(link, "mip6.mhtype == 12", "ipv6.src", "mip6.has.num_addrs",
                          "mip6.has.address", "ipv6.routing.type", "ipv6.routing.mipv6.home_address", "frame.time_epoch")
    said = [(r[0], r[2]) for r in rows]
    e.check(said == [(HOME_AGENT, SECOND_HOME_AGENT), (SECOND_HOME_AGENT, HOME_AGENT)]
            + [(HOME_AGENT, SECOND_HOME_AGENT)] * 4 + [(SECOND_HOME_AGENT, NOBODY)], f"switch messages: {said}")
    for r in rows:
        e.check([r[1], *r[3:5]] == ["2" if r[2] == NOBODY else "1", "2", HOME_ADDRESS], f"a switch message that says {r}")
    tried = packets.tshark(link, f"mip6.mhtype == 5 && !icmpv6 && frame.time_epoch > {e.facts['nobody_from']}",
                           "ipv6.dst", "mip6.bu.lifetime")
    tried = [(r[0], int(r[1]) > 0) for r in tried][:5]
    # Without SAs none can leave for it, but IKE asks for some.
    asked = packets.tshark(link, f"isakmp.exchangetype == 34 && ipv6.dst == {NOBODY}", "frame.time_epoch")
    ike = e.keys.ipsec == "strongswan"
    e.check(tried == [(SECOND_HOME_AGENT, False)] + [(NOBODY, True)] * (0 if ike else 3) + [(HOME_AGENT, True)],
            f"Binding Updates when the first of the list is not there: {tried}")
    e.check(bool(asked) == ike, f"IKE_SA_INIT to the first of the list: {asked}")
    if ike:
        e.figures["update_behind_ike_ms"] = updates_behind_ike(e)
        e.check(all(ms is not None and ms < 20 for ms in e.figures["update_behind_ike_ms"]),
                f"Binding Updates {e.figures['update_behind_ike_ms']} ms behind the SAs they waited for")
    times = [float(r[5]) for r in rows[2:6]]
    e.figures["repeated_after_s"] = [round(b - a, 2) for a, b in zip(times, times[1:])]
    for wanted, got in zip((5, 10, 20), e.figures["repeated_after_s"]):
        e.check(wanted - 0.1 < got < wanted + 0.1, f"repeated after {got} s, not {wanted}")
    tcp = e.facts["transfers"]["tcp"]
    wrong = flows.whole(tcp)
    e.check(not wrong, wrong)
    e.figures["tcp_longest_gap_ms"] = [tcp[end]["longest_gap_ms"] for end in ("client", "server")]
    down, up = flows.Log(e, "down"), flows.Log(e, "up")
    first, second = (s["at"] for s in e.facts["switches"])
    for name, log in (("down", down), ("up", up)):
        # What is held counts against the sender's socket buffer: when that is full the sender is told.
        lost = [log.time_of(s) for s in log.missing if log.failed.get(s) != "EAGAIN"]
        e.figures[f"not_taken_{name}"] = len(log.failed)
        e.figures[f"lost_{name}"] = [len([t for t in lost if first <= t < second]), len([t for t in lost if t >= second])]
        e.check(all(t >= first for t in lost), f"{name}: packets were lost before the switch")
        e.check(log.repeated == 0, f"{name}: {log.repeated} packets arrived twice")
    if e.keys.path == "direct":
        carried = [p for p in e.streams("core-ha") if first < p.time < second]
        e.figures["carried_by_home_agents"] = len(carried)
        e.check(not carried, f"the home agents carried {len(carried)} packets of a direct path")
        e.check(e.figures["lost_down"] == [0, 0], f"{e.figures['lost_down']} packets of a direct path lost")
    # One round trip to delete the binding, half of one to make the new, behind IKE; its proxy comes after DAD.
    per_ms = 1000 / e.keys.interval_us
    for n in e.figures["lost_down"]:
        e.check(n <= (DAD + (2 + IKE[e.keys.ipsec]) * e.keys.rtt + 200) * per_ms, f"{n} packets of the downlink lost")
    for n in e.figures["lost_up"]:
        e.check(n == 0, f"{n} packets of the uplink lost")
