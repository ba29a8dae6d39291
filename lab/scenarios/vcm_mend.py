"""What somebody does with `ip xfrm` to the SAs and policies of a session, and of the SA pairs with manual keys beside it, and what
`mip6ctl ipsec check` and `mend` say of it: policies are put back, what is foreign goes, and a session whose SA is gone, with
its key, ends and is offered again."""

import re

from homebound_lab import scenario, vpn_figures, vpn_story

vcm = scenario.load("vcm")

TITLE = "somebody deletes and changes SAs and policies of a session; mip6ctl ipsec check and mend"
IPSEC = False
KEYS = {name: vcm.KEYS[name] for name in vcm.KEYS if name not in ("kill", "loss", "fake")}
LIMIT = 120
SESSION = re.compile(r"src (\S+) dst (\S+)\n\s+proto esp spi (0x[0-9a-f]+) reqid (\d+)")
INTRANET = (4520, 4530, 4540, 5800)  # priorities of policies with gateway and manager (ipsec-glue/marks.h)
FOREIGN = 0x73650000 + 4711  # a reqid of sessions


def run(lab):
    k = lab.keys
    k.kill, k.loss, k.fake = "none", 0, False
    net = vcm.setup(lab)
    story = vpn_story.Story(lab, net)
    story.settle("inside")
    streams = vcm.talk(lab, net)
    story.both_direct()
    story.stay(1)
    node = net.daemons["mn1"]
    all_is_well(lab, net, "direct")
    for step in (nothing, changed, foreign, policy_gone, sa_gone, pair_gone, intranet):
        step(lab, net, story, node)
        all_is_well(lab, net, step.__name__)
        lab.say(step.__name__)
        story.stay(0.5)
    vcm.end(lab, net, streams)
    for name in ("mn1", "mn2"):
        story.go(name, "office")
    story.settle("inside")
    intranet(lab, net, story, node)
    all_is_well(lab, net, "inside")


def all_is_well(lab, net, when):
    for name in ("mn1", "mn2", "sg"):
        wrong = net.daemons[name].ask("ipsec", action="check")
        lab.check(wrong == [], f"{when}, {name}: {wrong}")


def sas(net):
    """{direction: (source, destination, SPI)} of the session, as `mip6ctl sas` has them."""
    rows = [r for r in net.daemons["mn1"].ctl("sas") if r["use"] == "session"]
    return {r["direction"]: (r["source"], r["destination"], r["spi"]) for r in rows}


def outbound(net):
    return ["dir", "out", "src", net.at.internal["mn1"], "dst", net.at.internal["mn2"]]


def policy_text(net):
    return net.mn1.command(["ip", "xfrm", "policy", "list", *outbound(net)])


def mark(net):
    """The words of the policy's mark: with another one it would be another policy."""
    found = re.search(r"mark (\S+)/(\S+)", policy_text(net))
    return ["mark", found[1], "mask", found[2]]


def told(lab, node, action, what, *words):
    """One difference is told, with these words."""
    lines = node.ask("ipsec", action=action) or []
    lab.check(lines and all(any(w in line for line in lines) for w in words), f"{what}: {action} says {lines}")


def nothing(lab, net, story, node):
    there = set(spi for _, _, spi, _ in SESSION.findall(net.mn1.command(["ip", "xfrm", "state"])))
    mine = sas(net)
    lab.check(sorted(mine) == ["in", "out"] and all(spi in there for *_, spi in mine.values()), f"sas says {mine}, the kernel {there}")


def changed(lab, net, story, node):
    """Of a changed policy no event tells enough; the operator asks."""
    at = net.at
    net.mn1.command(["ip", "xfrm", "policy", "update", *outbound(net), *mark(net), "priority", "4500", "tmpl", "src", at.home["mn1"],
                     "dst", at.home["mn2"], "proto", "esp", "reqid", "4711", "mode", "tunnel"])
    told(lab, node, "check", "a changed policy", "differs")
    told(lab, node, "mend", "a changed policy", "differs")
    lab.check("reqid 4711" not in policy_text(net), "the changed policy is still there")


def foreign(lab, net, story, node):
    at = net.at
    net.mn1.command(["ip", "xfrm", "state", "add", "src", at.home["mn1"], "dst", at.home["mn3"], "proto", "esp", "spi", "0x4711", "reqid",
                     str(FOREIGN), "mode", "tunnel", "aead", "rfc4106(gcm(aes))", "0x" + "42" * 20, "128"])
    net.mn1.command(["ip", "xfrm", "policy", "add", "dir", "out", "src", at.internal["mn1"], "dst", at.internal["mn3"], "priority",
                     "4500", "tmpl", "src", at.home["mn1"], "dst", at.home["mn3"], "proto", "esp", "reqid", str(FOREIGN), "mode", "tunnel"])
    told(lab, node, "check", "what is foreign", "left over", "SA", at.internal["mn3"])
    told(lab, node, "mend", "what is foreign", "left over")
    lab.check("0x00004711" not in net.mn1.command(["ip", "xfrm", "state"]), "the foreign SA is still there")


def policy_gone(lab, net, story, node):
    """Told by an event, and put back at once. (`delete` knows no mark of 0; `deleteall` tries until it sees none.)"""
    net.mn1.command(["ip", "xfrm", "policy", "deleteall", *outbound(net)])
    lab.until(lambda: "priority 4500" in policy_text(net), 5, "the policy to be back")
    lab.check(story.is_direct(), "the session has ended, though only a policy was deleted")


def sa_gone(lab, net, story, node):
    before = sas(net)
    source, destination, spi = before["out"]
    net.mn1.command(["ip", "xfrm", "state", "delete", "src", source, "dst", destination, "proto", "esp", "spi", spi])
    lab.until(lambda: sas(net).get("out") not in (None, before["out"]), 20, "another session")
    story.become_direct("again")


def pair_gone(lab, net, story, node):
    """MN - VCM: made again at once, and not with numbers that were used before."""
    if lab.keys.where != "host":
        return
    row = next(r for r in node.ctl("sas") if r["use"] == "manager" and r["direction"] == "out")
    net.mn1.command(["ip", "xfrm", "state", "delete", "src", row["source"], "dst", row["destination"], "proto", "esp", "spi", row["spi"]])

    def again():
        return next(r for r in node.ctl("sas") if r["use"] == "manager" and r["direction"] == "out")
    lab.until(lambda: not again()["missing"] and again()["sequence"] > row["sequence"], 5, "the manager's SA to be back, further on")


def policies(host, priorities=INTRANET):
    """{index: text} of the host's policies of the intranet; the text is without what changes by itself."""
    found = {}
    for block in re.split(r"\n(?=src )", host.command(["ip", "-s", "xfrm", "policy", "list"])):
        row = re.search(r"dir (\S+) action \S+ index (\d+) priority (\d+)", block)
        if row and int(row[3]) in priorities:
            selector, templates = re.sub(r" uid \d+", "", block.split("\n", 1)[0]), re.findall(r"tmpl .*?(?=\ttmpl|\Z)", block, re.S)
            found[row[2]] = (row[1], " ".join(f"{selector} dir {row[1]} priority {row[3]} {templates}".split()))
    return found


def intranet(lab, net, story, node):
    """Policies with gateway and manager, as the place wants them: what is deleted is back at once, also all of it; one is changed,
    one is added."""
    for name in ("mn1", "sg"):
        host, daemon = getattr(net, name), net.daemons[name]
        before = policies(host)
        if not before:  # embodiment 2, the manager on the gateway
            continue
        for index, (direction, _) in before.items():
            host.command(["ip", "xfrm", "policy", "delete", "dir", direction, "index", index])
        lab.until(lambda: texts(policies(host)) == texts(before), 5, f"{name}: policies that were deleted to be back")
        lab.check(not set(policies(host)) & set(before), f"{name}: policies cannot be deleted")
        selector = next(text for _, text in before.values() if "tmpl" in text and ("priority 5800" in text or "priority 4540" in text))
        spoil(lab, net, name, selector.split())
        lab.check(texts(policies(host)) == texts(before), f"{name}: mended, policies are others: {texts(policies(host))}, not {texts(before)}")


def texts(found):
    return sorted(text for _, text in found.values())


def spoil(lab, net, name, words):
    """One policy lets pass what it protected, and one is there that nobody wants."""
    host, daemon = getattr(net, name), net.daemons[name]
    direction, priority = (words[words.index(w) + 1] for w in ("dir", "priority"))
    selector = words[:words.index("dir")]
    host.command(["ip", "xfrm", "policy", "update", "dir", direction, *selector, "priority", priority])
    own = "dst" if direction in ("in", "fwd") else "src"
    if name == "sg" and priority == "5800":
        own = {"src": "dst", "dst": "src"}[own]
    other = {"src": "dst", "dst": "src"}[own]
    strange = {own: words[words.index(own) + 1], other: "2001:db8:77::/48"}
    host.command(["ip", "xfrm", "policy", "add", "dir", direction, "src", strange["src"], "dst", strange["dst"], "priority", priority])
    for action in ("check", "mend"):
        lines = sorted(daemon.ask("ipsec", action=action))
        lab.check(len(lines) == 2 and sum("differs" in x for x in lines) == 1 and sum("left over" in x and "2001:db8:77::" in x for x in lines) == 1,
                  f"{name}: one changed, one added, {action} says {lines}")


def judge(e):
    run = vpn_figures.Run(e)
    readable = vpn_figures.clear(run)
    e.figures["clear"] = len(readable)
    e.check(not readable, f"{len(readable)} packets could be read outside: {readable[:5]}")
    _, reused = vpn_figures.esp(run)
    e.figures["reused"] = reused
    e.check(not reused, f"{reused} sequence numbers were used twice")
