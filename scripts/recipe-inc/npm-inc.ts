// SPDX-License-Identifier: MIT
// The part of the recipe that names npm packages: tarballs, checksums, licences.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Lock, lockEntry, packageName, sha512 } from './lock.ts';

export const GENERATED = [
  '# SPDX-License-Identifier: MIT',
  '# Made by `npm run recipe-inc` from package-lock.json; a test says when it is out of date.',
];

/**
 * A package's licence in the terms of LICENSE. The operators are the recipe's, and the names are
 * SPDX's.
 */
export function licenseExpression(spdx: string): string {
  return spdx.replace(/\s+AND\s+/g, ' & ').replace(/\s+OR\s+/g, ' | ');
}

function licenseFile(root: string, folder: string): string {
  const found = readdirSync(join(root, folder))
    .filter((name) => /^(licen[cs]e|copying)(\.|$|-)/i.test(name))
    .sort();
  if (found[0] === undefined) throw new Error(`${folder} comes without the text of its licence`);
  return join(folder, found[0]);
}

const md5 = (path: string): string => createHash('md5').update(readFileSync(path)).digest('hex');

/**
 * A package's name for SRC_URI's name= and for the downloaded file. Neither may hold "@" or "/".
 */
export function packageLabel(name: string, version: string): string {
  return `${name.replace('@', '').replace('/', '-')}-${version}`;
}

interface Package {
  folder: string;
  label: string;
  name: string;
  version: string;
  license: string;
}

function describe(lock: Lock, folder: string): Package {
  const { version, license } = lockEntry(lock, folder);
  if (license === undefined) throw new Error(`package-lock.json names no licence for ${folder}`);
  const name = packageName(folder);
  return { folder, name, version, license, label: packageLabel(name, version) };
}

function uri({ folder, name, version, label }: Package): string {
  const base = name.slice(name.lastIndexOf('/') + 1);
  const tarball = `\${NPMJS_MIRROR}/${name}/-/${base}-${version}.tgz`;
  return `${tarball};name=${label};subdir=\${BP}/${folder};striplevel=1;downloadfilename=npm-${label}.tgz`;
}

const list = (variable: string, operator: string, words: readonly string[]): string[] => [
  `${variable} ${operator} "\\`,
  ...words.map((word) => `    ${word} \\`),
  '"',
];

/**
 * The text of the file for the packages in these folders of root. Throws when something about a
 * package is unknown.
 */
export function npmInc(root: string, lock: Lock, folders: readonly string[]): string {
  const packages = folders.map((folder) => describe(lock, folder));
  // The project's own licence is in the recipe.
  const licenses = new Set(packages.map((p) => licenseExpression(p.license)).filter((l) => l !== 'MIT'));
  return `${[
    ...GENERATED,
    `LICENSE .= "${[...licenses]
      .sort()
      .map((l) => ` & ${l.includes('|') ? `(${l})` : l}`)
      .join('')}"`,
    ...list(
      'LIC_FILES_CHKSUM',
      '+=',
      packages.map(({ folder }) => {
        const file = licenseFile(root, folder);
        return `file://${file};md5=${md5(join(root, file))}`;
      }),
    ),
    '',
    ...list('SRC_URI', '+=', packages.map(uri)),
    ...packages.map(({ folder, label }) => `SRC_URI[${label}.sha512sum] = "${sha512(lock, folder)}"`),
    '',
    ...list(
      'SPDX_PACKAGE_URLS:append',
      '=',
      packages.map(({ name, version }) => `pkg:npm/${name.replace('@', '%40')}@${version}`),
    ),
  ].join('\n')}\n`;
}
