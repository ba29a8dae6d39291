"""The home agent ends bindings and tells the node why (RFC 5846); the node does what the reason asks for."""

from homebound_lab import capture, daemons, flows, packets
from homebound_lab.picture import HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "the home agent revokes bindings: with an answer, without one, and while the node moves"
KEYS = {"rtt": Key(100, "round trip between the node and its home agent, in ms")}
LIMIT = 120
AWAY = 600  # seconds for which a node stays away after an administrative revocation
IDENTIFIER = "anna@example.org"


def state(daemon):
    """Of the one binding: (state, whether it is being revoked), or None."""
    for b in daemon.ask("bindings") or []:
        return b["state"], b.get("revoking", False)
    return None


def mobile_node(daemon):
    return (daemon.ask("status") or {}).get("mobile_node") or {}


def registered(net):
    return net.mn_daemon.registration()[0] == "registered" and state(net.ha_daemon) == ("active", False)


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net, more=f'\tidentifiers = ( "{IDENTIFIER}" );\n')
    net.attach("link1")
    net.mn_daemon = daemons.mobile_node(lab, net, more=f'\tidentifier = "{IDENTIFIER}";\n\tunprotected_signals = true;\n')
    lab.until(lambda: registered(net), 20, "the registration")
    return net


def administrative(lab, net):
    """It answers, its binding is gone, it stays away for ten minutes though it moves, and comes back."""
    answer = net.ha_daemon.ctl("revoke", HOME_ADDRESS)
    lab.check(answer["revoking"] and answer["identifier"] == IDENTIFIER, f"revoke answers {answer}")
    lab.until(lambda: state(net.ha_daemon) in (("invalid", False), None), 5, "the end of the binding")
    lab.check(mobile_node(net.mn_daemon).get("registration") == "refused", "the node does not know of the revocation")
    routes = net.ha.command(["ip", "-6", "route", "show", HOME_ADDRESS])
    lab.check("encap" not in routes, f"the home agent still tunnels: {routes}")
    start = lab.now()
    net.move("link2")
    lab.until(lambda: registered(net), AWAY + 30, "the node to come back", step=0.5, longest=5)
    lab.facts["stayed_away_s"] = lab.now() - start


def out_of_sync(lab, net):
    """It registers again at once: what is lost of a stream is what comes within a round trip and DAD."""
    down = flows.Stream(lab, "down", net.cn, net.mn, HOME_ADDRESS, 5001)
    lab.sleep(1)
    net.ha_daemon.ctl("revoke", HOME_ADDRESS, "out-of-sync")
    lab.until(lambda: net.ha_daemon.ask("stats")["home_agent"]["revocations_answered"] == 2, 5, "the answer")
    lab.until(lambda: registered(net), 10, "the new registration")
    lab.sleep(1)
    down.stop_sending()
    lab.sleep(1)
    down.stop()


def unanswered(lab, net):
    """The node is out of reach: after a second the indication comes again, and two seconds later the binding goes."""
    net.detach()
    start = lab.now()
    net.ha_daemon.ctl("revoke", HOME_ADDRESS)
    lab.check(state(net.ha_daemon) == ("active", True), "the binding does not live while it is being revoked")
    lab.until(lambda: state(net.ha_daemon) in (("invalid", False), None), 10, "the end of the binding")
    lab.facts["unanswered_s"] = lab.now() - start
    net.attach("link1")
    lab.until(lambda: registered(net), 60, "the node to come back")


def run(lab):
    net = setup(lab)
    administrative(lab, net)
    out_of_sync(lab, net)
    unanswered(lab, net)
    lab.facts["ha"], lab.facts["mn"] = (d.ask("stats") for d in (net.ha_daemon, net.mn_daemon))
    for daemon in (net.mn_daemon, net.ha_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")


def judge(e):
    link = packets.signalling_file(e.path("core-ha.pcapng"))
    rows = packets.tshark(link, "mip6.mhtype == 16", "mip6.bri_br.type", "mip6.bri_r.trigger",
                          "mip6.bri_status", "mip6.bri_seqnr", "ipv6.src", "ipv6.dst", "ipv6.routing.type",
                          "ipv6.routing.mipv6.home_address", "mip6.mhtype", "ipv6.opt.mipv6.home_address",
                          "frame.time_epoch")
    sent = [r for r in rows if r[0] == "1"]
    answered = [r for r in rows if r[0] == "2"]
    e.figures["indications"] = [r[1] for r in sent]
    e.check(e.figures["indications"] == ["1", "7", "1", "1"], f"indications with triggers {e.figures['indications']}")
    for r in sent:
        e.check(r[4] == HOME_AGENT and r[6] == "2" and r[7] == HOME_ADDRESS,
                f"an indication without the type 2 routing header to the home address: {r}")
    e.check(sent[2][3] == sent[3][3] and len({r[3] for r in sent}) == 3, "sequence numbers of indications")
    e.check([r[2] for r in answered] == ["0", "0"], f"answers with status {[r[2] for r in answered]}")
    for asked, r in zip(sent, answered):
        e.check(r[3] == asked[3] and r[5] == HOME_AGENT and r[9] == HOME_ADDRESS and r[4] == asked[5],
                f"an answer that is not to its indication, or without Home Address option: {r}")
    e.figures["repeated_after_s"] = round(float(sent[3][10]) - float(sent[2][10]), 3)
    e.check(0.99 < e.figures["repeated_after_s"] < 1.1, f"repeated after {e.figures['repeated_after_s']} s, not 1")
    e.figures["unanswered_s"] = round(e.facts["unanswered_s"], 2)
    e.check(2.9 < e.figures["unanswered_s"] < 3.5, f"without answer it took {e.figures['unanswered_s']} s, not 3")
    e.figures["stayed_away_s"] = round(e.facts["stayed_away_s"])
    e.check(AWAY - 5 < e.figures["stayed_away_s"] < AWAY + 30, f"stayed away for {e.figures['stayed_away_s']} s")
    e.check(e.facts["ha"]["home_agent"]["revocations_unanswered"] == 1, "the count of unanswered revocations")
    identifiers = packets.tshark(link, "mip6.mhtype == 5", "mip6.mnid.subtype",
                                 "mip6.mnid.identifier")
    e.check(identifiers and all(r[0] == "1" and IDENTIFIER.encode().hex() in r[1].replace(":", "") or r[1] == IDENTIFIER
                                for r in identifiers), f"identifiers in Binding Updates: {identifiers[:2]}")
    down = flows.Log(e, "down")
    e.check(down.sent > 2000, f"the stream has only {down.sent} packets")
    e.figures["lost_out_of_sync"] = len(down.missing)
    limit = 2 * e.keys.rtt + 1100  # answer and update, and DAD on the home link
    e.check(e.figures["lost_out_of_sync"] <= limit, f"{e.figures['lost_out_of_sync']} ms of the stream lost")
