#
# SPDX-License-Identifier: MIT
#
"""Kernels and images from a multiconfig.

Stand-ins lie where vruntime or the multiconfigs for guests would deploy them.
"""

import io
import os
import tarfile

from oeqa.selftest.case import OESelftestTestCase
from oeqa.utils.commands import bitbake, get_bb_var, get_bb_vars, runCmd

GUEST = "vxn-guest"
RUNTIME = "vxn-oci-runtime"


class VxnBlobTests(OESelftestTestCase):
    def deployed(self, names):
        """A folder with these files, as a multiconfig would deploy them."""
        folder = get_bb_var("TOPDIR") + "/stand-ins"
        self.track_for_cleanup(folder)
        os.makedirs(folder, exist_ok=True)
        for name, content in names.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content)
        return folder

    def installed(self, config):
        self.write_config(config)
        bitbake(GUEST + " -c install")
        found = get_bb_vars(["D", "VXN_BLOBS"], GUEST)
        return found["D"] + found["VXN_BLOBS"]

    def tools(self):
        """Stand-ins for squashfs-tools that call tar. The image is a stand-in, too.

        Gives lines for the configuration.
        """
        folder = get_bb_var("TOPDIR") + "/stand-in-tools"
        self.track_for_cleanup(folder)
        os.makedirs(folder, exist_ok=True)
        for name, script in (("unsquashfs", 'mkdir "$3" && exec tar x -C "$3" -f "$4"'), ("mksquashfs", 'exec tar c -C "$1" -f "$2" .')):
            with open(os.path.join(folder, name), "w") as f:
                f.write("#!/bin/sh\n%s\n" % script)
            os.chmod(os.path.join(folder, name), 0o755)
        return '\n'.join(('ASSUME_PROVIDED += "squashfs-tools-native"', 'PATH:prepend = "%s:"' % folder,
                          'RDEPENDS:%s:remove = "e2fsprogs"' % RUNTIME))

    def test_vruntime(self):
        machine, kernel = get_bb_vars(["VXN_GUEST_MACHINE", "VXN_KERNEL_NAME"], GUEST).values()
        root = get_bb_var("TOPDIR") + "/stand-in-root"
        self.track_for_cleanup(root)
        os.makedirs(root + "/bin", exist_ok=True)
        folder = self.deployed({kernel: b"a kernel", "vdkr-tiny-initramfs-image-%s.cpio.gz" % machine: b"an initramfs"})
        squashfs = "%s/vdkr-rootfs-image-%s.rootfs.squashfs" % (folder, machine)
        runCmd("tar c -C %s -f %s ." % (root, squashfs))
        blobs = self.installed('VXN_GUEST = "marker"\nVXN_MC_DEPLOY:forcevariable = "%s"\n%s' % (folder, self.tools()))
        self.assertEqual(sorted(os.listdir(blobs)), sorted([kernel, "initramfs.cpio.gz", "rootfs.img"]))
        listed = runCmd("tar tf %s/rootfs.img" % blobs).output.split()
        self.assertIn("./bin/", listed)
        self.assertIn("./vxn-init.sh", listed)
        self.assertIn("./vcontainer-init-common.sh", listed)
        bitbake(RUNTIME + " -c install")
        with open(get_bb_var("D", RUNTIME) + "/etc/vxn/vxn.yaml") as f:
            self.assertIn("guestProtocol: marker\n", f.read())

    def modules(self, machine, builtin=(), modules=()):
        """A tarball of modules as a kernel's recipe deploys it.

        A module is its name and the names of the modules that it depends on.
        """
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            files = {"modules.builtin": "".join("kernel/%s.ko\n" % b for b in builtin)}
            files.update({"kernel/%s.ko" % m: "\0depends=%s\0" % ",".join(needs) for m, needs in modules})
            for name, text in files.items():
                info = tarfile.TarInfo("./lib/modules/6.18.0/" + name)
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
        return {"modules-%s.tgz" % machine: out.getvalue()}

    def guest_config(self, folder):
        # BitBake does not build the multiconfig. The folder has its kernel.
        return '\n'.join(('BBMULTICONFIG = ""', 'VXN_GUEST_KERNEL = "dom0"', 'DEPLOY_DIR_IMAGE = "%s"' % folder))

    def test_modules_of_the_kernel_are_taken_along(self):
        machine = get_bb_var("MACHINE")
        built_in = ("xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-privcmd", "xenfs", "overlay", "xen-netfront", "af_packet")
        folder = self.deployed(self.modules(machine, built_in, (
            ("xen-blkfront", ()), ("ext4", ("jbd2", "mbcache")), ("jbd2", ()), ("mbcache", ()), ("snd", ()))))
        blobs = self.installed(self.guest_config(folder))
        names = runCmd("zcat %s/initramfs.cpio.gz | cpio -it --quiet" % blobs).output.split()
        self.assertEqual([os.path.basename(n) for n in names if n.endswith(".ko")],
                         ["00-xen-blkfront.ko", "01-jbd2.ko", "02-mbcache.ko", "03-ext4.ko"])

    def test_a_kernel_that_cannot_be_a_guest(self):
        folder = self.deployed(self.modules(get_bb_var("MACHINE"), ("xen-evtchn",)))
        self.write_config(self.guest_config(folder))
        result = bitbake(GUEST + " -c compile", ignore_status=True)
        self.assertNotEqual(result.status, 0)
        self.assertIn("has xen_gntdev neither built in nor as a module", result.output)
