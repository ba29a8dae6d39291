"""Home agent and node ask each other whether they are there (RFC 5847); a home agent that lost its bindings gets them
back at the next heartbeat, not at the next refresh."""

import os

from homebound_lab import capture, daemons, packets
from homebound_lab.picture import HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "heartbeats both ways; the home agent loses its state, the node its link"
KEYS = {"rtt": Key(100, "round trip between the node and its home agent, in ms")}
LIMIT = 120
INTERVAL, MISSED, LIFETIME = 30, 3, 3600
HEARTBEAT = f"\theartbeat = {{ interval = {INTERVAL}; missed = {MISSED}; }};\n"


def registered(net):
    return net.mn_daemon.registration()[0] == "registered" and \
        any(b["state"] == "active" for b in net.ha_daemon.ask("bindings") or [])


def unreachable(net):
    return [b.get("unreachable", False) for b in net.ha_daemon.ask("bindings") or []]


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net, more=HEARTBEAT)
    net.attach("link1")
    net.mn_daemon = daemons.mobile_node(lab, net, lifetime=LIFETIME, more=HEARTBEAT)
    lab.until(lambda: registered(net), 20, "the registration")
    return net


def quiet(lab, net):
    """Ten intervals in which nothing is wrong."""
    lab.facts["quiet_from"] = lab.now()
    lab.sleep(10 * INTERVAL)
    lab.facts["quiet_to"] = lab.now()
    lab.check(unreachable(net) == [False], "the home agent believes that the node is unreachable")


def restart(lab, net, with_state):
    """Killed, and back with or without its bindings; how long is the node without one?"""
    before = net.mn_daemon.ask("stats")["mobile_node"]
    net.ha_daemon.kill()
    if not with_state:
        os.unlink(net.ha_daemon.state)
    net.ha_daemon.start()
    start = lab.now()
    if with_state:
        lab.check(registered(net), "the binding was not taken over")
        lab.sleep(3 * INTERVAL)
    else:
        lab.check(not registered(net), "the bindings are not lost")
        lab.until(lambda: registered(net), 2 * INTERVAL, "the node to notice", step=0.1)
    after = net.mn_daemon.ask("stats")["mobile_node"]
    return {"seconds": lab.now() - start, "updates": after["bu_sent"] - before["bu_sent"],
            "restarts": after["peer_restarted"] - before["peer_restarted"]}


def out_of_reach(lab, net):
    """The node's link goes: it is unreachable, and its binding lives on; then it is back."""
    net.detach()
    start = lab.now()
    lab.until(lambda: unreachable(net) == [True], (MISSED + 3) * INTERVAL, "the home agent to notice", step=0.5)
    lab.facts["noticed_after_s"] = lab.now() - start
    net.attach("link2")
    lab.until(lambda: unreachable(net) == [False], 60, "the home agent to notice that the node is back")


def run(lab):
    net = setup(lab)
    quiet(lab, net)
    lab.facts["with_state"] = restart(lab, net, True)
    lab.facts["without_state"] = restart(lab, net, False)
    lab.sleep(2 * INTERVAL)
    out_of_reach(lab, net)
    lab.facts["ha"], lab.facts["mn"] = (d.ask("stats") for d in (net.ha_daemon, net.mn_daemon))
    for daemon in (net.mn_daemon, net.ha_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")


def check_pair(e, rows, asks, answers, name):
    """Each request has its response with the same number and the Restart Counter; requests come every interval."""
    asked = [r for r in rows if r[1] == "0" and r[4 if asks == "mn" else 5] == HOME_ADDRESS]
    answered = {r[2]: r for r in rows if r[1] == "1" and r[4 if answers == "mn" else 5] == HOME_ADDRESS}
    e.check(9 <= len(asked) <= 11, f"{name}: {len(asked)} requests in ten intervals")
    for r in asked:
        e.check(r[2] in answered and answered[r[2]][3] and not r[3], f"{name}: no answer to {r}")
    gaps = [float(b[0]) - float(a[0]) for a, b in zip(asked, asked[1:])]
    e.check(all(INTERVAL - 0.1 < g < INTERVAL + 0.1 for g in gaps), f"{name}: intervals {gaps}")
    e.figures[f"{name}_requests"] = len(asked)


def judge(e):
    rows = packets.tshark(packets.signalling_file(e.path("core-ha.pcapng")), "mip6.mhtype == 13", "frame.time_epoch", "mip6.hb.r_flag",
                          "mip6.hb.seqnr", "mip6.rc", "ipv6.opt.mipv6.home_address",
                          "ipv6.routing.mipv6.home_address", "mip6.hb.u_flag", "ipv6.src", "ipv6.dst")
    rows = [[r[0], {"True": "1", "False": "0"}.get(r[1], r[1]), *r[2:]] for r in rows]
    e.check(all(HOME_AGENT in (r[7], r[8]) for r in rows), "a heartbeat that is not with the home agent")
    quiet = [r for r in rows if e.facts["quiet_from"] < float(r[0]) < e.facts["quiet_to"]]
    check_pair(e, quiet, "mn", "ha", "node")
    check_pair(e, quiet, "ha", "mn", "home_agent")
    counters = [int(r[3], 0) for r in rows if r[3] and r[5] == HOME_ADDRESS]
    e.check(len(set(counters)) == 2 and counters == sorted(counters), f"Restart Counters {sorted(set(counters))}")
    kept, lost = e.facts["with_state"], e.facts["without_state"]
    e.check(kept["updates"] == 0 and kept["restarts"] == 0, f"the home agent kept its bindings, and the node: {kept}")
    e.check(lost["restarts"] == 1 and lost["seconds"] < INTERVAL + 2, f"the home agent lost its bindings: {lost}")
    e.figures["binding_back_after_s"] = round(lost["seconds"], 1)
    e.figures["noticed_after_s"] = round(e.facts["noticed_after_s"])
    e.check(MISSED * INTERVAL < e.figures["noticed_after_s"] <= (MISSED + 2) * INTERVAL + 1,
            f"the home agent noticed after {e.figures['noticed_after_s']} s that the node is out of reach")
