// SPDX-License-Identifier: MIT
import { readFile } from 'node:fs/promises';
import { glob } from './glob.ts';

/** Values of a deb822 field, or an empty list. */
function field(stanza: string, name: string): string[] {
  const match = new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza);
  return match?.[1]?.split(/\s+/).filter(Boolean) ?? [];
}

/** Debian archive URIs named by apt sources in the deb822 form. */
export function urisOfDeb822(text: string): string[] {
  return text
    .replace(/^#.*\n?/gm, '')
    .split(/\n\s*\n/)
    .filter((stanza) => field(stanza, 'Types').includes('deb') && isDebian(field(stanza, 'Suites')))
    .flatMap((stanza) => field(stanza, 'URIs'));
}

/** Debian archive URIs named by apt sources in the one-line form. */
export function urisOfOneLine(text: string): string[] {
  const lines = text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm);
  return [...lines].filter((m) => isDebian([m[2] ?? ''])).map((m) => m[1] ?? '');
}

/** Plain Debian releases only: no security or backports archive, no third party. */
function isDebian(suites: string[]): boolean {
  return suites.some((suite) => /^(bookworm|trixie|forky|sid|stable|testing|unstable)$/.test(suite));
}

/** The Debian mirror that the host's own apt uses. */
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
