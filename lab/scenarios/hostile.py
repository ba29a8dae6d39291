"""Malformed packets against both daemons: nothing dies, no binding changes, logs stay short."""

from homebound_lab import capture, daemons, hostile_packets
from homebound_lab.picture import HOME_ADDRESS, Picture
from homebound_lab.scenario import Key

TITLE = "malformed mobility messages and advertisements over the wire, against both daemons"
KEYS = {
    "rounds": Key(2, "how many times the corpus is sent"),
    "per_second": Key(1000, "packets per second (simulated)"),
}
LIMIT = 300
LINES_PER_SECOND = 20


def setup(lab):
    net = Picture(lab, rtt_ms=20)
    net.evil = lab.host("evil")
    for place, device in (("link1", "eth1"), ("link2", "eth2")):
        lab.cable(net.evil, device, net.air, "p-" + device)
        net.air.ip(f"link set p-{device} master {place} up\n")
        net.evil.ip(f"link set {device} up\n")
    net.evil.ip("addr add 2001:db8:b::666/64 dev eth2 nodad\n")
    capture.start(lab, net.capture_points())
    daemons.both_at_home(lab, net)
    net.move("link1")
    lab.until(lambda: net.mn_daemon.registration()[0] == "registered", 20, "the node's registration")
    return net


def state(net):
    return {"bindings": net.ha_daemon.bindings(), "node": list(net.mn_daemon.registration())}


def malformed(daemon):
    """How many malformed packets the daemon says it has seen: that they arrived is not taken on trust."""
    def count(stats):
        return sum(count(v) if isinstance(v, dict) else v if k in ("malformed", "unknown_type") else 0
                   for k, v in stats.items())
    return count(daemon.ask("stats") or {})


def run(lab):
    net = setup(lab)
    lab.sleep(2)
    before = lab.facts["before"] = state(net)
    sequence = net.ha_daemon.ask("bindings")[0].get("sequence", net.ha_daemon.ask("bindings")[0].get("seq", 0))
    care_of = before["node"][1]
    macs = {name: host.mac_of(device) for name, host, device in
            (("ar2", net.ar2, "lan0"), ("mn", net.mn, "wlan0"))}
    lab.facts["attacks"] = {}
    for name, daemon, corpus, device, mac in (
            ("home agent", net.ha_daemon, hostile_packets.for_home_agent(care_of, sequence), "eth2", macs["ar2"]),
            ("mobile node", net.mn_daemon, hostile_packets.for_mobile_node(care_of, sequence), "eth1", macs["mn"])):
        lines, started, counted = len(daemon.log_lines()), lab.now(), malformed(daemon)
        count = 0
        for _ in range(lab.keys.rounds):
            count += hostile_packets.send(lab, net.evil, device, mac, corpus, lab.keys.per_second)
        lab.sleep(2)
        attack = lab.facts["attacks"][name] = {
            "packets": count, "kinds": len(corpus), "seconds": lab.now() - started,
            "log_lines": len(daemon.log_lines()) - lines, "alive": daemon.alive(),
            "malformed": malformed(daemon) - counted}
        lab.check(attack["alive"], f"the {name}'s daemon died: {daemon.log_lines()[-3:]}")
        lab.check(attack["log_lines"] <= LINES_PER_SECOND * attack["seconds"],
                  f"the {name} wrote {attack['log_lines']} log lines in {attack['seconds']:.1f} s")
        after = state(net)
        lab.check(after == before, f"after the attack on the {name} the state is {after}, it was {before}")
        lab.say(f"{name}: {count} packets of {len(corpus)} kinds, {attack['log_lines']} log lines")
    lab.holds_within(lambda: net.cn.popen(["ping", "-n", "-c", "1", "-W", "1", HOME_ADDRESS], stdout=-3).wait() == 0,
                     5, "an answer from the home address after the attacks")
    net.move("link2")
    lab.holds_within(lambda: (net.ha_daemon.bindings() or {}).get(HOME_ADDRESS, "").startswith("2001:db8:b:"), 10,
                     "the binding after a move after the attacks")


def judge(e):
    for name, attack in e.facts["attacks"].items():
        for figure in ("packets", "kinds", "malformed", "log_lines"):
            e.figures[f"{name.replace(' ', '_')}_{figure}"] = attack[figure]
