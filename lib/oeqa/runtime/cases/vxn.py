#
# SPDX-License-Identifier: MIT
#
"""Containers on a booted Dom0.

Set TEST_SUITES:append = " vxn". containerd must have an image, for example from
VXN_CONTAINER_IMAGES.
"""

from oeqa.core.decorator.depends import OETestDepends
from oeqa.runtime.case import OERuntimeTestCase
from oeqa.runtime.decorator.package import OEHasPackage

SECONDS = 180


class VxnTest(OERuntimeTestCase):
    def run_ok(self, command):
        status, output = self.target.run(command, SECONDS)
        self.assertEqual(status, 0, "%s: %s" % (command, output))
        return output

    def image(self):
        names = self.run_ok("ctr images ls -q").split()
        self.assertTrue(names, "no image in containerd: name one in VXN_CONTAINER_IMAGES")
        return names[0]

    def container(self, name, command):
        """Runs a shell command in a container. Gives its status and its output."""
        self.target.run("ctr containers rm %s" % name)
        return self.target.run("vctr run --rm %s %s /bin/sh -c '%s'" % (self.image(), name, command), SECONDS)

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    @OEHasPackage(["vxn-oci-runtime"])
    def test_runtime_answers(self):
        self.assertIn("vxn-oci-runtime version", self.run_ok("vxn-oci-runtime --version"))

    @OETestDepends(["vxn.VxnTest.test_runtime_answers"])
    def test_dom0_is_fit(self):
        self.run_ok("xl list")
        for blob in ("kernel", "initramfs"):
            self.run_ok("test -e $(sed -n 's/^%s: //p' /etc/vxn/vxn.yaml)" % blob)

    @OETestDepends(["vxn.VxnTest.test_runtime_answers"])
    def test_configuration_is_as_built(self):
        self.run_ok("vxn-config check / --target /usr/share/vxn/%s.yaml" % self.td["MACHINE"])

    @OETestDepends(["vxn.VxnTest.test_runtime_answers"])
    def test_snapshot_is_made(self):
        self.run_ok("/usr/libexec/vxn/vxn-snapshot --if-needed && test -e /usr/libexec/vxn/snapshot/blob")
        self.assertIn("vxn-oci-runtime version", self.run_ok("vxn-oci-runtime --version"))

    @OETestDepends(["vxn.VxnTest.test_dom0_is_fit"])
    @OEHasPackage(["vxn-oci-runtime-containerd"])
    def test_container_runs(self):
        status, output = self.container("oeqa-run", "echo out; uname -r; exit 7")
        self.assertEqual(status, 7, output)
        self.assertIn("out", output)

    @OETestDepends(["vxn.VxnTest.test_container_runs"])
    def test_container_is_a_domain(self):
        self.run_ok("vctr run -d %s oeqa-domain /bin/sh -c 'sleep 600'" % self.image())
        try:
            self.assertIn("oeqa-domain", self.run_ok("xl list"))
        finally:
            self.target.run("ctr tasks kill -s KILL oeqa-domain; sleep 2; ctr containers rm oeqa-domain", SECONDS)
        self.assertNotIn("oeqa-domain", self.run_ok("xl list"))

    @OETestDepends(["vxn.VxnTest.test_container_runs"])
    def test_nothing_is_left(self):
        self.container("oeqa-left", "true")
        self.assertNotIn("oeqa-left", self.run_ok("vxn-oci-runtime --root /run/containerd/runc/default list; xl list"))
