#!/usr/bin/python3
"""Runs inside the lab machine: operations on SAs and policies as the kernel's own tools see them afterwards.

    mn w1 2001:db8:a::100 ---+
    mn w2 2001:db8:b::100 ---+--- core --- ha 2001:db8:1::1000

What is not direct goes through core, whose route to the home address stands for the home link.
Arguments as of inside.py, whose tools are used."""

import importlib.util
import os
import re
import socket

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("inside", os.path.join(HERE, "inside.py"))
i = importlib.util.module_from_spec(spec)
spec.loader.exec_module(i)
run, until, check, capture, udp, receive = i.run, i.until, i.check, i.capture, i.udp, i.receive
HA, HOA, COA1, COA2 = i.HA, i.HOA, i.COA1, i.COA2
ANY, MH, ESP = "::", 135, 50


def setup():
    for ns in ("core", "mn", "ha"):
        run(f"ip netns add {ns}")
        run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
            "net.ipv6.conf.default.dad_transmits=0 net.ipv6.conf.default.router_solicitations=0", ns)
        run(f"ip -n {ns} link set lo up")
    run("sysctl -qw net.ipv6.conf.all.forwarding=1", "core")
    i.cable("core", "c-a", "mn", "w1")
    i.cable("core", "c-b", "mn", "w2")
    i.cable("core", "c-ha", "ha", "eth0")
    for ns, dev, address in (("core", "c-a", "2001:db8:a::1/64"), ("core", "c-b", "2001:db8:b::1/64"),
                             ("core", "c-ha", "2001:db8:1::1/64"), ("mn", "w1", COA1 + "/64"),
                             ("mn", "w2", COA2 + "/64"), ("ha", "eth0", HA + "/64")):
        run(f"ip -n {ns} addr add {address} dev {dev} nodad")
    run(f"ip -n mn addr add {HOA}/128 dev lo nodad home")
    run("ip -n mn route add default via 2001:db8:a::1")
    run(f"ip -n mn -6 rule add from {COA2} lookup 12")
    run("ip -n mn route add default via 2001:db8:b::1 table 12")
    run(f"ip -n core route add {HOA}/128 via {COA1}")
    run("ip -n ha route add default via 2001:db8:1::1")
    run(f"ip -n ha route add {HOA}/128 via 2001:db8:1::1")


class Drive(i.Drive):
    def plan(self, *lines, fails=False):
        """Carry a plan out; the answer, which must be of a failure if fails."""
        for line in lines:
            self.do(line)
        self.p.stdin.write("go\n")
        self.p.stdin.flush()
        answer = i.Drive.wait(self, "ok go|.*") if not fails else self.failure()
        return answer

    def failure(self):
        def found():
            self.poll()
            return self.answers.pop(0) if self.answers else None
        answer = until(found, "go")
        check(answer.startswith("error go"), f"did not fail: {answer}")
        return answer

    def list(self, word="show"):
        self.poll()
        self.events.clear()
        self.do(word)
        return [e[6:] for e in self.events]


def start(ns="ha"):
    d = Drive(ns)
    return d


def clear(*nodes):
    for ns in nodes or ("mn", "ha"):
        run("ip xfrm state flush", ns)
        run("ip xfrm policy flush", ns)


def states(ns, counters=False):
    """`ip xfrm state` as blocks of text without what time alone changes."""
    text = run(f"ip {'-s ' if counters else ''}xfrm state", ns)
    return sorted(re.split(r"\n(?=src )", text.strip())) if text.strip() else []


def policies(ns):
    text = re.sub(r" +$", "", run("ip xfrm policy", ns), flags=re.M)
    return sorted(re.split(r"\n(?=src )", text.strip())) if text.strip() else []


def everything(ns):
    return "\n".join(states(ns)) + "\n----\n" + "\n".join(policies(ns))


def key(spi, n, first=0):
    return "0x" + "".join(f"{(spi + first + k) & 255:02x}" for k in range(n))


# ---- what is built ----

ALGORITHMS = {
    "aes-gcm-128": ("aead rfc4106(gcm(aes)) {0} 128", 20, 0), "aes-gcm-256": ("aead rfc4106(gcm(aes)) {0} 128", 36, 0),
    "chacha20-poly1305": ("aead rfc7539esp(chacha20,poly1305) {0} 128", 36, 0),
    "aes-cbc-128-hmac-sha256": ("auth-trunc hmac(sha256) {1} 128|enc cbc(aes) {0}", 16, 32),
    "aes-cbc-256-hmac-sha512": ("auth-trunc hmac(sha512) {1} 256|enc cbc(aes) {0}", 32, 64),
    "aes-cbc-128-hmac-sha1": ("auth-trunc hmac(sha1) {1} 96|enc cbc(aes) {0}", 16, 20)}


def test_sas_as_the_kernel_shows_them():
    clear()
    d = start()
    for n, (name, (words, enc, auth)) in enumerate(ALGORITHMS.items()):
        spi = 0x100 + n
        d.plan(f"sa {HOA} {HA} {spi} 7 transport {name} window=4096")
        text = run(f"ip xfrm state get src {HOA} dst {HA} proto esp spi {spi}", "ha")
        check(f"proto esp spi 0x{spi:08x} reqid 7 mode transport" in text and "af-unspec" in text, text)
        for w in words.format(key(spi, enc), key(spi, auth, enc)).split("|"):
            check(w in text, f"{w} not in {text}")
        check("replay_window 4096, bitmap-length 128" in text and "seq 0x0, oseq-hi 0x0, oseq 0x0" in text, text)
        check(any(re.match(f"sa {HOA} {HA} spi 0x{spi:x} reqid 7 transport {name} window 4096 sent 0 ", e)
                  for e in d.list()), d.list())
    d.end()


def test_limits_and_numbers():
    clear()
    d = start()
    d.plan(f"sa {COA1} {HA} 0x200 9 tunnel aes-gcm-128 esn sent={0x500000007} received={0x200000009} hard_packets=1000 "
           "soft_packets=900 hard_s=3600",
           f"sa {HA} {COA1} 0x201 9 tunnel aes-gcm-128 sent=77")
    text = run(f"ip -s xfrm state get src {COA1} dst {HA} proto esp spi 0x200", "ha")
    for w in ("mode tunnel", "flag af-unspec esn", "oseq-hi 0x5, oseq 0x7", "seq-hi 0x2, seq 0x9", "soft 900(packets), hard 1000(packets)",
              "soft (INF)(bytes), hard (INF)(bytes)", "expire add: soft 0(sec), hard 3600(sec)"):
        check(w in text, f"{w} not in {text}")
    text = run(f"ip -s xfrm state get src {HA} dst {COA1} proto esp spi 0x201", "ha")
    check("oseq 0x4d" in text and "replay_window 0" in text and "esn" not in text.split("anti-replay")[0], text)
    listed = d.list()
    check(any(f"esn window 32 sent {0x500000007} received {0x200000009} hard_packets 1000 " in e for e in listed), listed)
    check(any("spi 0x201 reqid 9 tunnel aes-gcm-128 window 0 sent 77 received 0 hard_packets 0" in e for e in listed), listed)
    d.plan(f"limits {COA1} {HA} 0x200 9 tunnel aes-gcm-128 esn sent=0 received=0 hard_packets=5000")
    text = run(f"ip -s xfrm state get src {COA1} dst {HA} proto esp spi 0x200", "ha")
    check("hard 5000(packets)" in text and "oseq-hi 0x5, oseq 0x7" in text, text)
    d.plan(f"sa-del {HA} 0x200 9 {COA1}", f"sa-del {HA} 0x999 9 {COA1}")
    check(not any("spi 0x200" in e for e in d.list()), "not deleted")
    d.end()


def test_policies_as_the_kernel_shows_them():
    clear()
    d = start()
    d.plan(f"policy in {HOA}/128 {HA}/128 mh -1 8 allow esp,transport,7,{HOA},{HA} hao,ro,0,::,::,?",
           f"policy out {HA}/128 {HOA}/128 icmp6 135 7 allow",
           f"policy fwd {HOA}/128 ::/0 any -1 6000 allow esp,tunnel,9,{COA1},{HA}",
           "policy out 10.9.0.1 10.9.0.2 any -1 5000 allow esp,tunnel,9,::,::",
           f"policy out {HOA}/128 ::/0 udp -1 6000 block")
    want = [f"src {HOA}/128 dst {HA}/128 proto mobility-header \n\tdir in priority 8 ptype main \n"
            f"\ttmpl src {HOA} dst {HA}\n\t\tproto esp reqid 7 mode transport\n"
            "\ttmpl src :: dst ::\n\t\tproto hao reqid 0 mode ro\n\t\tlevel use",
            f"src {HA}/128 dst {HOA}/128 proto ipv6-icmp type 135 \n\tdir out priority 7",
            f"src {HOA}/128 dst ::/0 \n\tdir fwd priority 6000 ptype main \n\ttmpl src {COA1} dst {HA}\n\t\tproto esp reqid 9 mode tunnel",
            "src 10.9.0.1/32 dst 10.9.0.2/32 \n\tdir out priority 5000 ptype main \n\ttmpl src :: dst ::",
            f"src {HOA}/128 dst ::/0 proto udp \n\tdir out action block priority 6000"]
    have = "\n".join(policies("ha"))
    for w in want:
        check(re.sub(r"\s+", " ", w) in re.sub(r"\s+", " ", have), f"{w}\nnot in\n{have}")
    listed = d.list()
    check(len(listed) == 5, listed)
    check(f"policy in {HOA}/128 {HA}/128 proto 135 type -1 priority 8 allow [50 0 7 {HOA} {HA}] [60 2 0 :: :: ?]" in listed, listed)
    check(f"policy out {HA}/128 {HOA}/128 proto 58 type 135 priority 7 allow" in listed, listed)
    check(f"policy out {HOA}/128 ::/0 proto 17 type -1 priority 6000 block" in listed, listed)
    d.plan(f"policy in {HOA}/128 {HA}/128 mh -1 9 allow esp,transport,8,{HOA},{HA}")
    check(f"policy in {HOA}/128 {HA}/128 proto 135 type -1 priority 9 allow [50 0 8 {HOA} {HA}]" in d.list(), d.list())
    d.plan(f"policy-del in {HOA}/128 {HA}/128 mh -1", f"policy-del in {HOA}/128 {HA}/128 mh -1",
           f"policy-del out {HA}/128 {HOA}/128 icmp6 135")
    check(len(policies("ha")) == 3, policies("ha"))
    text = run("ip -s -s xfrm policy count", "ha")
    check(re.search(r"IPv6.*\n?.*local 0 remote 128|local 0.*remote 128", text), f"hash thresholds: {text}")
    d.end()


def test_states_of_headers():
    clear()
    d = start()
    d.plan(f"ro hao {HOA} {HA} {COA1}", f"ro route2 {HA} {HOA} {COA1}", "wildcard hao")
    text = run("ip xfrm state", "ha")
    for w in (rf"src {HOA} dst {HA}\s+proto hao reqid 0 mode ro\s[^:]*output-mark 0x0/0x80000000\s+coa {COA1}", rf"src {HA} dst {HOA}\s+proto route2 reqid 0 mode ro",
              r"src :: dst ::\s+proto hao reqid 0 mode ro\s+replay-window 0 flag wildrecv"):
        check(re.search(w, text), f"{w} not in {text}")
    d.plan(f"ro hao {HOA} {HA} {COA2}", "wildcard hao")
    check(f"ro 60 {HOA} {HA} {COA2}" in d.list() and "ro 60 :: :: :: wildcard" in d.list(), d.list())
    d.plan(f"ro-del hao {HOA} {HA}", f"ro-del route2 {HA} {HOA}", f"ro-del route2 {HA} {HOA}")
    check(d.list() == ["ro 60 :: :: :: wildcard"], d.list())
    d.end()


# ---- what it does to packets ----

def pair(mn, ha, reqid=7):
    """Mobility Headers between home address and home agent: transport mode, behind Home Address option and routing header."""
    sas = (f"sa {HOA} {HA} 0x1001 {reqid} transport aes-gcm-128 window=64", f"sa {HA} {HOA} 0x1002 {reqid} transport aes-gcm-128 window=64")
    up, down = f"{HOA}/128 {HA}/128 mh -1 8 allow esp,transport,{reqid},{HOA},{HA}", f"{HA}/128 {HOA}/128 mh -1 8 allow esp,transport,{reqid},{HA},{HOA}"
    esp = "policy in ::/0 ::/0 esp -1 1 allow hao,ro,0,::,::,? route2,ro,0,::,::,?"
    mn.plan(*sas, esp, "wildcard route2", f"policy out {up} hao,ro,0,::,::,?", f"policy in {down} route2,ro,0,::,::,?")
    ha.plan(*sas, esp, "wildcard hao", f"policy in {up} hao,ro,0,::,::,?", f"policy out {down} route2,ro,0,::,::,?")


def mh_socket(ns, address):
    s = i.ns_socket(ns, socket.AF_INET6, socket.SOCK_RAW, MH)
    s.bind((address, 0))
    s.setblocking(False)
    return s


HEARTBEAT = bytes([59, 1, 13, 0]) + bytes(12)


def exchange(a, b):
    a.sendto(HEARTBEAT, (HA, 0))
    check(receive(b), "nothing arrived at the home agent")
    b.sendto(HEARTBEAT, (HOA, 0))
    check(receive(a), "nothing arrived at the mobile node")


def seen(p):
    p.terminate()
    return p.communicate()[0]


def test_transport_mode_behind_both_headers():
    clear()
    mn, ha = start("mn"), start("ha")
    pair(mn, ha)
    a, b = mh_socket("mn", HOA), mh_socket("ha", HA)
    wire = capture("core", "-v", "-i", "any", "ip6 and not icmp6")
    exchange(a, b)
    mn.plan(f"ro hao {HOA} {HA} {COA1}")
    ha.plan(f"ro route2 {HA} {HOA} {COA1}")
    exchange(a, b)
    mn.plan(f"ro hao {HOA} {HA} {COA2}")
    ha.plan(f"ro route2 {HA} {HOA} {COA2}")
    exchange(a, b)
    text = seen(wire)
    for w in (rf"{HOA} > {HA}: ESP\(spi=0x00001001,seq=0x1\)", rf"{COA1} > {HA}: DSTOPT.*{HOA}.*ESP\(spi=0x00001001,seq=0x2\)",
              rf"{HA} > {COA1}: .*{HOA}.*ESP\(spi=0x00001002,seq=0x2\)", rf"{COA2} > {HA}: DSTOPT.*{HOA}.*ESP\(spi=0x00001001,seq=0x3\)",
              rf"{HA} > {COA2}: .*{HOA}.*ESP\(spi=0x00001002,seq=0x3\)"):
        check(re.search(w, text), f"{w} not in {text}")
    check(any("spi 0x1001" in e and "sent 0 received 3" in e and "packets 3" in e for e in ha.list()), ha.list())
    mn.end()
    ha.end()


def tunnel(d, out, coa=COA1, payload="udp"):
    """The tunnel between care-of address and home agent."""
    up, down = f"{HOA}/128 ::/0 {payload} -1 6000 allow esp,tunnel,9,{coa},{HA}", f"::/0 {HOA}/128 {payload} -1 6000 allow esp,tunnel,9,{HA},{coa}"
    d.plan(f"sa {coa} {HA} 0x2001 9 tunnel aes-gcm-128 window=4096", f"sa {HA} {coa} 0x2002 9 tunnel aes-gcm-128 window=4096",
           f"policy {'out' if out else 'in'} {up}", f"policy {'in' if out else 'out'} {down}")


def moves(out, old, new):
    """Up to date of one side: its out policy first."""
    up, down = f"{HOA}/128 ::/0 udp 9 tunnel {old} {HA} {new} {HA}", f"::/0 {HOA}/128 udp 9 tunnel {HA} {old} {HA} {new}"
    return [f"migrate {'out' if out else 'in'} {up}", f"migrate {'in' if out else 'out'} {down}"]


def talk(a, b, n=3):
    for k in range(n):
        a.sendto(b"up%d" % k, (HA, 17002))
        check(receive(b), f"packet {k} did not arrive at the home agent")
        b.sendto(b"down%d" % k, (HOA, 17001))
        check(receive(a), f"packet {k} did not arrive at the mobile node")


def test_migrate_keeps_counters_and_replay():
    clear()
    mn, ha = start("mn"), start("ha")
    tunnel(mn, True)
    tunnel(ha, False)
    a, b = udp("mn", HOA, 17001), udp("ha", HA, 17002)
    talk(a, b)
    ha.plan(*moves(False, COA1, COA2))
    mn.plan(*moves(True, COA1, COA2))
    listed = ha.list()
    check(any(f"sa {COA2} {HA} spi 0x2001" in e and "received 3" in e and "packets 3" in e for e in listed), listed)
    check(any(f"sa {HA} {COA2} spi 0x2002" in e and "sent 3" in e and "window 4096" in e for e in listed), listed)
    check(not any(COA1 in e for e in listed), listed)
    text = run(f"ip xfrm state get src {COA2} dst {HA} proto esp spi 0x2001", "ha")
    check("00000007" in text, f"bitmap: {text}")
    check(COA1 not in run("ip xfrm policy", "ha") and COA2 in run("ip xfrm policy", "ha"), run("ip xfrm policy", "ha"))
    talk(a, b, 2)
    # whoever moves gets none of its own deletions back
    ha.poll()
    ha.events.clear()
    ha.do("events")
    check(not any("gone" in e for e in ha.events), ha.events)
    check(any(f"kernel migrate {COA2} {HA}" in e for e in ha.events), ha.events)
    mn.end()
    ha.end()


def oseq(ns, coa, spi="0x2001"):
    text = run(f"ip xfrm state get src {coa} dst {HA} proto esp spi {spi}", ns)
    return int(re.search(r"oseq (0x\w+)", text)[1], 16)


def test_stop_and_skip():
    clear()
    mn, ha = start("mn"), start("ha")
    tunnel(mn, True)
    tunnel(ha, False)
    a, b = udp("mn", HOA, 17001), udp("ha", HA, 17002)
    talk(a, b)
    mn.plan(f"stop {HA} 0x2001 9 {COA1}")
    check(oseq("mn", COA1) == 0xffffffff, "not stopped")
    try:
        a.sendto(b"no", (HA, 17002))
    except OSError:
        pass
    check(not receive(b, 0.3), "a stopped SA has sent")
    mn.plan(*moves(True, COA1, COA2))
    check(oseq("mn", COA2) == 0xffffffff, "the clone of a stopped SA sends")
    ha.plan(*moves(False, COA1, COA2))
    mn.plan(f"skip {HA} 0x2001 9 {COA2}")
    check(oseq("mn", COA2) == 3 + 1024, hex(oseq("mn", COA2)))
    talk(a, b)
    check(any("spi 0x2001" in e and f"received {3 + 1024 + 3}" in e for e in ha.list()), ha.list())
    # an SA that is not there is no error; all of it in one plan
    mn.plan(f"pause {HOA}", f"stop {HA} 0x7777 9 {COA2}", f"stop {HA} 0x2001 9 {COA2}", *moves(True, COA2, COA1),
            f"skip {HA} 0x2001 9 {COA1}", f"skip {HA} 0x7777 9 {COA1}", f"resume {HOA}")
    mn.event(f"pause {HOA}")
    mn.event(f"resume {HOA}")
    check(oseq("mn", COA1) == 1024 + 6 + 1024, hex(oseq("mn", COA1)))
    mn.end()
    ha.end()


def test_skip_with_extended_numbers():
    clear()
    d = start("mn")
    last = (1 << 32) - 5
    d.plan(f"sa {HOA} {HA} 0x11 7 transport aes-gcm-128 esn window=64 sent={(3 << 32) + last}",
           f"sa {HOA} {HA} 0x12 7 transport aes-gcm-128 window=64 sent={last}")
    d.plan(f"stop {HA} 0x11 7 {HOA}", f"stop {HA} 0x12 7 {HOA}", f"skip {HA} 0x11 7 {HOA}", f"skip {HA} 0x12 7 {HOA}")
    listed = d.list()
    check(any(f"spi 0x11 " in e and f"sent {(3 << 32) + last + 1024} " in e for e in listed), listed)
    check(any(f"spi 0x12 " in e and f"sent {(1 << 32) - 1} " in e for e in listed), f"wraps: {listed}")
    d.end()


# ---- a whole or nothing ----

BASE = (f"sa {HOA} {HA} 0x1001 7 transport aes-gcm-128 window=64", f"sa {COA1} {HA} 0x2001 9 tunnel aes-cbc-128-hmac-sha256 window=4096",
        f"policy in {HOA}/128 {HA}/128 mh -1 8 allow esp,transport,7,{HOA},{HA} hao,ro,0,::,::,?",
        f"policy in {HOA}/128 ::/0 udp -1 6000 allow esp,tunnel,9,{COA1},{HA}", f"ro hao {HOA} {HA} {COA1}")


def without_numbers(text):
    return re.sub(r"oseq 0x\w+", "oseq", text)


def test_failure_in_the_middle():
    clear()
    d = start()
    d.plan(*BASE)
    before = everything("ha")
    bad = f"sa {HOA} {HA} 0x1001 7 transport aes-gcm-128"
    work = (f"sa {HA} {HOA} 0x1003 7 transport aes-gcm-128 esn window=64", f"policy in {HOA}/128 {HA}/128 mh -1 9 block",
            f"policy out {HA}/128 {HOA}/128 mh -1 8 allow esp,transport,7,{HA},{HOA}", f"ro hao {HOA} {HA} {COA2}",
            f"ro route2 {HA} {HOA} {COA2}", "wildcard hao",
            f"limits {HOA} {HA} 0x1001 7 transport aes-gcm-128 window=64 hard_packets=9",
            f"migrate in {HOA}/128 ::/0 udp 9 tunnel {COA1} {HA} {COA2} {HA}", f"policy-del in {HOA}/128 {HA}/128 mh -1",
            f"pause {HOA}", f"stop {HA} 0x1001 7 {HOA}")
    n = 0
    for at in range(len(work) + 1):
        answer = d.plan(*work[:at], bad, *work[at:], fails=True)
        check(f"op {at} sa-add -17 File exists" in answer and "not undone" not in answer, answer)
        check(without_numbers(everything("ha")) == without_numbers(before), f"after failure at {at}:\n{everything('ha')}\nbefore:\n{before}")
        n += 1
    check(n == 12, n)
    # the kernel's own words
    answer = d.plan(f"policy in {HOA}/128 {HA}/128 mh -1 9 block", f"sa {HOA} {HA} 0x1009 7 transport nonsense", fails=True)
    check("op 1 sa-add" in answer, answer)
    check(without_numbers(everything("ha")) == without_numbers(before), everything("ha"))
    # may fail: says nothing, goes on
    d.plan(bad, "may-fail", f"policy out {HA}/128 {HOA}/128 mh -1 8 allow")
    check(len(policies("ha")) == 3, policies("ha"))
    d.end()


def test_deletions_are_undone():
    clear()
    mn, ha = start("mn"), start("ha")
    tunnel(mn, True)
    tunnel(ha, False)
    a, b = udp("mn", HOA, 17001), udp("ha", HA, 17002)
    talk(a, b)
    before = run("ip -s xfrm state", "ha") + run("ip xfrm policy", "ha")
    ha.do("pause-fails")
    answer = ha.plan(f"sa-del {HA} 0x2001 9 {COA1}", f"sa-del {COA1} 0x2002 9 {HA}", f"policy-del in {HOA}/128 ::/0 udp -1",
                     f"resume {HOA}", fails=True)
    check("op 3 resume -5" in answer and "not undone" not in answer, answer)
    after = run("ip -s xfrm state", "ha") + run("ip xfrm policy", "ha")

    def known(text):
        return sorted(re.sub(r"oseq 0x\w+|use \S+ \S+$", "", line) for line in text.split("\n"))
    check(known(after) == known(before), i.differences({"ip": before}, {"ip": after}))
    check(any("spi 0x2002" in e and f"sent {3 + 1024} " in e for e in ha.list()), ha.list())
    talk(a, b, 2)
    text = run(f"ip xfrm state get src {COA1} dst {HA} proto esp spi 0x2001", "ha")
    check("0000001f" in text, f"the replay window was lost: {text}")
    mn.end()
    ha.end()


def test_many_operations():
    clear()
    d = start()
    before = everything("ha")
    lines = []
    for n in range(400):
        lines += [f"sa 2001:db8:1::{n + 1:x} {HA} {0x5000 + n} {n + 1} transport aes-gcm-128 window=64",
                  f"policy in 2001:db8:1::{n + 1:x}/128 {HA}/128 mh -1 8 allow esp,transport,{n + 1},::,::"]
    d.plan(*lines)
    check(len(states("ha")) == 400 and len(policies("ha")) == 400, "not all of them")
    d.plan(*[f"sa-del {HA} {0x5000 + n} {n + 1} ::" for n in range(400)])
    d.plan(*[f"policy-del in 2001:db8:1::{n + 1:x}/128 {HA}/128 mh -1" for n in range(400)])
    check(everything("ha") == before, "not all are gone")
    d.plan(*lines, lines[0], fails=True)
    check(everything("ha") == before, "not all were undone")
    d.end()


# ---- what others do ----

def test_events():
    clear()
    d = start()
    run("sysctl -qw net.core.xfrm_acq_expires=1", "ha")
    d.plan(*BASE, f"policy out {HA}/128 {HOA}/128 udp -1 6000 allow esp,tunnel,9,{HA},{COA1}")
    d.plan(f"policy-del in {HOA}/128 {HA}/128 mh -1", f"sa-del {HA} 0x1001 7 {HOA}")
    d.do("events")
    check(not d.events, f"own changes came back: {d.events}")
    run(f"ip xfrm policy delete src {HOA}/128 dst ::/0 proto udp dir in", "ha")
    run(f"ip xfrm state delete src {COA1} dst {HA} proto esp spi 0x2001", "ha")
    d.do("events")
    d.event(rf"kernel policy-gone .* dir 0 sel {HOA} ::$")
    d.event(rf"kernel sa-gone {COA1} {HA} spi 0x2001 reqid 9")
    s = udp("ha", HA, 17002)
    try:
        s.sendto(b"x", (HOA, 17001))
    except OSError:
        pass
    d.do("events")
    d.event(rf"kernel acquire {HA} {COA1} spi 0x0 reqid 9 proto 50")
    d.plan(f"sa {HA} {COA1} 0x3001 9 tunnel aes-gcm-128 hard_packets=3 soft_packets=2", "may-fail")

    def told(what):
        d.do("events")
        d.poll()
        return [e for e in d.events if what in e]
    for k in range(6):
        try:
            s.sendto(b"x", (HOA, 17001))
        except OSError:
            pass
    until(lambda: told("expire"), "an expiry")
    d.event(rf"kernel expire {HA} {COA1} spi 0x3001 reqid 9 proto 50 hard [01]")
    run("ip xfrm policy flush", "ha")
    d.do("events")
    d.event("kernel flushed")
    run("ip xfrm state flush", "ha")
    d.end()


# ---- mending ----

def policy_lines(ns):
    return run("ip xfrm policy", ns)


def test_policies_are_mended():
    clear()
    d = start()
    other = "2001:db8:1::101"
    d.do(f"glue ha {HOA} {HA} {other} {HA}")
    d.do(f"bind {HOA} {HA} {COA1}")
    d.do("look")
    d.do("check")
    d.event("differences 0$")
    whole = everything("ha")
    # one policy
    run(f"ip xfrm policy delete src {HOA}/128 dst {HA}/128 proto 135 dir in", "ha")
    check(everything("ha") != whole, "nothing was deleted")
    d.do("look")
    d.event(f"notice {HOA} policy in {HOA}/128 -> {HA}/128 proto 135, priority 8 is missing")
    check(everything("ha") == whole, "not mended")
    # one of the tunnel's, which a move has touched
    d.do(f"bind {HOA} {HA} {COA2}")
    moved = everything("ha")
    check(moved != whole and COA1 not in moved, moved)
    run(f"ip xfrm policy delete src {HOA}/128 dst ::/0 proto 135 dir fwd", "ha")
    d.do("look")
    d.event(f"notice {HOA} policy fwd")
    check(everything("ha") == moved, "not mended")
    # changed by somebody: nobody is told, but it is found
    run(f"ip xfrm policy update src {HOA}/128 dst ::/0 proto 135 dir fwd priority 900", "ha")
    d.do("check")
    d.event(f"difference policy fwd {HOA}/128 -> ::/0 proto 135, priority 900 differs")
    d.event("differences 1$")
    d.do("mend")
    d.event("differences 1$")
    check(everything("ha") == moved, "not mended")
    # all of them
    run("ip xfrm policy flush", "ha")
    d.do("look")
    d.event("notice :: SAs and policies were deleted by somebody: made again")
    check(everything("ha") == moved, f"not mended:\n{everything('ha')}\nwas\n{moved}")
    d.do("look")
    d.do("check")
    d.event("differences 0$")
    d.end()


def test_what_a_predecessor_left():
    clear()
    d = start()
    gone, there = "2001:db8:1::102", HOA
    foreign = "ip xfrm policy add src 2001:db8:9::1/128 dst 2001:db8:9::2/128 dir out priority 8"
    d.do(f"glue ha {there} {HA} {gone} {HA}")
    d.do(f"bind {there} {HA} {COA1}")
    d.do(f"bind {gone} {HA} {COA2}")
    run(foreign, "ha")
    d.kill()
    d = start()
    d.do(f"glue ha {there} {HA}")
    d.do(f"bind {there} {HA} {COA1}")
    d.do("settle")
    left = everything("ha")
    check(gone not in left and COA2 not in left, f"left over:\n{left}")
    check("2001:db8:9::1" in left, "somebody else's policy was deleted")
    check(COA1 in left and there in left, left)
    d.do("check")
    d.event("differences 0$")
    d.do("glue-end remove")
    check(policies("ha")[0].startswith("src 2001:db8:9::1") and len(policies("ha")) == 1, policies("ha"))
    d.end()


def test_acquire_names_the_node():
    clear()
    run("sysctl -qw net.core.xfrm_acq_expires=1", "ha")
    d = start()
    other = "2001:db8:1::101"
    d.do(f"glue ha {other} {HA} {HOA} {HA}")
    d.do(f"bind {HOA} {HA} {COA1}")
    d.do("look")
    s = udp("ha", HA, 17002)
    try:
        s.sendto(b"x", (HOA, 17001))
    except OSError:
        pass
    d.do("look")
    d.event(f"needed {HOA} {HA} data")
    d.end()


setup()
i.run_all(globals(), lambda: i.end_all(("mn", "ha")))
