"""The home agent's daemon is killed and started again, with many bindings and with traffic of a node that stays."""

import json

from homebound_lab import capture, daemons, flows
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "kill -9 of the home agent's daemon: no binding is lost, traffic does not stop"
KEYS = {
    "bindings": Key(1000, "how many other nodes are registered"),
    "kills": Key(3, "how many times the daemon is killed and started"),
    "rtt": Key(20, "round trip between the nodes and the home agent, in ms"),
}
LIMIT = 300
CARE_OF = "2001:db8:b::beef"


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    net.many = lab.host("many")
    lab.cable(net.many, "eth0", net.air, "p-many")
    net.air.ip("link set p-many master link2 up\n")
    net.many.ip(f"addr add {CARE_OF}/64 dev eth0 nodad\nlink set eth0 up\n")
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net)
    net.attach("home")
    net.mn_daemon = daemons.mobile_node(lab, net)
    lab.until(lambda: HOME_ADDRESS in [a[0] for a in net.mn.addresses()], 10, "the home address on the node")
    net.move("link1")
    lab.until(lambda: net.mn_daemon.registration()[0] == "registered", 20, "the node's registration")
    return net


def register_many(lab, net):
    """Returns the tool's report."""
    with open(lab.path("bindings.json"), "w"):
        pass
    mac = next(line for line in net.ar2.command(["ip", "link", "show", "lan0"]).split("link/ether ")[1].split())
    net.many.command([lab.tools["bindings"], "-i", "eth0", "-m", mac, "-c", CARE_OF, "-a", HOME_AGENT,
                      "-b", "2001:db8:1::1:0", "-n", str(lab.keys.bindings), "-l", "3600",
                      "-o", lab.path("bindings.json")], check=False, timeout=120)
    with open(lab.path("bindings.json")) as f:
        return json.load(f)


def run(lab):
    net = setup(lab)
    report = lab.facts["registered"] = register_many(lab, net)
    lab.check(report["accepted"] == lab.keys.bindings, f"registering {lab.keys.bindings} nodes: {report}")
    before = net.ha_daemon.bindings()
    lab.check(len(before) == lab.keys.bindings + 1, f"the home agent knows {len(before)} bindings")
    lab.say(f"{len(before)} bindings, in {report['ms']} ms")
    down = flows.Stream(lab, "down", net.cn, net.mn, HOME_ADDRESS, 5001)
    up = flows.Stream(lab, "up", net.mn, net.cn, CORRESPONDENT, 5002, source=HOME_ADDRESS)
    lab.facts["restarts"] = []
    for number in range(lab.keys.kills):
        lab.sleep(0.5 + lab.random.random())
        net.ha_daemon.kill()
        lab.sleep(lab.random.random() * 2)
        started = lab.now()
        net.ha_daemon.start()
        after = net.ha_daemon.bindings()
        lab.facts["restarts"].append({"ready_ms": (lab.now() - started) * 1000, "bindings": len(after)})
        wrong = [hoa for hoa in before if after.get(hoa) != before[hoa]]
        lab.check(not wrong, f"restart {number + 1}: {len(wrong)} bindings lost or changed, such as {wrong[:3]}")
        lab.say(f"killed and started: {len(after)} bindings")
    lab.sleep(1)
    for stream in (down, up):
        stream.stop_sending()
    lab.sleep(1)
    for stream in (down, up):
        stream.stop()
    net.move("link2")  # what was restarted also still works
    lab.holds_within(lambda: (net.ha_daemon.bindings() or {}).get(HOME_ADDRESS, "").startswith("2001:db8:b:"), 10,
                     "the binding of the node after a move")


def judge(e):
    f = e.figures
    f["accepted"] = e.facts["registered"]["accepted"]
    f["registration_ms"] = e.facts["registered"]["ms"]
    f["bindings"] = [r["bindings"] for r in e.facts["restarts"]]
    f["ready_ms"] = [round(r["ready_ms"], 1) for r in e.facts["restarts"]]
    f["lost"] = f["duplicated"] = 0
    for name in ("down", "up"):
        log = flows.Log(e, name)
        f["lost"] += len(log.missing)
        f["duplicated"] += log.repeated
        times = [a[2] for a in log.arrivals]
        f[f"longest_gap_{name}_ms"] = round(max((b - a for a, b in zip(times, times[1:])), default=0) * 1000, 3)
    e.check(f["lost"] == 0, f"{f['lost']} packets of a node that did not move were lost")
    e.check(f["duplicated"] == 0, f"{f['duplicated']} packets arrived more than once")
