#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows handovers to people: ./demo runs this.

    tools/show_handover.py --out DIR [key=value ...]    run the scenario `demo`, show each move as it happens, then the
                                                        summary, and draw DIR/handover.png
    tools/show_handover.py --out DIR --draw             draw again what is in DIR
"""

import argparse
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "lab"))

from homebound_lab import evidence, handovers, packets  # noqa: E402
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, PREFIXES  # noqa: E402

NAMES = {"home": "home", "link1": "link 1", "link2": "link 2"}
ROUTER = {"link1": ("link1", "core-ar1"), "link2": ("link2", "core-ar2")}


def colours(stream):
    """{name: escape sequence}, all empty unless this is a terminal that wants colour."""
    on = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    codes = {"bold": "1", "node": "1;32", "dim": "2", "bad": "1;31", "plain": "0"}
    return {name: f"\033[{code}m" if on else "" for name, code in codes.items()}


C = colours(sys.stdout)


def paint(name, text):
    return f"{C[name]}{text}{C['plain']}"


# --- on the terminal


def show_map(rtt):
    node = paint("node", "[MN]")
    print(f"""
   correspondent                      home agent
   {CORRESPONDENT:<35}{HOME_AGENT}
        |                                 |
        +------------- core --------------+---- home link  {PREFIXES['home']:<18}{node}  {HOME_ADDRESS}
                       |  |
             {rtt / 2:>5g} ms  |  |  {rtt / 2:g} ms
                       |  +---- access router 1 --- link 1  {PREFIXES['link1']}
                       +------- access router 2 --- link 2  {PREFIXES['link2']}

   The mobile node {node} walks home -> link 1 -> link 2 -> home. Two UDP streams, one packet a ms each, and a TCP
   session run all the time between it and the correspondent. R, the round trip to the home agent, is {rtt:g} ms.
   "down" and "up": how long after the new link came up its traffic flowed again, in ms.

""" + paint("bold", f"   {'':3} {'the node is':^22}  {'binding at the home agent':<44} {'down':>7} {'up':>7}  "
            f"{'lost':>4} {'twice':>5}") +
          f"\n   {'':3} {'home   link 1   link 2':^22}", flush=True)


def strip(place):
    cells = [paint("node", "MN") if place == p else " ." for p in NAMES]
    return f" {cells[0]}      {cells[1]}       {cells[2]}  "


def ms(value):
    return "never" if value is None else f"{value:.1f}"


def show_move(r):
    """One line for a report of the scenario."""
    if r["care_of_address"] and r["state"] != "invalid":
        binding = f"{r['home_address']} -> {r['care_of_address']}"
    else:
        binding = paint("dim", f"{'none, the node is at home':<44}")
    missing = f"{r['missing']}*" if r["missing"] else "0"
    print(f"   {r['number']:>2}. {strip(r['to'])}  {binding:<44} {ms(r['down_ms']):>7} {ms(r['up_ms']):>7}  "
          f"{missing:>4} {r['twice']:>5}", flush=True)


def watch(out, words):
    """Run the scenario and show it; returns lab/run's exit status."""
    argv = [os.path.join(TOP, "lab", "run"), "--out", out, "demo", *words]
    rest = []
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as p:
        for line in p.stdout:
            if line.startswith("report "):
                show_move(json.loads(line[7:]))
            else:
                rest.append(line)
    if p.returncode not in (0, 1):
        sys.stdout.write("".join(rest))
    return p.returncode


def summarise(result):
    f, k = result["figures"], result["keys"]
    if not f.get("moves"):
        print("   Nothing moved." if result["verdict"] == "pass" else paint("bad", "   The run did not work:"))
        for failure in result["failures"][:8]:
            print(f"   - {failure}")
        return
    print("   * on their way to the link that the node had just left: nothing can bring those back")
    if f.get("held_back"):
        print("     and those that the node's full socket did not take while the node had to wait")
    print()
    away = [i for i, m in enumerate(f["moves"]) if not m.endswith("home")]
    home = [i for i, m in enumerate(f["moves"]) if m.endswith("home")]

    def most(name, indexes):
        values = [f[name][i] for i in indexes]
        return "never" if None in values else f"{max(values):.1f} ms"

    print(paint("bold", "   Measured from the captures (greatest of all moves; R is "
                f"{k['rtt']} ms)"))
    rows = [("", "to a link", "ideal", "back home", "ideal"),
            ("home agent sends to the new place", most("downlink_sent_ms", away), f"{k['rtt'] / 2:g} ms",
             most("downlink_sent_ms", home) if home else "-", "0 ms"),
            ("node receives there", most("downlink_gap_ms", away), f"{k['rtt']} ms",
             most("downlink_gap_ms", home) if home else "-", "0 ms"),
            ("node's own traffic leaves and arrives", most("uplink_gap_ms", away), "0 ms",
             most("uplink_gap_ms", home) if home else "-", "0 ms")]
    for row in rows:
        print(f"   {row[0]:<40}{row[1]:>12}{row[2]:>10}{row[3]:>14}{row[4]:>10}")
    tcp = max(f["tcp_longest_gap_ms"])
    moves = "a move" if len(f["moves"]) == 1 else f"{len(f['moves'])} moves"
    right = "NOT whole" if any("TCP" in x or "octets" in x for x in result["failures"]) else "every octet right"
    print(f"""
   {f['sent']} packets sent, {f['lost']} lost, {f['duplicated']} twice, {f['lost_on_old_link']} on a link that the node left.
   The TCP session lived through {moves}, {right}; its longest silence was {tcp:.0f} ms.""")
    if result["verdict"] == "pass":
        print("   " + paint("node", "All assertions hold."))
    else:
        print("   " + paint("bad", "Not as it should be:"))
        for failure in result["failures"][:8]:
            print(f"   - {failure}")


# --- the picture


class Ladder:
    """Who sent what to whom in a move: lanes MN, AR, HA, times in ms from link up."""

    HA, AR, MN = 2, 1, 0

    def __init__(self, h, number, signalling):
        self.h, self.number, self.move = h, number, h.moves[number]
        self.up, self.end = h.window(number)
        self.signalling = signalling
        self.arrows = []  # (name, from lane, time, to lane, time)

    def first(self, link, test, since=None):
        """Time in ms of the first signalling message on a link, in this move, that passes the test."""
        since = self.up if since is None else self.up + since / 1000
        t = next((m.time for m in self.signalling[link] if since <= m.time < self.end and test(m)), None)
        return None if t is None else (t - self.up) * 1000

    def data(self, link, direction):
        t = self.h.first(link, self.number, direction, True)
        return None if t is None else (t - self.up) * 1000

    def add(self, name, source, sent, target, arrived):
        if sent is not None and arrived is not None:
            self.arrows.append((name, source, sent, target, arrived))

    def build(self):
        node, home = f"mn-{self.move['device']}", self.move["to"] == "home"
        # At home the router is the home agent, on the same wire: its capture of that link tells both times.
        far = "home" if home else "core-ha"
        near = "home" if home else ROUTER[self.move["to"]][0]
        router = self.HA if home else self.AR
        rs = self.first(node, lambda m: m.icmp == handovers.RS)
        self.add("RS", self.MN, rs, router, self.first(near, lambda m: m.icmp == handovers.RS))
        ra = self.first(near, lambda m: m.icmp == handovers.RA)
        self.add("RA", router, ra, self.MN, self.first(node, lambda m: m.icmp == handovers.RA))
        bu = self.first(node, lambda m: m.mh == handovers.BU)
        at_ha = self.first(far, lambda m: m.mh == handovers.BU, bu or 0)
        self.add("BU", self.MN, bu, self.HA, at_ha)
        self.add("BA", self.HA, self.first(far, lambda m: m.mh == handovers.BA, at_ha or 0), self.MN,
                 self.first(node, lambda m: m.mh == handovers.BA, bu or 0))
        self.add("data up", self.MN, self.data(node, "up"), self.HA, self.data(far, "up"))
        self.add("data down", self.HA, self.data(far, "down"), self.MN, self.data(node, "down"))
        return self


COLOURS = {"RS": "#7f8c8d", "RA": "#7f8c8d", "BU": "#2166ac", "BA": "#2166ac", "data up": "#1e7d4f",
           "data down": "#c0392b"}
WIDE = ("BU", "BA")  # data goes right behind them and would hide them
STYLES = {"RS": "-", "RA": "--", "BU": "-", "BA": "--", "data up": "-", "data down": "-"}


def labels(axes, events, y, edge, span, below):
    """Names and times of a lane's events, side by side, with lines to where they belong."""
    gap, events = span * 0.135, sorted(events)
    places = [time for time, _ in events]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    limit = edge
    for i in reversed(range(len(places))):
        places[i] = min(places[i], limit)
        limit = places[i] - gap
    for (time, name), x in zip(events, places):
        axes.annotate(f"{name}\n{time:.2f}" if time < 10 else f"{name}\n{time:.1f}", xy=(time, y),
                      xytext=(x, y + (-0.42 if below else 0.42)), ha="center", va="top" if below else "bottom",
                      fontsize=7.5, color=COLOURS[name], linespacing=0.95, annotation_clip=False, zorder=4,
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
                      arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.5, "shrinkA": 0, "shrinkB": 1})


def draw_move(axes, ladder, limit):
    start = -limit * 0.03
    lanes = {Ladder.HA: "HA", Ladder.AR: "AR", Ladder.MN: "MN"}
    if ladder.move["to"] == "home":
        del lanes[Ladder.AR]
    for y in lanes:
        axes.axhline(y, color="#444444", linewidth=0.9, zorder=1)
    axes.set_yticks(list(lanes), list(lanes.values()), fontsize=8)
    axes.axvline(0, color="#999999", linewidth=0.8, linestyle=":", zorder=0)
    at_ha, at_mn, late = [], [], []
    for name, source, sent, target, arrived in ladder.arrows:
        if sent > limit:
            late.append(f"{name} sent {sent:.1f}\nreceived {arrived:.1f}")
            continue
        axes.annotate("", xy=(arrived, target), xytext=(sent, source), zorder=3, annotation_clip=False,
                      arrowprops={"arrowstyle": "-|>", "color": COLOURS[name],
                                  "linewidth": 3.4 if name in WIDE else 1.2, "shrinkA": 0, "shrinkB": 0,
                                  "linestyle": STYLES[name], "mutation_scale": 8,
                                  "alpha": 0.55 if name in WIDE else 1})
        for lane, time in ((source, sent), (target, arrived)):
            if lane != Ladder.AR:
                (at_ha if lane == Ladder.HA else at_mn).append((time, name))
    labels(axes, at_ha, Ladder.HA, limit, limit, False)
    labels(axes, at_mn, Ladder.MN, limit, limit, True)
    if late:
        crowded = bool(at_mn) and max(at_mn)[0] > 0.8 * limit  # then there is room on the left
        axes.text(limit * (0.45 if crowded else 1), 1.5, "later  →\n" + "\n".join(late), ha="right", va="center",
                  fontsize=7.5, color=COLOURS["BA"], bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})
    axes.set_xlim(start, limit)
    axes.set_ylim(-1.15, 3.15)
    axes.tick_params(axis="x", labelsize=7)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"{ladder.number + 1}. {NAMES[ladder.move['from']]} → {NAMES[ladder.move['to']]}", loc="left",
                   fontsize=9, fontweight="bold", pad=4)


def draw(out, path):
    """A panel for each move, three in a row."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    with open(os.path.join(out, "job.json")) as f:
        job = json.load(f)
    with open(os.path.join(out, "inside.json")) as f:
        run = json.load(f)["runs"][0]
    moves = run["facts"]["moves"]
    e = evidence.Evidence(out, job["keys"], run["seed"], run["facts"], [])
    h = handovers.Handovers(e, moves)
    links = {"core-ha", *PREFIXES, *(f"mn-{m['device']}" for m in moves)}
    signalling = {link: packets.signalling(os.path.join(out, link + ".pcapng")) for link in links}
    ladders = [Ladder(h, n, signalling).build() for n in range(len(moves))]
    rtt = job["keys"]["rtt"]
    rows = (len(moves) + 2) // 3
    figure, panels = plt.subplots(rows, 3, figsize=(15.5, 0.9 + 2.55 * rows), squeeze=False)
    for axes in panels.flat[len(moves):]:
        axes.set_visible(False)
    for axes, ladder in zip(panels.flat, ladders):
        # Away, until the data flows; at home, all of it.
        home = ladder.move["to"] == "home"
        ends = [a[4] for a in ladder.arrows if home or a[0].startswith("data")]
        limit = max(1.0 if home else 1.5 * rtt, 1.15 * max(ends, default=1), 1.0)
        draw_move(axes, ladder, limit)
    for axes in panels[-1]:
        axes.set_xlabel("ms from link up", fontsize=8)
    handles = [plt.Line2D([], [], color=COLOURS[n], linestyle=STYLES[n], linewidth=3.4 if n in WIDE else 1.2,
                           alpha=0.55 if n in WIDE else 1) for n in COLOURS]
    words = ["router solicitation", "router advertisement", "binding update", "binding acknowledgement",
             "first packet up", "first packet down"]
    height = figure.get_figheight()
    figure.suptitle(f"Handovers of a mobile node, R = {rtt} ms between it and its home agent", y=1 - 0.16 / height,
                    fontsize=12, fontweight="bold")
    figure.legend(handles, words, loc="upper center", ncol=6, frameon=False, fontsize=8.5,
                  bbox_to_anchor=(0.5, 1 - 0.30 / height))
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.62 / height), w_pad=2.0, h_pad=1.2)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(prog="tools/show_handover.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, metavar="DIR")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("words", nargs="*", metavar="key=value")
    args = parser.parse_args()
    path = os.path.join(args.out, "handover.png")
    if args.draw:
        draw(args.out, path)
        return 0
    rtt = next((float(w[4:]) for w in args.words if w.startswith("rtt=") and w[4:].isdigit()), 100)
    show_map(rtt)
    status = watch(args.out, args.words)
    if status not in (0, 1):
        return status
    try:
        with open(os.path.join(args.out, "result.json")) as f:
            result = json.load(f)
    except FileNotFoundError:
        return status or 1
    summarise(result)
    if result["figures"].get("moves"):
        draw(args.out, path)
        print(f"\n   The moves as a picture: {os.path.relpath(path)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
