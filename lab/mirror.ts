// SPDX-License-Identifier: MIT
import { readFile } from 'node:fs/promises';
import { glob } from './glob.ts';

/** The values of a deb822 field, or an empty list. */
function field(stanza: string, name: string): string[] {
  const match = new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza);
  return match?.[1]?.split(/\s+/).filter(Boolean) ?? [];
}

/** The Debian archive URIs in apt sources of the deb822 form. */
export function urisOfDeb822(text: string): string[] {
  return text
    .replace(/^#.*\n?/gm, '')
    .split(/\n\s*\n/)
    .filter((stanza) => field(stanza, 'Types').includes('deb') && isDebian(field(stanza, 'Suites')))
    .flatMap((stanza) => field(stanza, 'URIs'));
}

/** The Debian archive URIs in apt sources of the one-line form. */
export function urisOfOneLine(text: string): string[] {
  const lines = text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm);
  return [...lines].filter((m) => isDebian([m[2] ?? ''])).map((m) => m[1] ?? '');
}

/**
 * True for plain Debian releases. Security and backports archives and third parties do not count.
 */
function isDebian(suites: string[]): boolean {
  return suites.some((suite) => /^(bookworm|trixie|forky|sid|stable|testing|unstable)$/.test(suite));
}

/** The Debian mirror that the host's own apt uses. Throws when there is none. */
export async function debianMirror(): Promise<string> {
  const read = (file: string) => readFile(file, 'utf8').catch(() => '');
  for (const file of await glob('/etc/apt/sources.list.d', /\.sources$/)) {
    const [uri] = urisOfDeb822(await read(file));
    if (uri) return uri;
  }
  for (const file of ['/etc/apt/sources.list', ...(await glob('/etc/apt/sources.list.d', /\.list$/))]) {
    const [uri] = urisOfOneLine(await read(file));
    if (uri) return uri;
  }
  throw new Error(
    'no Debian mirror found in /etc/apt/sources.list or /etc/apt/sources.list.d: the lab takes its packages from there',
  );
}
