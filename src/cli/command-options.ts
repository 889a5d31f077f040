// SPDX-License-Identifier: MIT
// The longer lists of options, and the values that verbs get of them.
import type { CreateOptions } from '../verbs/create.ts';
import type { EventsOptions } from '../verbs/events.ts';
import type { ExecOptions } from '../verbs/exec.ts';
import type { RunOptions } from '../verbs/run.ts';
import type { Call } from './call.ts';
import { parseDuration } from './duration.ts';
import type { Kinds } from './options.ts';

export const CREATE_OPTIONS: Kinds = {
  bundle: 'value',
  'pid-file': 'value',
  'console-socket': 'value',
  // These have no meaning here. Engines may pass them.
  'no-pivot': 'flag',
  'no-new-keyring': 'flag',
  'preserve-fds': 'value',
};

/** The options of `create` on a command line. */
export const createOptions = (call: Call): CreateOptions => ({
  id: call.id,
  bundle: call.value('bundle') ?? '.',
  pidFile: call.value('pid-file'),
  consoleSocket: call.value('console-socket'),
});

export const RUN_OPTIONS: Kinds = { ...CREATE_OPTIONS, detach: 'flag', keep: 'flag', 'no-subreaper': 'flag' };

/** The options of `run` on a command line. */
export const runOptions = (call: Call): RunOptions => ({
  ...createOptions(call),
  detach: call.has('detach'),
  keep: call.has('keep'),
});

export const EXEC_OPTIONS: Kinds = {
  process: 'value',
  detach: 'flag',
  'pid-file': 'value',
  'console-socket': 'value',
  tty: 'flag',
  env: 'list',
  cwd: 'value',
  user: 'value',
  'additional-gids': 'list',
  cap: 'list',
  'no-new-privs': 'flag',
  'ignore-paused': 'flag',
  // These have no meaning here, or no effect in a guest. Engines may pass them.
  'preserve-fds': 'value',
  'process-label': 'value',
  apparmor: 'value',
  cgroup: 'list',
};

/** The options of `exec` on a command line. */
export const execOptions = (call: Call): ExecOptions => ({
  id: call.id,
  command: call.args.slice(1),
  processFile: call.value('process'),
  detach: call.has('detach'),
  pidFile: call.value('pid-file'),
  consoleSocket: call.value('console-socket'),
  tty: call.has('tty'),
  env: call.values('env'),
  cwd: call.value('cwd'),
  user: call.value('user'),
  additionalGids: call.values('additional-gids'),
  capabilities: call.values('cap'),
  noNewPrivileges: call.has('no-new-privs'),
  ignorePaused: call.has('ignore-paused'),
});

export const EVENTS_OPTIONS: Kinds = { stats: 'flag', interval: 'value' };

/** The options of `events` on a command line. */
export const eventsOptions = (call: Call): EventsOptions => ({
  stats: call.has('stats'),
  interval: parseDuration(call.value('interval') ?? '5s'),
});

export const CHECKPOINT_OPTIONS: Kinds = {
  'image-path': 'value',
  'work-path': 'value',
  'parent-path': 'value',
  'leave-running': 'flag',
  'tcp-established': 'flag',
  'tcp-skip-in-flight': 'flag',
  'link-remap': 'flag',
  'ext-unix-sk': 'flag',
  'shell-job': 'flag',
  'lazy-pages': 'flag',
  'status-fd': 'value',
  'page-server': 'value',
  'file-locks': 'flag',
  'pre-dump': 'flag',
  'manage-cgroups-mode': 'value',
  'empty-ns': 'value',
  'auto-dedup': 'flag',
};

export const RESTORE_OPTIONS: Kinds = {
  ...CHECKPOINT_OPTIONS,
  bundle: 'value',
  'console-socket': 'value',
  detach: 'flag',
  'no-pivot': 'flag',
  'no-subreaper': 'flag',
  'pid-file': 'value',
  'lsm-profile': 'value',
  'lsm-mount-context': 'value',
};
