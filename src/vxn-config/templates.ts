// SPDX-License-Identifier: MIT
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VxnError } from '../host/errors.ts';

/** The folder of templates and target descriptions: the installation's, or the source tree's. */
export function findTemplates(script: string): string {
  const here = dirname(realpathSync(script));
  const folders = [join(here, '../share/vxn/templates'), join(here, '../../templates')];
  const found = folders.find((f) => existsSync(join(f, 'targets')));
  if (found !== undefined) return found;
  throw new VxnError('INVALID_CONFIG', `no templates in ${folders.join(' or ')}`, {
    hint: 'name their folder with --templates',
  });
}

/** Reads a template by the name of what it makes. */
export function templateReader(folder: string): (name: string) => string {
  return (name) => readFileSync(join(folder, `${name}.ejs`), 'utf8');
}
