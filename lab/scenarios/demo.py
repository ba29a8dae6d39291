"""The scenario `handover`, telling after each move what the applications saw of it: ./demo handover shows that."""

import json

from homebound_lab import scenario
from homebound_lab.picture import HOME_ADDRESS
from homebound_lab.scenario import Key

handover = scenario.load("handover")

TITLE = "handover, with a report after each move (what ./demo handover shows)"
KEYS = {**handover.KEYS, "moves": Key(9, "how many moves")}
LIMIT = handover.LIMIT
setup, judge = handover.setup, handover.judge


class Received:
    """What the receiver of a stream has written so far, read on from where the last look ended."""

    def __init__(self, path):
        self.path, self.at, self.rows = path, 0, []

    def look(self):
        """[(sequence, sent, arrived)] in seconds since the last look began."""
        with open(self.path) as f:
            f.seek(self.at)
            text = f.read()
        whole = text[:text.rfind("\n") + 1]
        self.at += len(whole)
        self.rows = [tuple(int(w) / n for w, n in zip(line.split(","), (1, 1e9, 1e9))) for line in whole.splitlines()]
        return self.rows


class Account:
    """Numbers of one stream: what never came, and what came twice, since the last report."""

    def __init__(self, lab, name):
        self.received, self.seen, self.next = Received(lab.path(f"{name}.received.csv")), set(), 0

    def report(self):
        rows = self.received.look()
        before = len(self.seen)
        self.seen.update(int(r[0]) for r in rows)
        end = max(self.seen, default=-1) + 1
        missing = sum(1 for s in range(self.next, end) if s not in self.seen)
        self.next = end
        return rows, missing, len(rows) - (len(self.seen) - before)


def gap(times, up, way=0.0):
    """ms from link up to the first of some times, less the way the packet took."""
    first = min((t for t in times if t >= up), default=None)
    return None if first is None else round(max(0.0, first - up - way) * 1000, 1)


def run(lab):
    accounts = {name: Account(lab, name) for name in ("down", "up")}

    def settled(net, number, move):
        (down, down_missing, down_twice), (up, up_missing, up_twice) = (a.report() for a in accounts.values())
        way = 0 if move["to"] == "home" else lab.keys.rtt / 2000
        binding = next((b for b in net.ha_daemon.ask("bindings") or () if b["home_address"] == HOME_ADDRESS), {})
        lab.say("report " + json.dumps({
            "number": number, "from": move["from"], "to": move["to"], "home_address": HOME_ADDRESS,
            "care_of_address": binding.get("care_of"), "state": binding.get("state"),
            "down_ms": gap((r[2] for r in down), move["up"]),
            "up_ms": gap((r[2] for r in up if r[1] >= move["down"]), move["up"], way),
            "missing": down_missing + up_missing, "twice": down_twice + up_twice}))

    handover.run(lab, settled)
