"""The tunnel between home agent and node: path MTU, spoofed packets, old sockets, the home link, the home agent itself.

Each part stands for itself; part=NAME runs one of them. With part=many nothing is asserted about time: how long it
takes to register many nodes, and what one packet costs then. Use it with --real-time and rtt=0.
"""

import json
import os
import re
import select
import socket
import struct
import time

from homebound_lab import capture, daemons, ipsec, packets
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "the tunnel: path MTU, spoofed packets, sockets that stay open, neighbours at home"
PARTS = ("mtu", "spoof", "sockets", "home", "agent", "collision")
KEYS = {
    "part": Key("all", "one part alone", ("all", *PARTS, "many")),
    "rtt": Key(20, "round trip between the node and its home agent, in ms"),
    "bindings": Key(10000, "part=many: how many nodes are registered"),
}
LIMIT = 240
DESK, ATTACKER, SECOND_HOME, NOBODY = "2001:db8:1::d", "2001:db8:b::666", "2001:db8:1::101", "2001:db8:1::999"
PORT = 7001
PREFIX = {"link1": "2001:db8:a:", "link2": "2001:db8:b:"}


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    net.desk = net.on_link("desk", "home", DESK)
    net.attacker = net.on_link("attacker", "link2", ATTACKER)
    if lab.keys.part != "many":
        capture.start(lab, net.capture_points())
    daemons.both_at_home(lab, net)
    go(lab, net, "link1")
    return net


def node(net):
    return (net.mn_daemon.ask("status") or {}).get("mobile_node") or {}


def go(lab, net, place):
    """Move, and wait until both sides know it."""
    move = net.move(place)
    if place == "home":
        lab.until(lambda: HOME_ADDRESS not in net.ha_daemon.bindings(), 10, "de-registration")
    else:
        lab.until(lambda: net.mn_daemon.registration()[0] == "registered" and
                  (net.mn_daemon.registration()[1] or "").startswith(PREFIX[place]) and
                  net.ha_daemon.bindings().get(HOME_ADDRESS) == net.mn_daemon.registration()[1], 20,
                  f"the registration from {place}")
    return move


def ping(lab, host, target, *words):
    """(how many answers, the output)."""
    out = host.command(["sh", "-c", f"ping -n -i 0.2 -W 2 {' '.join(words)} {target} 2>&1"], check=False)
    return int(re.search(r"(\d+) received", out).group(1)), out


# --- path MTU

def both_ways(lab, net, octets=150000):
    """TCP between node and correspondent, each sends octets; how many seconds, or None."""
    listener = net.cn.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.bind((CORRESPONDENT, 0))
    listener.listen()
    a = net.mn.socket(socket.AF_INET6, socket.SOCK_STREAM)
    a.bind((HOME_ADDRESS, 0))
    a.settimeout(10)
    start = time.monotonic()
    try:
        a.connect(listener.getsockname()[:2])
        b, _ = listener.accept()
    except OSError:
        return None
    ends = {a: [octets, octets], b: [octets, octets]}  # to send, to receive
    for s in ends:
        s.setblocking(False)
    while any(left != [0, 0] for left in ends.values()) and time.monotonic() < start + 20:
        readable, writable, _ = select.select(ends, [s for s, left in ends.items() if left[0]], [], 1)
        for s in writable:
            ends[s][0] -= s.send(bytes(min(16384, ends[s][0])))
        for s in readable:
            ends[s][1] -= len(s.recv(65536))
    done = all(left == [0, 0] for left in ends.values())
    for s in (a, b, listener):
        s.close()
    return time.monotonic() - start if done else None


def set_mtu(net, where, size):
    far, device = {"ar1": (net.ar1, "up0"), "cn": (net.cn, "eth0")}[where]
    net.core.ip(f"link set dev {where} mtu {size}\n")
    far.ip(f"link set dev {device} mtu {size}\n")


def mtu(lab, net):
    """What does not fit into the tunnel comes back as Packet Too Big with the tunnel's MTU, never less than 1280 (RFC
    2473 7.1). From step to step it gets narrower, as a path MTU that was learnt is kept for ten minutes."""
    narrowest, fits = ipsec.narrowest_path(lab), ipsec.tunnel_mtu(lab, 1500)
    for where, size, expected in (("cn", 1380, 1380), ("ar1", 1400, ipsec.tunnel_mtu(lab, 1400)), ("ar1", narrowest, ipsec.tunnel_mtu(lab, narrowest))):
        what = f"MTU {size} at {where}"
        set_mtu(net, where, size)
        took = both_ways(lab, net)
        lab.check(took, f"{what}: TCP does not get through")
        lab.facts.setdefault("tcp_s", []).append(took)
        for host, target, source in ((net.mn, CORRESPONDENT, HOME_ADDRESS), (net.cn, HOME_ADDRESS, CORRESPONDENT)):
            # TCP may have found out already; then the kernel of the host itself says it.
            _, out = ping(lab, host, target, "-M", "do", "-s", str(min(1392, fits - 48)), "-c", "5", "-I", source)
            said = [int(n) for n in re.findall(r"mtu[:=] ?(\d+)", out)]
            lab.check(said and set(said) == {expected}, f"{what}: {host} was told {said}, not {expected}:\n{out}")
            got, out = ping(lab, host, target, "-M", "do", "-s", str(expected - 48), "-c", "3", "-I", source)
            lab.check(got == 3, f"{what}: {host} sent 3 packets of {expected} octets, {got} were answered:\n{out}")
    # Linux 6.1 does not fragment tunnel packets, which a path MTU below that needs (RFC 2473 7.1): reported only.
    set_mtu(net, "ar1", narrowest - 20)
    lab.facts["tcp_below_1320_s"] = both_ways(lab, net)
    set_mtu(net, "ar1", 1500)
    set_mtu(net, "cn", 1500)


# --- spoofed packets

def spoofed(care_of):
    """{name: outer and inner packet}: all of them lies, but for the last."""
    from scapy.layers.inet import UDP
    from scapy.layers.inet6 import (HAO, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN)

    def inner(source, name, octets=8):
        return IPv6(src=source, dst=CORRESPONDENT) / UDP(sport=PORT, dport=PORT) / name.encode().ljust(octets, b".")

    def outer(source):
        return IPv6(src=source, dst=HOME_AGENT)

    liar, padding = HOME_ADDRESS, PadN(optdata=b"\0\0\0\0")
    lies = {
        "wrong-care-of": outer(ATTACKER) / inner(liar, "wrong-care-of"),
        "another-node": outer(care_of) / inner(SECOND_HOME, "another-node"),
        "nobody": outer(ATTACKER) / inner(NOBODY, "nobody"),
        "nobody-by-node": outer(care_of) / inner(NOBODY, "nobody-by-node"),
        "desk": outer(ATTACKER) / inner(DESK, "desk"),
        "home-agent": outer(ATTACKER) / inner(HOME_AGENT, "home-agent"),
        "elsewhere": outer(ATTACKER) / inner("2001:db8:c::77", "elsewhere"),
        "destination-options": outer(ATTACKER) / IPv6ExtHdrDestOpt(options=[padding]) /
        inner(liar, "destination-options"),
        "hop-by-hop": outer(ATTACKER) / IPv6ExtHdrHopByHop(options=[padding]) / inner(liar, "hop-by-hop"),
        "encapsulation-limit": outer(ATTACKER) / IPv6ExtHdrDestOpt(options=[PadN(otype=4, optdata=b"\4")]) /
        inner(liar, "encapsulation-limit"),
        "home-address-option": outer(ATTACKER) / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0\0"), HAO(hoa=care_of)]) /
        inner(liar, "home-address-option"),
        "atomic-fragment": outer(ATTACKER) / IPv6ExtHdrFragment(nh=41, offset=0, m=0, id=77) /
        inner(liar, "atomic-fragment"),
        "twice": outer(ATTACKER) / outer(care_of) / inner(liar, "twice"),
        "twice-by-node": outer(care_of) / IPv6(src=liar, dst=HOME_AGENT) / inner(SECOND_HOME, "twice-by-node"),
        "other-address": IPv6(src=ATTACKER, dst="2001:db8:f:1::2") / inner(liar, "other-address"),  # of the home agent
    }
    whole = bytes(inner(liar, "fragments", 64))
    lies["fragment-1"] = outer(ATTACKER) / IPv6ExtHdrFragment(nh=41, offset=0, m=1, id=78) / whole[:64]
    lies["fragment-2"] = outer(ATTACKER) / IPv6ExtHdrFragment(nh=41, offset=8, m=0, id=78) / whole[64:]
    lies["honest"] = outer(care_of) / inner(liar, "honest")
    return lies


def drops(net):
    return net.ha_daemon.ask("stats")["tunnel"]["dropped"]


def router_mac(net):
    return net.ar2.mac_of("lan0")


def register(lab, net, count, tools=1):
    """Other nodes, all at the attacker's host, from SECOND_HOME on; the sum of the tools' reports. Each tool waits for
    64 answers at most, and an answer takes a second (duplicate address detection at home)."""
    mac, started = router_mac(net), time.monotonic()
    reports = [lab.path(f"bindings-{n}.json") for n in range(tools)]
    processes = [net.attacker.popen([lab.tools["bindings"], "-i", "eth0", "-m", mac, "-c", ATTACKER, "-a", HOME_AGENT,
                                     "-b", f"2001:db8:1::{n:x}:101", "-n", str(count // tools), "-l", "3600", "-o", file])
                 for n, file in enumerate(reports)]
    for p in processes:
        p.wait(120)
    total = {"ms": round((time.monotonic() - started) * 1000)}
    for file in reports:
        with open(file) as f:
            report = json.load(f)
        for name in ("accepted", "sent"):
            total[name] = total.get(name, 0) + report[name]
    return total


def spoof(lab, net):
    """What was not sent by the node that the inner source names is not let in (RFC 6275 10.4.5). The attacker is on
    the node's link, so that it can use its care-of address."""
    go(lab, net, "link2")
    if not ipsec.is_on(lab):  # the tool has no SAs
        report = register(lab, net, 1)
        lab.check(report["accepted"] == 1, f"the second node did not register: {report}")
    target = net.cn.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    target.bind((CORRESPONDENT, PORT))
    wire = net.attacker.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("eth0", 0x86DD))
    frame = bytes.fromhex(router_mac(net).replace(":", "")) + wire.getsockname()[4] + b"\x86\xdd"
    dropped = {}
    for name, packet in spoofed(net.mn_daemon.registration()[1]).items():
        before = drops(net)
        wire.send(frame + bytes(packet))
        lab.sleep(0.6)
        dropped[name] = drops(net) - before
    came = []
    target.setblocking(False)
    while True:
        try:
            came.append(target.recv(2048).decode().rstrip("."))
        except BlockingIOError:
            break
    lab.facts["spoofed"] = {"dropped": dropped, "came": came}
    protected = ipsec.protects_payload(lab)  # nothing is believed that comes without ESP
    lab.check(came == ([] if protected else ["honest"]), f"these came out of the tunnel: {came}")
    for name in () if protected else ("wrong-care-of", "another-node", "nobody", "nobody-by-node", "desk", "home-agent", "elsewhere",
                 "destination-options"):
        lab.check(dropped[name] == 1, f"{name}: tunnel dropped grew by {dropped[name]}")
    lab.check(dropped["honest"] == 0, "an honest packet was counted as dropped")
    for s in (target, wire):
        s.close()


# --- sockets that were connected before the move

def fresh(lab, net, place):
    """A socket that was made just now, and is bound to nothing, uses the home address and the right way at once."""
    peer = net.cn.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    peer.bind((CORRESPONDENT, 7004))
    peer.settimeout(2)
    new = net.mn.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    new.sendto(b"new", (CORRESPONDENT, 7004))
    try:
        source = peer.recvfrom(100)[1][0]
    except TimeoutError:
        source = None
    lab.check(source == HOME_ADDRESS, f"the first packet of a new UDP socket on the node at {place} came from {source}")
    listener = net.cn.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.bind((CORRESPONDENT, 7005))
    listener.listen()
    tcp = net.mn.socket(socket.AF_INET6, socket.SOCK_STREAM)
    tcp.settimeout(5)
    start = time.monotonic()
    try:
        tcp.connect((CORRESPONDENT, 7005))
        source, ms = tcp.getsockname()[0], (time.monotonic() - start) * 1000
    except OSError:
        source, ms = None, 5000
    lab.check(source == HOME_ADDRESS and ms < 5 * lab.keys.rtt,
              f"a new TCP connection of the node at {place} has the source {source} and took {ms:.0f} ms")
    for s in (peer, new, listener, tcp):
        s.close()


def sockets(lab, net):
    """The first packet after the registration leaves by the new place and arrives, without any repetition."""
    peer = net.cn.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    peer.bind((CORRESPONDENT, 7002))
    listener = net.cn.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.bind((CORRESPONDENT, 7003))
    listener.listen()
    udp = net.mn.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.connect((CORRESPONDENT, 7002))
    tcp = net.mn.socket(socket.AF_INET6, socket.SOCK_STREAM)
    tcp.connect((CORRESPONDENT, 7003))
    other, _ = listener.accept()
    lab.check(udp.getsockname()[0] == HOME_ADDRESS, f"a socket on the node uses {udp.getsockname()[0]}")
    took = []
    for number, place in enumerate(("link2", "link1", "home", "link1", "link2")):
        go(lab, net, place)
        fresh(lab, net, place)
        for name, sender, receiver in (("UDP", udp, peer), ("TCP", tcp, other)):
            for way, a, b in (("from", sender, receiver), ("to", receiver, sender)):
                if name == "UDP" and way == "to":
                    a.connect(udp.getsockname()[:2])
                b.settimeout(5)
                start = time.monotonic()
                a.send(struct.pack(">I", number))
                try:
                    good = b.recv(100) == struct.pack(">I", number)
                except TimeoutError:
                    good = False
                ms = (time.monotonic() - start) * 1000
                took.append(round(ms, 1))
                lab.check(good and ms < 5 * lab.keys.rtt,
                          f"{name} {way} the node after the move to {place}: {'came' if good else 'not there'} "
                          f"after {ms:.0f} ms")
    lab.facts["socket_ms"] = took
    for s in (peer, listener, udp, tcp, other):
        s.close()


# --- the home link

def home(lab, net):
    """A neighbour at home reaches the node through the home agent, and directly when it is back."""
    mac = net.mn.mac_of("wlan0")

    def known():
        return net.desk.command(["ip", "neigh", "show", HOME_ADDRESS])

    for place in ("link1", "home", "link2", "home"):
        go(lab, net, place)
        got, out = ping(lab, net.desk, HOME_ADDRESS, "-c", "5")
        lab.check(got == 5, f"desk to the node at {place}: {got} of 5 answers:\n{out}")
        if place == "home":
            lab.check(mac in known(), f"the node is back, but desk knows it as {known()}, not {mac}")
        else:
            lab.check(mac not in known(), f"the node is at {place}, but desk still sends to {mac}")
        got, out = ping(lab, net.mn, DESK, "-c", "3", "-I", HOME_ADDRESS)
        lab.check(got == 3, f"the node at {place} to desk: {got} of 3 answers:\n{out}")


def agent(lab, net):
    """The node and its home agent itself, in both directions."""
    for place in ("link1", "link2"):
        go(lab, net, place)
        for host, target, source in ((net.mn, HOME_AGENT, HOME_ADDRESS), (net.ha, HOME_ADDRESS, HOME_AGENT),
                                     (net.mn, HOME_AGENT, net.mn_daemon.registration()[1])):
            got, out = ping(lab, host, target, "-c", "3", "-I", source)
            lab.check(got == 3, f"{host} at {place}, {source} to {target}: {got} of 3 answers:\n{out}")
        for target in (HOME_AGENT, CORRESPONDENT):
            got, out = ping(lab, net.mn, target, "-c", "3")
            lab.check(got == 3, f"node at {place} to {target}, without a source: {got} of 3 answers:\n{out}")


def collision(lab, net):
    """Somebody at home has the home address: RFC 6275 10.3.1, status 134."""
    go(lab, net, "home")
    net.mn_daemon.stop()
    net.detach()
    net.desk.ip(f"addr add {HOME_ADDRESS}/64 dev eth0 nodad\n")
    net.mn_daemon.start()
    net.attach("link1")
    lab.holds_within(lambda: node(net).get("registration") == "refused", 20, "the node to say that it was refused")
    code = (node(net).get("last_status") or {}).get("code")
    lab.check(code == 134, f"the node was refused with {code}, not 134")
    lab.check(HOME_ADDRESS not in net.ha_daemon.bindings(), "the home agent has a binding for an address of another")
    got, out = ping(lab, net.cn, HOME_ADDRESS, "-c", "3")
    lab.check(got == 3, f"the owner of the address is not reached any more: {got} of 3 answers:\n{out}")
    net.desk.ip(f"addr del {HOME_ADDRESS}/64 dev eth0\n")


# --- many

def cost(net):
    """Microseconds for an echo and its answer through the tunnel, one right after the other; the best of four tries,
    as others use the processor too."""
    outs = [net.cn.command(["ping", "-n", "-i", "0", "-q", "-c", "500", "-W", "2", HOME_ADDRESS]) for _ in range(4)]
    return min(float(re.search(r"time (\d+)ms", out).group(1)) * 1000 / 500 for out in outs)


def cpu_s(daemon):
    """Seconds of CPU that the process has used, in user and kernel mode."""
    with open(f"/proc/{daemon.process.pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def many(lab, net):
    ping(lab, net.cn, HOME_ADDRESS, "-c", "3")
    before = cost(net)
    used = cpu_s(net.ha_daemon)
    report = register(lab, net, lab.keys.bindings, tools=8)
    report["home_agent_cpu_s"] = round(cpu_s(net.ha_daemon) - used, 2)
    lab.check(report["accepted"] == lab.keys.bindings, f"registering {lab.keys.bindings} nodes: {report}")
    lab.facts["many"] = {**report, "echo_us_alone": before, "echo_us_with_all": cost(net)}


def run(lab):
    net = setup(lab)
    parts = {"mtu": mtu, "spoof": spoof, "sockets": sockets, "home": home, "agent": agent, "collision": collision,
             "many": many}
    for name in PARTS if lab.keys.part == "all" else (lab.keys.part,):
        parts[name](lab, net)
        lab.say(f"{name} done")
    for daemon in (net.mn_daemon, net.ha_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")


def judge(e):
    for name in ("tcp_s", "tcp_below_1320_s", "spoofed", "socket_ms", "many"):
        if name in e.facts:
            e.figures[name] = e.facts[name]
    if e.keys.part in ("all", "spoof"):
        # Nor was any of it seen outside of a tunnel, on the way to the correspondent or at home.
        for point in ("core-cn", "home"):
            rows = packets.tshark(e.path(f"{point}.pcapng"), f"udp.dstport == {PORT} && ipv6.dst == {CORRESPONDENT}", "udp.payload")
            seen = {bytes.fromhex(row[0].replace(":", "")).decode(errors="replace").strip(".") for row in rows}
            e.figures.setdefault("seen", {})[point] = sorted(seen)
            e.check(seen <= {"honest"}, f"seen on {point}: {sorted(seen)}")
