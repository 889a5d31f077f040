#
# SPDX-License-Identifier: MIT
#
"""The recipes of vxn as BitBake reads them: for both machines, and with wrong configurations."""

import glob
import json
import os
import re
from base64 import b64decode

from oeqa.selftest.case import OESelftestTestCase
from oeqa.utils.commands import bitbake, get_bb_var, get_bb_vars, runCmd

RUNTIME = "vxn-oci-runtime"
GUEST = "vxn-guest"
IMAGES = "vxn-container-images"


def parsed(recipe):
    """A recipe's variables and their flags as `bitbake -e` shows them.

    The recipe need not be one that this host can build.
    """
    layer = get_bb_var("VXN_LAYERDIR")
    [path] = glob.glob("%s/recipes-containers/vcontainer/%s_*.bb" % (layer, recipe))
    text = runCmd("bitbake -e -b %s" % path).output
    variables = dict(re.findall(r'^(?:export )?([A-Za-z0-9_:.+-]+)="(.*)"$', text, re.M))
    flags = dict(re.findall(r'^#\s+\[([^]]+)\] "(.*)"$', text, re.M))
    return variables, flags


class VxnParseTests(OESelftestTestCase):
    def test_both_machines(self):
        for machine, arch, kernel in (("qemux86-64", "x86_64", "bzImage"), ("qemuarm64", "aarch64", "Image")):
            self.write_config('MACHINE = "%s"' % machine)
            for recipe in (RUNTIME, GUEST):
                variables, _ = parsed(recipe)
                self.assertEqual(variables["VXN_ARCH"], arch)
                self.assertEqual(variables["VXN_KERNEL_NAME"], kernel)
                self.assertEqual(variables["VXN_BLOBS"], "/usr/share/vxn/" + arch)
            self.assertEqual(parsed(RUNTIME)[0]["VXN_TARGET"], machine)
            # A package with parts of one machine's kernel is not for another machine.
            for recipe in (RUNTIME, GUEST, IMAGES):
                self.assertEqual(parsed(recipe)[0]["PACKAGE_ARCH"], machine.replace("-", "_"))

    def test_target_of_another_engine(self):
        self.write_config('VXN_ENGINES = "k3s"\nVXN_CONTAINERD_VERSION = "2.1"')
        self.assertEqual(parsed(RUNTIME)[0]["VXN_TARGET"], "k3s")

    def test_npm_packages_are_those_of_the_lock_file(self):
        with open(os.path.join(get_bb_var("VXN_LAYERDIR"), "package-lock.json")) as f:
            locked = json.load(f)["packages"]
        variables, flags = parsed(RUNTIME)
        entries = [e for e in variables["SRC_URI"].split() if e.startswith(variables["NPMJS_MIRROR"])]
        self.assertTrue(entries)
        for entry in entries:
            url, *parameters = entry.split(";")
            given = dict(p.split("=", 1) for p in parameters)
            folder = given["subdir"][len(variables["BP"]) + 1:]
            package = locked[folder]
            self.assertTrue(url.endswith("-%s.tgz" % package["version"]), url)
            expected = b64decode(package["integrity"][len("sha512-"):]).hex()
            self.assertEqual(flags[given["name"] + ".sha512sum"], expected, folder)

    def test_beside_upstream(self):
        variables, _ = parsed(RUNTIME)
        self.assertNotIn("vxn", variables["PROVIDES"].split())
        self.assertEqual(variables.get("RPROVIDES:" + RUNTIME, "").split(), [])
        self.assertIn("vxn", variables["RCONFLICTS:" + RUNTIME].split())

    def test_in_place_of_upstream(self):
        self.write_config('PREFERRED_RPROVIDER_vxn = "%s"' % RUNTIME)
        self.assertEqual(parsed(RUNTIME)[0]["RPROVIDES:" + RUNTIME].split(), ["vxn"])

    def test_dependencies(self):
        variables, _ = parsed(RUNTIME)

        def words(kind, suffix=""):
            return variables.get("%s:%s%s" % (kind, RUNTIME, suffix), "").split()
        for package in ("nodejs", "xen-tools-xl", "e2fsprogs-mke2fs", GUEST, RUNTIME + "-helpers"):
            self.assertIn(package, words("RDEPENDS"))
        self.assertNotIn("nodejs", words("RDEPENDS", "-helpers"))
        self.assertIn("docker", words("RDEPENDS", "-docker-config"))
        # This package has the shim.
        self.assertIn(RUNTIME + "-containerd", words("RDEPENDS", "-docker-config"))
        self.assertIn("bash-completion", words("RDEPENDS", "-bash-completion"))
        self.assertIn("docker-registry-config", words("RCONFLICTS", "-docker-config"))

    def test_nothing_is_waived(self):
        for recipe in (RUNTIME, GUEST, IMAGES):
            variables, _ = parsed(recipe)
            self.assertEqual([v for v in variables if v.startswith("INSANE_SKIP") and variables[v].strip()], [])

    def package_data(self, version):
        """A line for the configuration: it pretends that containerd's package has this version."""
        data = os.path.join(self.builddir, "packages-of-" + version)
        self.add_command_to_tearDown("rm -rf %s" % data)
        for name, content in (("runtime-rprovides/virtual-containerd/some-containerd", ""),
                              ("runtime/some-containerd", "PN: some-containerd\nPV: %s\n" % version)):
            os.makedirs(os.path.dirname(os.path.join(data, name)), exist_ok=True)
            with open(os.path.join(data, name), "w") as f:
                f.write(content)
        return 'PKGDATA_DIR:pn-%s = "%s"\n' % (RUNTIME, data)

    def test_containerd_s_generation_is_read_from_its_package(self):
        for version, generation in (("v2.0.10", "2.0"), ("2.2.1+git", "2.2")):
            self.write_config(self.package_data(version))
            bitbake("%s -c configure -f" % RUNTIME)
            self.assertEqual(self.description()["containerd"]["version"], generation)

    def test_containerd_s_package_is_not_asked_without_that_engine(self):
        # Otherwise the result would depend on whether containerd has been built by then.
        data = self.package_data("2.2.1")
        self.write_config(data + 'VXN_ENGINES = "podman"')
        bitbake("%s -c configure -f" % RUNTIME)
        self.assertNotIn("containerd", self.description())
        self.write_config(data + 'VXN_ENGINES = "k3s"\nVXN_CONTAINERD_VERSION = "1.7"')
        bitbake("%s -c configure -f" % RUNTIME)
        self.assertEqual(self.description()["containerd"]["version"], "1.7")

    def test_containerd_s_generation_can_be_given(self):
        self.write_config('VXN_CONTAINERD_VERSION = "2.3"')
        bitbake("%s -c configure" % RUNTIME)
        self.assertEqual(self.description()["containerd"]["version"], "2.3")

    def description(self):
        """The target description that do_configure has written: section -> key -> value."""
        found = get_bb_vars(["B", "MACHINE"], RUNTIME)
        sections = {}
        with open(os.path.join(found["B"], found["MACHINE"] + ".yaml")) as f:
            for line in f:
                key, _, value = line.strip().partition(": ")
                if not line.startswith(" "):
                    section = sections.setdefault(key.rstrip(":"), {})
                else:
                    section[key] = json.loads(value)
        return sections


class VxnWrongInputTests(OESelftestTestCase):
    def refused(self, recipe, config, *sentence):
        """Checks that BitBake skips the recipe, for a reason with these words."""
        self.write_config(config)
        result = runCmd("bitbake -n %s" % recipe, ignore_status=True)
        self.assertNotEqual(result.status, 0, config)
        reason = re.search(r"%s was skipped: (.*)" % recipe, result.output)
        self.assertTrue(reason, result.output)
        for words in sentence:
            self.assertIn(words, reason.group(1))

    def test_unknown_guest(self):
        self.refused(GUEST, 'VXN_GUEST = "none"', 'VXN_GUEST is "none"', '"agent" or "marker"')
        self.refused(RUNTIME, 'VXN_GUEST = "none"', 'VXN_GUEST is "none"')

    def test_unknown_packageconfig(self):
        self.refused(RUNTIME, 'PACKAGECONFIG:append:pn-%s = " lxc"' % RUNTIME, 'PACKAGECONFIG has "lxc"', "docker")

    def test_unknown_engine(self):
        self.refused(RUNTIME, 'VXN_ENGINES = "runc"', 'PACKAGECONFIG has "runc"')

    def test_engines_that_exclude_each_other(self):
        self.refused(RUNTIME, 'VXN_ENGINES = "containerd k3s"', '"containerd" and "k3s"', "VXN_ENGINES")

    def test_containerd_of_k3s_is_not_said(self):
        self.refused(RUNTIME, 'VXN_ENGINES = "k3s"', '"k3s"', "VXN_CONTAINERD_VERSION")

    def test_target_s_file(self):
        self.refused(RUNTIME, 'VXN_TARGET = "boards/board.yaml"', 'VXN_TARGET is "boards/board.yaml"', "absolute")
        self.refused(RUNTIME, 'VXN_TARGET = "/nonexistent/board.yaml"', "/nonexistent/board.yaml, which is not there")

    def test_target_by_the_configuration(self):
        self.refused(RUNTIME, 'VXN_CONFIG[extends] = "k3s"', '"extends"', "VXN_TARGET")

    def test_kernel_of_a_multiconfig_that_is_not_built(self):
        self.refused(GUEST, 'VXN_GUEST_KERNEL = "multiconfig"', "BBMULTICONFIG has no vxn-guest-", '"dom0"')

    def test_unknown_source_of_the_kernel(self):
        self.refused(GUEST, 'VXN_GUEST_KERNEL = "boot"', 'VXN_GUEST_KERNEL is "boot"', '"multiconfig" or "dom0"')

    def test_architecture_without_xen(self):
        for machine in ("qemuarm", "qemuriscv64"):
            for recipe in (RUNTIME, GUEST):
                self.refused(recipe, 'MACHINE = "%s"' % machine, "set MACHINE to one of x86_64 or aarch64")

    def test_container_images(self):
        self.refused(IMAGES, 'VXN_IMAGES_ENGINE = "lxc"', 'VXN_IMAGES_ENGINE is "lxc"', '"podman"')
        self.refused(IMAGES, 'VXN_IMAGES_NAMESPACE = "a b"', 'VXN_IMAGES_NAMESPACE is "a b"')
        self.refused(IMAGES, 'VXN_CONTAINER_IMAGES = "app.tar"', '"app.tar"', "absolute")
        self.refused(IMAGES, 'VXN_CONTAINER_IMAGES = "/a/app.tar /b/app.tar"', 'two files of the name "app.tar"')

    def fails(self, recipe, task, config, *sentence):
        """Checks that the task fails, and that its log has these words."""
        self.write_config(config)
        result = bitbake("%s -c %s" % (recipe, task), ignore_status=True)
        self.assertNotEqual(result.status, 0, config)
        for words in sentence:
            self.assertIn(words, result.output)

    def test_missing_container_image(self):
        self.fails(IMAGES, "install", 'VXN_CONTAINER_IMAGES = "/nonexistent/app.tar"', "/nonexistent/app.tar, which is not there")

    def test_missing_blob(self):
        # The tools come from a recipe that a small build may not have. The task does not need them.
        self.fails(GUEST, "compile", 'VXN_GUEST = "marker"\nASSUME_PROVIDED += "squashfs-tools-native"\nVXN_MC_DEPLOY:forcevariable = "${TMPDIR}/none"',
                   "/none has no", "BBMULTICONFIG", "bitbake mc:vruntime-")

    def test_wrong_key(self):
        self.fails(RUNTIME, "compile", 'VXN_CONFIG[defaults.memroy] = "512"', "memroy", "memory", "VXN_CONFIG")

    def test_wrong_target(self):
        self.fails(RUNTIME, "compile", 'VXN_TARGET = "qemux86-46"', "qemux86-64", "VXN_TARGET")

    def test_wrong_containerd(self):
        self.fails(RUNTIME, "compile", 'VXN_CONTAINERD_VERSION = "0.9"', "0.9", "VXN_CONTAINERD_VERSION")
