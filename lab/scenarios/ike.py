"""Node and home agent with SAs by strongSwan: any start order, moves without messages of IKE, kill -9 of each charon."""

import os
import re

from homebound_lab import capture, daemons, packets
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import LAB, Key
from homebound_lab.strongswan import StrongSwan

TITLE = "strongSwan makes the SAs of mip6d: start order, moves, kill -9"
KEYS = {
    "rtt": Key(20, "round trip between the node and its home agent, in ms"),
    "first": Key("strongswan", "who starts first, by some seconds", ("strongswan", "mip6d")),
    "moves": Key(3, "how often the node moves"),
    "payload": Key(True, "all packets in the tunnel are protected"),
}
LIMIT = 120
EXAMPLES = os.path.join(os.path.dirname(LAB), "examples")
SECTION = """ipsec = {
	arrangement = "%s";
	payload = %s;
	strongswan = { socket = "%s"; };
	nodes = ( { %s } );
};
"""


def example(name):
    with open(os.path.join(EXAMPLES, name)) as f:
        return re.sub(r"dpd_delay = \d+s", "dpd_delay = 0s", f.read())  # its messages are no consequence of a move


def swans(lab, net):
    node = example("swanctl-mobile-node.conf")
    if lab.keys.arrangement == "migrate":
        data = re.search(r"\n\t*data \{.*?\n\t*\}\n", node, re.S)[0]
        node = re.sub(r"\t*# With  arrangement = .*\n", lambda _: data, node, count=1).replace("home-data {", "unused {")
    return (StrongSwan(lab, net.mn, node, plugin_settings="kernel-netlink { roam_events = no }\n"),
            StrongSwan(lab, net.ha, example("swanctl-home-agent.conf")))


def section(lab, swan, node):
    return {"ipsec": "strongswan",
            "ipsec_section": SECTION % (lab.keys.arrangement, str(lab.keys.payload).lower(), swan.socket, node)}


def good(lab, net, when):
    out = net.mn.command(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-I", HOME_ADDRESS, CORRESPONDENT], check=False)
    lab.check(out.count("time=") == 3, f"{when}: {out.count('time=')} of 3 answers")


def pairs(swans):
    """SPIs of signal and data, if both sides have just one pair of each."""
    seen = [sorted((c["name"], *sorted((c["spi-in"], c["spi-out"]))) for c in swan.children()) for swan in swans]
    names = [name for name, *_ in seen[0]]
    return seen[0] if seen[0] == seen[1] and names == ["data", "signal"] else None


def run(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    capture.start(lab, {"core-ha": (net.ha, "up0")}, snaplen=2000)
    both = mn_swan, ha_swan = swans(lab, net)
    if lab.keys.first == "strongswan":
        ha_swan.start(), mn_swan.start()
    more = ' data_connection = "home-data";' if lab.keys.arrangement == "home-address" else ""
    agent = daemons.home_agent(lab, net, **section(lab, ha_swan, f'home_address = "{HOME_ADDRESS}"; connection = "mn1";'))
    node = daemons.mobile_node(lab, net, **section(lab, mn_swan, f'connection = "home";{more}'))
    place, coa = "link1", None
    net.move(place)
    if lab.keys.first == "mip6d":
        lab.sleep(3)
        lab.check(node.registration()[0] != "registered", "registered without an SA")
        ha_swan.start(), mn_swan.start()
    lab.until(lambda: pairs(both), 15, "SAs of signalling and tunnel")
    lab.facts["moves"] = []
    before = pairs(both)
    for n in range(lab.keys.moves + 1):
        start = lab.now()
        if n:
            place = "link2" if place == "link1" else "link1"
            net.move(place)
        lab.until(lambda: node.registration()[0] == "registered" and node.registration()[1] != coa, 15, f"registration {n}")
        coa = node.registration()[1]
        lab.sleep(4)
        good(lab, net, f"move {n}")
        lab.check(agent.bindings() == {HOME_ADDRESS: coa}, f"move {n}: bindings {agent.bindings()}")
        lab.check(pairs(both) == before, f"move {n}: other SAs: {pairs(both)}, not {before}")
        at = {(i["local-host"], i["remote-host"]) for i in ha_swan.sas()} - {(HOME_AGENT, HOME_ADDRESS)}
        lab.check(at == {(HOME_AGENT, coa)}, f"move {n}: IKE_SAs between {at}")
        shown(lab, (agent, node), before, f"move {n}")
        if n:
            lab.facts["moves"].append((start, lab.now()))
    killed(lab, net, both, before)


def shown(lab, both, pairs, when):
    """mip6ctl tells of the SAs that strongSwan has made, and the kernel has what it should have."""
    for daemon in both:
        told = [(sa["use"], sa["spi"], sa["missing"], "algorithm" in sa) for sa in daemon.ctl("sas", HOME_ADDRESS)]
        spis = sorted((name, "0x" + spi, False, True) for name, *spis in pairs for spi in spis)
        lab.check(sorted(told) == spis, f"{when}: {daemon.name} tells of {told}, not {spis}")
        found = daemon.ask("ipsec", action="check")
        lab.check(found == [], f"{when}: {daemon.name}: {found}")


def killed(lab, net, both, before):
    mn_swan, ha_swan = both
    mn_swan.kill()
    good(lab, net, "strongSwan of the node is dead")
    lab.sleep(2)
    mn_swan.start()
    lab.holds_within(lambda: pairs(both) not in (None, before), 15, "new SAs after kill -9")
    good(lab, net, "strongSwan of the node is back")
    spis = sorted(spi for _, *both_spis in pairs(both) or () for spi in both_spis)
    for swan in both:
        lab.holds_within(lambda: in_kernel(swan.host) == spis, 15, f"nothing but {spis} in the kernel of {swan.host}")


def in_kernel(host):
    return sorted(re.findall(r"proto esp spi 0x([0-9a-f]{8})", host.command(["ip", "xfrm", "state"])))


def judge(e):
    rows = packets.tshark(e.path("core-ha.pcapng"), "isakmp", "frame.time_epoch")
    times = [float(row[0]) for row in rows]
    e.check(len(times) >= 12, f"only {len(times)} messages of IKE were seen at all")
    e.figures["ike_messages_in_moves"] = [sum(start <= t <= end for t in times) for start, end in e.facts.get("moves", [])]
    e.check(e.figures["ike_messages_in_moves"] == [0] * e.keys.moves, "there were messages of IKE in a move, or not all moves")
