#!/usr/bin/python3
"""Runs inside the lab machine: vcmd with manual keys, its SAs and policies as the kernel's own tools and a gateway see them.

    gw fd00:0:0:2::1 --- vcm fd00:0:0:2::9     (a node, fd00:0:0:1::101, is behind gw)

inside_vcmd.py VCMD FOLDER"""

import ctypes
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = pathlib.Path(HERE).parents[2]
VCMD, OUT = sys.argv[1:3]
os.environ["VCMD"], os.environ["HOMEBOUND_BUILD"] = VCMD, str(pathlib.Path(VCMD).parents[1])
sys.path.insert(0, str(TOP / "tests" / "vcm"))
import stories  # noqa: E402
from wire import Peer, REPORT, node, until  # noqa: E402

libc = ctypes.CDLL(None, use_errno=True)
GW, VCM, IA = "fd00:0:0:2::1", stories.MANAGER, stories.NODES[0]
ALGORITHM, KEY_LEN = "aes-gcm-128", 20
SPIS = {(GW, VCM): 0x1001, (VCM, GW): 0x1002, (IA, VCM): 0x2001, (VCM, IA): 0x2002}
KEYS = {pair: bytes([n] * KEY_LEN).hex() for n, pair in enumerate(SPIS, 1)}


def run(command):
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout


def enter(ns):
    with open(f"/run/netns/{ns}") as f:
        assert libc.setns(f.fileno(), 0x40000000) == 0


def setup():
    for ns in ("gw", "vcm"):
        run(f"ip netns add {ns}; ip -n {ns} link set lo up")
        run(f"ip netns exec {ns} sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.forwarding=1")
    run("ip link add e0 netns gw type veth peer name e0 netns vcm")
    for ns, a in (("gw", GW), ("vcm", VCM)):
        run(f"ip -n {ns} addr add {a}/64 dev e0 nodad; ip -n {ns} link set e0 up")
    run(f"ip -n gw addr add {IA}/128 dev lo nodad; ip -n vcm route add {IA} via {GW}")
    enter("vcm")


def write_keys(place, pairs=SPIS):
    keys = place / "keys"
    keys.touch(0o600)
    keys.write_text("".join(f"{a} {b} manager {SPIS[a, b]:#x} {ALGORITHM} {KEYS[a, b]}\n" for a, b in pairs))
    return keys


def protect_gateway():
    """The other end of the pair of the gateway, by the kernel's own tool."""
    for (a, b), way in (((GW, VCM), "out"), ((VCM, GW), "in")):
        run(f"ip -n gw xfrm state add src {a} dst {b} proto esp spi {SPIS[a, b]:#x} reqid 5 mode transport replay-window 64 "
            f"aead 'rfc4106(gcm(aes))' 0x{KEYS[a, b]} 128")
        run(f"ip -n gw xfrm policy add src {a} dst {b} proto udp dir {way} tmpl src {a} dst {b} proto esp reqid 5 mode transport")


def peer(address=GW):
    enter("gw")
    p = Peer(address, VCM)
    enter("vcm")
    return p


def replayed():
    """What the gateway's SA has refused."""
    return [int(x) for x in re.findall(r"replay (\d+) failed", run("ip -n gw -s xfrm state"))]


def sent():
    """The sequence number that the manager's SA with the gateway has sent last."""
    state = run(f"ip xfrm state get src {VCM} dst {GW} proto esp spi {SPIS[VCM, GW]:#x}")
    return int(re.search(r"oseq 0x(\w+)", state).group(1), 16)


def check(ok, what):
    assert ok, what


def test_manual():
    place = pathlib.Path(tempfile.mkdtemp())
    stories.GATEWAY = GW
    keys = write_keys(place)
    vcmd = stories.Vcmd(place)
    vcmd.stop()
    vcmd.conf.write_text(vcmd.conf.read_text().replace('manager = "none"', f'manager = "manual"; keys_file = "{keys}"'))
    vcmd.start()
    states, policies = run("ip xfrm state"), run("ip xfrm policy")
    for a, b in SPIS:
        check(re.search(rf"src {a} dst {b}\n\tproto esp spi {SPIS[a, b]:#010x} reqid \d+ mode transport", states), states)
        check(re.search(rf"src {a}/128 dst {b}/128 .*\n\tdir {'out' if a == VCM else 'in'} .*\n\ttmpl src {a} dst {b}\n"
                        r"\t\tproto esp .*mode transport", policies), policies)
    # in clear nobody is heard
    g = peer()
    g.send(REPORT, node(IA, stories.HOMES[0]))
    end = time.monotonic() + 1
    until([g], lambda: time.monotonic() > end)
    check(not g.peer_epoch and vcmd.ask("stats")["exchange"]["received"] == 0, "heard in clear")
    protect_gateway()
    until([g], lambda: not g.out)
    check([c["node"] for c in vcmd.ask("contexts")] == [IA], "the report")
    # killed: what it sends in its next life is no replay to the other end
    for _ in range(3):
        vcmd.kill()
        vcmd.start()
        g.send(REPORT, node(IA, stories.HOMES[0]))
        until([g], lambda: not g.out)
    check(not any(replayed()), f"replayed: {replayed()}")
    # the SAs are lost as well (a reboot): numbers go on above all that were sent
    before = sent()
    vcmd.kill()
    run("ip xfrm state flush; ip xfrm policy flush")
    vcmd.start()
    check(sent() > before, "numbers that were used already")
    g.send(REPORT, node(IA, stories.HOMES[0]))
    until([g], lambda: not g.out)
    # somebody deletes an SA: it comes back
    run(f"ip xfrm state delete src {GW} dst {VCM} proto esp spi {SPIS[GW, VCM]:#x}")
    g.send(REPORT, node(IA, stories.HOMES[0]))
    until([g], lambda: not g.out)
    # who is not in the keys any more has nothing of ours
    vcmd.kill()
    write_keys(place, [pair for pair in SPIS if GW in pair])
    vcmd.start()
    check(IA not in run("ip xfrm state") + run("ip xfrm policy"), "the node's are left")
    check(f"src {GW}/128 dst {VCM}/128" in run("ip xfrm policy"), "the gateway's are gone")
    errors = vcmd.stop()
    check(run("ip xfrm state") == run("ip xfrm policy") == run("nft list ruleset") == "", "something is left: " + errors)


def test_no_keys():
    """No keys for us, or a file that others can read: it does not start, and says why."""
    place = pathlib.Path(tempfile.mkdtemp())
    stories.GATEWAY = GW
    vcmd = stories.Vcmd(place)
    vcmd.stop()
    keys = write_keys(place, [])
    keys.write_text(f"{GW} {IA} manager 0x3000 {ALGORITHM} {KEYS[GW, VCM]}\n{IA} {GW} manager 0x3001 {ALGORITHM} {KEYS[VCM, GW]}\n")
    vcmd.conf.write_text(vcmd.conf.read_text().replace('manager = "none"', f'manager = "manual"; keys_file = "{keys}"'))
    for prepare, what in ((lambda: None, "has no key of use manager"), (lambda: keys.chmod(0o644), "others may read it")):
        prepare()
        got = subprocess.run([VCMD, "-f", "-c", vcmd.conf], capture_output=True, text=True)
        check(got.returncode == 1 and what in got.stderr, got.stderr)
        check(run("ip xfrm policy") == run("nft list ruleset") == "", "something is left")


TESTS = [f for n, f in list(globals().items()) if n.startswith("test_")]


def main():
    results = {}
    setup()
    for t in TESTS:
        name = t.__name__[5:]
        try:
            t()
            results[name] = None
        except Exception as e:
            results[name] = f"{type(e).__name__}: {e}"
            traceback.print_exc()
        print(f"{name}: {results[name] or 'ok'}", flush=True)
        with open(f"{OUT}/results.json", "w") as f:
            json.dump({"results": results}, f, indent=1)


if __name__ == "__main__":
    main()
