"""What the daemons change in the kernel is gone when they have ended, also when they were killed in between.

Before each start a snapshot is taken of everything the kernel holds (homebound_lab/snapshot.py); the settings that
the daemons change stand on other values than they want, so that it is seen whether they are put back.
"""

import subprocess

from homebound_lab import capture, daemons, flows, snapshot
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "after a clean stop, and after kill -9 and a clean stop, the kernel is as it was before"
KEYS = {"rtt": Key(100, "round trip between the node and its home agent, in ms")}
LIMIT = 120
HOLDING = 0.04  # seconds after link up: the update is under way, its acknowledgement is not here


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    # The kernel of the node listens to advertisements, but takes nothing from them: what the daemon has
    # to put back is then all that changes.
    net.mn.sysctl(conf__wlan0__accept_ra_pinfo=0, conf__wlan0__accept_ra_defrtr=0)
    # A router whose forwarding was set interface by interface.
    net.ha.sysctl(conf__all__forwarding=0)
    net.ha.sysctl(conf__home0__forwarding=1, conf__home0__proxy_ndp=0)
    net.attach("home")
    lab.until(lambda: any(a[0].startswith("fe80") and not a[3] & 0x40 for a in net.mn.addresses()), 10,
              "a link-local address on the node")
    for host, address in ((net.ha, HOME_AGENT), (net.mn, HOME_ADDRESS)):
        daemons.protection(lab, host, address)  # a strongSwan is there before, and its own rules and policies stay
    capture.start(lab, net.capture_points())
    return net


def queued(host):
    """How many packets wait for a verdict."""
    return sum(int(line.split()[2]) for line in host.read("/proc/net/netfilter/nfnetlink_queue").splitlines())


class Watched:
    """A host with its snapshot from before the start."""

    def __init__(self, lab, host):
        self.lab, self.host = lab, host
        self.before = snapshot.take(host)

    def compare(self, when):
        left = snapshot.difference(self.before, snapshot.take(self.host))
        self.lab.check(not left, f"{self.host}, {when}: the kernel is not as it was before:\n{left}")


def start(lab, net, **settings):
    net.ha_daemon = daemons.home_agent(lab, net)
    net.mn_daemon = daemons.mobile_node(lab, net, **settings)
    lab.keeps_state = True
    lab.until(lambda: net.mn_daemon.registration()[0], 10, "an answer of the node")


def start_again(lab, net, what):
    """After kill -9, with their files; bindings are there as before."""
    bindings = net.ha_daemon.bindings()
    for daemon in (net.mn_daemon, net.ha_daemon):
        daemon.kill()
    lab.sleep(1)
    net.ha_daemon.start()
    lab.check(net.ha_daemon.bindings() == bindings, f"{what}: {net.ha_daemon.bindings()}, {bindings} before")
    net.mn_daemon.start()


def registered(lab, net, place):
    net.move(place)
    prefix = {"link1": "2001:db8:a:", "link2": "2001:db8:b:"}[place]
    return lab.holds_within(lambda: (net.ha_daemon.bindings() or {}).get(HOME_ADDRESS, "").startswith(prefix) and
                            net.mn_daemon.registration()[0] == "registered", 10, f"the binding at {place}")


def stop(lab, net):
    for daemon in (net.mn_daemon, net.ha_daemon):
        lab.check(daemon.stop() == 0, f"{daemon.name} did not end with status 0 after SIGTERM")


def refused(lab, net, daemon, conf, what, words):
    """A mip6d with this configuration must end with status 1 and these words, and change nothing."""
    before = snapshot.take(daemon.host)
    p = daemon.host.popen([f"{lab.build}/mip6d/mip6d", "-c", conf, "-f"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        text = p.communicate(timeout=5)[0]
    except subprocess.TimeoutExpired:
        p.kill()
        text = p.communicate()[0]
    lab.say(f"{what}: {text.strip()}")
    lab.check(p.returncode == 1, f"{what}: ended with {p.returncode}, not 1: {text}")
    lab.check(all(word in text for word in words), f"{what}: the message does not say {words}: {text}")
    left = snapshot.difference(before, snapshot.take(daemon.host))
    lab.check(not left, f"{what}: changed the kernel:\n{left}")


def variant(lab, daemon, name, **changes):
    """A copy of a daemon's configuration with some texts replaced; its file."""
    with open(daemon.conf) as f:
        text = f.read()
    for old, new in changes.values():
        text = text.replace(old, new)
    path = lab.path(f"{daemon.name}-{name}.conf")
    with open(path, "w") as f:
        f.write(text)
    return path


def second_daemons(lab, net):
    """Beside one that runs: with the same files, with one of them, and with none of them, but the same tunnel."""
    for daemon in (net.ha_daemon, net.mn_daemon):
        socket, state = (daemon.socket, daemon.socket + "2"), (daemon.state, daemon.state + "2")
        for what, changes in (("", {}), (" with another socket", {"socket": socket}),
                              (" with another state file", {"state": state}),
                              (" with other files", {"socket": socket, "state": state})):
            conf = variant(lab, daemon, "second", **changes)
            refused(lab, net, daemon, conf, f"a second {daemon.name}{what}", ["another mip6d"])
        lab.check(daemon.alive() and daemon.ask("status"), f"{daemon.name} serves no more")


def wrong_interfaces(lab, net):
    conf = variant(lab, net.ha_daemon, "wrong", link=('"home0"', '"nosuch0"'))
    refused(lab, net, net.ha_daemon, conf, "home agent without home link", ["no interface nosuch0", "ip link"])
    conf = variant(lab, net.mn_daemon, "wrong", link=('"wlan0"', '"nosuch0"'))
    refused(lab, net, net.mn_daemon, conf, "node without interface", ["no interface nosuch0", "ip link"])


def run(lab):
    net = setup(lab)
    watched = [Watched(lab, net.ha), Watched(lab, net.mn)]

    def compare(when):
        for w in watched:
            w.compare(when)

    start(lab, net)
    wrong = [w.host.name for w in watched if not snapshot.difference(w.before, snapshot.take(w.host))]
    lab.check(not wrong, f"the snapshot sees nothing of a running daemon on {wrong}")
    registered(lab, net, "link1")
    second_daemons(lab, net)
    stop(lab, net)
    compare("after SIGTERM")
    wrong_interfaces(lab, net)

    net.move("home")
    start(lab, net)
    registered(lab, net, "link1")
    start_again(lab, net, "after kill -9")
    registered(lab, net, "link2")
    stop(lab, net)
    compare("after kill -9, start and SIGTERM")

    net.move("home")
    start(lab, net, uplink="cautious")
    registered(lab, net, "link1")
    up = flows.Stream(lab, "up", net.mn, net.cn, CORRESPONDENT, 5002, source=HOME_ADDRESS)
    lab.sleep(0.5)
    net.move("link2")
    lab.sleep(HOLDING)
    waiting = queued(net.mn)
    lab.check(waiting > 0, "no packet was held when the node's daemon was killed: this tests nothing")
    lab.facts["held"] = waiting
    start_again(lab, net, "after kill -9 with packets held")
    registered(lab, net, "link1")
    lab.sleep(0.5)
    up.stop_sending()
    stop(lab, net)
    up.stop()
    compare("after kill -9 with packets held, start and SIGTERM")


def judge(e):
    log = flows.Log(e, "up")
    e.figures["arrived"] = len(log.arrivals)
    e.figures["held"] = e.facts["held"]
    last = max((a[0] for a in log.arrivals), default=0)
    e.check(log.sent - last < 200, f"traffic did not come back after the restart: {last} of {log.sent} was the last")
