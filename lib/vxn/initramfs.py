# SPDX-License-Identifier: MIT
"""The guest's initramfs.

It has the agent as /init, and the kernel modules that are not built into the guest's kernel.
"""

import gzip
import io
import lzma
import os
import re
import subprocess
import tarfile

# The agent loads the first group before it opens its channel, the second after that, and the third
# when there is an interface.
MODULES = (
    ("0-channel", ("xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs")),
    ("1-disk", ("xen-blkfront", "ext4", "overlay")),
    ("2-network", ("xen-netfront", "af_packet")),
)

DIRECTORY = 0o040755
FILE = 0o100644
PROGRAM = 0o100755
CONSOLE = 0o020600


class MissingModule(Exception):
    """The guest's kernel lacks a driver that every guest needs."""


def newc(entries):
    """A cpio archive in the kernel's own format. An entry is (path, mode, content).

    The same entries give the same bytes.
    """
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
    """The kernel's name of a module: xen_gntdev for kernel/drivers/xen/xen-gntdev.ko.xz."""
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def unpacked(path, data):
    """A module's bytes. The kernel's recipe may have compressed them."""
    if path.endswith(".gz"):
        return gzip.decompress(data)
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


class ModuleTree:
    """A kernel's modules as its recipe deploys them: a tarball of lib/modules/VERSION.

    Nobody has called depmod for it.
    """

    def __init__(self, tarball):
        self.files = {}
        self.builtin = set()
        self.met = {}
        with tarfile.open(tarball) as tar:
            for member in tar:
                name = os.path.basename(member.name)
                if member.isfile() and name == "modules.builtin":
                    lines = tar.extractfile(member).read().decode().splitlines()
                    self.builtin = {module_name(line) for line in lines}
                elif member.isfile() and ".ko" in name:
                    self.files[module_name(name)] = (name, tar.extractfile(member).read())

    def fields(self, name, field):
        """The values of a field in a module's section .modinfo, which has strings field=value."""
        found = re.findall(rb"(?<=\0)%s=([^\0]*)\0" % field.encode(), unpacked(*self.files[name]))
        return [value.decode() for value in found]

    def wished(self, wish):
        """The module that a softdep asks for by its name or an alias, as a list of at most one.

        Several modules may have the alias. Then it is one that every processor can load.
        """
        if wish not in self.met:
            found = [name for name in sorted(self.files) if name == module_name(wish) or wish in self.fields(name, "alias")]
            self.met[wish] = sorted(found, key=lambda name: (name != module_name(wish), not name.endswith("_generic")))[:1]
        return self.met[wish]

    def needs(self, name):
        """The modules that the kernel must have loaded before this one."""
        needs = [n for depends in self.fields(name, "depends") for n in depends.split(",") if n]
        for softdep in self.fields(name, "softdep"):
            before, _, _ = softdep.partition("post:")
            needs += [n for wish in before.replace("pre:", "").split() for n in self.wished(wish)]
        return needs

    def with_needs(self, name, after=()):
        """A module and all modules that it needs, in the order of loading. Raises MissingModule."""
        name = module_name(name)
        if name in self.builtin or name in after:
            return []
        if name not in self.files:
            raise MissingModule(name)
        names = []
        for need in self.needs(name):
            names += [n for n in self.with_needs(need, (*after, name)) if n not in names]
        return names + [name]


def module_entries(tarball):
    """Entries of the archive for the modules that a guest loads. Raises MissingModule."""
    tree = ModuleTree(tarball)
    entries, seen = [], set()
    for group, names in MODULES:
        entries.append(("lib/vxn/modules/" + group, DIRECTORY, b""))
        modules = []
        for name in names:
            for module in tree.with_needs(name):
                if module not in seen:
                    seen.add(module)
                    modules.append(module)
        for number, module in enumerate(modules):
            # The agent loads them in the order of their names.
            name, data = tree.files[module]
            entries.append(("lib/vxn/modules/%s/%02d-%s" % (group, number, name), FILE, data))
    return entries


def write(out, agent, tarball=None):
    """Writes the compressed archive to the file out. Raises MissingModule."""
    with open(agent, "rb") as f:
        init = f.read()
    folders = ("dev", "proc", "sys", "run", "tmp", "lib", "lib/vxn", "lib/vxn/modules")
    entries = [(folder, DIRECTORY, b"") for folder in folders]
    # The kernel opens dev/console as init's stdio before anything is mounted.
    entries += [("dev/console", CONSOLE, b""), ("init", PROGRAM, init)]
    if tarball:
        entries += module_entries(tarball)
    with open(out, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as packed:
        packed.write(newc(entries))
