# nooelint: oelint.var.mandatoryvar.HOMEPAGE - the layer is all there is
# SPDX-License-Identifier: MIT
SUMMARY = "OCI runtime that runs containers as Xen domains"
SUMMARY:${PN}-helpers = "${SUMMARY} (the helpers in C, which need no node)"
SUMMARY:${PN}-containerd = "${SUMMARY} (containerd's shim and configuration, vctr)"
SUMMARY:${PN}-docker-config = "${SUMMARY} (docker's configuration)"
SUMMARY:${PN}-podman-config = "${SUMMARY} (podman's configuration)"
SUMMARY:${PN}-k3s-config = "${SUMMARY} (k3s's configuration)"
SUMMARY:${PN}-bash-completion = "${SUMMARY} (completion of vctr)"
SUMMARY:${PN}-config-tool = "${SUMMARY} (vxn-config, its templates and this target's description)"
DESCRIPTION = "vxn-oci-runtime takes the place of runc: containerd, docker, \
podman and Kubernetes call it. A container runs in a Xen domain with a kernel \
of its own. The recipe bundles the TypeScript with esbuild, builds the helpers \
in C, and renders the configuration of this target with vxn-config."

require vxn.inc
require vxn-npm.inc
require recipes-devtools/esbuild/npmjs-mirror.inc

# Xen's libraries and libseccomp are linked into the helpers.
LICENSE .= " & LGPL-2.1-only"

DEPENDS += "esbuild-native nodejs-native xen-tools"

SRC_URI += "file://man;subdir=${BP} \
            file://native/agent;subdir=${BP} \
            file://native/block;subdir=${BP} \
            file://native/monitor;subdir=${BP} \
            file://native/seccomp;subdir=${BP} \
            file://native/sendtty;subdir=${BP} \
            file://native/vif;subdir=${BP} \
            file://scripts/build.mjs;subdir=${BP} \
            file://src;subdir=${BP} \
            file://templates;subdir=${BP} \
            file://tsconfig.json;subdir=${BP} \
            "

inherit systemd

SYSTEMD_SERVICE:${PN} = "vxn-snapshot.service"

# The engines that can use the runtime, and the kind of guest.
VXN_ENGINES ?= "containerd"
PACKAGECONFIG ??= "${VXN_ENGINES} \
                   ${@bb.utils.filter('DISTRO_FEATURES', 'seccomp', d)} \
                   ${@'marker-guest' if d.getVar('VXN_GUEST') == 'marker' else ''} \
                   "
PACKAGECONFIG[containerd] = ",,virtual/containerd"
PACKAGECONFIG[docker] = ""
PACKAGECONFIG[k3s] = ""
PACKAGECONFIG[marker-guest] = ""
PACKAGECONFIG[podman] = ""
PACKAGECONFIG[pvh] = ""
PACKAGECONFIG[seccomp] = "SECCOMP=1,SECCOMP=0,libseccomp"

EXTRA_OEMAKE += "BUILD=${B}/native WERROR= STRIP_FLAG= libexecdir=${libexecdir} ${PACKAGECONFIG_CONFARGS}"

# The description that this target extends: a name that comes with vxn, or a file.
VXN_TARGET ?= "${@vxn_default_target(d)}"
# containerd's generation, such as 2.2. If it is empty, the recipe that provides virtual-containerd
# decides. No recipe says the version of the containerd inside k3s.
VXN_CONTAINERD_VERSION ?= ""
# nooelint: oelint.vars.mispell.unknown - a variable of this layer
VXN_CONFIG[doc] = "Keys of the target description and their values, such as VXN_CONFIG[defaults.memory] = '512'."

def vxn_default_target(d):
    import os
    if 'k3s' in (d.getVar('PACKAGECONFIG') or '').split():
        return 'k3s'
    machine = d.getVar('MACHINE')
    named = os.path.join(d.getVar('FILE_DIRNAME'), '../../templates/targets', machine + '.yaml')
    bb.parse.mark_dependency(d, named)
    return machine if os.path.exists(named) else 'generic-x86-64'

def vxn_is_file(target):
    """Whether vxn-config takes a target's name for a file."""
    return '/' in target or target.endswith(('.yaml', '.yml'))

def vxn_extends(text):
    """The place where a description names the one that it extends: a match with the name in group 1.

    None if it names none.
    """
    import re
    return re.search(r"""^[{ ]*["']?extends["']?[ ]*:[ ]*("[^"\n]*"|'[^'\n]*'|[^\s#,}]+)""", text, re.M)

def vxn_target_files(d):
    """The file that VXN_TARGET names, then the files that it extends.

    None if VXN_TARGET is a description that comes with vxn.
    """
    import os
    files, name = [], d.getVar('VXN_TARGET')
    while vxn_is_file(name):
        path = os.path.normpath(os.path.join(os.path.dirname(files[-1]), name) if files else name)
        if path in files:
            break
        files.append(path)
        # When a file appears or goes, BitBake must parse again.
        bb.parse.mark_dependency(d, path)
        if not os.path.isfile(path):
            break
        with open(path, encoding='utf-8', errors='replace') as f:
            extends = vxn_extends(f.read())
        if not extends:
            break
        name = extends[1].strip('\'"')
    return files

def vxn_copied_name(files, path):
    """The name of a copy of a user's file, beside the target's description. It has no folders."""
    import os
    number = files.index(path)
    return 'base%s-%s' % (number + 1 if number else '', os.path.basename(path))

def vxn_settings(d):
    """VXN_CONFIG as JSON: key -> value. A value is a piece of YAML."""
    import json
    flags = d.getVarFlags('VXN_CONFIG') or {}
    return json.dumps({key: d.expand(value) for key, value in sorted(flags.items()) if key != 'doc'})

def vxn_containerd_version(d):
    """containerd's generation from the package data of the recipe that provides it, or None."""
    import os, re
    import oe.packagedata
    provided = d.expand('${PKGDATA_DIR}/runtime-rprovides/virtual-containerd')
    packages = sorted(os.listdir(provided)) if os.path.isdir(provided) else []
    for package in packages:
        # Either 2.2.1+git, or v2.0.10 in scarthgap.
        version = re.match(r'v?(\d+\.\d+)', oe.packagedata.read_subpkgdata_dict(package, d).get('PV', ''))
        if version:
            return version[1]
    return None

def vxn_description(d):
    """BitBake's knowledge of the target, as keys of a target description. Values are YAML."""
    import json, os
    packageconfig = d.getVar('PACKAGECONFIG').split()
    files = vxn_target_files(d)
    description = {
        'extends': './' + vxn_copied_name(files, files[0]) if files else d.getVar('VXN_TARGET'),
        'architecture': d.getVar('VXN_ARCH'),
        'engines': [e for e in ('containerd', 'docker', 'podman', 'k3s') if e in packageconfig],
        'paths.bindir': d.getVar('bindir'),
        'paths.sbindir': d.getVar('sbindir'),
        'paths.libexecdir': d.getVar('libexecdir'),
        'paths.libdir': d.getVar('nonarch_libdir'),
        'paths.sysconfdir': d.getVar('sysconfdir'),
        'paths.datadir': d.getVar('datadir'),
        'paths.localstatedir': d.getVar('localstatedir'),
        'paths.node': d.expand('${bindir}/node'),
        'paths.blobs': d.getVar('VXN_BLOBS'),
        'paths.kernel': d.getVar('VXN_KERNEL_NAME'),
        'systemd.enable': bb.utils.contains('DISTRO_FEATURES', 'systemd', True, False, d),
    }
    if 'pvh' in packageconfig or d.getVar('VXN_ARCH') == 'aarch64':
        description['guestType'] = 'pvh'
    if 'marker-guest' in packageconfig:
        description['defaults.guestProtocol'] = 'marker'
    version = d.getVar('VXN_CONTAINERD_VERSION')
    if not version and 'containerd' in packageconfig:
        version = vxn_containerd_version(d)
    if version:
        description['containerd.version'] = version
    description = {key: json.dumps(value) for key, value in description.items()}
    description.update(json.loads(d.getVar('VXN_SETTINGS')))
    return description

def vxn_yaml(description):
    """A target description as text, from dotted keys and values in YAML.

    It needs no library, because a build host may lack one.
    """
    lines, open_sections = [], []
    # Keys without a section come first. The keys of a section stand together.
    for key, value in sorted(description.items(), key=lambda item: (item[0].split('.')[:-1], item[0])):
        *sections, name = key.split('.')
        for depth, section in enumerate(sections):
            if open_sections[:depth + 1] != sections[:depth + 1]:
                lines.append('  ' * depth + section + ':')
        open_sections = sections
        lines.append('%s%s: %s' % ('  ' * len(sections), name, ' '.join(value.splitlines())))
    return '\n'.join(lines) + '\n'

def vxn_runtime_problem(d):
    """The mistake in the description of the target, as one sentence. None if there is none."""
    import os
    flags = d.getVarFlags('VXN_CONFIG') or {}
    if 'extends' in flags:
        return 'VXN_CONFIG has the key "extends": set VXN_TARGET to the description that the target\'s extends'
    target = d.getVar('VXN_TARGET')
    if vxn_is_file(target) and not os.path.isabs(target):
        return 'VXN_TARGET is "%s": set it to the name of a description that comes with vxn, or to an absolute file name' % target
    for path in vxn_target_files(d):
        if not os.path.isfile(path):
            return 'VXN_TARGET names or extends %s, which is not there: create it, or correct the name' % path
    # A user's own description can give it.
    given = d.getVar('VXN_CONTAINERD_VERSION') or 'containerd.version' in flags or vxn_is_file(target)
    if 'k3s' in d.getVar('PACKAGECONFIG').split() and not given:
        return ('VXN_ENGINES has "k3s", whose own containerd decides the form of the configuration: set '
                'VXN_CONTAINERD_VERSION to its generation, such as "1.7" for k3s 1.28 or "2.2" for k3s 1.35')
    return None

# nooelint: oelint.task.noanonpython - it refuses wrong values while parsing
python () {
    problem = vxn_runtime_problem(d)
    if problem:
        raise bb.parse.SkipRecipe(problem)
}

# containerd's version decides the form of the configuration. Only containerd's package data has it.
do_configure[depends] += "${@bb.utils.contains('PACKAGECONFIG', 'containerd', 'virtual/containerd:do_packagedata', '', d)}"

python do_configure() {
    import json, os
    files = vxn_target_files(d)
    for path in files:
        with open(path, encoding='utf-8') as f:
            text = f.read()
        extends = vxn_extends(text)
        named = extends[1].strip('\'"') if extends else ''
        if vxn_is_file(named):
            parent = os.path.normpath(os.path.join(os.path.dirname(path), named))
            text = text[:extends.start(1)] + json.dumps('./' + vxn_copied_name(files, parent)) + text[extends.end(1):]
        with open(os.path.join(d.getVar('B'), vxn_copied_name(files, path)), 'w', encoding='utf-8') as f:
            f.write(text)
    with open(os.path.join(d.getVar('B'), d.getVar('MACHINE') + '.yaml'), 'w') as f:
        f.write(vxn_yaml(vxn_description(d)))
}
do_configure[cleandirs] = "${B}"
do_configure[file-checksums] += "${@' '.join('%s:%s' % (path, os.path.exists(path)) for path in vxn_target_files(d))}"

# BitBake does not hash flags that a function reads.
VXN_SETTINGS = "${@vxn_settings(d)}"
VXN_SETTINGS[vardepvalue] = "${VXN_SETTINGS}"

do_compile() {
    node ${S}/scripts/build.mjs --esbuild "$(command -v esbuild)" --commit source --out ${B}/dist
    oe_runmake -C ${S}/native install DESTDIR=${B}/tree

    if ! node ${B}/dist/bin/vxn-config generate --target ${B}/${MACHINE}.yaml \
        --runtime ${B}/dist/libexec/vxn/vxn-oci-runtime --out ${B}/tree 2>${B}/vxn-config.log; then
        bbfatal "vxn-config refuses this target; VXN_TARGET, VXN_CONTAINERD_VERSION and VXN_CONFIG set what it is: $(cat ${B}/vxn-config.log)"
    fi
}

do_install() {
    cp -R --no-dereference --preserve=mode,links ${B}/tree/. ${D}
    install -m 0644 ${B}/dist/libexec/vxn/vxn-*.cjs ${D}${libexecdir}/vxn

    install -d ${D}${mandir}/man8
    install -m 0644 ${S}/man/*.8 ${D}${mandir}/man8

    # These files are for `vxn-config check` and `install` on the target itself.
    install -m 0755 ${B}/dist/bin/vxn-config ${D}${bindir}/vxn-config
    install -d ${D}${datadir}/vxn/schema ${D}${datadir}/vxn/templates/targets
    install -m 0644 ${B}/dist/share/vxn/schema/target.schema.json ${D}${datadir}/vxn/schema
    install -m 0644 ${B}/dist/share/vxn/templates/*.ejs ${D}${datadir}/vxn/templates
    install -m 0644 ${B}/dist/share/vxn/templates/targets/*.yaml ${D}${datadir}/vxn/templates/targets
    install -m 0644 ${B}/*.yaml ${D}${datadir}/vxn
}

PACKAGE_ARCH = "${MACHINE_ARCH}"

PACKAGE_BEFORE_PN += "${PN}-helpers ${PN}-containerd ${PN}-docker-config ${PN}-podman-config ${PN}-k3s-config ${PN}-config-tool ${PN}-bash-completion"

FILES:${PN}-helpers += "${libexecdir}/vxn/vxn-agent \
                        ${libexecdir}/vxn/vxn-block \
                        ${libexecdir}/vxn/vxn-monitor \
                        ${libexecdir}/vxn/vxn-seccomp \
                        ${libexecdir}/vxn/vxn-sendtty \
                        ${libexecdir}/vxn/vxn-vif \
                        "
FILES:${PN}-containerd += "${bindir}/containerd-shim-vxn-v2 \
                          ${bindir}/vctr \
                          ${datadir}/vxn/kubernetes \
                          ${nonarch_libdir}/systemd/system/containerd.service.d \
                          ${sysconfdir}/containerd \
                          "
FILES:${PN}-docker-config += "${nonarch_libdir}/systemd/system/docker.service.d ${sysconfdir}/docker"
FILES:${PN}-podman-config += "${sysconfdir}/containers"
FILES:${PN}-k3s-config += "${localstatedir}/lib/rancher ${nonarch_libdir}/systemd/system/k3s.service.d ${sysconfdir}/rancher"
FILES:${PN}-config-tool += "${bindir}/vxn-config ${datadir}/vxn/schema ${datadir}/vxn/templates ${datadir}/vxn/*.yaml"
FILES:${PN}-bash-completion += "${datadir}/bash-completion"
FILES:${PN} += "${nonarch_libdir}/modules-load.d ${nonarch_libdir}/tmpfiles.d"

CONFFILES:${PN} = "${sysconfdir}/vxn"
CONFFILES:${PN}-containerd = "${sysconfdir}/containerd"
CONFFILES:${PN}-docker-config = "${sysconfdir}/docker"
CONFFILES:${PN}-podman-config = "${sysconfdir}/containers"
CONFFILES:${PN}-k3s-config = "${sysconfdir}/rancher"

RDEPENDS:${PN} = "${PN}-helpers \
                  ${@bb.utils.contains('PACKAGECONFIG', 'marker-guest', 'e2fsprogs', '', d)} \
                  e2fsprogs-mke2fs \
                  nodejs \
                  vxn-guest \
                  xen-tools-xencommons \
                  xen-tools-xenstore \
                  xen-tools-xl \
                  "
RDEPENDS:${PN}-containerd = "${PN} virtual-containerd"
# With docker.form=shim, docker calls the shim, which this package has.
RDEPENDS:${PN}-docker-config = "${PN} ${PN}-containerd docker"
RDEPENDS:${PN}-podman-config = "${PN} podman"
RDEPENDS:${PN}-k3s-config = "${PN} ${PN}-containerd k3s"
RDEPENDS:${PN}-config-tool = "nodejs"
RDEPENDS:${PN}-bash-completion = "bash-completion"

# meta-virtualization's package vxn has files of the same names. This package takes its place with
# PREFERRED_RPROVIDER_vxn = "vxn-oci-runtime".
RPROVIDES:${PN} = "${@'vxn' if d.getVar('PREFERRED_RPROVIDER_vxn') == d.getVar('PN') else ''}"
RCONFLICTS:${PN} = "vxn"
RREPLACES:${PN} = "${@'vxn' if d.getVar('PREFERRED_RPROVIDER_vxn') == d.getVar('PN') else ''}"
RCONFLICTS:${PN}-docker-config = "docker-registry-config vxn-docker-config"
RCONFLICTS:${PN}-podman-config = "vxn-podman-config"
