"""A few moves while every link loses, repeats and reorders; at the end both sides must agree on where the node is."""

from homebound_lab import capture, daemons, packets
from homebound_lab.picture import HOME_ADDRESS, PLACES, PREFIXES, Picture
from homebound_lab.scenario import Key

TITLE = "loss, repetition and reordering on every link: do both sides end with the right binding?"
KEYS = {
    "loss": Key(30, "percent of the packets lost on each link, in each direction"),
    "duplicate": Key(10, "percent repeated"),
    "moves": Key(4, "how many moves, at random moments to random places"),
    "within": Key(3600, "seconds (simulated) in which both sides must agree after the last move"),
}
LIMIT = 120
LIMIT_PER_SEED = 20


def impairment(k):
    """10 ms +- 9 ms on each link: neighbours in a stream change places."""
    return f"delay 10ms 9ms loss {k.loss}% duplicate {k.duplicate}%"


def setup(lab):
    net = Picture(lab, rtt_ms=20, impair=impairment(lab.keys))
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net)
    net.attach("home")
    net.mn_daemon = daemons.mobile_node(lab, net)
    return net


def agreed(net, place):
    """Home agent and node both know that the node is at place, or both that it is at home."""
    bindings, (state, care_of) = net.ha_daemon.bindings(), net.mn_daemon.registration()
    if bindings is None:
        return False
    bound = bindings.get(HOME_ADDRESS)
    if place == "home":
        return bound is None and state in (None, "none")
    return bound is not None and bound == care_of and state == "registered" and \
        packets.network(PREFIXES[place])(packets.octets(bound))


def run(lab):
    net = setup(lab)
    place = "home"
    lab.facts["moves"] = []
    for _ in range(lab.keys.moves):
        lab.sleep(lab.random.choice((0.05, 1, 5, 40)) * lab.random.random())
        place = lab.random.choice([p for p in PLACES if p != place])
        lab.facts["moves"].append(net.move(place))
    last = lab.now()
    lab.facts["agreed"] = bool(lab.holds_within(lambda: agreed(net, place), lab.keys.within,
                                                f"both sides to know that the node is at {place}", step=0.1, longest=5))
    lab.facts["converged_s"] = lab.now() - last
    if not lab.facts["agreed"]:
        lab.facts["at the end"] = {"bindings": net.ha_daemon.bindings(), "node": net.mn_daemon.registration()}
    for daemon in (net.mn_daemon, net.ha_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")


def judge(e):
    e.figures["agreed"] = 1 if e.facts.get("agreed") else 0
    e.figures["converged_s"] = round(e.facts.get("converged_s", -1), 3)
    e.figures["places"] = "home " + " ".join(m["to"] for m in e.facts.get("moves", []))
