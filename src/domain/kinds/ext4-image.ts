// SPDX-License-Identifier: MIT
// Files of our own on a root disk that is already built, by debugfs(8): no mount, so nothing of the image is trusted.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { errno, VxnError } from '../../host/errors.ts';

/** A file or folder to put on the disk. Folders come before what is in them. */
export interface Entry {
  /** Absolute, of plain components that need no quoting. */
  path: string;
  /** With the file's type, as stat(2) gives it. */
  mode: number;
  /** The file's content: a file of the host. Without it a folder is made. */
  source?: string;
}

/** A word for debugfs's command parser, which knows double quotes and doubles them to escape one. */
function word(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line feed would end the command
  if (/[\x00-\x1f]/.test(text)) throw new RangeError(`control character in ${JSON.stringify(text)}`);
  return `"${text.replaceAll('"', '""')}"`;
}

/** The commands that make the entries, each followed by one that shows what came of it. */
export function debugfsCommands(entries: readonly Entry[]): string {
  return entries
    .map(({ path, mode, source }) => {
      // What an earlier, interrupted call left is replaced.
      const make = source === undefined ? `mkdir ${path}` : `rm ${path}\nwrite ${word(source)} ${path}`;
      const fields = [`mode 0${mode.toString(8)}`, 'uid 0', 'gid 0'].map(
        (f) => `set_inode_field ${path} ${f}\n`,
      );
      return `${make}\n${fields.join('')}stat ${path}\n`;
    })
    .join('');
}

// debugfs always ends with status 0: what failed is on stderr, what is there is shown by `stat`.
function complaint(stderr: string): string | undefined {
  const harmless = /^(debugfs \d|rm: File not found|mkdir: Ext2 directory already exists)/;
  return stderr.split('\n').find((line) => line !== '' && !harmless.test(line));
}

function sizesShown(output: string): number[] {
  return [...output.matchAll(/^User: +0 +Group: +0 .*Size: (\d+)$/gm)].map((m) => Number(m[1]));
}

/**
 * Puts entries on the ext4 image of a file. Nobody else may have it mounted. path: PATH, where
 * debugfs is looked for. Throws DISK.
 */
export function putIntoImage(image: string, entries: readonly Entry[], path: string): void {
  const { stdout, stderr, error } = spawnSync('debugfs', ['-w', '-f', '-', image], {
    encoding: 'utf8',
    input: debugfsCommands(entries),
    env: { PATH: path, DEBUGFS_PAGER: 'cat' },
  });
  if (error !== undefined && errno(error) === 'ENOENT')
    throw new VxnError('DISK', 'debugfs: command not found', { hint: 'install e2fsprogs' });
  const sizes = sizesShown(stdout ?? '');
  const there = entries.every(
    ({ source }, i) => sizes[i] !== undefined && (source === undefined || sizes[i] === statSync(source).size),
  );
  const why = complaint(stderr ?? '') ?? (there ? undefined : (error?.message ?? 'debugfs failed'));
  if (why !== undefined)
    throw new VxnError('DISK', `cannot put the guest's own files on the root disk: ${why}`);
}
