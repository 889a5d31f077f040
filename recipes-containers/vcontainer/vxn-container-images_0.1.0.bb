# nooelint: oelint.var.mandatoryvar.HOMEPAGE - the layer is all there is
# SPDX-License-Identifier: MIT
SUMMARY = "Container images that come with a Dom0"
DESCRIPTION = "The package has the OCI archives of VXN_CONTAINER_IMAGES, \
and a unit that imports each of them once into the engine of the target."
SECTION = "console/tools"
LICENSE = "MIT"
# nooelint: oelint.var.licenseremotefile - it has no sources of its own
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

SRC_URI = "file://vxn-import-images.in;subdir=${BP} \
           file://vxn-import-images.service.in;subdir=${BP} \
           "

# OCI archives (or docker's): absolute file names, or RECIPE:FILE for a file that the recipe of an
# image deploys.
VXN_CONTAINER_IMAGES ?= ""
# The engine that gets them, and the namespace if the engine is containerd. CRI looks in k8s.io.
VXN_IMAGES_ENGINE ?= "containerd"
VXN_IMAGES_NAMESPACE ?= "default"

B = "${WORKDIR}/build"

inherit systemd

SYSTEMD_SERVICE:${PN} = "vxn-import-images.service"

def vxn_archives(d):
    """The archives as (recipe or None, file)."""
    archives = []
    for word in (d.getVar('VXN_CONTAINER_IMAGES') or '').split():
        recipe, colon, name = word.rpartition(':')
        archives.append((recipe, d.expand('${DEPLOY_DIR_IMAGE}/' + name)) if colon else (None, word))
    return archives

# nooelint: oelint.task.noanonpython - it refuses wrong values while parsing
python () {
    import os, re
    engine = d.getVar('VXN_IMAGES_ENGINE')
    if engine not in ('containerd', 'docker', 'podman'):
        raise bb.parse.SkipRecipe('VXN_IMAGES_ENGINE is "%s": set it to "containerd", "docker" or "podman"' % engine)
    namespace = d.getVar('VXN_IMAGES_NAMESPACE')
    if not re.fullmatch('[A-Za-z0-9][A-Za-z0-9_.-]{0,75}', namespace):
        raise bb.parse.SkipRecipe('VXN_IMAGES_NAMESPACE is "%s": set it to the name of a namespace' % namespace)
    archives = vxn_archives(d)
    names = [os.path.basename(name) for _, name in archives]
    for (recipe, name), base in zip(archives, names):
        if not os.path.isabs(name):
            raise bb.parse.SkipRecipe('VXN_CONTAINER_IMAGES has "%s": set it to absolute file names, or RECIPE:FILE' % name)
        if names.count(base) > 1:
            raise bb.parse.SkipRecipe('VXN_CONTAINER_IMAGES has two files of the name "%s": rename one of them' % base)
        if recipe:
            d.appendVarFlag('do_install', 'depends', ' %s:do_image_complete' % recipe)
        else:
            d.appendVarFlag('do_install', 'file-checksums', ' %s:%s' % (name, os.path.exists(name)))
}

do_configure[noexec] = "1"

VXN_ARCHIVE_FILES = "${@' '.join(name for _, name in vxn_archives(d))}"
VXN_ENGINE_UNIT = "${@'podman.socket' if d.getVar('VXN_IMAGES_ENGINE') == 'podman' else d.getVar('VXN_IMAGES_ENGINE') + '.service'}"

do_compile() {
    for script in vxn-import-images vxn-import-images.service; do
        sed -e 's#@DATADIR@#${datadir}#g' -e 's#@LOCALSTATEDIR@#${localstatedir}#g' -e 's#@LIBEXECDIR@#${libexecdir}#g' \
            -e 's#@ENGINE@#${VXN_IMAGES_ENGINE}#g' -e 's#@NAMESPACE@#${VXN_IMAGES_NAMESPACE}#g' \
            -e 's#@UNIT@#${VXN_ENGINE_UNIT}#g' ${S}/$script.in >${B}/$script
    done
}

do_install() {
    install -d ${D}${datadir}/vxn/images ${D}${libexecdir}/vxn ${D}${systemd_system_unitdir}
    for archive in ${VXN_ARCHIVE_FILES}; do
        if [ ! -f "$archive" ]; then
            bbfatal "VXN_CONTAINER_IMAGES names $archive, which is not there: build it first, or correct the name"
        fi
        install -m 0644 "$archive" ${D}${datadir}/vxn/images
    done
    install -m 0755 ${B}/vxn-import-images ${D}${libexecdir}/vxn/vxn-import-images
    install -m 0644 ${B}/vxn-import-images.service ${D}${systemd_system_unitdir}/vxn-import-images.service
}

PACKAGE_ARCH = "${MACHINE_ARCH}"

FILES:${PN} += "${datadir}/vxn/images"

RDEPENDS:${PN} = "${@{'docker': 'docker', 'podman': 'podman'}.get(d.getVar('VXN_IMAGES_ENGINE'), 'virtual-containerd')}"
RDEPENDS:${PN} += "${@'zstd' if any(name.endswith('.zst') for _, name in vxn_archives(d)) else ''}"
