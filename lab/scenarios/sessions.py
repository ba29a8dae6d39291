"""Two ends talk through a gateway, then by a session's SAs, by others with new keys, and through the gateway again, while
packets flow; what is not the peer's is refused. A gateway of plain tunnels stands in for the VPN's, and no daemon runs."""

import subprocess

from homebound_lab import capture, flows
from homebound_lab.picture import CORRESPONDENT, HOME_AGENT, Picture

TITLE = "sessions between two ends in the kernel"
KEYS = {}
LIMIT = 120
IPSEC = False
INNER = {"cn": "fd00::1", "ha": "fd00::2"}
OUTER = {"cn": CORRESPONDENT, "ha": HOME_AGENT}
GATEWAY = "2001:db8:ffff::1"
LIFETIME = 20  # s, of what is left when an end is killed
KEY = "0x" + "42" * 20


class End:
    """tests/sys/session_end on one host."""

    def __init__(self, lab, host, local):
        self.lab, self.seen = lab, []
        self.popen = host.popen([lab.build + "/tests/sys/session_end", local], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True, bufsize=1)

    def __call__(self, *words):
        self.popen.stdin.write(" ".join(map(str, words)) + "\n")
        while True:
            line = self.popen.stdout.readline().strip()
            if line.startswith("= "):
                return int(line[2:])
            if not line:
                self.lab.check(False, f"session_end has ended at {words}")
                return None
            self.seen.append(line)


def tunnel(host, source, destination, spi):
    host.command(["ip", "xfrm", "state", "add", "src", source, "dst", destination, "proto", "esp", "spi", hex(spi), "reqid", hex(spi),
                  "mode", "tunnel", "flag", "af-unspec", "aead", "rfc4106(gcm(aes))", KEY, "128"])


def policy(host, direction, source, destination, start, end, *more):
    host.command(["ip", "xfrm", "policy", "add", "dir", direction, "src", source, "dst", destination, "priority", "7000",
                  "tmpl", "src", start, "dst", end, "proto", "esp", *more, "mode", "tunnel"])


def by_gateway(net):
    """SA pairs of each end with the gateway, as the VPN's: what comes in takes any tunnel."""
    hosts = {"cn": net.cn, "ha": net.ha}
    net.core.ip(f"addr add {GATEWAY}/128 dev lo\n")
    net.core.ip(f"route add {INNER['cn']}/128 via {CORRESPONDENT} dev cn\nroute add {INNER['ha']}/128 via 2001:db8:f:1::2 dev ha\n")
    for number, (name, host) in enumerate(hosts.items()):
        up, down = 0x501 + number, 0x601 + number
        host.ip(f"addr add {INNER[name]}/128 dev lo\n")
        for h in (host, net.core):
            tunnel(h, OUTER[name], GATEWAY, up)
            tunnel(h, GATEWAY, OUTER[name], down)
        policy(host, "out", INNER[name], "fd00::/32", OUTER[name], GATEWAY, "reqid", hex(up))
        policy(host, "in", "fd00::/32", INNER[name], "::", "::")
        policy(net.core, "fwd", INNER[name], "fd00::/32", OUTER[name], GATEWAY, "reqid", hex(up))
        policy(net.core, "out", "fd00::/32", INNER[name], GATEWAY, OUTER[name], "reqid", hex(down))


def both(ends, what, generation, *lifetime):
    """Each end's inbound SA and then, once both are there, each end's outbound one."""
    spi = {"cn": 0x1000 + generation, "ha": 0x2000 + generation}
    for name, end in ends.items():
        peer = "ha" if name == "cn" else "cn"
        mine = spi[name] if what == "in" else spi[peer]
        octet = generation * 2 + (name == "cn") if what == "in" else generation * 2 + (peer == "cn")
        yield name, end(what, OUTER[peer], INNER[name], INNER[peer], mine, octet, *lifetime)


def pings(host, source, destination):
    return "1 received" in host.command(["ping", "-n", "-c", "1", "-W", "1", "-I", source, destination], check=False)


def refuses(lab, net):
    """The SA of the peer's inner address is good for no other, though the policy of the gateway would take it."""
    net.cn.ip("addr add fd00::7/128 dev lo\n")
    net.cn.command(["ip", "xfrm", "policy", "add", "dir", "out", "src", "fd00::7", "dst", INNER["ha"], "priority", "10", "tmpl",
                    "src", OUTER["cn"], "dst", OUTER["ha"], "proto", "esp", "reqid", "0x73650001", "mode", "tunnel"])
    before = mismatches(net.ha)
    lab.check(not pings(net.cn, "fd00::7", INNER["ha"]), "a foreign inner address came through the peer's SA")
    lab.check(mismatches(net.ha) > before, "it was not the SA's selector that refused it")


def mismatches(host):
    text = host.command(["cat", "/proc/net/xfrm_stat"])
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("XfrmInStateMismatch")))


def run(lab):
    net = Picture(lab)
    capture.start(lab, net.capture_points())
    by_gateway(net)
    lab.until(lambda: pings(net.cn, INNER["cn"], INNER["ha"]), 20, "the way by the gateway")
    ends = {"cn": End(lab, net.cn, OUTER["cn"]), "ha": End(lab, net.ha, OUTER["ha"])}
    streams = [flows.Stream(lab, "there", net.cn, net.ha, INNER["ha"], 5001, source=INNER["cn"]),
               flows.Stream(lab, "back", net.ha, net.cn, INNER["cn"], 5002, source=INNER["ha"])]
    lab.sleep(1)
    for generation in (1, 2):
        for what in ("in", "out"):
            for name, result in both(ends, what, generation):
                lab.check(result == 0, f"{name}, {what} of generation {generation}: {result}")
                lab.sleep(0.3)  # one end sends by it, the other one not yet
        lab.sleep(1)
        if generation == 1:
            refuses(lab, net)
        lab.facts[f"packets{generation}"] = ends["ha"]("packets", OUTER["cn"], 0x2000 + generation, "in")
    lab.check(ends["cn"]("in", OUTER["ha"], INNER["cn"], INNER["ha"], 0x1002, 1) == -17, "an SPI was given twice")
    lab.check(ends["cn"]("check") == 0 and ends["ha"]("check") == 0, f"differences: {ends['cn'].seen} {ends['ha'].seen}")
    for name, peer, spi in (("cn", "ha", 0x2002), ("ha", "cn", 0x1002)):
        lab.check(ends[name]("out-del", OUTER[peer], spi) == 0, f"{name}: out-del")
        lab.sleep(0.3)
    for name, first in (("cn", 0x1001), ("ha", 0x2001)):
        for spi in (first, first + 1):
            lab.check(ends[name]("in-del", spi) == 0, f"{name}: in-del")
    lab.sleep(1)
    for stream in streams:
        stream.stop_sending()
    lab.sleep(1)
    for stream in streams:
        stream.stop()
    left(lab, net, ends)


def session_policies(host):
    return host.command(["ip", "xfrm", "policy"]).count("priority 4500")


def optional(host):
    """Policies that take an ESP tunnel, and what has none."""
    policies = host.command(["ip", "xfrm", "policy"]).split("\nsrc ")
    return sum("priority 4500" in p and "level use" in p.split("proto esp")[1].split("tmpl")[0] for p in policies if "proto esp" in p)


def states(host):
    return host.command(["ip", "xfrm", "state"])


def left(lab, net, ends):
    """Killed: the next one takes off at once what sends, and what receives stays as long as the peer may send by it."""
    lab.check(session_policies(net.cn) == 0, "policies are left")
    for what in ("in", "out"):
        for name, result in both(ends, what, 3, LIFETIME):
            lab.check(result == 0, f"{name}, {what} of generation 3: {result}")
    lab.check(pings(net.cn, INNER["cn"], INNER["ha"]), "no answer by generation 3")
    net.ha.command(["ip", "xfrm", "state", "delete", "src", OUTER["cn"], "dst", OUTER["ha"], "proto", "esp", "spi", "0x2003"])
    lab.until(lambda: ends["ha"]("check") == 1 and "expires 2003 in hard" in ends["ha"].seen, 10, "news of the deleted SA")
    ends["cn"].popen.kill()
    ends["cn"].popen.wait()
    lab.check(session_policies(net.cn) == 3, "a killed end left other policies than its three")
    end = End(lab, net.cn, OUTER["cn"])
    lab.check(end("check") == 0, "the next one has differences")
    lab.check(session_policies(net.cn) == 2, "what sends is still there, or what receives is not")
    lab.check(end("inside", 1) == 0 and optional(net.cn) == 2, "inside, what was left does not take what comes in clear")
    lab.check(end("inside", 0) == 0 and optional(net.cn) == 0, "outside, what was left takes what comes in clear")
    lab.check(end("forget") == 1 and session_policies(net.cn) == 2 and "0x00001003" in states(net.cn),
              "what the peer may send by was forgotten")
    lab.until(lambda: end("forget") == 0, 2 * LIFETIME, "the end of what was left")
    lab.check(session_policies(net.cn) == 0 and "0x00001003" not in states(net.cn), "something is left at the end")
    end.popen.stdin.close()
    lab.check(end.popen.wait(10) == 0, "it ended badly")
    lab.check(session_policies(net.cn) == 0, "a clean end left policies")


def judge(e):
    for name in e.facts["streams"]:
        s = flows.Log(e, name)
        e.check(s.sent > 4000, f"{name}: only {s.sent} packets were sent")
        e.check(not s.missing, f"{name}: {len(s.missing)} packets lost")
        e.check(not s.repeated, f"{name}: {s.repeated} packets repeated")
        e.figures[name] = {"sent": s.sent, "lost": len(s.missing)}
    e.figures["by_session"] = [e.facts["packets1"], e.facts["packets2"]]
    e.check(min(e.figures["by_session"]) > 1000, f"few packets by the session: {e.figures['by_session']}")
