# SPDX-License-Identifier: MIT
"""The guest's initramfs: the agent as /init, and those kernel modules that the guest's kernel has not built in."""

import gzip
import io
import os
import tarfile

# What the agent loads before it opens its channel, and what it loads after that.
MODULES = (
    ("0-channel", ("xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs")),
    ("1-disk", ("xen-blkfront", "ext4", "overlay", "xen-netfront", "af_packet")),
)

DIRECTORY = 0o040755
FILE = 0o100644
PROGRAM = 0o100755
CONSOLE = 0o020600


class MissingModule(Exception):
    """The guest's kernel lacks a driver that every guest needs."""


def newc(entries):
    """A cpio archive of (path, mode, content) in the kernel's own format, the same bytes for the same entries."""
    out = io.BytesIO()

    def member(number, path, mode, data):
        # The console is the only device: major 5, minor 1.
        major, minor = (5, 1) if mode == CONSOLE else (0, 0)
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 2 if mode == DIRECTORY else 1, 0, len(data), 0, 0, major, minor, len(name), 0)
        out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + name)
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))

    for number, (path, mode, data) in enumerate(entries, 1):
        member(number, path, mode, data)
    member(0, "TRAILER!!!", 0, b"")
    out.write(b"\0" * (-out.tell() % 512))
    return out.getvalue()


def module_name(path):
    """xen_gntdev for kernel/drivers/xen/xen-gntdev.ko.xz: the name by which the kernel knows it."""
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


class ModuleTree:
    """A kernel's modules, as its recipe deploys them: a tarball of lib/modules/VERSION."""

    def __init__(self, tarball):
        self.files = {}
        with tarfile.open(tarball) as tar:
            for member in tar:
                parts = member.name.split("/")
                if member.isfile() and "modules" in parts:
                    below = parts[parts.index("modules") + 2:]
                    wanted = ".ko" in parts[-1] or parts[-1] in ("modules.dep", "modules.builtin")
                    if wanted:
                        self.files["/".join(below)] = tar.extractfile(member).read()
        self.builtin = {module_name(line) for line in self.lines("modules.builtin")}
        self.needs = {}
        for line in self.lines("modules.dep"):
            path, _, rest = line.partition(":")
            self.needs[module_name(path)] = (path, rest.split())
        # A tarball that no depmod has seen: the modules are there, what they need is not known.
        for path in self.files:
            if ".ko" in path:
                self.needs.setdefault(module_name(path), (path, []))

    def lines(self, name):
        return self.files.get(name, b"").decode().splitlines()

    def with_needs(self, name):
        """The paths of a module and of all that it needs, in the order in which they are to be loaded."""
        name = module_name(name)
        if name in self.builtin:
            return []
        if name not in self.needs:
            raise MissingModule(name)
        path, needs = self.needs[name]
        # modules.dep lists everything below a module, the lowest last.
        return list(reversed(needs)) + [path]


def module_entries(tarball):
    """Entries of the archive for the modules that a guest loads. Raises MissingModule."""
    tree = ModuleTree(tarball)
    entries, seen = [], set()
    for group, names in MODULES:
        entries.append(("lib/vxn/modules/" + group, DIRECTORY, b""))
        paths = []
        for name in names:
            paths += [p for p in tree.with_needs(name) if p not in seen and p not in paths]
        seen.update(paths)
        for number, path in enumerate(paths):
            # Loaded in the order of their names.
            name = "lib/vxn/modules/%s/%02d-%s" % (group, number, os.path.basename(path))
            entries.append((name, FILE, tree.files[path]))
    return entries


def write(out, agent, tarball=None):
    """Writes the compressed archive to the file out. Raises MissingModule."""
    with open(agent, "rb") as f:
        init = f.read()
    folders = ("dev", "proc", "sys", "run", "tmp", "lib", "lib/vxn", "lib/vxn/modules")
    entries = [(folder, DIRECTORY, b"") for folder in folders]
    # The kernel opens it as init's stdio before anything is mounted.
    entries += [("dev/console", CONSOLE, b""), ("init", PROGRAM, init)]
    if tarball:
        entries += module_entries(tarball)
    with open(out, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as packed:
        packed.write(newc(entries))
