"""Sequence numbers of manual keys outlive daemons and SAs: each daemon is killed, stopped, and killed with its SAs flushed
as if the machine had started again. With one key no number is on a link twice, what was captured before is refused, and
new keys begin at 1."""

import glob

from homebound_lab import attacker, capture, daemons, headers, packets
from homebound_lab.picture import HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "sequence numbers of manual SAs, over restarts"
KEYS = {"rtt": Key(20, "round trip between the node and the home agent, in ms"),
        "ipsec": Key("manual", "who makes the SAs", ("manual",)),
        "algorithm": Key("aes-gcm-128", "of all SAs", ("aes-gcm-128",))}
LIMIT = 200
TAP = "2001:db8:a::666"
NETWORKS = {"link1": "2001:db8:a:", "link2": "2001:db8:b:"}
GAP = 1024  # numbers that a move or a clean end may skip


def moved(lab, net, link):
    """There is signalling in both directions, and the tunnel is where the node is."""
    if net.link != link:
        net.move(link)
    net.link = link

    def there():
        state, care_of = net.mn_daemon.registration()
        return state == "registered" and (care_of or "").startswith(NETWORKS[link]) and \
            (net.ha_daemon.bindings() or {}).get(HOME_ADDRESS) == care_of
    lab.until(there, 30, f"the registration on {link}")
    net.cn.command(["ping", "-c", "3", "-i", "0.05", "-W", "2", HOME_ADDRESS], check=False)


def other_link(net):
    return "link2" if net.link == "link1" else "link1"


def flushed(daemon):
    daemon.kill()
    daemon.host.command(["ip", "xfrm", "state", "flush"])
    daemon.host.command(["ip", "xfrm", "policy", "flush"])


def sent(daemon):
    """{SPI: last number} of what sends."""
    return {int(sa["spi"], 16): sa["sequence"] for sa in daemon.ctl("sas", HOME_ADDRESS)
            if sa["direction"] == "out" and not sa["missing"]}


def restarted(lab, net, daemon, how):
    before = sent(daemon)
    {"kill": daemon.kill, "stop": daemon.stop, "flush": lambda: flushed(daemon)}[how]()
    daemon.start()
    moved(lab, net, other_link(net))
    after = sent(daemon)
    for spi, number in before.items():
        lab.check(after.get(spi, 0) > number, f"{daemon.name}, {how}: {spi:#x} is at {after.get(spi)}, was at {number}")
    lab.facts["numbers"].append([daemon.name, how, {hex(s): [n, after.get(s)] for s, n in before.items()}])


def refused(net):
    return sum(int(line.split()[1]) for line in net.ha.read("/proc/net/xfrm_stat").splitlines() if "StateSeqError" in line)


def replayed(lab, net):
    """All that the node has signalled on link1."""
    spi = lab.facts["watched"]["keys"][0][3]
    old = [f[14:] for _, f in packets.frames(lab.path("link1.pcapng")) for p in [headers.take_apart(f[14:])]
           if p and headers.spi(f[14:], p) == spi and f[6:12] != b"\x02\x66\x66\x66\x66\x66"]
    before, bindings = refused(net), net.ha_daemon.ask("bindings")[0]["seq"]
    for packet in old:
        net.tap.put(packet)
    lab.check(old, "nothing was captured")
    lab.until(lambda: refused(net) >= before + len(old), 10, f"{len(old)} packets to be refused as repeated")
    lab.check(net.ha_daemon.ask("bindings")[0]["seq"] == bindings, "an old packet changed the binding")
    lab.facts.setdefault("replayed", []).append(len(old))


def new_keys(lab, net):
    for daemon in (net.mn_daemon, net.ha_daemon):
        daemon.stop()
    for path in glob.glob(lab.path("ipsec-keys-*.conf")):
        with open(path) as f:
            words = [line.split() for line in f]
        with open(path, "w") as f:
            f.writelines(" ".join([*w[:5], w[5][::-1]]) + "\n" for w in words)
    lab.facts["new keys"] = lab.now()
    for daemon in (net.ha_daemon, net.mn_daemon):
        daemon.start()
    moved(lab, net, other_link(net))
    numbers = {**sent(net.ha_daemon), **sent(net.mn_daemon)}
    lab.check(len(numbers) == 4 and all(n <= GAP + 10 for n in numbers.values()), f"new keys are at {numbers}")


def run(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    tap = net.on_link("tap", "link1", TAP)
    capture.start(lab, net.capture_points())
    net.link = "link1"
    net.ha_daemon = daemons.home_agent(lab, net)
    net.attach(net.link)
    net.mn_daemon = daemons.mobile_node(lab, net)
    net.tap = attacker.Attacker(lab, tap, "eth0", net.ar1.mac_of("lan0"))
    moved(lab, net, net.link)
    lab.facts["numbers"] = []
    for daemon in (net.ha_daemon, net.mn_daemon):
        for how in ("kill", "stop", "flush", "flush", "kill"):
            restarted(lab, net, daemon, how)
            if daemon is net.ha_daemon:
                replayed(lab, net)
    new_keys(lab, net)


def judge(e):
    changed, last, count = e.facts["new keys"], {}, 0
    for link in ("link1", "link2"):
        for time, frame in packets.frames(e.wire(link + ".pcapng")):
            packet = headers.take_apart(frame[14:])
            spi = packet and headers.spi(frame[14:], packet)
            if spi and frame[6:12] != b"\x02\x66\x66\x66\x66\x66":
                number = int.from_bytes(frame[14 + packet.at + 4:14 + packet.at + 8], "big")
                last.setdefault((spi, time > changed), []).append((number, link, frame[14 + packet.at:]))
    for (spi, new), seen in last.items():
        by_number = {}
        for number, link, whole in seen:
            by_number.setdefault(number, set()).add(whole)
        twice = [n for n, packets_ in by_number.items() if len(packets_) > 1]
        e.check(not twice, f"{spi:#x}: numbers {twice[:5]} were used twice with one key")
        if new:
            e.check(min(by_number) <= GAP + 10, f"{spi:#x}: new keys begin at {min(by_number)}")
        count += len(by_number)
    e.check(count > 30, f"only {count} packets of ESP")
    e.figures["packets"] = count
    e.figures["numbers"] = e.facts["numbers"]
    e.figures["replayed"] = e.facts["replayed"]
