"""One pcapng per link, by tests/lab/tools/capture.c."""

import os
import re
import signal

SNAPLEN = 256


class Capture:
    def __init__(self, lab, link, host, device, snaplen=SNAPLEN):
        self.lab, self.link, self.host = lab, link, host
        self.file = lab.path(link + ".pcapng")
        argv = [lab.tools["capture"], "-i", device, "-s", str(snaplen), "-w", self.file]
        self.process = host.start(f"capture-{link}", argv, os.path.join(lab.run_dir, f"capture-{link}.log"))
        lab.captures.append(self)

    def running(self):
        """It has its ring, and the file has its head."""
        if not self.process.alive():
            from .lab import LabError
            raise LabError(f"the capture of {self.link} ended: {self.process.text().strip()}")
        return "capturing" in self.process.text()

    def stop(self):
        self.process.stop(signal.SIGINT)
        match = re.search(r"(\d+) packets, (\d+) dropped", self.process.text())
        return {"packets": int(match[1]), "dropped": int(match[2])} if match else {}


def start(lab, points, **more):
    captures = [Capture(lab, link, host, device, **more) for link, (host, device) in points.items()]
    for capture in captures:
        lab.until(capture.running, 10, f"the capture of {capture.link}", step=0.01)
    return captures


def stop(lab):
    """Stops all captures; packets of the last moments need time to leave the rings."""
    if not lab.captures:
        return
    lab.sleep(1.0)
    counts = {c.link: c.stop() for c in lab.captures}
    lab.captures.clear()
    dropped = {link: n["dropped"] for link, n in counts.items() if n.get("dropped")}
    lab.check(not dropped, f"captures lost packets: {dropped}")
    lab.facts["captured"] = counts
