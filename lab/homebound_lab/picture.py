"""The network of the picture.

    cn --(2001:db8:c::/64)-- core --+-- ha  -- home link, 2001:db8:1::/64 --+
                                    +-- ar1 -- link 1,    2001:db8:a::/64 --+-- air -- mn
                                    +-- ar2 -- link 2,    2001:db8:b::/64 --+

The three links are bridges in the name space `air`. The node's wlan0 is a veth whose other end is a port that is
moved between the bridges: port down (the node's carrier goes), other bridge, port up (the carrier is back). This is
what a radio shows to the node. netem between core and the access routers makes the round trip between the node and
its home agent; the home link and the correspondent are near. The access routers drop what comes from a link with a
source address of another link, as RFC 2827 asks, so that packets with a wrong source are lost here as they are there.

With peer=True there is a second mobile node, mn2, with the same home link and two visited links of its own, link3 and
link4, behind ar3 and ar4. Their radio is the same as that of mn.

With ha2=True there is a second home agent, ha2, a host of the home link whose router is ha.
"""

from .lab import LabError, LinkSwitch
from .routers import Router

HOME_PREFIX, HOME_AGENT, HOME_ADDRESS = "2001:db8:1::/64", "2001:db8:1::1000", "2001:db8:1::100"
SECOND_HOME_AGENT = "2001:db8:1::2000"
PEER_HOME_ADDRESS = "2001:db8:1::101"
CORRESPONDENT = "2001:db8:c::c"
PREFIXES = {"home": HOME_PREFIX, "link1": "2001:db8:a::/64", "link2": "2001:db8:b::/64"}
ROUTERS = {"home": ("ha", "home0", HOME_AGENT), "link1": ("ar1", "lan0", "2001:db8:a::1"),
           "link2": ("ar2", "lan0", "2001:db8:b::1")}
PEER_PREFIXES = {"link3": "2001:db8:d::/64", "link4": "2001:db8:e::/64"}
PEER_ROUTERS = {"link3": ("ar3", "lan0", "2001:db8:d::1"), "link4": ("ar4", "lan0", "2001:db8:e::1")}
PLACES = tuple(PREFIXES)


def delays(mn_ha, mn_cn, ha_cn):
    """One-way delays (ms) of the three branches of the core, from the round trips between their ends."""
    one_way = {"mn": (mn_ha + mn_cn - ha_cn) / 4, "ha": (mn_ha + ha_cn - mn_cn) / 4, "cn": (mn_cn + ha_cn - mn_ha) / 4}
    if min(one_way.values()) < 0:
        raise LabError(f"round trips of {mn_ha}, {mn_cn} and {ha_cn} ms: none may be longer than the other two together")
    return one_way


class Picture:
    def __init__(self, lab, rtt_ms=100, interfaces=("wlan0",), router="radvd", ra_ms=1000, rate="100mbit",
                 impair="", node_static=False, branches=None, peer=False, ha2=False):
        """branches: delays() of the branches, instead of rtt_ms alone. rtt_ms: round trip between the node away from home and its home agent. router: radvd or instant.
        ra_ms: greatest interval between unsolicited advertisements. impair: netem words (loss, duplicate,
        delay, reorder) for every link, in both directions."""
        self.lab = lab
        self.rate, self.impair = rate, impair
        self.core = lab.host("core", router=True)
        self.ha = lab.host("ha", router=True)
        self.ar1 = lab.host("ar1", router=True)
        self.ar2 = lab.host("ar2", router=True)
        self.cn = lab.host("cn")
        self.air = lab.host("air")
        self.air.sysctl(conf__all__disable_ipv6=1, conf__default__disable_ipv6=1)
        self.mn = lab.host("mn", static=node_static)
        self.place = {}
        self.prefixes, self.router_of = dict(PREFIXES), dict(ROUTERS)
        if peer:
            self.prefixes.update(PEER_PREFIXES)
            self.router_of.update(PEER_ROUTERS)
            self.ar3, self.ar4 = lab.host("ar3", router=True), lab.host("ar4", router=True)
            self.mn2 = lab.host("mn2", static=node_static)
        with lab.collect():
            self._wire(branches or {"mn": rtt_ms / 2, "ha": 0.0, "cn": 0.0}, peer)
            self._radio()
            if ha2:
                self._second_agent()
            self._node(self.mn, interfaces)
            if peer:
                self._node(self.mn2, [f"{device}2" for device in interfaces])
        self._filter()
        self.routers = {place: Router(lab, self.host_of(place), self.router_of[place][1], prefix,
                                      router, ra_ms, home_agent=HOME_AGENT if place == "home" else None)
                        for place, prefix in self.prefixes.items()}
        for r in self.routers.values():
            r.wait_ready()

    def host_of(self, place):
        return getattr(self, self.router_of[place][0])

    def _queue(self, host, device, delay_ms=0.0):
        words = self.impair
        if delay_ms and "delay" not in words:
            words = f"delay {delay_ms}ms {words}"
        host.tc(f"qdisc replace dev {device} root netem limit 100000 rate {self.rate} {words}\n")

    def _wire(self, branches, peer):
        lab = self.lab
        branch = {"ha": "ha", "ar1": "mn", "ar2": "mn", "ar3": "cn", "ar4": "cn"}
        # core's interfaces are named after what they lead to; the other end is up0
        for n, name in enumerate(list(branch)[:5 if peer else 3], 1):
            host = getattr(self, name)
            ends = lab.cable(self.core, name, host, "up0")
            self.core.ip(f"addr add 2001:db8:f:{n}::1/64 dev {name} nodad\nlink set {name} up\n")
            host.ip(f"addr add 2001:db8:f:{n}::2/64 dev up0 nodad\nlink set up0 up\n"
                    f"route add default via 2001:db8:f:{n}::1\n")
            # Routers know each other: else the first packet of a run waits a round trip of this link for
            # neighbour discovery, which would count as time of the handover.
            self.core.ip(f"neigh add 2001:db8:f:{n}::2 lladdr {lab.mac(ends[1])} dev {name} nud permanent\n")
            host.ip(f"neigh add 2001:db8:f:{n}::1 lladdr {lab.mac(ends[0])} dev up0 nud permanent\n")
            delay = branches[branch[name]]
            self._queue(self.core, name, delay)
            self._queue(host, "up0", delay)
        ends = lab.cable(self.core, "cn", self.cn, "eth0")
        self._queue(self.core, "cn", branches["cn"])
        self._queue(self.cn, "eth0", branches["cn"])
        self.core.ip("addr add 2001:db8:c::1/64 dev cn nodad\nlink set cn up\n" +
                     "".join(f"route add {prefix} via 2001:db8:f:{n}::2\n"
                             for n, prefix in enumerate(self.prefixes.values(), 1)))
        self.cn.ip(f"addr add {CORRESPONDENT}/64 dev eth0 nodad\nlink set eth0 up\nroute add default via 2001:db8:c::1\n"
                   f"neigh add 2001:db8:c::1 lladdr {lab.mac(ends[0])} dev eth0 nud permanent\n")
        self.core.ip(f"neigh add {CORRESPONDENT} lladdr {lab.mac(ends[1])} dev cn nud permanent\n")

    def _filter(self):
        for place, prefix in self.prefixes.items():
            if place != "home":
                self.host_of(place).nft(
                    "table ip6 ingress {\nchain forward {\ntype filter hook forward priority 0;\n"
                    f"iifname lan0 ip6 saddr != {{ {prefix}, fe80::/10, :: }} counter drop\n}}\n}}\n")

    def _radio(self):
        lab = self.lab
        self.bridges, self.ports = {}, {}
        for place in self.prefixes:
            index = lab.index()
            self.air.ip(f"link add dev {place} index {index} address {lab.mac(index)} type bridge stp_state 0 "
                        "forward_delay 0 mcast_snooping 0\n")
            self.bridges[place] = index
            host, (_, device, address) = self.host_of(place), self.router_of[place]
            port = f"r-{place}"
            lab.cable(host, device, self.air, port)
            self.air.ip(f"link set {place} up\nlink set {port} master {place} up\n")
            host.ip(f"addr add {address}/64 dev {device} nodad\nlink set {device} up\n")
            if self.impair:
                self._queue(self.air, port)
        self.switch = LinkSwitch(self.air)

    def _second_agent(self):
        self.ha2 = self.lab.host("ha2", router=True)
        self.lab.cable(self.ha2, "home0", self.air, "r-home2")
        self.air.ip("link set r-home2 master home up\n")
        self.ha2.ip(f"addr add {SECOND_HOME_AGENT}/64 dev home0 nodad\nlink set home0 up\n"
                    f"route add default via {HOME_AGENT}\n")

    def _node(self, host, interfaces):
        for device in interfaces:
            port = f"p-{device}"
            _, index = self.lab.cable(host, device, self.air, port)
            self.ports[device] = index
            self.place[device] = None
            host.ip(f"link set {device} up\n")
            if self.impair:
                self._queue(self.air, port)

    def on_link(self, name, place, *addresses):
        """One more host at a place, with eth0 and the place's router."""
        host = self.lab.host(name)
        self.lab.cable(host, "eth0", self.air, "p-" + name)
        self.air.ip(f"link set p-{name} master {place} up\n")
        host.ip("".join(f"addr add {a}/64 dev eth0 nodad\n" for a in addresses) +
                f"link set eth0 up\nroute add default via {self.router_of[place][2]}\n")
        return host

    # --- moving

    def attach(self, place, device="wlan0"):
        """Port to the bridge of place, and up. Returns the time right before the carrier comes."""
        self.switch.set(self.ports[device], master=self.bridges[place])
        self.place[device] = place
        return self.switch.set(self.ports[device], up=True)

    def detach(self, device="wlan0"):
        """Carrier lost. Returns the time right before."""
        self.place[device] = None
        return self.switch.set(self.ports[device], up=False)

    def move(self, place, device="wlan0", down_ms=20):
        """Carrier lost, down_ms later carrier back at the new place.
        Returns {from, to, down, up}: places and times, for the figures."""
        before = self.place[device]
        down = self.detach(device)
        self.lab.sleep(down_ms / 1000)
        up = self.attach(place, device)
        return {"from": before, "to": place, "device": device, "down": down, "up": up}

    def slide(self, place, device="wlan0"):
        """Another link without any carrier event, as behind a switch or a sluggish driver."""
        before = self.place[device]
        now = self.switch.set(self.ports[device], master=self.bridges[place])
        self.place[device] = place
        return {"from": before, "to": place, "device": device, "down": now, "up": now}

    # --- what the captures are of

    def capture_points(self):
        """{name of the link: (host, interface)}."""
        points = {"home": (self.ha, "home0"), "link1": (self.ar1, "lan0"), "link2": (self.ar2, "lan0"),
                  "core-ha": (self.ha, "up0"), "core-ar1": (self.core, "ar1"), "core-ar2": (self.core, "ar2"),
                  "core-cn": (self.cn, "eth0")}
        if len(self.prefixes) > len(PLACES):
            points.update({"link3": (self.ar3, "lan0"), "link4": (self.ar4, "lan0")})
        for host in (self.mn, getattr(self, "mn2", None)):
            if host:
                points.update({f"{host}-{device}": (host, device) for device in host.interfaces})
        return points
