# SPDX-License-Identifier: MIT
import gzip
import io
import lzma
import os
import subprocess
import tarfile
import tempfile
import unittest

from vxn import initramfs

LOADED = [name for _, names in initramfs.MODULES for name in names]


class InitramfsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        with open(self.path("agent"), "wb") as f:
            f.write(b"an agent")

    def path(self, name):
        return os.path.join(self.folder, name)

    def tarball(self, builtin=(), modules=(), root="./lib/modules/6.18.0", pack=lambda data: data, suffix=".ko"):
        """A kernel's modules: name -> fields of its .modinfo."""
        with tarfile.open(self.path("modules.tgz"), "w:gz") as tar:
            files = {"modules.builtin": "".join("kernel/%s.ko\n" % b for b in builtin).encode(), "modules.order": b""}
            for name, fields in dict(modules).items():
                text = "\x7fELF...\0" + "".join("%s=%s\0" % field for field in (("license", "GPL"), *fields)) + "code"
                files["kernel/%s%s" % (name, suffix)] = pack(text.encode())
            for name, data in files.items():
                info = tarfile.TarInfo(os.path.join(root, name))
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return self.path("modules.tgz")

    def archive(self, tarball=None):
        initramfs.write(self.path("out"), self.path("agent"), tarball)
        with open(self.path("out"), "rb") as f:
            return f.read()

    def listed(self, archive):
        listing = subprocess.run(["cpio", "-itv", "--quiet"], input=gzip.decompress(archive), stdout=subprocess.PIPE, check=True)
        return listing.stdout.decode().splitlines()

    def names(self, tarball):
        return [line.split()[-1] for line in self.listed(self.archive(tarball)) if ".ko" in line]

    def test_agent_and_console(self):
        lines = self.listed(self.archive())
        self.assertRegex(lines[-1], r"^-rwxr-xr-x .* root +root .* init$")
        self.assertTrue([line for line in lines if line.startswith("crw-------") and "5,   1" in line and line.endswith("dev/console")])

    def test_same_bytes(self):
        first = self.archive(self.tarball(LOADED))
        self.assertEqual(first, self.archive(self.tarball(LOADED)))

    def test_nothing_is_taken_along_that_is_built_in(self):
        self.assertEqual(self.names(self.tarball(LOADED)), [])

    EXT4 = {
        "ext4": (("depends", "jbd2,mbcache"),),
        "jbd2": (("depends", ""),),
        "mbcache": (("depends", ""),),
    }

    def test_order_is_that_of_needs(self):
        builtin = [name for name in LOADED if name not in ("ext4", "xen-gntalloc")]
        tarball = self.tarball(builtin, {"xen-gntalloc": (), "snd": (), **self.EXT4})
        self.assertEqual(self.names(tarball), [
            "lib/vxn/modules/0-channel/00-xen-gntalloc.ko",
            "lib/vxn/modules/1-disk/00-jbd2.ko",
            "lib/vxn/modules/1-disk/01-mbcache.ko",
            "lib/vxn/modules/1-disk/02-ext4.ko",
        ])

    def test_network_has_a_group_of_its_own(self):
        # The agent loads these only when there is an interface.
        builtin = [name for name in LOADED if name not in ("xen-blkfront", "xen-netfront", "af_packet")]
        tarball = self.tarball(builtin, {"xen-blkfront": (), "xen-netfront": (), "af_packet": ()})
        self.assertEqual(self.names(tarball), [
            "lib/vxn/modules/1-disk/00-xen-blkfront.ko",
            "lib/vxn/modules/2-network/00-xen-netfront.ko",
            "lib/vxn/modules/2-network/01-af_packet.ko",
        ])

    def test_packed_modules(self):
        builtin = [name for name in LOADED if name != "ext4"]
        zstd = lambda data: subprocess.run(["zstd", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
        for suffix, pack in ((".ko.gz", gzip.compress), (".ko.xz", lzma.compress), (".ko.zst", zstd)):
            tarball = self.tarball(builtin, self.EXT4, pack=pack, suffix=suffix)
            self.assertEqual([os.path.basename(n) for n in self.names(tarball)],
                             ["00-jbd2" + suffix, "01-mbcache" + suffix, "02-ext4" + suffix])

    def test_dash_and_underscore_are_one(self):
        builtin = [name.replace("-", "_") for name in LOADED if name != "xen-privcmd"]
        self.assertEqual(len(self.names(self.tarball(builtin, {"xen_privcmd": ()}))), 1)

    def test_a_module_is_taken_along_once(self):
        builtin = [name for name in LOADED if name not in ("xen-privcmd", "xenfs")]
        tarball = self.tarball(builtin, {"xen-privcmd": (), "xenfs": (("depends", "xen-privcmd"),)})
        self.assertEqual([os.path.basename(n) for n in self.names(tarball)], ["00-xen-privcmd.ko", "01-xenfs.ko"])

    def test_a_circle_of_needs_ends(self):
        builtin = [name for name in LOADED if name != "ext4"]
        tarball = self.tarball(builtin, {"ext4": (("depends", "a"),), "a": (("depends", "ext4"),)})
        self.assertEqual([os.path.basename(n) for n in self.names(tarball)], ["00-a.ko", "01-ext4.ko"])

    def test_a_wish_is_met_by_a_module_that_loads_everywhere(self):
        builtin = [name for name in LOADED if name != "ext4"]
        tarball = self.tarball(builtin, {
            "ext4": (("softdep", "pre: crc32c nothing-has-it post: other"),),
            "crc32c-intel": (("alias", "crc32c"), ("alias", "crypto-crc32c")),
            "crc32c_generic": (("alias", "crc32c"),),
            "other": (),
        })
        self.assertEqual([os.path.basename(n) for n in self.names(tarball)], ["00-crc32c_generic.ko", "01-ext4.ko"])

    def test_a_need_that_is_missing(self):
        builtin = [name for name in LOADED if name != "ext4"]
        with self.assertRaises(initramfs.MissingModule) as caught:
            self.archive(self.tarball(builtin, {"ext4": (("depends", "jbd2"),)}))
        self.assertEqual(str(caught.exception), "jbd2")

    def test_missing_module(self):
        with self.assertRaises(initramfs.MissingModule) as caught:
            self.archive(self.tarball(LOADED[1:]))
        self.assertEqual(str(caught.exception), "xen_evtchn")

    def test_root_with_usr(self):
        self.assertEqual(self.names(self.tarball(LOADED, root="usr/lib/modules/6.18.0")), [])


if __name__ == "__main__":
    unittest.main()
