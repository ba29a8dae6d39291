#!/usr/bin/python3
"""Runs inside the lab machine: the system side of both roles on a small network, without a protocol core.

    cn --- core --- ha -- home bridge -- mn (home0), nb
             +----- mn (w1): 2001:db8:a::/64
             +----- mn (w2): 2001:db8:b::/64
             +----- evil:    2001:db8:e::/64

Arguments: DRIVE OUT [NAME...]. Writes OUT/results.json: {test: null or what went wrong}, and OUT/figures.json.
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import traceback

HA, HOA = "2001:db8:1::1000", "2001:db8:1::100"
COA1, COA2 = "2001:db8:a::100", "2001:db8:b::100"
CN, EVIL = "2001:db8:c::c", "2001:db8:e::e"
DRIVE, OUT = sys.argv[1], sys.argv[2]
figures = {}


class Failed(Exception):
    pass


def check(holds, text):
    if not holds:
        raise Failed(text)


def run(words, ns=None, check_=True, input=None):
    words = words.split() if isinstance(words, str) else words
    if ns:
        words = ["ip", "netns", "exec", ns] + words
    p = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, input=input)
    if check_ and p.returncode:
        raise Failed(f"{' '.join(words)}: {p.returncode} {p.stderr.strip()} {p.stdout.strip()}")
    return p.stdout


def until(fn, what, timeout=5.0):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        v = fn()
        if v:
            return v
        time.sleep(0.02)
    raise Failed(f"waited {timeout} s in vain for {what}")


def cable(a, an, b, bn):
    run(f"ip link add {an} netns {a} type veth peer name {bn} netns {b}")
    for ns, name in ((a, an), (b, bn)):
        run(f"ip -n {ns} link set {name} up")
        run(f"ethtool -K {name} tx off tso off gso off gro off", ns, check_=False)


def setup():
    for ns in ("core", "ha", "mn", "cn", "nb", "evil", "hl"):
        run(f"ip netns add {ns}")
        run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
            "net.ipv6.conf.default.dad_transmits=0 net.ipv6.conf.default.router_solicitations=0", ns)
        run(f"ip -n {ns} link set lo up")
    run("sysctl -qw net.ipv6.conf.all.forwarding=1", "core")
    run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1", "hl")
    cable("core", "c-ha", "ha", "up0")
    cable("core", "c-a", "mn", "w1")
    cable("core", "c-b", "mn", "w2")
    cable("core", "c-cn", "cn", "eth0")
    cable("core", "c-e", "evil", "eth0")
    run("ip -n hl link add name br0 type bridge mcast_snooping 0 forward_delay 0")
    run("ip -n hl link set br0 up")
    for ns, name in (("ha", "home0"), ("mn", "h0"), ("nb", "eth0")):
        cable(ns, name, "hl", "p-" + ns)
        run(f"ip -n hl link set p-{ns} master br0")
    for ns, dev, address in (("core", "c-ha", "2001:db8:f::1/64"), ("core", "c-a", "2001:db8:a::1/64"),
                             ("core", "c-a", "fe80::1/64"), ("core", "c-b", "fe80::1/64"),
                             ("core", "c-b", "2001:db8:b::1/64"), ("core", "c-cn", "2001:db8:c::1/64"),
                             ("core", "c-e", "2001:db8:e::1/64"), ("ha", "up0", "2001:db8:f::2/64"),
                             ("ha", "home0", HA + "/64"), ("ha", "home0", "fe80::1/64"), ("cn", "eth0", CN + "/64"),
                             ("nb", "eth0", "2001:db8:1::200/64"), ("evil", "eth0", EVIL + "/64")):
        run(f"ip -n {ns} addr add {address} dev {dev} nodad")
    run("ip -n core route add 2001:db8:1::/64 via 2001:db8:f::2")
    run("ip -n ha route add default via 2001:db8:f::1")
    run("ip -n cn route add default via 2001:db8:c::1")
    run("ip -n nb route add default via " + HA)
    run("ip -n evil route add default via 2001:db8:e::1")


class Drive:
    def __init__(self, ns, *words):
        self.ns = ns
        self.log = open(f"{OUT}/drive-{ns}.log", "a")
        self.p = subprocess.Popen(["ip", "netns", "exec", ns, DRIVE, *words], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=self.log, text=True, bufsize=1)
        os.set_blocking(self.p.stdout.fileno(), False)
        self.text, self.events = "", []
        self.answers = []
        self.wait(r"(ok|error) start")

    def poll(self):
        try:
            more = os.read(self.p.stdout.fileno(), 65536).decode()
        except BlockingIOError:
            return
        self.text += more
        *lines, self.text = self.text.split("\n")
        for line in lines:
            self.log.write(line + "\n")
            self.log.flush()
            (self.events if line.startswith("event") else self.answers).append(line)

    def wait(self, pattern, timeout=20):
        def found():
            self.poll()
            for i, a in enumerate(self.answers):
                if re.match(pattern, a):
                    del self.answers[:i + 1]
                    return a
        answer = until(found, f"{pattern} from {self.ns} (last {self.answers[-3:]})", timeout)
        check(not answer.startswith("error"), f"{self.ns}: {answer}")
        return answer

    def do(self, line, may_fail=False):
        self.p.stdin.write(line + "\n")
        word = line.split()[0]
        if may_fail:
            def found():
                self.poll()
                while self.answers:
                    a = self.answers.pop(0)
                    if a.split()[1].rstrip(":") == word:
                        return a
            return until(found, line)
        return self.wait(rf"(ok {word}|error)")

    def event(self, pattern, timeout=5):
        def found():
            self.poll()
            for i, e in enumerate(self.events):
                if re.search(pattern, e):
                    del self.events[:i + 1]
                    return e
        return until(found, f"event {pattern} at {self.ns}", timeout)

    def end(self, keep=False):
        self.p.stdin.write("quit keep\n" if keep else "quit\n")
        self.p.wait(20)

    def kill(self):
        self.p.kill()
        self.p.wait()


def start_ha(state="/run/ha.state"):
    return Drive("ha", "ha", HA, "mip6ha0", "home0", state)


def start_mn(state="/run/mn.state"):
    return Drive("mn", "mn", HOA, HA, "mip6mn0", "6275", state, "w1", "w2", "h0")


def clean(s):
    s = re.sub(r"(valid_lft|preferred_lft) \d+sec", "", s)
    return "\n".join(sorted(x for x in s.split("\n") if "temporary" not in x))


def snapshot(ns):
    s = {}
    for what in ("link", "addr", "route show table all", "rule", "neigh show proxy", "tunnel"):
        text = run(f"ip -6 {what}" if what != "link" else "ip link", ns)
        s[what] = clean(re.sub(r"expires \d+sec|state \w+|qlen \d+| proto kernel_ll| proto kernel_lo", "", text))
    s["xfrm"] = run("ip xfrm state", ns) + run("ip xfrm policy", ns)
    s["nft"] = run("nft list ruleset", ns)
    s["sysctl"] = run("sysctl -a --pattern net.ipv6.(conf|neigh)", ns, check_=False)
    s["sysctl"] = "\n".join(x for x in s["sysctl"].split("\n") if "stable_secret" not in x)
    return s


def differences(a, b):
    out = []
    for k in a:
        x, y = set(a[k].split("\n")), set(b[k].split("\n"))
        if x != y:
            out.append(f"{k}: gone {sorted(x - y)} new {sorted(y - x)}")
    return "; ".join(out)


def ns_socket(ns, *args):
    """A socket of another name space."""
    import ctypes
    libc = ctypes.CDLL(None)
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    fd = os.open(f"/run/netns/{ns}", os.O_RDONLY)
    check(libc.setns(fd, 0x40000000) == 0, "setns")
    try:
        return socket.socket(*args)
    finally:
        libc.setns(own, 0x40000000)
        os.close(fd)
        os.close(own)


def capture(ns, *words):
    """tcpdump that is listening when this returns."""
    p = subprocess.Popen(["ip", "netns", "exec", ns, "timeout", "60", "tcpdump", "-n", "-l", "--immediate-mode",
                          *words],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "listening on" not in p.stderr.readline():
        check(p.poll() is None, f"tcpdump in {ns} ended")
    return p


def udp(ns, address, port=0):
    s = ns_socket(ns, socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind((address, port))
    s.setblocking(False)
    return s


def receive(s, timeout=2.0):
    def got():
        try:
            return s.recvfrom(65536)
        except BlockingIOError:
            return None
    try:
        return until(got, "a packet", timeout)
    except Failed:
        return None


def ping(ns, dst, *more):
    return " 0% packet loss" in run(["ping", "-6", "-c", "2", "-i", "0.05", "-W", "1", *more, dst], ns, check_=False)


def away(ha, mn, coa, dev):
    """What a node and its home agent do at a move, in their order."""
    mn.do(f"address {dev} {coa} optimistic")
    mn.do(f"router {dev} fe80::1 {coa} primary")
    mn.do(f"bu-path {coa}")
    mn.do(f"tunnel {coa} hold")
    mn.do(f"send-mh 5 {HOA} {HA}")
    mn.do(f"tunnel {coa}")
    ha.event(rf"type 5 src {HOA} dst {HA} hao {coa} rh2 -")
    ha.do(f"forward {HOA} {coa}")
    ha.do(f"proxy home0 {HOA}")
    ha.do(f"send-mh 6 {HA} {HOA} rh2 {coa}")
    mn.event(rf"type 6 src {HA} dst {HOA} hao - rh2 {coa}")


def home(ha, mn, hold=False):
    mn.do("home h0 fe80::1 hold")
    mn.do("bu-path-del")
    mn.do(f"send-mh 5 {HOA} {HA}")
    ha.event(rf"type 5 src {HOA} dst {HA} hao - rh2 -")
    ha.do(f"unforward {HOA}")
    ha.do(f"proxy-del home0 {HOA}")
    ha.do(f"send-mh 6 {HA} {HOA} if home0")
    mn.event(rf"type 6 src {HA} dst {HOA} hao - rh2 -")
    mn.do("home h0 fe80::1")


# ---- tests ----

def test_clean_stop():
    before = snapshot("ha"), snapshot("mn")
    ha, mn = start_ha(), start_mn()
    away(ha, mn, COA1, "w1")
    home(ha, mn)
    mn.do("home-del h0")
    away(ha, mn, COA2, "w2")
    mn.end()
    ha.end()
    after = snapshot("ha"), snapshot("mn")
    check(not differences(before[0], after[0]), "ha: " + differences(before[0], after[0]))
    check(not differences(before[1], after[1]), "mn: " + differences(before[1], after[1]))


def test_move_sockets():
    """Connected sockets follow: home, link 1, link 2, home; nothing is lost."""
    ha, mn = start_ha(), start_mn()
    mn.do("home h0 fe80::1")
    here, there = udp("mn", HOA, 7000), udp("cn", CN, 7000)
    here.connect((CN, 7000))
    there.connect((HOA, 7000))
    listener = ns_socket("cn", socket.AF_INET6, socket.SOCK_STREAM)
    listener.bind((CN, 7001))
    listener.listen()
    tcp = ns_socket("mn", socket.AF_INET6, socket.SOCK_STREAM)
    tcp.bind((HOA, 0))
    tcp.settimeout(5)
    tcp.connect((CN, 7001))
    peer, _ = listener.accept()
    peer.settimeout(5)
    def both_ways(n):
        for word, a, b in ((f"up {n}", here, there), (f"down {n}", there, here)):
            a.send(word.encode())
            got = receive(b)
            check(got and got[0] == word.encode(), f"{word}: {got}")
        for a, b in ((tcp, peer), (peer, tcp)):
            a.sendall(b"x" * 3000)
            have = 0
            while have < 3000:
                have += len(b.recv(3000 - have))
    both_ways("home")
    wire = capture("core", "-i", "any", "ip6 proto 41")
    for n in range(2):
        mn.do("home-del h0")
        away(ha, mn, COA1, "w1")
        both_ways(f"link 1 {n}")
        away(ha, mn, COA2, "w2")
        both_ways(f"link 2 {n}")
        mn.do(f"address-del w1 {COA1}")
        mn.do(f"router-del w1 {COA1}")
        home(ha, mn)
        both_ways(f"home {n}")
        mn.do(f"router-del w2 {COA2}")
        mn.do(f"address-del w2 {COA2}")
    missing = {pair for coa in (COA1, COA2) for pair in (f"{coa} > {HA}", f"{HA} > {coa}")}
    while missing and (line := wire.stdout.readline()):      # tcpdump's own time limit ends the wait
        missing = {pair for pair in missing if pair not in line}
    wire.terminate()
    check(not missing, f"no tunnelled packet {missing}")
    # not bound to the home address: it is chosen all the same, and leaves by the tunnel
    away(ha, mn, COA1, "w1")
    s = ns_socket("mn", socket.AF_INET6, socket.SOCK_DGRAM)
    s.sendto(b"unbound", (CN, 7000))
    there2 = udp("cn", CN, 7002)
    s.sendto(b"unbound", (CN, 7002))
    got = receive(there2)
    check(got and got[1][0] == HOA, f"an unbound socket: {got}")
    mn.end()
    ha.end()


def test_hold():
    """Held packets leave by the way that is there when they are let go, in order; none by another."""
    ha, mn = start_ha(), start_mn()
    mn.do("home h0 fe80::1")
    here, there = udp("mn", HOA, 7100), udp("cn", CN, 7100)
    here.connect((CN, 7100))
    here.send(b"first")
    check(receive(there), "before")
    mn.do("home-del h0")
    mn.do("tunnel - hold")
    for i in range(50):
        here.send(b"%d" % i)
    time.sleep(0.2)
    check(receive(there, 0.1) is None, "a packet got out while held")
    away(ha, mn, COA1, "w1")
    for i in range(50):
        got = receive(there)
        check(got and got[0] == b"%d" % i, f"away: {i}: {got}")
    mn.do("home h0 fe80::1 hold")
    for i in range(50):
        here.send(b"h%d" % i)
    check(receive(there, 0.1) is None, "a packet got out while held at home")
    home(ha, mn)
    for i in range(50):
        got = receive(there)
        check(got and got[0] == b"h%d" % i, f"home: {i}: {got}")
    # and dropped
    mn.do("home-del h0")
    mn.do("tunnel - hold")
    here.send(b"never")
    mn.do("tunnel -")
    check(receive(there, 0.2) is None, "a dropped packet came")
    try:
        here.send(b"no route")
        check(False, "sending without a place must fail")
    except OSError:
        pass
    stats = mn.do("stats")
    check("held 10" in stats and "dropped 1" in stats, stats)
    mn.end()
    ha.end()


def test_previous_care_of():
    """Packets to the care-of address before are received as long as it is there."""
    ha, mn = start_ha(), start_mn()
    away(ha, mn, COA1, "w1")
    here, there = udp("mn", HOA, 7200), udp("cn", CN, 7200)
    there.connect((HOA, 7200))
    mn.do(f"address w2 {COA2} optimistic")
    mn.do(f"router w2 fe80::1 {COA2} primary")
    mn.do(f"bu-path {COA2}")
    mn.do(f"tunnel {COA2}")
    there.send(b"to the old place")
    got = receive(here)
    check(got and got[0] == b"to the old place", f"{got}")
    here.sendto(b"early", (CN, 7200))  # held at the home agent until the binding comes
    time.sleep(0.05)
    check(receive(there, 0.05) is None, "accepted from an unknown pair")
    ha.do(f"forward {HOA} {COA2}")
    got = receive(there)
    check(got and got[0] == b"early", f"held at the home agent: {got}")
    # and from the former place, for a moment: it was under way
    mn.do(f"tunnel {COA1}")
    here.sendto(b"late", (CN, 7200))
    got = receive(there)
    check(got and got[0] == b"late", f"under way: {got}")
    time.sleep(3.2)
    here.sendto(b"too late", (CN, 7200))
    check(receive(there, 0.5) is None, "accepted from a former care-of address for ever")
    check("released 1 dropped 1" in ha.do("stats"), ha.do("stats"))
    mn.end()
    ha.end()


def raw_tunnel(ns, outer_src, inner_src, inner_dst, port, outer_dst=HA, data=b"spoofed"):
    """IPv6 in IPv6 made by hand."""
    code = f"""
from scapy.all import IPv6, UDP, Raw, send, conf
conf.verb = 0
send(IPv6(src={outer_src!r}, dst={outer_dst!r})/IPv6(src={inner_src!r}, dst={inner_dst!r})/UDP(sport=1, dport={port})/Raw({data!r}))
"""
    run(["/usr/bin/python3", "-c", code], ns)


def test_spoofed():
    ha = start_ha()
    ha.do(f"forward {HOA} {COA1}")
    there = udp("cn", CN, 7300)
    raw_tunnel("evil", EVIL, HOA, CN, 7300)
    check(receive(there, 1) is None, "spoofed inner source accepted")
    # to another address of the home agent, where no rule of ours applies
    raw_tunnel("evil", EVIL, HOA, CN, 7300, outer_dst="2001:db8:f::2")
    check(receive(there, 1) is None, "spoofed inner source accepted by another address")
    raw_tunnel("evil", COA1, HOA, CN, 7300, data=b"good")
    got = receive(there, 2)
    check(got and got[0] == b"good", f"the registered pair: {got}")
    stats = ha.do("stats")
    check("dropped 1" in stats, stats)
    answer = ha.do(f"forward 2001:db8:1::300 {HOA}", may_fail=True)
    check("error" in answer, "a care-of address inside the tunnel was accepted")
    ha.end()


def test_signalling_checks():
    """A wrong checksum is dropped by the kernel; an answer with an interface leaves there despite a host route."""
    ha, mn = start_ha(), start_mn()
    code = f"""
from scapy.all import IPv6, Raw, send, conf
conf.verb = 0
for c in (0x1234, 0):
    send(IPv6(src={EVIL!r}, dst={HA!r}, nh=135)/Raw(bytes([59, 1, 5, 0, c >> 8, c & 255, 0, 1, 0, 0, 0, 1, 1, 2, 0, 0])))
"""
    run(["/usr/bin/python3", "-c", code], "evil")
    ha.do("stats")
    time.sleep(0.3)
    ha.poll()
    check(not [e for e in ha.events if "mh type 5" in e], f"a wrong checksum came through: {ha.events}")
    mn.do("home h0 fe80::1")
    ha.do(f"forward {HOA} {COA1}")
    ha.do(f"send-mh 6 {HA} {HOA} if home0")
    mn.event(rf"type 6 src {HA} dst {HOA} hao - rh2 -")
    mn.end()
    ha.end()


def test_proxy():
    """The home agent answers for the address of a node that is away, asked by group and directly, at once."""
    ha, mn = start_ha(), start_mn()
    away(ha, mn, COA1, "w1")
    start = time.monotonic()
    check(ping("nb", HOA), "a neighbour on the home link cannot reach the node")
    figures["proxy_first_answer_ms"] = round((time.monotonic() - start) * 1000)
    run(f"ip -n nb neigh change {HOA} dev eth0 nud probe", check_=False)
    until(lambda: "REACHABLE" in run(f"ip -6 -n nb neigh show {HOA}"), "unicast solicitations answered", 8)
    # duplicate address detection by somebody else fails
    run(f"sysctl -qw net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=1", "nb")
    run(f"ip -n nb addr add {HOA}/64 dev eth0")
    until(lambda: "dadfailed" in run("ip -6 -n nb addr show dev eth0"), "DAD to fail", 5)
    run(f"ip -n nb addr del {HOA}/64 dev eth0")
    run("ip -n nb neigh flush dev eth0")
    mn.end()
    ha.end()


def test_dad_listen():
    ha = start_ha()
    run("sysctl -qw net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=1", "nb")
    ha.do("groups home0 2001:db8:1::777 1 on")
    run("ip -n nb addr add 2001:db8:1::777/64 dev eth0")
    ha.event(r"icmp6 type 135 src :: dst ff02::1:ff00:777 .* hops 255")
    ha.do("groups home0 2001:db8:1::777 1 off")
    # our own, made by hand, is valid and does not come back
    ha.events.clear()
    wire = capture("nb", "-vv", "-i", "eth0", "-c", "1", "dst ff02::1:ff00:888")
    ha.do("send-ns :: ff02::1:ff00:888 home0 2001:db8:1::888")
    text = wire.communicate()[0]
    check("icmp6 sum ok" in text and "hlim 255" in text and ":: > ff02::1:ff00:888" in text, text)
    ha.poll()
    check(not [e for e in ha.events if "888" in e], "our own solicitation came back")
    for n in (100, 1000, 3000):
        figures[f"groups_on_{n}_us_each"] = int(ha.do(f"groups home0 2001:db8:1::1:0 {n} on").split()[-1]) / n
        figures[f"groups_off_{n}_us_each"] = int(ha.do(f"groups home0 2001:db8:1::1:0 {n} off").split()[-1]) / n
    run("ip -n nb addr del 2001:db8:1::777/64 dev eth0")
    ha.end()


def test_many():
    """1,000 bindings: set up, traffic, killed, taken over, traffic all the while; and what a binding costs."""
    ha, mn = start_ha(), start_mn()
    away(ha, mn, COA1, "w1")
    ha.do(f"store {HOA} {COA1}")
    figures["first_1000_us_each"] = int(ha.do(f"forward-many 2001:db8:1::1:0 1000 {COA2}").split()[-1]) / 1000
    here, there = udp("mn", HOA, 7400), udp("cn", CN, 7400)
    there.connect((HOA, 7400))
    here.connect((CN, 7400))
    def both_ways(n):
        for word, a, b in ((f"up {n}", here, there), (f"down {n}", there, here)):
            a.send(word.encode())
            got = receive(b)
            check(got and got[0] == word.encode(), f"{word}: {got}")
    both_ways(1)
    figures["one_pair_at_1000_us"] = int(ha.do("element-cost 500").split()[-1])
    start = time.monotonic()
    run("nft add element ip6 mip6d bindings { 2001:db8:9::1 . 0x1 }", "ha")
    figures["libnftables_one_at_1000_ms"] = round((time.monotonic() - start) * 1000, 1)
    ha.kill()
    both_ways("killed")
    here2 = udp("mn", HOA, 7401)
    ha = start_ha()
    ha.do("stored")
    both_ways("restarted")
    check(run("ip -6 route show proto 175", "ha").count("encap") == 1001, "routes of the predecessor")
    check("stored " + HOA in open(f"{OUT}/drive-ha.log").read(), "the stored binding")
    start = time.monotonic()
    ha.do(f"forward {HOA} {COA1}")
    ha.do(f"proxy home0 {HOA}")
    ha.do(f"forward-many 2001:db8:1::1:0 500 {COA2}")
    figures["claim_500_ms"] = round((time.monotonic() - start) * 1000)
    ha.do("reconcile")
    both_ways("reconciled")
    check(run("ip -6 route show proto 175", "ha").count("encap") == 501, "routes after reconcile")
    n = run("nft list set ip6 mip6d bindings", "ha").count(" . 0x") 
    check(n == 501, f"{n} pairs after reconcile")
    check(HOA in run("ip -6 neigh show proxy", "ha"), "proxy after reconcile")
    figures["to_10500_us_each"] = int(ha.do(f"forward-many 2001:db8:1::2:0 10000 {COA2}").split()[-1]) / 10000
    # a transaction of one pair, with 10,500 in the set; and the same through libnftables
    figures["one_pair_at_10500_us"] = int(ha.do("element-cost 500").split()[-1])
    start = time.monotonic()
    run("nft add element ip6 mip6d bindings { 2001:db8:9::2 . 0x1 }", "ha")
    figures["libnftables_one_at_10500_ms"] = round((time.monotonic() - start) * 1000, 1)
    both_ways("many")
    start = time.monotonic()
    mn.end()
    ha.end()
    figures["stop_10600_ms"] = round((time.monotonic() - start) * 1000)
    check("mip6ha0" not in run("ip link", "ha") and not run("nft list ruleset", "ha").strip(), "left behind")


def test_mn_killed():
    before = snapshot("mn")
    ha, mn = start_ha(), start_mn()
    away(ha, mn, COA1, "w1")
    here, there = udp("mn", HOA, 7500), udp("cn", CN, 7500)
    there.connect((HOA, 7500))
    here.connect((CN, 7500))
    def both_ways(n):
        for word, a, b in ((f"up {n}", here, there), (f"down {n}", there, here)):
            a.send(word.encode())
            got = receive(b)
            check(got and got[0] == word.encode(), f"{word}: {got}")
    both_ways(1)
    mn.kill()
    both_ways("killed")
    mn = start_mn()
    both_ways("restarted")
    away(ha, mn, COA2, "w2")
    both_ways("moved")
    mn.do("reconcile")
    check(COA1 not in run("ip -6 addr", "mn"), "care-of address of the predecessor")
    check(COA1 not in run("ip -6 rule", "mn"), "rule of the predecessor")
    both_ways("reconciled")
    mn.kill()
    mn = start_mn()
    mn.end()
    ha.end()
    after = snapshot("mn")
    check(not differences(before, after), differences(before, after))


def pmtu(near, link):
    """near: whose link is narrow; for the other end of the tunnel the narrow link is in the middle. Below 1320 no
    tunnel of Linux works, as it does not fragment what it encapsulates (RFC 2473 7.1)."""
    for ns, dev in link:
        run(f"ip -n {ns} link set {dev} mtu 1340")
    ha, mn = start_ha(), start_mn()
    away(ha, mn, COA1, "w1")
    try:
        for ns, src, dst in (("mn", HOA, CN), ("cn", CN, HOA)):
            other = "cn" if ns == "mn" else "mn"
            listener = ns_socket(other, socket.AF_INET6, socket.SOCK_STREAM)
            port = 7600 + len(figures)  # a fresh one each time
            listener.bind((dst, port))
            listener.listen()
            s = ns_socket(ns, socket.AF_INET6, socket.SOCK_STREAM)
            s.bind((src, 0))
            s.settimeout(10)
            s.connect((dst, port))
            peer, _ = listener.accept()
            peer.settimeout(10)
            start = time.monotonic()
            sender = threading.Thread(target=s.sendall, args=(b"x" * 300000,))
            sender.start()
            have = 0
            while have < 300000:
                got = len(peer.recv(65536))
                check(got, "closed")
                have += got
            sender.join()
            took = time.monotonic() - start
            figures[f"pmtu_{near}_300k_from_{ns}_ms"] = round(took * 1000)
            check(took < 3, f"narrow link at {near}, sender {ns}: {took} s")
            # a datagram larger than the path, fragmented by its sender after the first report
            a, b = udp(ns, src, 7601), udp(other, dst, 7601)
            for i in range(4):
                a.sendto(b"y" * 1400, (dst, 7601))
                if receive(b, 0.5):
                    break
            check(i < 3, f"narrow link at {near}: datagrams of 1400 from {ns}")
            a.close()
            b.close()
    finally:
        for ns, dev in link:
            run(f"ip -n {ns} link set {dev} mtu 1500")
        for ns in ("ha", "mn", "cn", "core"):
            run(f"ip -6 -n {ns} route flush cache")
    mn.end()
    ha.end()


def test_pmtu_at_node():
    pmtu("node", (("core", "c-a"), ("mn", "w1")))


def test_pmtu_at_agent():
    pmtu("agent", (("core", "c-ha"), ("ha", "up0")))


def test_link_events():
    mn = start_mn()
    until(lambda: (mn.poll(), len([e for e in mn.events if " up " in e]) >= 3)[1], "first state of three links")
    mn.events.clear()
    index = int(run("cat /sys/class/net/w1/ifindex", "mn"))
    run("ip -n core link set c-a down")
    mn.event(rf"link {index} down")
    run("ip -n core link set c-a up")
    mn.event(rf"link {index} up")
    run("ip -n core addr add fe80::1/64 dev c-a nodad", check_=False)
    before = snapshot("mn")
    # renewed: the address is optimistic, and nothing else changes
    run("sysctl -qw net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.w1.accept_dad=1 net.ipv6.conf.w1.dad_transmits=1", "mn")
    mn.events.clear()
    mn.do("renew w1 optimistic")
    mn.event(rf"address {index} fe80::\S+ optimistic")
    mn.event(rf"address {index} fe80::\S+ ready")
    check(not [e for e in mn.events if "removed" in e or "event link" in e], f"{mn.events}")
    after = snapshot("mn")
    for s in (before, after):
        s.pop("sysctl")
    check(not differences(before, after), "renewal: " + differences(before, after))
    # a duplicate is told
    run("ip -n core addr add 2001:db8:a::dd/64 dev c-a nodad")
    mn.do("address w1 2001:db8:a::dd optimistic")
    mn.event(rf"address {index} 2001:db8:a::dd duplicate")
    run("ip -n core addr del 2001:db8:a::dd/64 dev c-a")
    # again, for another link
    mn.do("address w1 2001:db8:a::ee optimistic")
    mn.event(rf"address {index} 2001:db8:a::ee ready")
    mn.do("address w1 2001:db8:a::ee optimistic")
    check("optimistic" not in run("ip -6 addr show dev w1", "mn"), "lifetimes of a ready address made it optimistic")
    mn.do("address w1 2001:db8:a::ee optimistic renew")
    mn.event(rf"address {index} 2001:db8:a::ee optimistic")
    mn.event(rf"address {index} 2001:db8:a::ee ready")
    # a router that vanishes
    mn.do("router w1 fe80::99 2001:db8:a::ee primary")
    s = udp("mn", "2001:db8:a::ee")
    s.sendto(b"x", (CN, 9))
    mn.event(rf"neighbour {index} fe80::99 failed", 8)
    mn.end()
    run("sysctl -qw net.ipv6.conf.all.accept_dad=0", "mn")


# ---- one after the other ----

def end_all(names):
    """Kills what a test that has failed has left in name spaces."""
    for ns in names:
        for pid in run(f"ip netns pids {ns}").split():
            os.kill(int(pid), 9)


def run_all(space, clean_up):
    """The functions test_*() of a module's globals, or those whose names were given; clean_up() after one that has failed.
    results.json is written after each."""
    results = {}
    for t in [v for k, v in list(space.items()) if k.startswith("test_")]:
        name = t.__name__[5:]
        if sys.argv[3:] and name not in sys.argv[3:]:
            continue
        start = time.monotonic()
        try:
            t()
            results[name] = None
        except Exception as e:
            results[name] = f"{type(e).__name__}: {e}"
            if not isinstance(e, Failed):
                traceback.print_exc()
            try:
                clean_up()
            except Exception as e2:
                print(f"clean-up: {e2}")
        print(f"{name}: {results[name] or 'ok'} ({time.monotonic() - start:.1f} s)", flush=True)
        with open(f"{OUT}/results.json", "w") as f:
            json.dump({"results": results, "figures": figures}, f, indent=1)


def clean_up():
    end_all(("ha", "mn"))
    start_ha().end()
    start_mn().end()


def main():
    setup()
    run_all(globals(), clean_up)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
