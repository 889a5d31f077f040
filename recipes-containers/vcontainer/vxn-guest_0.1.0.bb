# nooelint: oelint.var.mandatoryvar.HOMEPAGE - the layer is all there is
# SPDX-License-Identifier: MIT
SUMMARY = "Kernel and initramfs of the domains that run vxn's containers"
DESCRIPTION = "With VXN_GUEST = 'agent', the initramfs has vxn-agent as its \
only program. The kernel comes from the multiconfig for guests. Without that \
multiconfig it is Dom0's own kernel. With VXN_GUEST = 'marker', everything \
comes from meta-virtualization's vruntime."

require vxn.inc
require ${@'vxn-guest-marker.inc' if d.getVar('VXN_GUEST') == 'marker' else 'vxn-guest-agent.inc'}

# The machine of the multiconfig, and the folder where it deploys. VXN_MC_DEPLOY is
# meta-virtualization's own variable.
VXN_GUEST_MACHINE ?= "${@{'x86_64': 'qemux86-64', 'aarch64': 'qemuarm64'}.get(d.getVar('VXN_ARCH'), '')}"
# Up to scarthgap, a distro without a TCLIBCAPPEND of its own has "-glibc" at the end of TMPDIR.
VXN_MC_DEPLOY ?= "${TOPDIR}/tmp-${VXN_GUEST_MULTICONFIG}${@d.getVar('TCLIBCAPPEND') or ''}/deploy/images/${VXN_GUEST_MACHINE}"

def vxn_guest_mcdepends(d):
    """The multiconfig's tasks that deploy the files that this recipe takes. None if it is not built."""
    multiconfig = d.getVar('VXN_GUEST_MULTICONFIG')
    if multiconfig not in (d.getVar('BBMULTICONFIG') or '').split():
        return ''
    current = d.getVar('BB_CURRENT_MC')
    current = '' if current == 'default' else current
    return ' '.join('mc:%s:%s:%s' % (current, multiconfig, task) for task in d.getVar('VXN_GUEST_TASKS').split())

do_configure[noexec] = "1"
do_compile[cleandirs] = "${B}"
do_compile[mcdepends] = "${@vxn_guest_mcdepends(d)}"
# BitBake knows from these tasks which files come from there. The folder's name does not matter.
do_compile[vardepsexclude] += "VXN_MC_DEPLOY"

# vxn_take FILE RECIPE OUT: copies a file that the multiconfig has deployed.
vxn_take() {
    if [ ! -f "${VXN_MC_DEPLOY}/$1" ]; then
        bbfatal "${VXN_MC_DEPLOY} has no $1: add ${VXN_GUEST_MULTICONFIG} to BBMULTICONFIG, or run bitbake mc:${VXN_GUEST_MULTICONFIG}:$2"
    fi
    install -m 0644 "${VXN_MC_DEPLOY}/$1" "$3"
}
vxn_take[vardepsexclude] += "VXN_MC_DEPLOY"

do_install() {
    install -d ${D}${VXN_BLOBS}
    for blob in initramfs.cpio.gz rootfs.img ${VXN_KERNEL_NAME}; do
        if [ -e ${B}/$blob ]; then
            install -m 0644 ${B}/$blob ${D}${VXN_BLOBS}/$blob
        fi
    done
    if [ ! -e ${B}/${VXN_KERNEL_NAME} ]; then
        ln -rs ${D}/boot/${VXN_KERNEL_NAME} ${D}${VXN_BLOBS}/${VXN_KERNEL_NAME}
    fi
}

# The initramfs may hold modules of the machine's kernel.
PACKAGE_ARCH = "${MACHINE_ARCH}"

FILES:${PN} += "${VXN_BLOBS}"
RCONFLICTS:${PN} = "vxn"
