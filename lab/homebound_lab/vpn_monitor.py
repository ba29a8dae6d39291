"""What `mip6ctl monitor` showed of scenario vcm: the story, in its order, with the names of those whose it is."""

import json
import re

from . import vpn
from .intranet import addresses

LINE = re.compile(r"(\d\d):(\d\d):(\d\d\.\d{3})  (\S+) +(.*)")
IN_TEXT = re.compile(r"(?:fd00|2001):[0-9a-f:]+")
ADDRESSES = ("a", "b", "node", "internal_address", "home_address", "care_of", "peer")
NEVER = ("bad-packet", "bu-refused", "ba-refused", "correspondent-refused", "binding-lost", "session-refused", "refused", "no-party")


class Shown:
    """The lines of one monitor."""

    def __init__(self, e, name):
        self.e, self.name = e, name
        with open(e.path(f"monitor-{name}.log"), errors="replace") as f:
            self.lines = [m.groups() for m in map(LINE.fullmatch, f.read().splitlines()) if m]
        self.times = [int(h) * 3600 + int(m) * 60 + float(s) for h, m, s, _, _ in self.lines]
        self.events = [(event, rest) for *_, event, rest in self.lines]
        with open(e.path(f"monitor-{name}-j.log"), errors="replace") as f:
            self.objects = [json.loads(line) for line in f if line.startswith("{")]

    def check(self, holds, text):
        return self.e.check(holds, f"monitor of {self.name}: {text}")

    def is_sound(self):
        self.check(self.times == sorted(self.times) and all(self.times), f"times do not rise: {self.times[:20]}")
        for event, rest in self.events:
            self.check(event not in NEVER, f"{event} {rest}")
        told = [(x["event"], x["time"][-10:-4]) for x in self.objects]  # seconds and their thousandths
        self.check(told == [(event, second) for _, _, second, event, _ in self.lines], f"-j tells something else: {told[:20]}")
        for (event, rest), x in zip(self.events, self.objects):
            told = [x[key] for key in ADDRESSES if key in x]
            self.check(set(told) >= set(IN_TEXT.findall(rest)) and told, f"-j has {x} for {event} {rest}")

    def follows(self, *story):
        """Each of the story's (event, words of the line in their order), somewhere behind the one before."""
        at = 0
        for event, *words in story:
            wanted = re.compile(r"(^|.* )" + r"( .* | )".join(map(re.escape, words)) + r"($| .*|:.*)")
            at = next((n + 1 for n, (what, rest) in enumerate(self.events) if n >= at and what == event and wanted.match(rest)), None)
            if not self.check(at, f"no {event} {' '.join(words)} in its place"):
                return


def node_story(shown, at, name, peer):
    ended = ("session", at.home[name], at.internal[peer], "session-ended: inside")
    back = ("place", at.home[name], "inside")
    shown.follows(("place", at.home[name], "outside"),
                  ("session", at.home[name], at.internal[peer], "session-offered"),
                  ("session", at.home[name], at.internal[peer], "session-direct"),
                  *((ended, back) if name == "mn1" else (back, ended)))  # MN2 is the first one that comes back


def gateway_story(shown, at):
    one, two = ((at.internal[name], at.home[name]) for name in vpn.NODES)
    pair = sorted((one[0], two[0]))
    shown.follows(("gateway-outside", *two), ("gateway-outside", *one), ("gateway-pair", *pair), ("gateway-reported", *pair),
                  ("gateway-inside", *two), ("gateway-inside", *one))


def manager_story(shown, at):
    one, two = ((at.internal[name], at.home[name]) for name in vpn.NODES)
    pair = sorted((one[0], two[0]))
    to_direct = (("node-outside", *two), ("node-outside", *one), ("session-offered", *pair), ("session-direct", *pair))
    for name in vpn.NODES:
        shown.follows(*to_direct, ("session-active", *pair, "by", at.internal[name]), ("session-ended", *pair, "inside"),
                      ("session-gone", *pair), ("node-inside", *one))
    shown.follows(*to_direct, ("session-down", *pair, "by", two[0], "inside"))
    shown.follows(*to_direct, ("node-inside", *two), ("node-inside", *one))


def judge(e):
    """Of a run in which nothing is lost and nobody killed."""
    at = addresses(e.keys.embodiment)
    shown = {name: Shown(e, name) for name in vpn.MONITORED}
    for one in shown.values():
        one.is_sound()
    node_story(shown["mn1"], at, "mn1", "mn2")
    node_story(shown["mn2"], at, "mn2", "mn1")
    gateway_story(shown["sg"], at)
    manager_story(shown["vcm"], at)
