# SPDX-License-Identifier: MIT
SUMMARY = "JavaScript and TypeScript bundler"
DESCRIPTION = "esbuild's authors publish an executable for each kind of \
build host. It is static, and bundles without node and npm."
HOMEPAGE = "https://esbuild.github.io/"
BUGTRACKER = "https://github.com/evanw/esbuild/issues"
SECTION = "devel"
LICENSE = "MIT"
# nooelint: oelint.var.licenseremotefile - the package has no license file
LIC_FILES_CHKSUM = "file://${COMMON_LICENSE_DIR}/MIT;md5=0835ade698e0bcf8506ecda2f7b4f302"

require recipes-devtools/esbuild/npmjs-mirror.inc
require esbuild-checksums.inc

def esbuild_cpu(d):
    """The name of the build host's processor in esbuild's packages."""
    cpus = {'x86_64': 'x64', 'aarch64': 'arm64'}
    if d.getVar('BUILD_ARCH') not in cpus:
        raise bb.parse.SkipRecipe("esbuild-native has no executable for a build host of the architecture %s: "
                                  "build on x86_64 or aarch64" % d.getVar('BUILD_ARCH'))
    return cpus[d.getVar('BUILD_ARCH')]

ESBUILD_CPU = "${@esbuild_cpu(d)}"
SRC_URI = "${NPMJS_MIRROR}/@esbuild/linux-${ESBUILD_CPU}/-/linux-${ESBUILD_CPU}-${PV}.tgz;name=${ESBUILD_CPU};subdir=${BP};striplevel=1;downloadfilename=npm-esbuild-linux-${ESBUILD_CPU}-${PV}.tgz"
UPSTREAM_CHECK_URI = "${NPMJS_MIRROR}/esbuild/latest"
UPSTREAM_CHECK_REGEX = "\"version\":\"(?P<pver>\d+(\.\d+)+)\""
CVE_PRODUCT = "esbuild"

inherit_defer native

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -d ${D}${bindir}
    install -m 0755 ${S}/bin/esbuild ${D}${bindir}/esbuild
}

INHIBIT_SYSROOT_STRIP = "1"
