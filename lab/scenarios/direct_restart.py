"""Correspondent and mobile node are killed and started again while they talk directly: the path comes back, nothing stays
behind in the kernel, and with a shared key no old Binding Update is believed (RFC 4449 3)."""

import re

from homebound_lab import capture, daemons, flows, packets
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, Picture
from homebound_lab.scenario import Key, load

TITLE = "kill -9 of either end of a direct path, with and without a shared key"
KEYS = {
    "rtt": Key(40, "round trip between the node and the others, in ms"),
    "kbm": Key("shared", "Kbm shared by configuration, or from return routability", ("rr", "shared")),
}
LIMIT = 120


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net)
    keys = load("route-optimization").key_file

    def shared(name, local, peer):
        return keys(lab, name, [(local, peer)]) if lab.keys.kbm == "shared" else ""

    net.cn_daemon = daemons.correspondent(lab, net, sections=shared("cn", CORRESPONDENT, HOME_ADDRESS))
    net.attach("link1")
    net.mn_daemon = daemons.mobile_node(lab, net, sections=shared("mn", HOME_ADDRESS, CORRESPONDENT))
    lab.until(lambda: net.mn_daemon.registration()[0] == "registered", 20, "the registration")
    return net


def peer(net):
    return next((c for c in net.mn_daemon.ask("correspondents") or [] if c["peer"] == CORRESPONDENT), {})


def direct(net):
    bindings = net.cn_daemon.ask("correspondent-bindings") or []
    return peer(net).get("path") == "direct" and bindings and bindings[0]["care_of"] == peer(net)["care_of"]


def leftovers(host):
    """What a daemon of ours may have put into the kernel of a host. (Policies of sockets are strongSwan's.)"""
    xfrm = host.command(["ip", "xfrm", "state"]) + host.command(["ip", "xfrm", "policy", "list", "nosock"])
    return [line for line in (xfrm + host.command(["nft", "list", "tables"])).splitlines() if line.strip()]


def replay(lab, net, captured):
    """Every Binding Update that the correspondent has seen, once more, from the core onto its link."""
    import socket
    s = net.core.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.bind(("cn", 0))
    for frame in captured:
        s.send(frame)
    s.close()


def binding_updates(lab):
    """Frames of Binding Updates in the capture at the correspondent, so far."""
    found = []
    for _, frame in packets.frames(lab.path("core-cn.pcapng")):
        at = 54 + 24 if frame[20] == 60 else 0  # behind a Home Address option
        if at and frame[54] == 135 and len(frame) > at + 2 and frame[at + 2] == 5:
            found.append(frame)
    return found


def by_hand(lab, net):
    """mip6ctl ro off ends it at both ends, traffic or not; on begins it again; a flushed peer comes back by its rule."""
    net.mn_daemon.ctl("ro", "off", CORRESPONDENT)
    lab.holds_within(lambda: peer(net).get("path") == "tunnel" and not net.cn_daemon.ask("correspondent-bindings"), 5,
                     "the end of the binding after ro off")
    lab.sleep(3)
    lab.check(peer(net).get("path") == "tunnel", "direct again although it was turned off")
    net.mn_daemon.ctl("ro", "on", CORRESPONDENT)
    lab.holds_within(lambda: direct(net), 5, "the direct path after ro on")
    net.mn_daemon.ctl("ro", "flush", CORRESPONDENT)
    lab.holds_within(lambda: direct(net), 60, "the direct path after ro flush")


def run(lab):
    net = setup(lab)
    down = flows.Stream(lab, "down", net.cn, net.mn, HOME_ADDRESS, 5001, source=CORRESPONDENT, interval_us=5000)
    up = flows.Stream(lab, "up", net.mn, net.cn, CORRESPONDENT, 5002, source=HOME_ADDRESS, interval_us=5000)
    lab.until(lambda: direct(net), 20, "the direct path")
    lab.sleep(1)
    figures = lab.facts["back_s"] = {}
    before = peer(net)["seq"]

    if lab.keys.kbm == "shared":
        net.detach()  # out of reach, so that it cannot renew its binding before the attacker tries
    net.cn_daemon.kill()
    net.cn_daemon.start()
    if lab.keys.kbm == "shared":
        old = binding_updates(lab)
        lab.check(old, "no Binding Update was captured, so none can be replayed")
        replay(lab, net, old)
        lab.sleep(0.3)
        seen = (net.cn_daemon.ask("stats") or {})["correspondent"]["bu_received"]
        lab.check(seen == len(old), f"{seen} of {len(old)} replayed Binding Updates arrived")
        bindings = net.cn_daemon.ask("correspondent-bindings")
        lab.check(not bindings, f"an old Binding Update was believed: {bindings}")
        net.attach("link1")
    started = lab.now()
    lab.until(lambda: direct(net), 60, "the direct path after the correspondent was killed")
    figures["correspondent"] = lab.now() - started
    lab.say(f"direct again {figures['correspondent']:.2f} s after the correspondent was killed")

    lab.sleep(2)
    before, started = peer(net)["seq"], lab.now()
    net.mn_daemon.kill()
    lab.sleep(0.5)
    net.mn_daemon.start()
    lab.until(lambda: direct(net), 60, "the direct path after the mobile node was killed")
    figures["mobile_node"] = lab.now() - started
    if lab.keys.kbm == "shared":
        lab.check((peer(net)["seq"] - before) % 65536 < 100, f"the number {before} went on with {peer(net)['seq']}")
    lab.say(f"direct again {figures['mobile_node']:.2f} s after the mobile node was killed")

    by_hand(lab, net)
    lab.sleep(2)
    for stream in (down, up):
        stream.stop_sending()
    lab.sleep(1)
    for stream in (down, up):
        stream.stop()
    for daemon, host in ((net.mn_daemon, net.mn), (net.cn_daemon, net.cn)):
        lab.check(daemon.stop() == 0, f"{daemon.name} did not stop cleanly")
        left = leftovers(host)
        lab.check(not left, f"{daemon.name} left in the kernel: {left[:3]}")
    lab.check(not re.search("panic|ERROR", net.mn_daemon.process.text()), "see the log of the mobile node")


def judge(e):
    e.figures.update({f"{name}_back_s": round(s, 2) for name, s in e.facts["back_s"].items()})
    for name in ("up", "down"):
        log = flows.Log(e, name)
        e.figures[f"{name}_missing"] = len(log.missing)
        e.check(log.received and max(log.received) > log.sent - 50, f"{name}: nothing arrived at the end")
