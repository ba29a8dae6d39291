"""Two mobile nodes leave the office while they talk with each other, and their packets take the direct way, protected from
end to end (seed 003, figures 1 and 2; requirements V1 to V15; doc/vcm.md)."""

from homebound_lab import capture, flows, intranet, vpn, vpn_figures, vpn_keys, vpn_monitor, vpn_story
from homebound_lab.intranet import Intranet
from homebound_lab.scenario import Key

TITLE = "two nodes with an intranet leave the office while they talk, and talk directly: security gateway, connectivity manager"
IPSEC = False  # protection is not between node and home agent alone
KEYS = {
    "embodiment": Key(1, "1: private addresses inside, external home agent; 2: the gateway is the home agent", (1, 2)),
    "where": Key("host", "the connectivity manager: a host of its own, or on the gateway", ("host", "gateway")),
    "keys": Key("symmetric", "the manager makes the keys, or passes on public ones", ("symmetric", "asymmetric")),
    "kcn": Key(True, "the manager gives the nodes a shared secret for Binding Updates (RFC 4449)"),
    "ipsec": Key("manual", "who makes the SAs of node and gateway; in embodiment 2 those of the home registration", ("manual", "strongswan")),
    "manager_ipsec": Key("manual", "embodiment 1, ipsec=strongswan, where=host: who makes the SAs of gateway and manager",
                         ("manual", "strongswan")),
    "rtt": Key(100, "round trip between the two nodes outside, in ms"),
    "overlap": Key(True, "a node attaches to the next link before it leaves the last one"),
    "loss": Key(0, "percent of packets that the core loses while the session is set up"),
    "kill": Key("none", "who is killed at a random moment, and started again 1 s later", ("none", "vcm", "mn1", "mn2", "sg", "charon-sg", "charon-mn1")),
    "fake": Key(False, "on its way MN1 visits a link with an attacker's router that has the office's prefix"),
    "rekey": Key(0, "lifetime of a session's keys in s; 0: an hour"),
    "ike_rekey": Key(0, "how often strongSwan of a node replaces the tunnel's SAs, in s; 0: every hour"),
    "interval_us": Key(2000, "interval of the UDP streams, in us"),
}
LIMIT = 200
LIMIT_PER_SEED = 60


def setup(lab):
    k = lab.keys
    if k.manager_ipsec == "strongswan":
        lab.check((k.embodiment, k.ipsec, k.where) == (1, "strongswan", "host"), "manager_ipsec=strongswan wants the charon of the gateway")
    net = Intranet(lab, k.embodiment, k.rtt, fake=k.fake, lossy=k.loss > 0)
    net.manager_ipsec = k.manager_ipsec
    for name in ("mn1", "mn2", "sg"):
        vpn.watch(lab, getattr(net, name))
    capture.start(lab, net.capture_points(), snaplen=700)
    net.daemons = {}
    if k.embodiment == 1:
        net.daemons["ha"] = vpn.home_agent(lab, net)
    net.daemons["sg"] = vpn.gateway(lab, net)
    net.daemons["vcm"] = vpn.manager(lab, net, f"lifetime = {k.rekey};" if k.rekey else "")
    for name in vpn.NODES:
        net.attach("office", intranet.DEVICES[name][0])
        net.daemons[name] = vpn.node(lab, net, name)
    return net


def talk(lab, net):
    """Streams both ways, and TCP."""
    one, two = net.at.internal["mn1"], net.at.internal["mn2"]
    streams = [flows.Stream(lab, "up", net.mn1, net.mn2, two, 5001, source=one, interval_us=lab.keys.interval_us),
               flows.Stream(lab, "down", net.mn2, net.mn1, one, 5002, source=two, interval_us=lab.keys.interval_us)]
    return [*streams, flows.Transfer(lab, "tcp", net.mn1, net.mn2, two, 5003, source=one)]


def end(lab, net, flowing):
    *streams, tcp = flowing
    lab.facts["ended"] = lab.now()
    for stream in streams:
        stream.stop_sending()
    lab.sleep(1 + 2 * lab.keys.rtt / 1000)
    tcp.finish()
    for stream in streams:
        stream.stop()
    for name, daemon in net.daemons.items():
        lab.check(daemon.alive(), f"{daemon.name} of {name} died")
    lab.facts["compared"] = net.daemons["sg"].ask("stats")["gateway_kernel"]["compared"]
    vpn_keys.keep(lab, net)


def quiet(keys):
    return keys.kill == "none" and not keys.loss


def run(lab):
    net = setup(lab)
    if quiet(lab.keys):
        vpn.monitors(lab, net)
    story = vpn_story.Story(lab, net)
    story.settle("inside")
    vpn.check_strongswan(lab, net)  # they have them before they leave
    flowing = talk(lab, net)
    try:
        story.tell()
    finally:
        end(lab, net, flowing)


def judge(e):
    vpn_figures.judge(e)
    if quiet(e.keys):
        vpn_monitor.judge(e)
        e.check(e.facts["compared"] == 0, f"the gateway compared all policies {e.facts['compared']} times, and nobody had touched one")
