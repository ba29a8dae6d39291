# SPDX-License-Identifier: GPL-2.0-or-later
"""Run by test_vcmd.py in a network namespace of its own: stories.py FOLDER NAME.

vcmd as it is, with its store on disk; gateway and nodes are those of wire.py, all at addresses of the loopback interface.
"""
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import time

from wire import (ACK, ACTIVE, END, OFFER, PEER_READY, PORT, PROBE, PROBE_PORT, PROBE_REPLY, READY, REPORT, Message, Peer, node,
                  option, pair, session, until)

BUILD = pathlib.Path(os.environ.get("HOMEBOUND_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
VCMD = os.environ.get("VCMD", str(BUILD / "vcm" / "vcmd"))
MIP6CTL = os.environ.get("MIP6CTL", str(BUILD / "ctl" / "mip6ctl"))
MANAGER, GATEWAY = "fd00:0:0:2::9", "fd00:0:0:1::1"
NODES = [f"fd00:0:0:1::{i}" for i in (101, 102, 103)]
HOMES = [f"2001:db8:1::{i}" for i in (101, 102, 103)]


class Vcmd:
    started = []  # all there were, to be ended with the story whatever becomes of it

    def __init__(self, place, ipsec="none", more="", key=None, credentials=None):
        self.place, self.socket = place, place / "s"
        self.environment = {**os.environ, **({"CREDENTIALS_DIRECTORY": str(credentials)} if credentials else {})}
        key = key or f'key_file = "{place}/key"; make_key = true;'
        self.conf = place / "vcmd.conf"
        self.conf.write_text(
            f'address = "{MANAGER}"; gateways = ( "{GATEWAY}" ); ipsec = {{ manager = "{ipsec}"; }};\n'
            f'control = {{ socket = "{self.socket}"; }}; audit = {{ file = "{place}/audit"; }};\n'
            f'store = {{ path = "{place}/store"; {key} size = 64; }};\n{more}\n')
        self.start()

    def start(self):
        self.process = subprocess.Popen([VCMD, "-f", "-c", self.conf], stderr=subprocess.PIPE, text=True, env=self.environment)
        Vcmd.started.append(self.process)
        deadline = time.monotonic() + 20
        while self.ctl("status", check=False).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < deadline, self.process.stderr.read()

    def ctl(self, *args, check=True):
        return subprocess.run([MIP6CTL, "-s", self.socket, "-j", "vcm", *args], capture_output=True, text=True, check=check)

    def ask(self, *args):
        return json.loads(self.ctl(*args).stdout)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def stop(self):
        self.process.terminate()
        errors = self.process.communicate(timeout=20)[1]
        assert self.process.returncode == 0, errors
        return errors

    def states(self):
        return [s["state"] for s in self.ask("sessions")]


def everybody():
    return [Peer(a, MANAGER) for a in (GATEWAY, *NODES)]


def report(gateway, *which):
    gateway.send(REPORT, *(node(NODES[i], HOMES[i]) for i in which), pair(NODES[which[0]], NODES[which[1]]))


def offered(people):
    """The last OFFER of each of the first two nodes."""
    return [p.of(OFFER)[-1] for p in people[1:3]]


def ready(people):
    """Both nodes say so, and then that they use it."""
    for p in people[1:3]:
        p.send(READY, session(*p.of(OFFER)[-1].session))
    until(people, lambda: all(p.of(PEER_READY) for p in people[1:3]))
    for p in people[1:3]:
        p.send(ACTIVE, session(*p.of(OFFER)[-1].session))


def go_direct(vcmd, people):
    report(people[0], 0, 1)
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    ready(people)
    until(people, lambda: vcmd.states() == ["direct"] and not any(p.out for p in people))


def keys_of(offers):
    return {key for m in offers for _, key in m.sas.values()}


def looked_for(vcmd, keys):
    """No key is in a file or in what is told, in octets or in digits."""
    texts = [p.read_bytes() for p in vcmd.place.rglob("*") if p.is_file() and p.name not in ("key", "vcmd.conf")]
    texts += [vcmd.ctl(*x.split()).stdout.encode() for x in ("sessions", "contexts", "stats", "status")]
    for key in keys:
        for part in (key, key[:16], key[4:20]):
            for text in texts:
                assert part not in text and part.hex().encode() not in text.lower(), "a key can be read"


# ---- the stories ----

def direct(place):
    """Report, offers, ready, active; secrets are in no file that is left; a clean stop and a start change nothing."""
    vcmd, people = Vcmd(place), everybody()
    report(people[0], 0, 1)
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    a, b = offered(people)
    assert a.session == b.session
    assert a.sas[1] == b.sas[2] and a.sas[2] == b.sas[1] and a.sas[1][1] != a.sas[2][1]
    looked_for(vcmd, keys_of([a, b]))  # while they are stored
    ready(people)
    until(people, lambda: vcmd.states() == ["direct"])
    looked_for(vcmd, keys_of([a, b]))
    events = [json.loads(line)["event"] for line in (place / "audit").read_text().splitlines()]
    assert "session-offered" in events and "session-direct" in events, events
    assert {c["node"]: c["place"] for c in vcmd.ask("contexts")} == {NODES[0]: "outside", NODES[1]: "outside"}
    before = vcmd.ask("sessions")
    assert vcmd.stop() == ""
    vcmd.start()
    after = vcmd.ask("sessions")
    assert [(s["session"], s["state"], s["generation"]) for s in after] == [
        (s["session"], s["state"], s["generation"]) for s in before]
    vcmd.stop()


def offered_again(place):
    """Killed between OFFER and READY: the next life offers the same keys."""
    vcmd, people = Vcmd(place), everybody()
    report(people[0], 0, 1)
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    first = offered(people)
    vcmd.kill()
    vcmd.start()
    for p in people:
        p.got.clear()
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    again = offered(people)
    assert [m.session for m in again] == [m.session for m in first] and [m.sas for m in again] == [m.sas for m in first]
    ready(people)
    until(people, lambda: vcmd.states() == ["direct"])
    vcmd.stop()


def killed_often(place):
    """Killed at any moment, again and again: it comes to a direct session all the same, and what is direct stays so."""
    chance = random.Random(7)
    vcmd, people = Vcmd(place), everybody()
    report(people[0], 0, 1)
    for _ in range(25):
        end = time.monotonic() + chance.random() * 0.25
        until(people, lambda: time.monotonic() >= end)
        for p in people[1:3]:
            for m in p.of(OFFER)[-1:]:
                if chance.random() < 0.3:
                    p.send(READY, session(*m.session))
        vcmd.kill()
        vcmd.start()

    def settled():
        for p in people[1:3]:
            if p.of(OFFER) and not p.out:
                p.send(READY if not p.of(PEER_READY) else ACTIVE, session(*p.of(OFFER)[-1].session))
        return vcmd.states() == ["direct"]

    until(people, settled, 40)
    vcmd.kill()
    vcmd.start()
    assert vcmd.states() == ["direct"]
    assert vcmd.stop() == ""


def revoked(place):
    """By hand: both nodes are told the end, no new session begins; unrevoke lets one begin."""
    vcmd, people = Vcmd(place), everybody()
    go_direct(vcmd, people)
    assert vcmd.ask("revoke", NODES[0])["revoked"]
    until(people, lambda: all(p.of(END) for p in people[1:3]))
    assert all(m["reason"][0] == 5 for p in people[1:3] for m in p.of(END))
    until(people, lambda: not vcmd.states())
    vcmd.kill()
    vcmd.start()
    assert [c["revoked"] for c in vcmd.ask("contexts") if c["node"] == NODES[0]] == [True]
    for p in people:
        p.got.clear()
    report(people[0], 0, 1)
    until(people, lambda: not people[0].out)
    assert not vcmd.states() and not people[1].of(OFFER)
    vcmd.ask("unrevoke", NODES[0])
    report(people[0], 0, 1)
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    vcmd.stop()


def policy_changes(place):
    """A rule denies the pair from now on: SIGHUP ends its session."""
    vcmd, people = Vcmd(place), everybody()
    go_direct(vcmd, people)
    vcmd.conf.write_text(vcmd.conf.read_text() +
                         f'pairs = ( {{ between = "{NODES[1]}"; and = "any"; action = "deny"; }} );\n')
    (place / "audit").rename(place / "audit.1")
    vcmd.process.send_signal(signal.SIGHUP)
    until(people, lambda: all(p.of(END) for p in people[1:3]))
    assert people[1].of(END)[0]["reason"][0] == 10
    until(people, lambda: (place / "audit").exists() and "session-ended" in (place / "audit").read_text())
    vcmd.stop()


def asymmetric(place):
    """By configuration: INVITE comes first, and OFFER has no keys."""
    vcmd, people = Vcmd(place, more='pairs = ( { between = "any"; and = "any"; action = "allow"; variant = "asymmetric"; } );'), everybody()
    report(people[0], 0, 1)
    until(people, lambda: all(p.of(5) for p in people[1:3]))
    publics = {}
    for p in people[1:3]:
        publics[p.address] = os.urandom(32)
        p.send(6, session(*p.of(5)[0].session), option(12, publics[p.address]))
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    for me, other in ((1, 2), (2, 1)):
        m = people[me].of(OFFER)[0]
        assert m["public"] == publics[people[other].address] and {key for _, key in m.sas.values()} == {b""}
    vcmd.stop()


def strangers(place):
    """Who is no gateway reports nothing; another port than ours is not heard; nodes that are not listed are none."""
    vcmd, people = Vcmd(place, more=f'nodes = ( "{NODES[0]}", "{NODES[1]}" );'), everybody()
    report(people[3], 0, 1)
    report(people[0], 0, 2)
    until(people, lambda: not people[0].out)
    end = time.monotonic() + 1
    until(people, lambda: time.monotonic() > end)
    assert vcmd.states() == []
    other = Peer(GATEWAY, MANAGER, 40000)
    other.hello()
    until(people, lambda: vcmd.ask("stats")["socket"]["strange_ports"] == 1)
    vcmd.stop()


def probes(place):
    """A PROBE of a known node to the other port is answered from there, to where it came from."""
    vcmd, people = Vcmd(place), everybody()
    go_direct(vcmd, people)
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind((NODES[0], 41000))
    s.settimeout(10)
    probe = Peer.__new__(Peer)
    probe.socket, probe.epoch, probe.peer_epoch = s, 1, 0
    nonce = os.urandom(16)
    probe.put(PROBE, 1, option(15, nonce), (MANAGER, PROBE_PORT))
    data, (address, port, *_) = s.recvfrom(2000)
    m = Message(data)
    assert (address, port, m.type, m["nonce"]) == (MANAGER, PROBE_PORT, PROBE_REPLY, nonce)
    vcmd.stop()


def nft(text):
    return subprocess.run(["nft", text], capture_output=True, text=True, check=True).stdout


def disk_full(place):
    """Where store and audit log are there is no room: nobody is told what could not be stored; with room again it goes on, and keys
    that were offered are there after a kill."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], check=True)
    vcmd, people = Vcmd(place), everybody()
    filler = place / "filler"
    with open(filler, "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(4096))
        except OSError:
            pass
    report(people[0], 0, 1)
    end = time.monotonic() + 3
    until(people, lambda: time.monotonic() > end)
    assert not people[1].of(OFFER) and not people[2].of(OFFER), "told what is not stored"
    assert vcmd.process.poll() is None, vcmd.process.stderr.read()
    filler.unlink()
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    first = offered(people)
    vcmd.kill()
    vcmd.start()
    for p in people:
        p.got.clear()
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    assert [m.sas for m in offered(people)] == [m.sas for m in first]
    ready(people)
    until(people, lambda: vcmd.states() == ["direct"])
    vcmd.stop()
    subprocess.run(["umount", "-l", place], check=True)


def in_clear(place):
    """With IPsec wanted, what comes without it is not heard; nothing is left of the filter afterwards."""
    vcmd, people = Vcmd(place, "strongswan"), everybody()
    other = Peer(GATEWAY, MANAGER, 40000)
    other.hello()
    report(people[0], 0, 1)
    end = time.monotonic() + 1
    until(people, lambda: time.monotonic() > end)
    assert not people[0].acks and not people[0].peer_epoch
    assert vcmd.ask("stats")["socket"]["strange_ports"] == 0  # not even that was heard
    dropped = [int(x) for x in re.findall(r"counter packets (\d+)", nft("list ruleset"))]
    assert dropped[0] >= 2 and vcmd.ask("stats")["exchange"]["received"] == 0
    caps = dict(x.split(":\t") for x in pathlib.Path(f"/proc/{vcmd.process.pid}/status").read_text().splitlines() if "Cap" in x)
    assert int(caps["CapEff"], 16) == int(caps["CapPrm"], 16) == 1 << 12  # CAP_NET_ADMIN
    # another vcmd, which cannot have the ports, leaves the filter alone
    second = place / "second"
    second.mkdir()
    conf = second / "vcmd.conf"
    conf.write_text(vcmd.conf.read_text().replace(str(place), str(second)))
    got = subprocess.run([VCMD, "-f", "-c", conf], capture_output=True, text=True)
    assert got.returncode == 1 and "cannot listen" in got.stderr
    assert "table ip6 vcmd" in nft("list ruleset")
    vcmd.stop()
    assert nft("list ruleset") == ""


def no_privileges(place):
    """Where somebody else has the IPsec, it keeps no capability. A crash leaves no core, by no way (core(5): a limit of 1)."""
    vcmd = Vcmd(place)
    assert re.search(r"Max core file size +1 +1 ", pathlib.Path(f"/proc/{vcmd.process.pid}/limits").read_text())
    status = pathlib.Path(f"/proc/{vcmd.process.pid}/status").read_text()
    assert re.findall(r"Cap(?:Eff|Prm|Inh|Bnd):\t(\w+)", status) == ["0" * 16] * 4 and "NoNewPrivs:\t1" in status
    vcmd.stop()


def refusal(vcmd, environment=None):
    """What it says instead of starting."""
    got = subprocess.run([VCMD, "-f", "-c", vcmd.conf], capture_output=True, text=True, timeout=20, env=environment or vcmd.environment)
    assert got.returncode == 1 and not vcmd.socket.exists(), got
    return got.stderr


def credential(place):
    """The sealing key comes from systemd: with it what was on its way goes on, without it or with another one nothing begins."""
    folder, key = place / "credentials", os.urandom(32).hex()
    folder.mkdir(0o700)
    file = folder / "vcmd.key"

    def give(text, mode=0o400):
        file.unlink(missing_ok=True)
        file.write_text(text)
        file.chmod(mode)

    give(key + "\n")
    vcmd, people = Vcmd(place, key='credential = "vcmd.key";', credentials=folder), everybody()
    report(people[0], 0, 1)
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    offers = offered(people)
    looked_for(vcmd, keys_of(offers))
    assert key not in "".join(vcmd.ctl(x).stdout for x in ("status", "stats", "contexts", "sessions"))
    vcmd.kill()

    without = {k: v for k, v in vcmd.environment.items() if k != "CREDENTIALS_DIRECTORY"}
    said = refusal(vcmd, without)
    assert "store.credential is vcmd.key" in said and "LoadCredential=vcmd.key:FILE" in said and "store.key_file" in said
    give(os.urandom(32).hex())
    assert re.search("sealing key", refusal(vcmd))
    for text in (key[:-1], key + "0", key[:-1] + "g", "", key + 63 * "\n" + "0"):
        give(text)
        said = refusal(vcmd)
        assert f"{file}: is not 64 hexadecimal digits; make one with  openssl rand -hex 32" in said and (not text or text[:60] not in said)
    give(key, 0o404)
    assert f"{file}: others may read it" in refusal(vcmd)
    file.unlink()
    assert f"{file}: is not there; add  LoadCredential=" in refusal(vcmd)
    file.mkdir()
    assert f"{file}: is no regular file" in refusal(vcmd)
    file.rmdir()
    os.mkfifo(file)  # nobody ever writes
    assert f"{file}: is no regular file" in refusal(vcmd)
    file.unlink()
    file.symlink_to(place / "key")
    assert f"{file}: cannot be read" in refusal(vcmd)

    give(key, 0o440)
    vcmd.start()
    for p in people:
        p.got.clear()
    until(people, lambda: all(p.of(OFFER) for p in people[1:3]))
    assert [m.sas for m in offered(people)] == [m.sas for m in offers]
    vcmd.stop()


def main(folder, name):
    subprocess.run("ip link set lo up", shell=True, check=True)
    for a in (MANAGER, GATEWAY, *NODES):
        subprocess.run(["ip", "addr", "add", a + "/128", "dev", "lo"], check=True)
    try:
        globals()[name](pathlib.Path(folder))
    finally:
        for process in Vcmd.started:
            process.kill()


STORIES = ("direct", "offered_again", "killed_often", "revoked", "policy_changes", "asymmetric", "strangers", "probes", "disk_full", "in_clear",
           "no_privileges", "credential")

if __name__ == "__main__":
    main(*sys.argv[1:])
