"""strongSwan replaces all SAs again and again while a node walks between its links under traffic."""

import re

from homebound_lab.scenario import Key, load

handover = load("handover")
TITLE = "SAs are replaced under traffic and at moves: is anything lost?"
KEYS = {**handover.KEYS, "moves": Key(8, "how many moves"), "rekey_s": Key(5, "how old SAs get, in s")}
LIMIT = handover.LIMIT
MADE = re.compile(r"CHILD_SA (signal|data)\{\d+\} established")


def run(lab):
    lab.check(lab.keys.ipsec == "strongswan", "this is about SAs that strongSwan makes: say ipsec=strongswan")
    lab.rekey_s = lab.keys.rekey_s
    handover.run(lab)


def judge(e):
    handover.judge(e)
    with open(e.path("charon-mn.log"), errors="replace") as f:
        made = MADE.findall(f.read())
    for child in ("signal", "data"):
        e.figures[f"{child}_sas"] = made.count(child)
        e.check(made.count(child) >= 3, f"SAs of {child} were made {made.count(child)} times only")
