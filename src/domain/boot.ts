// SPDX-License-Identifier: MIT
// Chooses the files that a container's domain boots. An annotation decides first, then the vm
// section of the configuration, then the settings.
import { realpathSync, statSync } from 'node:fs';
import { normalize } from 'node:path';
import type { Config } from '../config/config.ts';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import { matchesGlob } from '../host/glob.ts';
import { ANNOTATION_PREFIX, type Annotations, checkAllowed } from '../spec/annotations.ts';
import type { Vm } from '../spec/vm.ts';
import { type Boot, kernelCommandLine } from '../xen/domain-config.ts';
import type { Images } from './kinds/kind.ts';

// Xen hands a PV guest 1024 bytes, of which the last is NUL; x86 kernels take 2048.
const CMDLINE_MAX = { pv: 1023, pvh: 2047 } as const;

function notAllowed(source: string, file: string): VxnError {
  return new VxnError('UNSUPPORTED', `${source}: containers may not boot ${file} on this host`, {
    hint: 'to allow it, add it or a glob to hostPaths in /etc/vxn/vxn.yaml',
  });
}

/**
 * A file of the host that the container names, with links resolved. The settings must allow both
 * the named path and the path that it resolves to.
 */
function hostFile(source: string, file: string, allowed: readonly string[]): string {
  const permitted = (path: string): boolean => allowed.some((pattern) => matchesGlob(path, pattern));
  // This check comes before any look at the file system. Otherwise errors would tell which files
  // exist.
  if (!permitted(normalize(file))) throw notAllowed(source, file);
  let real: string;
  try {
    real = realpathSync(file);
    if (!statSync(real).isFile()) throw new VxnError('INVALID_SPEC', `${source}: ${file} is not a file`);
  } catch (error) {
    if (error instanceof VxnError) throw error;
    const why = errno(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error);
    throw new VxnError('INVALID_SPEC', `${source}: ${file}: ${why}`);
  }
  if (!permitted(real)) throw notAllowed(source, real);
  return real;
}

/**
 * Chooses what the domain boots. images: the settings' files for its kind of guest. Throws
 * INVALID_SPEC on a file that does not exist and on a command line that is too long. Throws
 * UNSUPPORTED on a file that is not allowed, on vm.kernel.parameters where the annotation
 * cmdline-extra is not, and on a pv guest outside x86.
 */
export function chooseBoot(
  annotations: Annotations,
  vm: Vm | undefined,
  config: Config,
  images: Images,
): Boot {
  const file = (name: 'kernel' | 'initrd', fallback: string): string => {
    const annotation = annotations.text(name);
    if (annotation !== undefined)
      return hostFile(`annotation ${ANNOTATION_PREFIX}${name}`, annotation, config.hostPaths);
    const property = name === 'kernel' ? 'path' : 'initrd';
    const named = name === 'kernel' ? vm?.kernel : vm?.initrd;
    if (named !== undefined) return hostFile(`config.json: vm.kernel.${property}`, named, config.hostPaths);
    return fallback;
  };
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const type = (annotations.text('type') as Boot['type'] | undefined) ?? config.guestType;
  if (type === 'pv' && arch !== 'x86_64')
    throw new VxnError('UNSUPPORTED', 'pv guests exist on x86 only', { hint: 'use type pvh' });
  const parameters = vm?.parameters ?? [];
  if (parameters.length > 0)
    checkAllowed('config.json: vm.kernel.parameters', 'cmdline-extra', config.annotations);
  const extra = [config.cmdline, ...parameters, annotations.text('cmdline-extra') ?? ''];
  const cmdline = extra.filter((part) => part !== '').join(' ');
  const length = Buffer.byteLength(kernelCommandLine({ type, arch, cmdline, boot: images.boot }));
  if (length > CMDLINE_MAX[type]) {
    throw new VxnError('INVALID_SPEC', `the kernel's command line would have ${length} bytes`, {
      hint: `a ${type} guest takes ${CMDLINE_MAX[type]}; shorten cmdline-extra or vm.kernel.parameters`,
    });
  }
  return {
    type,
    arch,
    kernel: file('kernel', images.kernel),
    initramfs: file('initrd', images.initramfs),
    boot: images.boot,
    cmdline,
  };
}
