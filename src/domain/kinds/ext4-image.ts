// SPDX-License-Identifier: MIT
// Puts files of our own on a root disk that is already built. debugfs(8) does it without a mount,
// so Dom0's kernel need not trust the image.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { errno, VxnError } from '../../host/errors.ts';

/** A file or folder to put on the disk. Folders come before what is in them. */
export interface Entry {
  /** Absolute, of plain components that need no quoting. */
  path: string;
  /** Permissions and type of the file, as in st_mode of stat(2). */
  mode: number;
  /** The file of the host that has the content. Without it the entry is a folder. */
  source?: string;
}

/** A word for debugfs's command parser. It takes double quotes, and a doubled quote within them. */
function word(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line feed would end the command
  if (/[\x00-\x1f]/.test(text)) throw new RangeError(`control character in ${JSON.stringify(text)}`);
  return `"${text.replaceAll('"', '""')}"`;
}

/**
 * The debugfs commands that make the entries. A `stat` after each entry shows the result. Throws
 * RangeError on a control character.
 */
export function debugfsCommands(entries: readonly Entry[]): string {
  return entries
    .map(({ path, mode, source }) => {
      // This replaces a file that an earlier, interrupted call left.
      const make = source === undefined ? `mkdir ${path}` : `rm ${path}\nwrite ${word(source)} ${path}`;
      const fields = [`mode 0${mode.toString(8)}`, 'uid 0', 'gid 0'].map(
        (f) => `set_inode_field ${path} ${f}\n`,
      );
      return `${make}\n${fields.join('')}stat ${path}\n`;
    })
    .join('');
}

// debugfs always ends with status 0. Its stderr shows failures, and `stat` shows the entries.
function complaint(stderr: string): string | undefined {
  const harmless = /^(debugfs \d|rm: File not found|mkdir: Ext2 directory already exists)/;
  return stderr.split('\n').find((line) => line !== '' && !harmless.test(line));
}

function sizesShown(output: string): number[] {
  return [...output.matchAll(/^User: +0 +Group: +0 .*Size: (\d+)$/gm)].map((m) => Number(m[1]));
}

/**
 * Puts entries on the ext4 image in a file. Nobody else may have it mounted. path: the PATH where
 * debugfs is searched. Throws DISK.
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
