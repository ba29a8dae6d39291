"""Traffic: UDP streams and TCP transfers between hosts, by the flow tool."""

import json


class Stream:
    """Numbered UDP packets from one host to another; 1 ms apart unless said otherwise."""

    def __init__(self, lab, name, sender, receiver, destination, port, source=None, interval_us=1000, octets=64):
        self.lab, self.name = lab, name
        flow = lab.tools["flow"]
        self.log = lab.path(f"{name}.received.csv")
        self.report = lab.path(f"{name}.sent.json")
        self.receiver = receiver.start(f"flow-{name}-recv", [flow, "recv", "-p", str(port), "-o", self.log])
        wait_udp(lab, receiver, port)
        argv = [flow, "send", "-d", destination, "-p", str(port), "-i", str(interval_us), "-l", str(octets),
                "-f", str(port), "-o", self.report]
        if source:
            argv += ["-s", source]
        self.sender = sender.start(f"flow-{name}-send", argv)
        lab.facts.setdefault("streams", {})[name] = {
            "port": port, "interval_us": interval_us, "from": str(sender), "to": str(receiver)}

    def stop_sending(self):
        if self.sender.stop() != 0:
            self.lab.check(False, f"the sender of {self.name} failed: {self.sender.text().strip()}")

    def stop(self):
        self.receiver.stop()


class Transfer:
    """TCP both ways at once, every octet verified."""

    def __init__(self, lab, name, client, server, destination, port, source=None, rate=100000):
        self.lab, self.name = lab, name
        flow = lab.tools["flow"]
        self.files = [lab.path(f"{name}.{end}.json") for end in ("client", "server")]
        self.server = server.start(f"flow-{name}-serve", [flow, "serve", "-p", str(port), "-r", str(rate),
                                                          "-o", self.files[1]])
        lab.until(lambda: f":{port:04X} " in server.read("/proc/net/tcp6"), 5, f"{name} to listen", step=0.005)
        argv = [flow, "connect", "-d", destination, "-p", str(port), "-r", str(rate), "-o", self.files[0]]
        if source:
            argv += ["-s", source]
        self.client = client.start(f"flow-{name}-connect", argv)

    def finish(self, timeout=60):
        """End the stream and wait until both sides have everything; the reports of both sides are returned
        and go to the facts."""
        if self.client.alive():
            self.client.popen.terminate()
        self.client.wait(timeout)
        self.server.wait(timeout)
        ends = []
        for file in self.files:
            with open(file) as f:
                ends.append(json.load(f))
        self.lab.facts.setdefault("transfers", {})[self.name] = {"client": ends[0], "server": ends[1]}
        return ends


def whole(transfer):
    """Whether a transfer of the facts is whole; returns a sentence about what is wrong, or None."""
    for a, b in (("client", "server"), ("server", "client")):
        if transfer[a]["end"] != "complete":
            return f"TCP ended with {transfer[a]['end']} at the {a}"
        if transfer[a]["wrong"]:
            return f"the {a} received {transfer[a]['wrong']} wrong octets"
        if transfer[a]["received"] != transfer[b]["sent"]:
            return f"the {a} received {transfer[a]['received']} of {transfer[b]['sent']} octets"
    return None


def wait_udp(lab, host, port):
    lab.until(lambda: f":{port:04X} " in host.read("/proc/net/udp6"), 5, f"port {port} on {host}", step=0.005)


class Log:
    """What a stream's reports say: sent, failed {sequence: errno}, arrivals [(sequence, sent, arrived)] in seconds,
    missing (sequences sent but not received), repeated (how many came more than once)."""

    def __init__(self, evidence, name):
        with open(evidence.path(f"{name}.sent.json")) as f:
            report = json.load(f)
        self.sent, self.failed = report["sent"], {s: e for s, e in report["failed"]}
        self.start, self.interval, self.flow = report["start_ns"] / 1e9, report["interval_us"] / 1e6, report["flow"]
        self.arrivals = []
        with open(evidence.path(f"{name}.received.csv")) as f:
            for line in f:
                sequence, sent, arrived = line.split(",")
                self.arrivals.append((int(sequence), int(sent) / 1e9, int(arrived) / 1e9))
        got = {a[0] for a in self.arrivals}
        self.received = got
        self.repeated = len(self.arrivals) - len(got)
        self.missing = [s for s in range(self.sent) if s not in got]

    def time_of(self, sequence):
        """When a packet was sent: the sender keeps its pace."""
        return self.start + sequence * self.interval
