// SPDX-License-Identifier: MIT
// A layer of stand-ins for the packages that a whole build would make first. The C library and
// pseudo are packages of their own. An empty package stands for every run-time dependency of the
// layer's packages.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LICENCE = `LICENSE = "LGPL-2.1-only"
LIC_FILES_CHKSUM = "file://\${COMMON_LICENSE_DIR}/LGPL-2.1-only;md5=1a6d268fd218675ffea8be556788b780"`;

const LAYER = (series: string): string => `BBPATH .= ":\${LAYERDIR}"
BBFILES += "\${LAYERDIR}/recipes/*.bb"
BBFILE_COLLECTIONS += "stand-ins"
BBFILE_PATTERN_stand-ins = "^\${LAYERDIR}/"
BBFILE_PRIORITY_stand-ins = "99"
LAYERSERIES_COMPAT_stand-ins = "${series}"
LAYERDEPENDS_stand-ins = "core"
`;

// The folder where sources are unpacked. It has no name up to scarthgap.
const SOURCES = `\${@d.getVar('UNPACKDIR') or d.getVar('WORKDIR') + '/sources'}`;

// Debian's pseudo, at the place where the fakeroot tasks look for one.
const PSEUDO = `SUMMARY = "The build host's pseudo"
${LICENCE}
PROVIDES += "virtual/fakeroot-native"
INHIBIT_DEFAULT_DEPS = "1"
INHIBIT_SYSROOT_STRIP = "1"
inherit native nopackages
S = "${SOURCES}"
do_install() {
    install -D -m 0755 /usr/bin/pseudo \${D}\${bindir}/pseudo
    install -D -m 0444 /etc/passwd \${D}\${sysconfdir}/passwd
    install -D -m 0444 /etc/group \${D}\${sysconfdir}/group
    for folder in lib64 lib; do
        install -D -m 0755 $(ls /usr/lib/*/pseudo/libpseudo.so | head -n 1) \${D}\${prefix}/lib/pseudo/$folder/libpseudo.so
    done
}
`;

const LIBC = (files: readonly string[]): string => `SUMMARY = "A C library that is there already"
${LICENCE}
PROVIDES = "virtual/libc"
INHIBIT_DEFAULT_DEPS = "1"
INHIBIT_PACKAGE_STRIP = "1"
INHIBIT_PACKAGE_DEBUG_SPLIT = "1"
S = "${SOURCES}"
do_install() {
    install -d \${D}\${libdir}
    install -m 0755 ${files.join(' ')} \${D}\${libdir}
}
PACKAGES = "\${PN}"
FILES:\${PN} = "\${libdir}"
INSANE_SKIP:\${PN} = "already-stripped ldflags dev-so textrel file-rdeps libdir buildpaths"
`;

const EMPTY = (packages: readonly string[]): string => `SUMMARY = "Stands for packages that others depend on"
${LICENCE}
INHIBIT_DEFAULT_DEPS = "1"
S = "${SOURCES}"
PACKAGES = "${packages.join(' ')}"
${packages.map((p) => `ALLOW_EMPTY:${p} = "1"`).join('\n')}
`;

/** Writes the layer into folder. */
export function writeStandIns(
  folder: string,
  { series, libc, packages }: { series: string; libc: readonly string[]; packages: readonly string[] },
): void {
  const files: Record<string, string> = {
    'conf/layer.conf': LAYER(series),
    'recipes/pseudo-native_1.0.bb': PSEUDO,
    'recipes/stand-in-libc_1.0.bb': LIBC(libc),
    ...(packages.length > 0 ? { 'recipes/stand-in-packages_1.0.bb': EMPTY(packages) } : {}),
  };
  rmSync(folder, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
