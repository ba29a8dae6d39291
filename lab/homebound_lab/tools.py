"""The lab's own C tools, compiled when needed and kept in the cache by content."""

import hashlib
import os
import subprocess

from .scenario import LAB

SOURCES = os.path.join(os.path.dirname(LAB), "tests", "lab", "tools")


class ToolError(Exception):
    pass


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("HOMEBOUND_CACHE") or os.path.join(base, "homebound")


def build():
    """{name: path of the program} for every C file in tests/lab/tools."""
    tools = {}
    os.makedirs(cache(), exist_ok=True)
    for file in sorted(os.listdir(SOURCES)):
        if not file.endswith(".c"):
            continue
        source = os.path.join(SOURCES, file)
        with open(source, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()[:16]
        program = os.path.join(cache(), f"{file[:-2]}-{digest}")
        if not os.path.exists(program):
            temporary = f"{program}.{os.getpid()}"
            cc = subprocess.run(["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-o", temporary, source],
                                stderr=subprocess.PIPE, text=True)
            if cc.returncode:
                raise ToolError(f"{source} does not compile:\n{cc.stderr}")
            os.rename(temporary, program)
        tools[file[:-2]] = program
    return tools
