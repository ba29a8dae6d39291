"""A security gateway alone: nodes whose tunnels are made by hand, and a manager that only notes and acknowledges what it
is told (doc/vcm.md; requirements V3, V5, V6, V11)."""

import contextlib
import random
import socket

from homebound_lab import capture, ipsec, vcm_wire
from homebound_lab.daemons import CORRESPONDENT_CONF, Daemon
from homebound_lab.scenario import Key

TITLE = "a security gateway: who is outside, who talks with whom, nothing in clear, kill and restart"
IPSEC = False
KEYS = {"kill": Key(False, "the gateway's daemon is killed while nodes are outside, and started again")}
LIMIT = 120

ADDRESS, CORE, MANAGER, OFFICE = "2001:db8:5::1", "2001:db8:5::2", "fd00:0:0:2::1", "fd00:0:0:1::1"
INTERNAL = {n: f"fd00:0:0:1::10{n}" for n in (1, 2)}
HOME = {n: f"2001:db8:1::10{n}" for n in (1, 2)}
DESK, FILES = "fd00:0:0:1::50", "fd00:0:0:2::5"
SECTION = """gateway = {
	address = "%(address)s";
	internal = ( "fd00::/32" );
	internal_interfaces = ( "int0", "int1" );
	manager = "%(manager)s";
	nodes = ( %(nodes)s );
	hold = 5;
};
ipsec = { keys_file = "%(keys)s"; };
"""


class Manager:
    """On the gateway's host."""

    def __init__(self, host):
        self.socket = host.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        with host.inside():
            self.socket.bind((MANAGER, vcm_wire.PORT))
        self.socket.setblocking(False)
        self.place, self.pairs, self.reports, self.sources = {}, [], set(), set()

    def serve(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, sender = self.socket.recvfrom(2048)
                kind, sequence, epoch, _, options = vcm_wire.read(data)
                self.sources.add(sender[0])
                if kind == vcm_wire.REPORT and (epoch, sequence) not in self.reports:
                    self.reports.add((epoch, sequence))
                    self.note(options)
                if kind != vcm_wire.ACK:
                    status = [vcm_wire.option(2, bytes([0]))]
                    self.socket.sendto(vcm_wire.message(vcm_wire.ACK, sequence, 77, epoch, status), sender)

    def note(self, options):
        numbers = {socket.inet_pton(socket.AF_INET6, a): n for n, a in INTERNAL.items()}
        for kind, data in options:
            if kind == vcm_wire.NODE:
                self.place[numbers[data[2:18]]] = "outside" if data[0] & 0x80 else "inside"
            elif kind == vcm_wire.PAIR:
                self.pairs.append(({1: "second-left", 2: "new-session"}[data[0]], numbers[data[2:18]], numbers[data[18:34]]))


def keys_of(lab):
    rows = []
    for n in HOME:
        draw = random.Random(f"gateway {lab.seed} {n}")
        for i, ends in enumerate(((HOME[n], ADDRESS), (ADDRESS, HOME[n]))):
            rows.append((*ends, "gateway", 0x1000 + 16 * n + i, "aes-gcm-128", draw.randbytes(20).hex()))
    return rows


def host_on(lab, sg, device, name, address, prefix):
    host = lab.host(name)
    lab.cable(sg, device, host, "eth0")
    router = {"int0": OFFICE, "int1": MANAGER}[device]
    sg.ip(f"addr add {router}/64 dev {device} nodad\nlink set {device} up\n")
    host.ip(f"addr add {address}/64 dev eth0 nodad\nlink set eth0 up\nroute add default via {router}\n")
    return host


def node(lab, core, n, keys):
    """Outside already: its home address is on the Internet, its internal address only sends through the tunnel."""
    host = lab.host(f"out{n}")
    lab.cable(core, f"out{n}", host, "up0")
    core.ip(f"addr add fe80::1:{n} dev out{n} nodad\nlink set out{n} up\nroute add {HOME[n]} dev out{n}\n")
    host.ip(f"link set up0 up\nlink set lo up\naddr add {HOME[n]}/128 dev up0 nodad\naddr add {INTERNAL[n]}/128 dev lo nodad\n"
            f"route add default via fe80::1:{n} dev up0\nroute add fd00::/32 via fe80::1:{n} dev up0 src {INTERNAL[n]}\n")
    for source, destination, _, spi, _, key in keys:
        if HOME[n] in (source, destination):
            host.command(["ip", "xfrm", "state", "add", "src", source, "dst", destination, "proto", "esp", "spi", str(spi),
                          "reqid", "1", "mode", "tunnel", "aead", "rfc4106(gcm(aes))", "0x" + key, "128", "replay-window", "64"])
    for direction, ends, outer in (("out", (INTERNAL[n] + "/128", "fd00::/32"), (HOME[n], ADDRESS)),
                                   ("in", ("fd00::/32", INTERNAL[n] + "/128"), (ADDRESS, HOME[n]))):
        host.command(["ip", "xfrm", "policy", "add", "dir", direction, "src", ends[0], "dst", ends[1], "tmpl", "src", outer[0],
                      "dst", outer[1], "proto", "esp", "reqid", "1", "mode", "tunnel"])
    return host


def setup(lab):
    core, sg = lab.host("core", router=True), lab.host("sg", router=True)
    lab.cable(core, "sg", sg, "up0")
    core.ip("addr add 2001:db8:5::2/64 dev sg nodad\nlink set sg up\nroute add fd00::/32 via 2001:db8:5::1\n")
    sg.ip("addr add 2001:db8:5::1/64 dev up0 nodad\nlink set up0 up\nlink set lo up\nroute add default via 2001:db8:5::2\n")
    hosts = {"desk": host_on(lab, sg, "int0", "desk", DESK, 64), "files": host_on(lab, sg, "int1", "files", FILES, 64)}
    keys = keys_of(lab)
    for n in HOME:
        hosts[n] = node(lab, core, n, keys)
    capture.start(lab, {"core": (core, "sg"), "office": (sg, "int0")})
    nodes = ", ".join(f'{{ internal_address = "{INTERNAL[n]}"; home_address = "{HOME[n]}"; }}' for n in HOME)
    section = SECTION % {"address": ADDRESS, "manager": MANAGER, "nodes": nodes, "keys": ipsec.key_file(lab, sg, keys)}
    manager = Manager(sg)
    daemon = Daemon(lab, sg, CORRESPONDENT_CONF, sections=section).start()
    return sg, core, hosts, manager, daemon


def ping(host, source, to, count=1):
    out = host.command(["ping", "-6", "-n", "-c", str(count), "-i", "0.2", "-W", "1", "-I", source, to], check=False, timeout=30)
    return int(out.split(" received")[0].rsplit(" ", 1)[-1]) if " received" in out else 0


def places(daemon):
    return {n["internal_address"]: n["place"] for n in daemon.ask("gateway", what="nodes") or []}


def told(lab, manager, condition, what, timeout=5):
    lab.check(lab.holds_within(lambda: (manager.serve(), condition())[1], timeout, what), what)


def leave_and_talk(lab, hosts, manager, daemon):
    lab.check(ping(hosts["desk"], DESK, INTERNAL[1]) == 0, "nobody answers for a node that was never seen")
    lab.check(ping(hosts[1], INTERNAL[1], FILES, 5) == 5, "from outside to a server, no packet is lost")
    told(lab, manager, lambda: manager.place.get(1) == "outside", "the manager hears that node 1 is outside")
    lab.check(ping(hosts["desk"], DESK, INTERNAL[1], 3) == 3, "the gateway takes on the office link what is for node 1")
    lab.check(ping(hosts[2], INTERNAL[2], INTERNAL[1], 3) == 3, "two nodes outside talk by the gateway")
    told(lab, manager, lambda: manager.place.get(2) == "outside", "the manager hears that node 2 is outside")
    told(lab, manager, lambda: ("new-session", 1, 2) in manager.pairs, "and that the two talk")
    lab.check(len(manager.pairs) == 1, f"the pair is reported once: {manager.pairs}")
    lab.check(manager.sources == {OFFICE}, f"reports come from the gateway's other address: {manager.sources}")


def echoes(host):
    return int(host.read("/proc/net/snmp6").split("Icmp6InEchos")[1].split()[0])


def clear_text(lab, sg, core, hosts, when):
    """Neither in nor out by the external link."""
    files = hosts["files"]
    core.ip(f"addr add {INTERNAL[2]}/128 dev sg nodad\n")
    before = echoes(files), echoes(core), echoes(sg)
    ping(core, INTERNAL[2], FILES, 2)
    ping(core, INTERNAL[2], ADDRESS, 2)
    core.ip(f"addr del {INTERNAL[2]}/128 dev sg\n")
    ping(core, CORE, FILES, 2)
    lab.check(echoes(sg) == before[2], f"{when}: the gateway took an internal source from outside")
    lab.check(echoes(files) == before[0], f"{when}: what comes from outside in clear got in")
    ping(files, FILES, CORE, 2)
    lab.check(echoes(core) == before[1], f"{when}: what is internal left in clear")


def come_back(lab, hosts, manager, daemon):
    """The desk takes the address: as if the node stood there."""
    desk = hosts["desk"]
    desk.ip(f"addr add {INTERNAL[1]}/64 dev eth0 nodad\n")
    ping(desk, INTERNAL[1], OFFICE)
    told(lab, manager, lambda: manager.place.get(1) == "inside", "the manager hears that node 1 is inside")
    lab.check(ping(hosts["files"], FILES, INTERNAL[1], 3) == 3, "and packets for it go there")
    desk.ip(f"addr del {INTERNAL[1]}/64 dev eth0\n")
    lab.sleep(1.5)  # what the gateway takes for packets under way
    lab.check(ping(hosts[1], INTERNAL[1], FILES, 3) == 3, "outside again")
    told(lab, manager, lambda: manager.place.get(1) == "outside", "the manager hears it")


def kill(lab, sg, core, hosts, manager, daemon):
    daemon.kill()
    lab.check(ping(hosts[2], INTERNAL[2], INTERNAL[1], 3) == 3, "without a daemon what was goes on")
    clear_text(lab, sg, core, hosts, "without a daemon")
    lab.keeps_state = True
    manager.place.clear()
    daemon.start()
    told(lab, manager, lambda: manager.place == {1: "outside", 2: "outside"}, "behind a restart the manager hears who is outside", 10)
    lab.check(ping(hosts["desk"], DESK, INTERNAL[1], 3) == 3, "and it still works")


def nothing_left(lab, sg, daemon):
    daemon.stop()
    left = sg.command(["ip", "xfrm", "policy"]) + sg.command(["ip", "xfrm", "state"]) + sg.command(["nft", "list", "tables"]) + \
        sg.command(["ip", "-6", "neigh", "show", "proxy"]) + sg.command(["ip", "link", "show"])
    lab.check("fd00::" not in left.replace("fd00::/32", "fd00::") and "mip6" not in left, f"left behind:\n{left}")


def run(lab):
    sg, core, hosts, manager, daemon = setup(lab)
    try:
        leave_and_talk(lab, hosts, manager, daemon)
        clear_text(lab, sg, core, hosts, "with a daemon")
        come_back(lab, hosts, manager, daemon)
        if lab.keys.kill:
            kill(lab, sg, core, hosts, manager, daemon)
    finally:
        with open(lab.path("sg.txt"), "w") as f:
            for command in (["ip", "xfrm", "state"], ["ip", "xfrm", "policy"], ["nft", "list", "ruleset"], ["ip", "-6", "route"],
                            ["ip", "-6", "neigh", "show", "proxy"], ["cat", "/proc/net/xfrm_stat"]):
                f.write(f"--- {' '.join(command)}\n" + sg.command(command, check=False))
    nothing_left(lab, sg, daemon)


def judge(e):
    e.figures["judged"] = True
