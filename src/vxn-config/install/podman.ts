// SPDX-License-Identifier: MIT
// podman takes only the last runtime_supports_json that it finds: ours has to hold the system's
// too.
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

/**
 * The runtimes, without vxn, that a system's own configuration has in runtime_supports_json.
 * undefined: it has no such key.
 */
export function podmanJson(root: string, ours: string): string[] | undefined {
  const folder = dirname(ours);
  const files = ['/usr/share/containers/containers.conf', `${dirname(folder)}/containers.conf`];
  // Files that podman reads after ours would replace it anyway.
  const before = filesOf(root, folder).filter((path) => path < ours);
  const lists = [...files, ...before].flatMap((path) => {
    const list = listIn(root, path);
    return list === undefined ? [] : [list];
  });
  return lists.at(-1)?.filter((name) => name !== 'vxn');
}
