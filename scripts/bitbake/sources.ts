// SPDX-License-Identifier: MIT
// The checkouts of BitBake, openembedded-core and the layers beside it.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Sources {
  bitbake: string;
  core: string;
  /** The layers that LAYERDEPENDS names, and the ones that those need. */
  layers: readonly string[];
}

/**
 * The layers beside openembedded-core: the variable that names their folder, its usual name, and
 * the layers in it.
 */
const BESIDE = [
  {
    variable: 'META_OE_DIR',
    name: 'meta-openembedded',
    layers: ['meta-oe', 'meta-python', 'meta-networking', 'meta-filesystems'],
  },
  { variable: 'META_VIRTUALIZATION_DIR', name: 'meta-virtualization', layers: ['.'] },
] as const;

function folder(variable: string, usual: string | undefined, proof: string): string {
  const given = process.env[variable] ?? usual;
  if (given === undefined || given === '')
    throw new Error(`${variable} is not set: it names the folder that has ${proof}`);
  const path = resolve(given);
  if (!existsSync(join(path, proof)))
    throw new Error(`${variable}: ${path} is not that folder: it has no ${proof}`);
  return path;
}

/** Finds all checkouts. Throws with the name of the variable to set. */
export function findSources(): Sources {
  const bitbake = folder('BITBAKE_DIR', undefined, 'bin/bitbake');
  const core = folder('OE_CORE_DIR', undefined, 'meta/conf/layer.conf');
  const layers = BESIDE.flatMap(({ variable, name, layers }) => {
    const root = folder(variable, join(core, '..', name), join(layers[0], 'conf/layer.conf'));
    return layers.map((layer) => join(root, layer));
  });
  return { bitbake, core, layers };
}
