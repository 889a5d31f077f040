# SPDX-License-Identifier: MIT
# Makes a Xen Dom0 image a host of vxn: `inherit vxn_host` in the image's recipe.
# conf/distro/include/vxn-host.inc does this for images of other layers. It also sets the values
# that the whole build needs.
# nooelint: oelint.vars.mispell.unknown - a variable of this layer
VXN_ENGINES ??= "containerd"
# nooelint: oelint.vars.mispell.unknown - a variable of this layer
VXN_CONTAINER_IMAGES ??= ""

VXN_HOST_PACKAGES ?= "\
    vxn-oci-runtime \
    vxn-oci-runtime-bash-completion \
    vxn-oci-runtime-config-tool \
    ${@bb.utils.contains('VXN_ENGINES', 'containerd', 'vxn-oci-runtime-containerd', '', d)} \
    ${@bb.utils.contains('VXN_ENGINES', 'docker', 'vxn-oci-runtime-docker-config', '', d)} \
    ${@bb.utils.contains('VXN_ENGINES', 'k3s', 'vxn-oci-runtime-k3s-config', '', d)} \
    ${@bb.utils.contains('VXN_ENGINES', 'podman', 'vxn-oci-runtime-podman-config', '', d)} \
    ${@'vxn-container-images' if d.getVar('VXN_CONTAINER_IMAGES').strip() else ''} \
"
IMAGE_INSTALL:append = " ${VXN_HOST_PACKAGES}"

# Modules of Dom0's kernel. A kernel with built-in drivers has no such packages.
VXN_HOST_MODULES ?= "\
    kernel-module-act-mirred \
    kernel-module-cls-matchall \
    kernel-module-loop \
    kernel-module-sch-ingress \
    kernel-module-xen-blkback \
    kernel-module-xen-gntalloc \
    kernel-module-xen-gntdev \
    kernel-module-xen-netback \
"
PACKAGE_INSTALL_ATTEMPTONLY:append = " ${VXN_HOST_MODULES}"

# Few Dom0s have a file system of its own for containers' disks. So the root needs room for them.
IMAGE_ROOTFS_EXTRA_SPACE:append = " + 1048576"
