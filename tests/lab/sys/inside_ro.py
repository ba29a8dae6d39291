#!/usr/bin/python3
"""Runs inside the lab machine: the direct path between a mobile node and a correspondent, without a protocol core.

    mn w1 2001:db8:a::100 ---+
    mn w2 2001:db8:b::100 ---+--- core --- cn 2001:db8:c::c

What is not direct goes through core as well: its route to the home address stands for the tunnel.
Arguments as of inside.py, whose tools are used."""

import importlib.util
import os
import re
import socket
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("inside", os.path.join(HERE, "inside.py"))
i = importlib.util.module_from_spec(spec)
spec.loader.exec_module(i)
run, until, check, Failed, capture, udp, receive = i.run, i.until, i.check, i.Failed, i.capture, i.udp, i.receive
HOA, CN, COA1, COA2 = i.HOA, i.CN, i.COA1, i.COA2
ALWAYS = ["::/0,always"]


def setup():
    for ns in ("core", "mn", "cn"):
        run(f"ip netns add {ns}")
        run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
            "net.ipv6.conf.default.dad_transmits=0 net.ipv6.conf.default.router_solicitations=0", ns)
        run(f"ip -n {ns} link set lo up")
    run("sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.icmp.ratelimit=0", "core")
    i.cable("core", "c-a", "mn", "w1")
    i.cable("core", "c-b", "mn", "w2")
    i.cable("core", "c-cn", "cn", "eth0")
    for ns, dev, address in (("core", "c-a", "2001:db8:a::1/64"), ("core", "c-b", "2001:db8:b::1/64"),
                             ("core", "c-cn", "2001:db8:c::1/64"), ("mn", "w1", COA1 + "/64"),
                             ("mn", "w2", COA2 + "/64"), ("cn", "eth0", CN + "/64"), ("cn", "eth0", "2001:db8:c::d/64")):
        run(f"ip -n {ns} addr add {address} dev {dev} nodad")
    run(f"ip -n mn addr add {HOA}/128 dev lo nodad home")
    run("ip -n mn route add default via 2001:db8:a::1")
    for table, coa, gateway in ((11, COA1, "2001:db8:a::1"), (12, COA2, "2001:db8:b::1")):
        run(f"ip -n mn -6 rule add from {coa} lookup {table}")
        run(f"ip -n mn route add default via {gateway} table {table}")
    run("ip -n cn route add default via 2001:db8:c::1")
    run(f"ip -n core route add {HOA}/128 via {COA1}")
    # The kernel adds these when the carrier is there; what is compared later has to have them from the beginning.
    for ns, dev in (("mn", "w1"), ("mn", "w2"), ("cn", "eth0")):
        until(lambda ns=ns, dev=dev: f"fe80::/64 dev {dev} " in run("ip -6 route", ns), f"the link-local address of {dev}")


def start(*rules):
    return i.Drive("mn", HOA, *rules), i.Drive("cn", "-")


def state(ns):
    return {"xfrm": run("ip xfrm state", ns) + run("ip xfrm policy", ns), "nft": run("nft list ruleset", ns),
            "routes": i.clean(run("ip -6 route show table all", ns))}


def nothing_left(before, *nodes):
    for ns in nodes:
        d = i.differences(before[ns], state(ns))
        check(not d, f"{ns}: {d}")


def pair(mn, cn, coa):
    cn.do(f"peer {CN} {HOA} {coa}")
    mn.do(f"receive {HOA} {CN} on")
    mn.do(f"own {HOA} {CN} {coa}")


class Wire:
    """What of a flow is on the wire."""

    def __init__(self, what="ip6 and not icmp6"):
        self.p = capture("core", "-v", "-i", "any", what)
        self.text = ""
        os.set_blocking(self.p.stdout.fileno(), False)

    def see(self, pattern):
        def found():
            try:
                self.text += os.read(self.p.stdout.fileno(), 65536).decode()
            except BlockingIOError:
                pass
            for line in self.text.split("\n")[:-1]:
                if re.search(pattern, line):
                    self.text = ""
                    return line
        try:
            return until(found, pattern, 3)
        except Failed as e:
            raise Failed(f"{e}; seen: {self.text[-600:]}")

    def end(self):
        self.p.kill()
        self.p.wait()


def to_cn(coa):
    """By the link of the care-of address: a socket with its path cached would use the one before."""
    return rf"{'c-a' if coa == COA1 else 'c-b'} +In .*{coa}(\.\d+)? > {CN}.*DSTOPT.*{HOA}"


def to_mn(coa):
    return rf"{CN}(\.\d+)? > {coa}.*(srcrt|RT6).*{HOA}"


PLAIN_UP, PLAIN_DOWN = rf"{HOA}\.\d+ > {CN}\.\d+: .*UDP", rf"{CN}\.\d+ > {HOA}\.\d+: .*UDP"


def connected():
    a, b = udp("mn", HOA, 17001), udp("cn", CN, 17002)
    a.connect((CN, 17002))
    b.connect((HOA, 17001))
    return a, b


def exchange(a, b, wire, up, down):
    a.send(b"up")
    wire.see(up)
    check(receive(b), f"nothing arrived at the correspondent ({up})")
    b.send(b"down")
    wire.see(down)
    check(receive(a), f"nothing arrived at the mobile node ({down})")


def test_connected_udp_follows_at_once():
    before = {ns: state(ns) for ns in ("mn", "cn")}
    mn, cn = start()
    wire = Wire("ip6 and not icmp6")
    a, b = connected()
    exchange(a, b, wire, PLAIN_UP, PLAIN_DOWN)
    pair(mn, cn, COA1)
    exchange(a, b, wire, to_cn(COA1), to_mn(COA1))
    cn.do(f"idle {CN} {HOA}")
    cn.event(r"idle [0-3]$")
    # a move: the correspondent first, as its acknowledgement tells the mobile node
    mn.do(f"own {HOA} {CN} -")
    exchange(a, b, wire, PLAIN_UP, to_mn(COA1))
    cn.do(f"peer {CN} {HOA} {COA2}")
    mn.do(f"own {HOA} {CN} {COA2}")
    exchange(a, b, wire, to_cn(COA2), to_mn(COA2))
    # without the fall back in between: states alone are updated
    cn.do(f"peer {CN} {HOA} {COA1}")
    mn.do(f"own {HOA} {CN} {COA1}")
    exchange(a, b, wire, to_cn(COA1), to_mn(COA1))
    mn.do(f"own {HOA} {CN} -")
    cn.do(f"peer {CN} {HOA} -")
    exchange(a, b, wire, PLAIN_UP, PLAIN_DOWN)
    mn.do(f"receive {HOA} {CN} off")
    for ns in ("mn", "cn"):
        check("priority 5000" not in run("ip xfrm policy", ns), f"{ns}: a policy of the pair is left")
        check(HOA not in run("ip xfrm state", ns), f"{ns}: a state of the pair is left")
    mn.end()
    cn.end()
    nothing_left(before, "mn", "cn")
    wire.end()


def test_neighbours_of_the_home_address_are_not_direct():
    mn, cn = start()
    pair(mn, cn, COA1)
    for words in ("proto mobility-header", "proto ipv6-icmp type 135", "proto ipv6-icmp type 136"):
        check(words in run("ip xfrm policy", "mn"), f"no policy for {words}: {run('ip xfrm policy', 'mn')}")
    s = i.ns_socket("mn", socket.AF_INET6, socket.SOCK_RAW, 135)
    s.bind((HOA, 0))
    wire = Wire("ip6 host " + CN)
    s.sendto(bytes([59, 1, 1, 0, 0, 0, 0, 0]) + bytes(8), (CN, 0))
    line = wire.see(rf"{HOA} > {CN}|{COA1} > {CN}")
    check("DSTOPT" not in line, line)
    wire.end()
    mn.end()
    cn.end()


def test_reports_are_few_and_name_the_care_of_address():
    mn, cn = start()
    mn.do(f"own {HOA} {CN} {COA1}")
    a = udp("mn", HOA, 17001)
    b = udp("cn", CN, 17002)
    a.sendto(b"x", (CN, 17002))
    cn.event(f"unverified local {CN} home {HOA} care-of {COA1}$")
    check(not receive(b, 0.3), "a packet without binding was accepted")
    # a binding for another care-of address is none for this
    cn.do(f"peer {CN} {HOA} {COA2}")
    a.sendto(b"x", (CN, 17002))
    cn.event(f"unverified local {CN} home {HOA} care-of {COA1}$")
    check(not receive(b, 0.3), "a packet of another care-of address was accepted")
    for _ in range(500):
        a.sendto(b"x", (CN, 17002))
    cn.do("stats")
    text = cn.event(r"stats reports")
    check(int(re.search(r"reports (\d+)", text)[1]) < 40, text)
    # a flood without binding does not touch what is bound
    cn.do(f"peer {CN} {HOA} {COA1}")
    a.sendto(b"bound", (CN, 17002))
    check(receive(b), "a packet of the binding was dropped")
    mn.end()
    cn.end()


def bulk(sender, receiver, src, dst, megabytes=2):
    """Seconds that a TCP transfer takes."""
    server = i.ns_socket(receiver, socket.AF_INET6, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((dst, 7100))
    server.listen(1)
    client = i.ns_socket(sender, socket.AF_INET6, socket.SOCK_STREAM)
    client.settimeout(10)
    client.bind((src, 0))
    client.connect((dst, 7100))
    peer, _ = server.accept()
    peer.settimeout(10)

    def send():
        try:
            client.sendall(bytes(megabytes << 20))
        except OSError:
            pass
        client.close()
    t = threading.Thread(target=send)
    begin = time.monotonic()
    t.start()
    n = 0
    try:
        while True:
            d = peer.recv(1 << 16)
            if not d:
                break
            n += len(d)
    except socket.timeout:
        pass
    peer.close()
    server.close()
    t.join()
    check(n == megabytes << 20, f"{n} octets of {megabytes} MB from {sender} arrived")
    return time.monotonic() - begin


def test_packet_too_big_both_ways():
    before = {ns: state(ns) for ns in ("mn", "cn")}
    mn, cn = start()
    pair(mn, cn, COA1)
    run("ip -n core link set c-a mtu 1300")
    try:
        i.figures["cn_to_mn_s"] = bulk("cn", "mn", CN, HOA)
        cn.do("stats")
        check("mtu 1 " in cn.event("stats"), "the correspondent has set no MTU")
    finally:
        run("ip -n core link set c-a mtu 1500")
    run("ip -n core link set c-cn mtu 1300")
    try:
        i.figures["mn_to_cn_s"] = bulk("mn", "cn", HOA, CN)
        mn.do("stats")
        check("mtu 1 " in mn.event("stats"), "the mobile node has set no MTU")
    finally:
        run("ip -n core link set c-cn mtu 1500")
    check("mtu 1300" in run("ip -6 route show table 11", "mn"), "not in the table of the care-of address")
    mn.do(f"own {HOA} {CN} {COA2}")
    check("mtu 1300" not in run("ip -6 route show table all", "mn"), "the MTU stays after a move")
    mn.end()
    cn.end()
    for s in before.values():
        s["routes"] = "\n".join(sorted(x for x in s["routes"].split("\n")))
    nothing_left(before, "mn", "cn")


def forged(src, dst, mtu):
    import struct
    inner = struct.pack("!IHBB", 6 << 28, 40, 17, 64) + socket.inet_pton(socket.AF_INET6, src) + \
        socket.inet_pton(socket.AF_INET6, dst) + bytes(40)
    return bytes([2, 0, 0, 0]) + struct.pack("!I", mtu) + inner


def test_forged_packet_too_big():
    mn, cn = start()
    pair(mn, cn, COA1)
    s = i.ns_socket("core", socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    s.sendto(forged(CN, "2001:db8:b::77", 1290), (CN, 0))
    cn.event("icmp 2 0 info 1290")
    s.sendto(forged("2001:db8:c::d", COA1, 1290), (CN, 0))
    cn.event("icmp 2 0 info 1290")
    check("mtu" not in run("ip -6 route show table all proto 175", "cn"), "a forged message was believed")
    s.sendto(forged(CN, COA1, 68), (CN, 0))
    cn.event("icmp 2 0 info 68")
    check("mtu 1280" in run("ip -6 route show table all proto 175", "cn"), "not the minimum")
    cn.do("stats")
    check("mtu 1 ignored 2" in cn.event("stats"), "counted otherwise")
    mn.end()
    cn.end()


def test_killed_and_started_again():
    before = {ns: state(ns) for ns in ("mn", "cn")}
    mn, cn = start(*ALWAYS)
    pair(mn, cn, COA1)
    mn.kill()
    cn.kill()
    check(HOA in run("ip xfrm state", "cn"), "the kernel forgot by itself")
    mn, cn = start(*ALWAYS)
    for ns in ("mn", "cn"):
        check(COA1 not in run("ip xfrm state", ns), f"{ns}: states of the predecessor are left")
    a, b = connected()
    a.send(b"plain")
    check(receive(b), "the path of the predecessor is still in force")
    mn.end()
    cn.end()
    nothing_left(before, "mn", "cn")


def told(d):
    d.do("stats")
    d.event("stats")
    return [e for e in d.events if "traffic" in e]


def told_after(a, d, peer, n):
    """The number of packets to peer after which it is told."""
    for k in range(1, n + 3):
        a.sendto(b"x", (peer, 9))
        d.poll()
        if any(f"traffic {peer}" in e for e in told_events(d)):
            return k
    return None


def told_events(d):
    d.events = [e for e in d.events if "stats" not in e]
    d.do("stats")
    return d.events


def test_watch_counts_exactly():
    mn, cn = start("2001:db8:c::d/128,never", "2001:db8:c::c/128,after,5,0", "2001:db8:b::/64,always",
                   "2001:db8:c::/64,after,10,1")
    udp("cn", CN, 9), udp("cn", "2001:db8:c::d", 9)
    sinks = [udp("cn", CN, 9), udp("cn", "2001:db8:c::d", 9)]
    a = udp("mn", HOA, 17001)
    check(told_after(a, mn, "2001:db8:c::d", 20) is None, "a peer of the rule never was told")
    n = told_after(a, mn, CN, 10)
    check(n == 6, f"after 5 packets: told with packet {n}")
    n = told_after(a, mn, "2001:db8:b::1", 3)
    check(n == 1, f"always: told with packet {n}")
    # faster than one a second: the burst of ten, and what the time that has passed allows
    begin = time.monotonic()
    n = told_after(a, mn, "2001:db8:c::77", 60)
    most = 11 + int(time.monotonic() - begin) + 1
    check(n and 11 <= n <= most, f"after 10 packets faster than 1 a second: told with packet {n}")
    mn.events = []
    for _ in range(13):  # slower than that, so never
        a.sendto(b"x", ("2001:db8:c::78", 9))
        time.sleep(1.1)
    check(not told(mn), "told of packets that were slower than the rule's rate")
    mn.events = []
    for _ in range(20):
        a.sendto(b"x", (CN, 9))
    check(not told(mn), "told more than once")
    mn.do(f"watch {CN} off")
    for _ in range(20):
        a.sendto(b"x", (CN, 9))
    check(not told(mn), "told although it is of no interest")
    mn.do(f"watch {CN} on")
    n = told_after(a, mn, CN, 10)
    check(n, "not told again")
    for s in sinks:
        s.close()
    # what comes in counts, too
    mn.do(f"watch {CN} on")
    mn.events = []
    udp("cn", CN, 7009).sendto(b"x", (HOA, 9))
    mn.event(f"traffic {CN}")
    mn.end()
    cn.end()


def test_ten_thousand_pairs():
    cn = i.Drive("cn", "-")
    for first, last in ((0, 1000), (1000, 10000)):
        begin = time.monotonic()
        for k in range(first, last):
            cn.p.stdin.write(f"peer {CN} 2001:db8:1::{k + 0x2000:x} 2001:db8:a::{k + 0x2000:x}\n")
            if k % 200 == 199:
                cn.p.stdin.flush()
                until(lambda: cn.poll() or len(cn.answers) > k % 200, "answers", 60)
                check(all(a.startswith("ok") for a in cn.answers), str(cn.answers[:3]))
                cn.answers = []
        i.figures[f"pairs_to_{last}_us_each"] = (time.monotonic() - begin) / (last - first) * 1e6
    cn.p.stdin.write("quit\n")
    cn.p.wait(60)
    check(run("ip xfrm state", "cn") == "" and run("ip xfrm policy", "cn") == "", "something is left")


def clean_up():
    i.end_all(("mn", "cn"))
    for ns in ("mn", "cn"):
        i.Drive(ns, HOA if ns == "mn" else "-").end()


setup()
i.run_all(globals(), clean_up)
