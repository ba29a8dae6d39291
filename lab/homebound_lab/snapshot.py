"""What a kernel holds, as text to be compared: did a daemon leave something behind, or change what was not its own?

Addresses, links, routes of all tables, rules, proxied and permanent neighbours, XFRM states and policies, nftables,
queueing disciplines, and every setting below /proc/sys/net/ipv6. Not in it: what changes by itself (lifetimes that
run down, counters, neighbours that were learnt, carrier).
"""

import difflib
import os
import re

COMMANDS = """
echo '# addresses'; ip -6 -o addr show
echo '# links'; ip -d -o link show
echo '# routes'; ip -6 -d route show table all
echo '# rules'; ip -6 -d rule show
echo '# proxied neighbours'; ip -6 neigh show proxy
echo '# permanent neighbours'; ip -6 neigh show nud permanent
echo '# XFRM states'; ip xfrm state list
echo '# XFRM policies'; ip -d xfrm policy list
echo '# nftables'; nft list ruleset
echo '# queueing disciplines'; tc qdisc show
"""
VOLATILE = (r"\bvalid_lft \S+", r"\bpreferred_lft \S+", r"\bexpires -?\d+sec", r"\bexpires (\d+m)?(\d+s)?\d+ms\b", r"\btentative\b", r"\boptimistic\b",
            r"\bcounter packets \d+ bytes \d+", r"<[A-Z0-9,_-]*>", r"\bstate (UP|DOWN|LOWERLAYERDOWN|UNKNOWN)\b",
            r"\blinkdown\b", r"\bindex \d+ ", r"^ *add \d{4}-.*$", r"^.*lifetime current.*$",
            r"^\s*lastused .*$")
LONGEST = 40
SETTINGS = "/proc/sys/net/ipv6"
SORTED = ("# addresses", "# links", "# routes", "# rules", "# proxied neighbours", "# permanent neighbours",
          "# queueing disciplines")


def settings(host):
    lines = []
    with host.inside():
        for folder, _, files in os.walk(SETTINGS):
            for name in files:
                path = os.path.join(folder, name)
                try:
                    with open(path) as f:
                        lines.append(f"{path[len('/proc/sys/'):]} = {f.read().strip()}")
                except OSError:  # stable_secret, before it has been set; flush, which cannot be read
                    pass
    return sorted(lines)


def take(host):
    """The lines of a snapshot."""
    sections = []
    for line in host.command(["sh", "-c", COMMANDS]).splitlines():
        for pattern in VOLATILE:
            line = re.sub(pattern, "", line)
        line = re.sub(r"\s+", " ", line).strip()
        if line.startswith("# "):
            sections.append([line])
        elif line:
            sections[-1].append(line)
    return [line for s in sections for line in s[:1] + (sorted(s[1:]) if s[0] in SORTED else s[1:])] + settings(host)


def difference(before, after):
    """Lines that came (+) and went (-), as one text of at most LONGEST lines; empty when there are none."""
    lines = [line for line in difflib.unified_diff(before, after, "before", "after", n=0, lineterm="")
             if not line.startswith(("---", "+++", "@@"))]
    if len(lines) > LONGEST:
        lines[LONGEST:] = [f"and {len(lines) - LONGEST} more lines"]
    return "\n".join(lines)
