"""What happens in scenario vcm, step by step: both nodes leave the office while they talk, each moves twice while they talk
directly, one returns, the other one as well. At a moment that the seed chooses one of the daemons may be killed."""

import re

from . import vpn
from .intranet import DEVICES, WALKS

LONGEST = 20  # s until a step has had its effect; after a kill, until all is direct again
LOSSES = 40  # s, the longest time of losses


def sas_of(host):
    """{SPI: {source, destination, packets, sequence}} of the ESP SAs in a host's kernel."""
    found = {}
    for block in re.split(r"\n(?=src )", host.command(["ip", "-s", "xfrm", "state"])):
        ends = re.match(r"src (\S+) dst (\S+)\n\s+proto esp spi (0x[0-9a-f]+)", block)
        if ends:
            packets = re.search(r"(\d+)\(bytes\), (\d+)\(packets\)", block.split("lifetime current:")[-1])
            found[ends[3]] = {"source": ends[1], "destination": ends[2], "packets": int(packets[2]) if packets else 0}
    return found


class Story:
    def __init__(self, lab, net):
        self.lab, self.net = lab, net
        self.step = {"mn1": -1, "mn2": -1}  # how far each has come on its walk
        self.device = {name: 0 for name in DEVICES}
        self.preference, self.preferred = 20, {}
        self.kill_at = self.start_at = self.since = None  # since: direct again is waited for
        self.events = lab.facts.setdefault("events", [])
        self.moves = lab.facts.setdefault("moves", [])

    # --- time

    def tick(self):
        """What is due by the clock: a kill, a start."""
        now = self.lab.now()
        victim = self.net.daemons.get(self.lab.keys.kill)
        if self.kill_at and now >= self.kill_at:
            self.kill_at, self.start_at = None, now + 1
            victim.kill()
            self.note("killed", self.lab.keys.kill)
        elif self.start_at and now >= self.start_at:
            self.start_at = None
            self.note("started", self.lab.keys.kill)
            victim.start()
            if self.lab.keys.kill in self.preferred:
                victim.ask("prefer", **self.preferred[self.lab.keys.kill])
            self.since = now
        elif self.since and self.is_direct():
            out = [m["up"] for m in self.moves if m["from"] == "office"]
            self.lab.facts["direct_again_ms"] = round((now - max(self.since, *out)) * 1000)
            self.since = None
            self.note("direct", "after the kill")

    def note(self, what, whom="", **more):
        self.events.append({"time": self.lab.now(), "what": what, "whom": whom, **more})
        self.lab.say(f"{what} {whom}".strip())

    def stay(self, seconds):
        end = self.lab.now() + seconds
        while self.lab.now() < end:
            self.tick()
            self.lab.sleep(min(0.02, max(0.001, end - self.lab.now())))

    def until(self, condition, what, timeout=LONGEST, step=0.02):
        return self.lab.until(lambda: self.holds(condition), timeout, what, step)

    def holds(self, condition):
        self.tick()
        return self.start_at is None and condition()

    # --- how things are

    def place_of(self, name):
        status = (self.net.daemons[name].ask("status") or {}).get("mobile_node") or {}
        return (status.get("vpn") or {}).get("place")

    def session(self, name):
        """The node's session with the other one; {} if there is none."""
        peer = self.net.at.internal["mn2" if name == "mn1" else "mn1"]
        return next((s for s in self.net.daemons[name].ask("sessions") or [] if s["peer"] == peer), {})

    def is_direct(self):
        return all(self.session(name).get("state") == "direct" and self.session(name).get("path") for name in DEVICES)

    def is_ended(self):
        return not any(self.session(name).get("state") == "direct" for name in DEVICES)

    def settle(self, place):
        for name in DEVICES:
            self.until(lambda: self.place_of(name) == place, f"{name} to know that it is {place}")

    # --- what nodes do

    def go(self, name, place):
        """To another link, by the other interface; the last one is left when the next one carries, or before."""
        k, net = self.lab.keys, self.net
        old = DEVICES[name][self.device[name]]
        self.device[name] ^= 1
        new = DEVICES[name][self.device[name]]
        move = {"node": name, "from": net.place[old], "to": place, "new": new}
        self.preference += 1
        self.preferred[name] = {"interface": new, "preference": self.preference}
        net.daemons[name].ask("prefer", **self.preferred[name])
        if not k.overlap:
            move["down"] = net.detach(old)
            self.stay(0.02)
        move["up"] = net.attach(place, new)
        if k.overlap:
            self.stay(self.overlap_s(place))
            move["down"] = net.detach(old)
        self.moves.append(move)
        self.note(f"{name}: {move['from']} -> {place}")

    def overlap_s(self, place):
        """What is on its way to the last place arrives there; leaving home has duplicate address detection at the home agent."""
        return 0.5 + 6 * self.lab.keys.rtt / 1000 + (2 if place == "office" else 1)

    def next_link(self, name):
        self.step[name] += 1
        self.go(name, WALKS[name][self.step[name]])

    def leave(self, name):
        """The office."""
        self.next_link(name)
        self.until(lambda: self.place_of(name) == "outside", f"{name} to be outside")

    def both_direct(self):
        """Both leave, one after the other, and then talk directly."""
        for name in DEVICES:
            self.leave(name)
        self.become_direct("first")

    # --- the story

    def tell(self):
        lab, k = self.lab, self.lab.keys
        if k.kill != "none":
            self.kill_at = lab.now() + 1 + lab.random.uniform(0, 25)
        self.stay(1 + lab.random.random())
        if k.loss:
            self.net.loss(k.loss)
        self.leave("mn2")
        self.stay(1 + lab.random.random())
        self.leave("mn1")
        self.become_direct("first")
        if k.fake:
            self.trap()
        for name in ("mn1", "mn2", "mn1", "mn2"):
            self.stay(1.5 + lab.random.random())
            before = {host: sas_of(getattr(self.net, host)) for host in DEVICES}
            self.next_link(name)
            self.become_direct("again")
            self.moves[-1]["sas"] = {host: [before[host], sas_of(getattr(self.net, host))] for host in DEVICES}
        self.stay(2)
        self.become_direct("before return")
        vpn.check_strongswan(lab, self.net)
        lab.facts["returning"] = lab.now()
        self.home_again()

    def become_direct(self, which):
        """After a kill the path is direct again within LONGEST. While packets are lost there is no such time: who has lost many Binding
        Updates in a row asks again after up to 32 s (RFC 6275 11.8), so the losses end after a while."""
        if self.net.losing:
            end = self.lab.now() + LOSSES
            self.until(lambda: self.lab.now() > end or self.is_direct(), "the losses to end", LOSSES + LONGEST)
            self.net.loss(0)
        self.until(self.is_direct, f"the session to be direct ({which})", LONGEST + 20 * bool(self.lab.keys.loss))
        self.note("direct", which)

    def trap(self):
        self.stay(1)
        self.go("mn1", "fake")
        self.stay(5)
        self.lab.facts["trapped"] = {"place": self.place_of("mn1"), "sas": sas_of(self.net.mn1)}

    def home_again(self):
        for name in ("mn2", "mn1"):
            self.go(name, "office")
            self.until(lambda: self.place_of(name) == "inside", f"{name} to know that it is inside", step=0.005)
            self.note("inside", name)
            self.until(self.is_ended, "the session to end")
            self.stay(1.5)
