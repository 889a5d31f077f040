// SPDX-License-Identifier: MIT
// podman takes the last runtime_supports_json that it finds as a whole: ours has to hold what the system's has.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inRoot } from '../../host/resolve-in-root.ts';
import { present } from '../tree.ts';
import { at, readToml } from './toml-edit.ts';

function listIn(root: string, path: string): string[] | undefined {
  const file = present(inRoot(root, path, true));
  if (file?.kind !== 'file') return undefined;
  try {
    const list = at(readToml(Buffer.from(file.content, 'latin1').toString()), [
      'engine',
      'runtime_supports_json',
    ]);
    return Array.isArray(list) ? list.filter((v) => typeof v === 'string') : undefined;
  } catch {
    // podman itself will complain about it.
    return undefined;
  }
}

function filesOf(root: string, folder: string): string[] {
  try {
    return readdirSync(inRoot(root, folder, true))
      .filter((name) => name.endsWith('.conf'))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** The runtimes that a system's own configuration says are read as JSON, without vxn; undefined when it says nothing. */
export function podmanJson(root: string, ours: string): string[] | undefined {
  const folder = dirname(ours);
  const files = ['/usr/share/containers/containers.conf', `${dirname(folder)}/containers.conf`];
  // Those that are read after ours would take its place anyway.
  const before = filesOf(root, folder).filter((path) => path < ours);
  const lists = [...files, ...before].flatMap((path) => {
    const list = listIn(root, path);
    return list === undefined ? [] : [list];
  });
  return lists.at(-1)?.filter((name) => name !== 'vxn');
}
