"""Router advertisements of a link.

`radvd`, the default, is the witness nobody here wrote. Measured with version 2.19 and the settings below: a solicitation
with a link-local source is answered at once, by unicast; one with the unspecified source nearly always too, but with
up to 500 ms of delay when an advertisement went out shortly before (RFC 4861, 6.2.6). `instant` is
tests/lab/tools/raresponder.c, which always answers in the same moment, to all nodes.
"""

RADVD = """interface {device} {{
	AdvSendAdvert on;
	MinRtrAdvInterval {min};
	MaxRtrAdvInterval {max};
	MinDelayBetweenRAs 0.03;
	AdvDefaultLifetime 1800;
	AdvIntervalOpt on;
	AdvSourceLLAddress on;
{home}	prefix {prefix} {{
		AdvOnLink on;
		AdvAutonomous on;
		AdvRouterAddr {router_address};
	}};
}};
"""
HOME = """	AdvHomeAgentFlag on;
	AdvHomeAgentInfo on;
	HomeAgentLifetime 1800;
	HomeAgentPreference {preference};
"""


class Router:
    def __init__(self, lab, host, device, prefix, kind, ra_ms, home_agent=None, preference=10):
        self.lab, self.host, self.device, self.kind = lab, host, device, kind
        if kind == "radvd":
            conf = lab.path(f"radvd-{host}.conf")
            with open(conf, "w") as f:
                prefix_here = prefix if not home_agent else home_agent + "/64"
                f.write(RADVD.format(device=device, prefix=prefix_here, min=max(0.03, ra_ms * 0.7 / 1000),
                                     max=max(0.07, ra_ms / 1000), home=HOME.format(preference=preference) if home_agent else "",
                                     router_address="on" if home_agent else "off"))
            argv = ["radvd", "-n", "-m", "stderr", "-C", conf, "-p", f"{lab.run_dir}/radvd-{host}.pid"]
        else:
            argv = [lab.tools["raresponder"], "-i", device, "-p", prefix, "-t", str(ra_ms)]
            if home_agent:
                argv += ["-r", home_agent, "-H", f"1800,{preference}"]
        self.process = host.start(f"router-{host}", argv)

    def wait_ready(self):
        """Ready when its raw ICMPv6 socket is there."""
        def ready():
            return len(self.host.read("/proc/net/raw6").splitlines()) > 1 and self.process.alive()
        self.lab.until(ready, 10, f"{self.process.name} ({self.kind}); see {self.process.log}", step=0.01)

    def stop(self):
        """The router falls silent (without saying goodbye: no last advertisement)."""
        self.process.stop(9)
