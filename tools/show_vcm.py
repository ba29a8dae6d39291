#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run scenario vcm in the lab and tell what happened: who was where, over what the packets went, and how long things took.

    tools/show_vcm.py --out DIR [key=value ...]
"""

import argparse
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "lab"))

from homebound_lab import evidence, layers, vpn_figures  # noqa: E402

COLOURS = {"node": "1;36", "bad": "1;31", "good": "1;32", "bold": "1", "dim": "2"}
NAMES = {"mn1": "MN1", "mn2": "MN2"}
WAYS = {"office": "on the office's link", "gateway": "by the gateway, in its SAs", "direct": "directly, in the session's SAs"}


def paint(how, text):
    return f"\033[{COLOURS[how]}m{text}\033[0m" if sys.stdout.isatty() else text


def show_map(rtt):
    one, two = (paint("node", f"[{n}]") for n in NAMES.values())
    print(f"""
   file server   connectivity manager (VCM)
        |             |
    ----+------+------+----                                external home agent --- home link
               |                                                  |
       security gateway (SG) ------------------------------- the Internet --- access router 1 to 3 --- links 1, 2, 3
               |                                                  |
    -----------+------------ office link                          +---------- access router 4 to 6 --- links 4, 5, 6
         {one}  {two}

   {one} and {two} talk (two UDP streams, TCP), leave the office one after the other, each moves twice, and both return.
   Outside, the round trip between the two is {rtt:g} ms. Inside, packets are in clear; outside nothing may be readable.
""", flush=True)


def place(name):
    return "office" if name == "office" else f"{name[:-1]} {name[-1]}" if name.startswith("link") else name


def way_at(run, start, end):
    """Over what the streams went in a time."""
    links = {link for link in ("office", "core-sg", *vpn_figures.LINKS) for s in run.seen.get(link, ())
             if start <= s.time < end and layers.flow(s)}
    return "gateway" if "core-sg" in links else "direct" if links - {"office"} else "office" if links else None


def line(run, when, what, places, way=None):
    print(f"   {when:>9}  {what:<58} {places.get('mn1', ''):<8} {places.get('mn2', ''):<8} {WAYS.get(way, '')}", flush=True)


def session_set_up(run, start):
    """The messages of figure 2, in ms from the first packet of the pair that reached the gateway when both were outside."""
    _, steps = vpn_figures.order(run)
    at = vpn_figures.detected(run)
    rows = [(steps[n][kind], text) for n in steps for kind, text in (
        ("OFFER", f"VCM gives {NAMES[n]} keys and the other's address (206, 210)"),
        ("READY", f"{NAMES[n]} can receive (208, 212)"), ("PEER-READY", f"VCM tells {NAMES[n]} that the other one can"))]
    rows += [(t, f"{NAMES[n]} receives the first packet that came directly (220)") for n, t in vpn_figures.first_direct(run).items()]
    rows.append((at, "the gateway has the first packet of the two when both are outside"))
    for time, text in sorted((t, x) for t, x in rows if t is not None):
        line(run, f"{(time - at) * 1000:+.1f} ms", "   " + text, {})


def tell(run, start):
    places, gaps = {"mn1": "office", "mn2": "office"}, iter(run.e.figures.get("direct_gap_ms", []))
    moves, ended = run.e.facts["moves"], run.e.facts["ended"]
    print(paint("bold", f"   {'s':>9}  {'':58} {'MN1':<8} {'MN2':<8} packets between them go"))
    line(run, "0.0", "both are in the office and talk", places, way_at(run, start, moves[0]["up"]))
    for number, move in enumerate(moves):
        name, until = move["node"], moves[number + 1]["up"] if number + 1 < len(moves) else ended
        places[name] = place(move["to"])
        again = next(gaps, None) if "sas" in move else None
        text = f"{NAMES[name]}: {place(move['from'])} -> {place(move['to'])}"
        if again is not None:
            text += f", direct again after {again:.1f} ms"
        line(run, f"{move['up'] - start:.1f}", text, places, way_at(run, until - 0.3, until))
        if number == 1:
            session_set_up(run, start)


def summarise(result):
    f = result["figures"]
    words = [("lost", "packets lost"), ("duplicated", "packets that came twice"), ("clear", "packets readable outside"),
             ("sg_payload_packets_while_direct", "packets at the gateway while they talked directly")]
    print()
    for name, text in words:
        value = f.get(name)
        print(f"   {paint('good' if value == 0 else 'bad', f'{value!s:>7}')}  {text}")
    if result["verdict"] != "pass":
        print(paint("bad", "\n   Not all was as it should be:"))
        for failure in result["failures"][:8]:
            print(f"   - {failure}")


def show(out):
    """The run whose results are in this directory."""
    result, job, inside = (json.load(open(os.path.join(out, name + ".json"))) for name in ("result", "job", "inside"))
    one = inside["runs"][0]
    if one["facts"].get("returning"):
        e = evidence.Evidence(out, job["keys"], one["seed"], one["facts"], [])
        e.figures = result["figures"]
        tell(vpn_figures.Run(e), one["facts"]["moves"][0]["up"] - 1)
    summarise(result)


def main():
    parser = argparse.ArgumentParser(prog="tools/show_vcm.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, metavar="DIR")
    parser.add_argument("words", nargs="*", metavar="key=value")
    args = parser.parse_args()
    show_map(next((float(w[4:]) for w in args.words if w.startswith("rtt=") and w[4:].isdigit()), 100))
    p = subprocess.run([os.path.join(TOP, "lab", "run"), "--out", args.out, "vcm", *args.words], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace")
    if p.returncode not in (0, 1):
        sys.stdout.write(p.stdout)
        return p.returncode
    show(args.out)
    return p.returncode


if __name__ == "__main__":
    sys.exit(main())
