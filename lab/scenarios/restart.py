"""Daemons are killed and started again: the home agent's, with many bindings and with traffic of a node that stays,
and the node's own while it is away."""

import ipaddress
import json
import re

from homebound_lab import capture, daemons, flows, ipsec
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "kill -9 of either daemon: no binding is lost, traffic does not stop"
KEYS = {
    "bindings": Key(1000, "how many other nodes are registered"),
    "kills": Key(3, "how many times the home agent's daemon is killed and started"),
    "in_moves": Key(6, "how many moves in which a daemon is killed, at a random moment; node and home agent in turn"),
    "rtt": Key(20, "round trip between the nodes and the home agent, in ms"),
}
LIMIT = 300
CARE_OF = "2001:db8:b::beef"
LATE, SHORT = 100, 20  # nodes that register after the restarts; nodes whose bindings end while the daemon is down
SHORT_LIFE = 12  # s


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    net.many = lab.host("many")
    lab.cable(net.many, "eth0", net.air, "p-many")
    net.air.ip("link set p-many master link2 up\n")
    net.many.ip(f"addr add {CARE_OF}/64 dev eth0 nodad\nlink set eth0 up\n")
    capture.start(lab, net.capture_points())
    daemons.both_at_home(lab, net)
    net.move("link1")
    registered(lab, net, "2001:db8:a:")
    return net


def registered(lab, net, network):
    """Both sides know of a binding in that network."""
    def both():
        state, care_of = net.mn_daemon.registration()
        return state == "registered" and (care_of or "").startswith(network) and \
            (net.ha_daemon.bindings() or {}).get(HOME_ADDRESS) == care_of
    lab.until(both, 20, f"the node's registration in {network}")


def register(lab, net, first, count, lifetime):
    """Registers count nodes; returns the tool's report. With IPsec there are none: the tool has no SAs."""
    if ipsec.is_on(lab):
        return {"accepted": 0, "ms": 0}
    report = lab.path(f"bindings-{count}.json")
    mac = net.ar2.command(["ip", "link", "show", "lan0"]).split("link/ether ")[1].split()[0]
    net.many.command([lab.tools["bindings"], "-i", "eth0", "-m", mac, "-c", CARE_OF, "-a", HOME_AGENT, "-b", first,
                      "-n", str(count), "-l", str(lifetime), "-o", report], check=False, timeout=120)
    with open(report) as f:
        answer = json.load(f)
    lab.check(answer["accepted"] == count, f"registering {count} nodes: {answer}")
    return answer


def in_kernel(net):
    """What the home agent's kernel has: routes {home address: care-of address}, the pairs that may come out of the
    tunnel, and the home addresses it answers for."""
    def text(hexadecimal):
        return str(ipaddress.IPv6Address(int(hexadecimal, 16)))
    routes = dict(re.findall(r"^(\S+) +encap ip6 .*? dst (\S+)", net.ha.command(["ip", "-6", "route"]), re.M))
    pairs = re.findall(r"([0-9a-f:]+) \. (0x[0-9a-f]+)",
                       net.ha.command(["nft", "list", "set", "ip6", "mip6d", "bindings"]))
    proxied = net.ha.command(["ip", "-6", "neigh", "show", "proxy"])
    return {"routes": routes, "pairs": {text(hoa): care_of for care_of, hoa in pairs},
            "proxied": sorted(line.split()[0] for line in proxied.splitlines() if not line.startswith("fe80:"))}


def consistent(lab, net, when):
    """Kernel and bindings say the same."""
    bindings, kernel = net.ha_daemon.bindings(), in_kernel(net)
    for name in ("routes", "pairs"):
        wrong = bindings.items() ^ kernel[name].items()
        lab.check(not wrong, f"{when}: {len(wrong)} {name} of the kernel differ from the bindings, such as {list(wrong)[:3]}")
    lab.check(sorted(bindings) == kernel["proxied"],
              f"{when}: {len(bindings)} bindings, but {len(kernel['proxied'])} addresses answered for")
    return bindings


class Traffic:
    """A stream each way between the node and the correspondent."""

    def __init__(self, lab, net, name):
        self.lab = lab
        port = 5000 + 2 * len(lab.facts.setdefault("traffic", []))
        lab.facts["traffic"].append(name)
        self.streams = [flows.Stream(lab, f"{name}-down", net.cn, net.mn, HOME_ADDRESS, port + 1),
                        flows.Stream(lab, f"{name}-up", net.mn, net.cn, CORRESPONDENT, port + 2, source=HOME_ADDRESS)]

    def stop(self):
        self.lab.sleep(1)
        for stream in self.streams:
            stream.stop_sending()
        self.lab.sleep(1)
        for stream in self.streams:
            stream.stop()


def kill_home_agent(lab, net):
    before = consistent(lab, net, "before the kills")
    lab.say(f"{len(before)} bindings")
    traffic = Traffic(lab, net, "agent")
    lab.facts["restarts"] = []
    for number in range(lab.keys.kills):
        last = number + 1 == lab.keys.kills
        if last:
            register(lab, net, "2001:db8:1::3:0", SHORT, SHORT_LIFE)
        lab.sleep(0.5 + lab.random.random())
        net.ha_daemon.kill()
        lab.sleep(SHORT_LIFE + 1 if last else lab.random.random() * 2)
        started = lab.now()
        net.ha_daemon.start()
        ready_ms = (lab.now() - started) * 1000
        after = consistent(lab, net, f"after restart {number + 1}")
        lab.facts["restarts"].append({"ready_ms": ready_ms, "bindings": len(after)})
        wrong = [hoa for hoa in before | after if after.get(hoa) != before.get(hoa)]
        lab.check(not wrong, f"restart {number + 1}: {len(wrong)} bindings lost or changed, such as {wrong[:3]}")
        lab.say(f"home agent killed and started: {len(after)} bindings")
    traffic.stop()
    register(lab, net, "2001:db8:1::2:0", LATE, 3600)
    lab.facts["bindings after"] = len(consistent(lab, net, "after new registrations"))


def kill_in_moves(lab, net):
    """One of the two dies somewhere between the new link and the end of what that sets off."""
    for number in range(lab.keys.in_moves):
        daemon, place = (net.mn_daemon, net.ha_daemon)[number % 2], ("link2", "link1")[number % 2]
        net.move(place)
        lab.sleep(lab.random.random() * 3 * lab.keys.rtt / 1000)
        daemon.kill()
        lab.sleep(lab.random.random())
        daemon.start()
        registered(lab, net, {"link1": "2001:db8:a:", "link2": "2001:db8:b:"}[place])
        lab.holds_within(lambda: not net.cn.popen(["ping", "-n", "-c", "1", "-W", "1", HOME_ADDRESS], stdout=-3).wait(), 5,
                         f"an answer from the home address after {daemon.name} was killed in move {number + 1}")
    consistent(lab, net, "after the kills in moves")


def sequence(net):
    return next(b["seq"] for b in net.ha_daemon.ask("bindings") if b["home_address"] == HOME_ADDRESS)


def kill_node(lab, net, name, move=None):
    """The node's daemon dies away from home, and is started at the same place or, after a move, at another."""
    before, refused = sequence(net), refusals(net)
    traffic = Traffic(lab, net, name)
    lab.sleep(1)
    net.mn_daemon.kill()
    if move:
        net.move(move)
    lab.sleep(1 + lab.random.random())
    started = lab.now()
    net.mn_daemon.start()
    registered(lab, net, {None: "2001:db8:a:", "link2": "2001:db8:b:"}[move])
    lab.facts[name] = {"registered_ms": (lab.now() - started) * 1000, "sequence": [before, sequence(net)],
                       "started": started, "refused": refusals(net) - refused}
    traffic.stop()
    consistent(lab, net, f"after {name}")
    lab.say(f"node's daemon killed and started: registered again in {lab.facts[name]['registered_ms']:.0f} ms")


def refusals(net):
    """How many Binding Updates the home agent has refused."""
    stats = net.ha_daemon.ask("stats")
    return sum(r["count"] for r in stats.get("home_agent", stats)["refused"])


def run(lab):
    net = setup(lab)
    lab.facts["registered"] = register(lab, net, "2001:db8:1::1:0", lab.keys.bindings, 3600)
    kill_home_agent(lab, net)
    kill_node(lab, net, "node")
    kill_node(lab, net, "node-moved", "link2")
    net.move("link1")  # what was restarted also still works
    registered(lab, net, "2001:db8:a:")
    kill_in_moves(lab, net)
    consistent(lab, net, "at the end")


def longest_gap(log):
    times = [a[2] for a in log.arrivals]
    return round(max((b - a for a, b in zip(times, times[1:])), default=0) * 1000, 3)


def judge(e):
    f = e.figures
    f["accepted"] = e.facts["registered"]["accepted"]
    f["registration_ms"] = e.facts["registered"]["ms"]
    f["bindings"] = [r["bindings"] for r in e.facts["restarts"]]
    f["ready_ms"] = [round(r["ready_ms"], 1) for r in e.facts["restarts"]]
    f["bindings_after"] = e.facts["bindings after"]
    logs = {name: flows.Log(e, name) for name in (f"{t}-{way}" for t in e.facts["traffic"] for way in ("down", "up"))}
    f["lost"] = sum(len(logs[name].missing) for name in ("agent-down", "agent-up"))
    f["duplicated"] = sum(log.repeated for log in logs.values())
    for way in ("down", "up"):
        f[f"longest_gap_{way}_ms"] = longest_gap(logs[f"agent-{way}"])
    e.check(f["lost"] == 0, f"{f['lost']} packets of a node that did not move were lost")
    e.check(f["duplicated"] == 0, f"{f['duplicated']} packets arrived more than once")
    for name in ("node", "node-moved"):
        judge_node(e, name, logs)


def judge_node(e, name, logs):
    f, facts = e.figures, e.facts[name]
    key = name.replace("-", "_")
    first, later = facts["sequence"]
    f[f"{key}_registered_ms"] = round(facts["registered_ms"], 1)
    f[f"{key}_sequence"] = facts["sequence"]
    f[f"{key}_lost"] = {way: len(logs[f"{name}-{way}"].missing) for way in ("down", "up")}
    f[f"{key}_traffic_ms"] = {}
    for way in ("down", "up"):
        after = [a[2] for a in logs[f"{name}-{way}"].arrivals if a[2] >= facts["started"]]
        f[f"{key}_traffic_ms"][way] = round((after[0] - facts["started"]) * 1000, 3) if after else None
        e.check(after, f"{name}: no packet arrived after the start ({way})")
    if name == "node":
        e.check(not any(f["node_lost"].values()), f"{name}: packets of a node that stays were lost: {f['node_lost']}")
    e.check(1 <= (later - first) % 65536 <= 5, f"{name}: sequence numbers do not go on: {first}, then {later}")
    e.check(not facts["refused"], f"{name}: the home agent refused {facts['refused']} binding updates")
