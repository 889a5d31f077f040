#
# SPDX-License-Identifier: MIT
#
"""The results of the recipes of vxn, and the changes that make them build again."""

import glob
import hashlib
import json
import os
import shutil
import tempfile

from oeqa.selftest.case import OESelftestTestCase
from oeqa.utils.commands import bitbake, get_bb_var, get_bb_vars, runCmd

RUNTIME = "vxn-oci-runtime"
GUEST = "vxn-guest"
IMAGES = "vxn-container-images"


def tree(root):
    """Everything below a folder: path -> mode and hash of the content, or target of a link."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root)
            if os.path.islink(path):
                found[relative] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as f:
                    found[relative] = (os.stat(path).st_mode & 0o7777, hashlib.sha256(f.read()).hexdigest())
    return found


def node(arguments, **options):
    return runCmd("node " + arguments, **options)


class VxnInstallTests(OESelftestTestCase):
    def installed(self, recipe=RUNTIME, config=""):
        self.write_config(config)
        bitbake("%s -c install" % recipe)
        return get_bb_var("D", recipe)

    def temporary(self):
        # The name is short: runDir may have 15 bytes, because of unix sockets.
        folder = tempfile.mkdtemp(prefix="", dir="/tmp")
        self.add_command_to_tearDown("rm -rf %s" % folder)
        return folder

    def generated(self, root, target, options=""):
        out = self.temporary()
        node("%s/usr/bin/vxn-config generate --target %s %s --out %s" % (root, target, options, out))
        return tree(out)

    def test_configuration_is_that_of_vxn_config(self):
        root = self.installed()
        machine = get_bb_var("MACHINE")
        rendered = self.generated(root, "%s/usr/share/vxn/%s.yaml" % (root, machine))
        here = tree(root)
        self.assertIn("etc/vxn/vxn.yaml", rendered)
        self.assertIn("usr/bin/vctr", rendered)
        for path, content in rendered.items():
            self.assertEqual(here[path], content, path)
        # A developer without BitBake gets the same files for the target of that name.
        plain = self.generated(root, machine)
        for path in rendered:
            self.assertEqual(rendered[path], plain[path], path)

    def test_knobs_reach_the_configuration(self):
        root = self.installed(config='VXN_CONFIG[defaults.memory] = "640"\nVXN_CONFIG[defaults.cmdline] = "it\'s \\"quoted\\" $HOME"\n'
                                     'PACKAGECONFIG:append:pn-%s = " pvh"' % RUNTIME)
        with open(os.path.join(root, "etc/vxn/vxn.yaml")) as f:
            text = f.read()
        self.assertIn("memory: 640\n", text)
        self.assertIn("guestType: pvh\n", text)
        self.assertRegex(text, r"""cmdline: .*it.*s.*quoted.*\$HOME""")

    def test_description_is_that_of_the_image(self):
        root = self.installed(config='VXN_CONFIG[defaults.memory] = "640"\nVXN_CONFIG[modules] = "[loop, xen-gntdev]"')
        differs = node("%s/usr/bin/vxn-config check %s --target %s/usr/share/vxn/%s.yaml" % (root, root, root, get_bb_var("MACHINE")))
        self.assertEqual(differs.output, "")

    def test_paths_are_those_of_the_distribution(self):
        root = self.installed(config='libexecdir:pn-%s = "${libdir}/${BPN}"' % RUNTIME)
        moved = "/usr/lib/" + RUNTIME
        self.assertTrue(os.path.exists(root + moved + "/vxn/vxn-monitor"))
        with open(root + moved + "/vxn/vxn-oci-runtime") as f:
            self.assertIn(moved + "/vxn/snapshot", f.read(2000))
        with open(root + "/usr/bin/containerd-shim-vxn-v2") as f:
            self.assertIn(moved + "/vxn/shim", f.read())

    def test_a_description_of_the_user_s_own(self):
        folder = self.temporary()
        os.makedirs(folder + "/boards")
        os.makedirs(folder + "/common")
        for name, text in (("boards/board.yaml", "extends: ../common/board.yaml # ours\ndefaults: { memory: 384 }\n"),
                           ("common/board.yaml", "# extends: k3s\nextends: generic-x86-64\ndefaults: { vcpus: 3 }\n")):
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)
        os.chmod(folder, 0o755)
        config = 'VXN_TARGET = "%s/boards/board.yaml"' % folder
        root = self.installed(config=config)
        with open(root + "/etc/vxn/vxn.yaml") as f:
            text = f.read()
        self.assertIn("vcpus: 3\n", text)
        self.assertIn("memory: 384\n", text)
        # A change builds again, also in a description that another one extends.
        for name, old, new, result in (("common/board.yaml", "vcpus: 3", "vcpus: 4", "vcpus: 4\n"),
                                       ("boards/board.yaml", "memory: 384", "memory: 448", "memory: 448\n")):
            with open(os.path.join(folder, name)) as f:
                text = f.read()
            with open(os.path.join(folder, name), "w") as f:
                f.write(text.replace(old, new))
            root = self.installed(config=config)
            with open(root + "/etc/vxn/vxn.yaml") as f:
                self.assertIn(result, f.read())
        # It also works on the target, where that folder does not exist.
        shutil.rmtree(folder)
        again = self.generated(root, "%s/usr/share/vxn/%s.yaml" % (root, get_bb_var("MACHINE")))
        self.assertEqual(again["etc/vxn/vxn.yaml"], tree(root)["etc/vxn/vxn.yaml"])

    def test_runtime_under_node(self):
        root = self.installed()
        runtime = root + "/usr/libexec/vxn/vxn-oci-runtime"
        version = node(runtime + " --version").output.splitlines()
        self.assertEqual(version[0], "vxn-oci-runtime version " + get_bb_var("PV", RUNTIME))
        self.assertRegex(version[1], "^commit: source-[0-9a-f]{12}$")
        self.assertEqual(len(version), 3)
        self.assertIn("ociVersionMax", json.loads(node(runtime + " features").output))

    def test_runtime_with_a_fake_toolstack(self):
        """The installed script, with a vxn-monitor that this build host can run.

        The fake xl has no memory left.
        """
        root = self.installed()
        base = self.temporary()
        runCmd("make -C %s/native BUILD=%s/native XEN=0 SECCOMP=0 monitor" % (get_bb_var("VXN_LAYERDIR"), base))
        os.makedirs(base + "/b/rootfs/bin")
        with open(base + "/xl", "w") as f:
            f.write('#!/bin/sh\necho "$*" >>%s/xl.log\ncase $1 in\ndomid) echo "Can\'t get domid of domain name \'$2\'" >&2 ;;\n'
                    '*) echo "libxl: error: libxl_mem.c:1:f: not enough free memory" >&2 ;;\nesac\nexit 1\n' % base)
        shutil.copy(base + "/xl", base + "/b/rootfs/bin/true")
        for program in ("/xl", "/b/rootfs/bin/true"):
            os.chmod(base + program, 0o755)
        with open(base + "/c", "w") as f:
            json.dump({"runDir": base + "/r", "libDir": base + "/l", "libexecDir": base + "/native",
                       "xl": base + "/xl", "xenstoreRead": "/bin/false", "rootFree": 1}, f)
        with open(base + "/b/config.json", "w") as f:
            json.dump({"ociVersion": "1.1.0", "root": {"path": "rootfs"},
                       "process": {"args": ["/bin/true"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
                       "linux": {"namespaces": [{"type": kind} for kind in ("ipc", "mount", "network", "pid", "uts")]}}, f)
        environment = dict(os.environ, VXN_CONFIG=base + "/c")
        # Only root can make a network namespace, and vxn-monitor makes one.
        runtime = "unshare --map-root-user node %s/usr/libexec/vxn/vxn-oci-runtime --root %s/s " % (root, base)
        created = runCmd(runtime + "create --bundle %s/b one" % base, ignore_status=True, env=environment)
        self.assertNotEqual(created.status, 0)
        self.assertIn("not enough free memory", created.output)
        self.assertIn("create", open(base + "/xl.log").read())
        listed = runCmd(runtime + "list --format json", env=environment).output
        self.assertFalse(json.loads(listed), "what create has failed to make is rolled back")

    def test_guest(self):
        root = self.installed(GUEST)
        blobs = root + get_bb_var("VXN_BLOBS", GUEST)
        names = runCmd("zcat %s/initramfs.cpio.gz | cpio -it --quiet" % blobs).output.split()
        self.assertEqual([n for n in names if "." not in n and "/" not in n], ["dev", "proc", "sys", "run", "tmp", "lib", "init"])
        self.assertIn("dev/console", names)
        unpacked = self.temporary()
        runCmd("cd %s && zcat %s/initramfs.cpio.gz | cpio -i --quiet init" % (unpacked, blobs))
        self.assertIn("statically linked", runCmd("file %s/init" % unpacked).output)
        self.assertEqual(os.readlink(blobs + "/" + get_bb_var("VXN_KERNEL_NAME", GUEST)),
                         os.path.relpath("/boot/" + get_bb_var("VXN_KERNEL_NAME", GUEST), get_bb_var("VXN_BLOBS", GUEST)))

    def test_container_images(self):
        folder = self.temporary()
        os.chmod(folder, 0o755)
        with open(folder + "/app.tar", "w") as f:
            f.write("an archive")
        config = 'VXN_CONTAINER_IMAGES = "%s/app.tar"\nVXN_IMAGES_NAMESPACE = "k8s.io"' % folder
        root = self.installed(IMAGES, config)
        with open(root + "/usr/share/vxn/images/app.tar") as f:
            self.assertEqual(f.read(), "an archive")
        with open(root + "/usr/libexec/vxn/vxn-import-images") as f:
            script = f.read()
        self.assertIn("namespace='k8s.io'", script)
        self.assertNotIn("@", script)
        # A new archive of the same name is a new package.
        with open(folder + "/app.tar", "w") as f:
            f.write("a newer archive")
        root = self.installed(IMAGES, config)
        with open(root + "/usr/share/vxn/images/app.tar") as f:
            self.assertEqual(f.read(), "a newer archive")

    def test_two_builds_are_identical(self):
        first = {recipe: tree(self.installed(recipe)) for recipe in (RUNTIME, GUEST)}
        folder = get_bb_var("TOPDIR") + "/tmp-of-another-name"
        # BitBake's server still writes its log there, so the removal may fail. track_for_cleanup()
        # does not allow that.
        self.add_command_to_tearDown("rm -rf %s" % folder)
        config = 'TMPDIR = "%s"\nSSTATE_DIR = "%s/sstate"' % (folder, folder)
        for recipe, before in first.items():
            root = self.installed(recipe, config)
            self.assertTrue(root.startswith(folder))
            self.assertEqual(tree(root), before)
            for path in tree(root):
                full = os.path.join(root, path)
                if os.path.isfile(full) and not os.path.islink(full):
                    with open(full, "rb") as f:
                        self.assertNotIn(folder.encode(), f.read(), path)


class VxnRebuildTests(OESelftestTestCase):
    TASKS = ("fetch", "unpack", "configure", "compile", "install")

    def stamps(self, recipe):
        """Task -> the hashes with which it has run."""
        bitbake("%s -c install" % recipe)
        stamp = get_bb_var("STAMP", recipe)
        return {task: {os.path.basename(p).rsplit(".", 1)[1] for p in glob.glob("%s.do_%s.*" % (stamp, task)) if "sigdata" not in p}
                for task in self.TASKS}

    def edit(self, name, change):
        path = os.path.join(get_bb_var("VXN_LAYERDIR"), name)
        with open(path) as f:
            text = f.read()

        def restore():
            with open(path, "w") as f:
                f.write(text)
        self.addCleanup(restore)
        # A server that has not ended yet has the old python of the layer and would serve the next
        # call.
        runCmd("bitbake --kill-server")
        with open(path, "w") as f:
            f.write(change(text))
        self.assertNotEqual(change(text), text)

    def reruns(self, recipe, name, change=lambda text: text + "\n"):
        """The tasks that run again when a file of the layer has changed."""
        self.write_config("")
        before = self.stamps(recipe)
        self.edit(name, change)
        after = self.stamps(recipe)
        return [task for task in self.TASKS if before[task] != after[task]]

    def test_source_of_the_runtime(self):
        self.assertIn("compile", self.reruns(RUNTIME, "src/verbs/kill.ts"))

    def test_value_of_the_configuration(self):
        def settings(memory):
            self.write_config('VXN_CONFIG[defaults.memory] = "%s"' % memory)
            stamps = self.stamps(RUNTIME)
            with open(get_bb_var("D", RUNTIME) + "/etc/vxn/vxn.yaml") as f:
                return stamps, f.read()
        before, text = settings(640)
        self.assertIn("memory: 640\n", text)
        after, text = settings(768)
        self.assertIn("memory: 768\n", text)
        self.assertEqual([task for task in self.TASKS if before[task] != after[task]], ["configure", "compile", "install"])

    def test_template(self):
        self.assertIn("install", self.reruns(RUNTIME, "templates/vctr.ejs"))

    def test_source_of_the_monitor(self):
        self.assertIn("compile", self.reruns(RUNTIME, "native/monitor/main.c"))

    def test_monitor_is_not_part_of_the_guest(self):
        self.assertEqual(self.reruns(GUEST, "native/monitor/main.c"), [])

    def test_source_of_the_agent(self):
        self.assertIn("compile", self.reruns(GUEST, "native/agent/main.c"))

    def test_python_of_the_layer(self):
        # BitBake hashes the functions that recipes call, not the files that define them.
        self.assertIn("compile", self.reruns(GUEST, "lib/vxn/initramfs.py", lambda text: text.replace("mtime=0", "mtime=1")))

    def test_documentation(self):
        for recipe in (RUNTIME, GUEST, IMAGES):
            self.assertEqual(self.reruns(recipe, "README.md"), [])
            self.assertEqual(self.reruns(recipe, "docs/architecture.md"), [])


class VxnPackageTests(OESelftestTestCase):
    def packages(self, recipe, config=""):
        """Package -> its files, as do_package has split them."""
        self.write_config(config)
        bitbake("%s -c package_qa" % recipe)
        root = get_bb_var("PKGDEST", recipe)
        found = {}
        for package in sorted(os.listdir(root)):
            if os.path.isdir(os.path.join(root, package)):
                found[package] = sorted("/" + p for p in tree(os.path.join(root, package)))
        return found

    def package_of(self, packages, path):
        return [name for name, files in packages.items() if path in files]

    def test_contents(self):
        packages = self.packages(RUNTIME, 'VXN_ENGINES = "containerd docker podman"')
        for path, package in {
            "/usr/libexec/vxn/vxn-oci-runtime": "",
            "/usr/bin/vxn-oci-runtime": "",
            "/usr/libexec/vxn/shim/runc": "",
            "/etc/vxn/vxn.yaml": "",
            "/usr/lib/systemd/system/vxn-snapshot.service": "",
            "/usr/libexec/vxn/vxn-monitor": "-helpers",
            "/usr/libexec/vxn/vxn-block": "-helpers",
            "/usr/bin/vctr": "-containerd",
            "/usr/bin/containerd-shim-vxn-v2": "-containerd",
            "/etc/docker/daemon.json": "-docker-config",
            "/etc/containers/containers.conf.d/50-vxn.conf": "-podman-config",
            "/usr/share/bash-completion/completions/vctr": "-bash-completion",
            "/usr/bin/vxn-config": "-config-tool",
            "/usr/share/vxn/schema/target.schema.json": "-config-tool",
        }.items():
            self.assertEqual(self.package_of(packages, path), [RUNTIME + package], path)
        self.assertTrue([p for p in packages[RUNTIME + "-containerd"] if p.startswith("/etc/containerd/")])
        pages = [os.path.basename(p).split(".")[0] for p in packages[RUNTIME + "-doc"] if "/man/man8/" in p]
        self.assertEqual(sorted(pages), ["vctr", "vxn-config", "vxn-oci-runtime"])

    def test_configuration_files(self):
        # The package manager keeps a configuration file that somebody has changed.
        packages = self.packages(RUNTIME, 'VXN_ENGINES = "containerd docker podman"')
        bitbake(RUNTIME + " -c package_write_deb")
        folder = get_bb_var("PKGWRITEDIRDEB", RUNTIME)
        for name, files in packages.items():
            wanted = [p for p in files if p.startswith("/etc/")]
            if wanted:
                [deb] = glob.glob("%s/*/%s_*.deb" % (folder, name)) or glob.glob("%s/%s_*.deb" % (folder, name))
                listed = runCmd("dpkg-deb -I %s conffiles" % deb).output.split()
                self.assertEqual(sorted(listed), wanted, name)

    def test_engines_that_are_not_chosen_have_no_files(self):
        packages = self.packages(RUNTIME, 'VXN_ENGINES = "podman"')
        self.assertEqual([n for n in packages if packages[n] and n.endswith("-config")], [RUNTIME + "-podman-config"])
        self.assertFalse([p for p in packages[RUNTIME + "-containerd"] if p.startswith("/etc/")])

    def test_without_seccomp(self):
        packages = self.packages(RUNTIME, 'PACKAGECONFIG:remove:pn-%s = "seccomp"' % RUNTIME)
        helpers = [os.path.basename(p) for p in packages[RUNTIME + "-helpers"]]
        self.assertIn("vxn-monitor", helpers)
        self.assertNotIn("vxn-seccomp", helpers)

    def test_k3s(self):
        packages = self.packages(RUNTIME, 'VXN_ENGINES = "k3s"\nVXN_CONTAINERD_VERSION = "2.1"')
        self.assertTrue([p for p in packages[RUNTIME + "-k3s-config"] if "/rancher/k3s/" in p])

    def test_kubernetes(self):
        packages = self.packages(RUNTIME, 'VXN_CONFIG[engines] = "[containerd, kubernetes]"')
        self.assertEqual(self.package_of(packages, "/usr/share/vxn/kubernetes/runtimeclass.yaml"), [RUNTIME + "-containerd"])

    def test_guest_and_images(self):
        blobs = get_bb_var("VXN_BLOBS", GUEST)
        self.assertIn(blobs + "/initramfs.cpio.gz", self.packages(GUEST)[GUEST])
        self.assertIn("/usr/libexec/vxn/vxn-import-images", self.packages(IMAGES)[IMAGES])

    def test_without_systemd(self):
        packages = self.packages(RUNTIME, 'INIT_MANAGER = "sysvinit"')
        self.assertFalse([p for files in packages.values() for p in files if "/systemd/" in p])
