// SPDX-License-Identifier: MIT
// The entry point that engines call. Nothing that a verb does not need is done here.
import { appendFileSync, closeSync, openSync, realpathSync, writeSync } from 'node:fs';
import type { Context } from '../domain/context.ts';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import { OCI_VERSION } from '../spec/spec.ts';
import type { CreateOptions } from '../verbs/create.ts';
import { type Command, globalOption, type Parsed, parseArguments } from './arguments.ts';
import { makeContext } from './make-context.ts';
import { thisCaller } from './this-caller.ts';

declare const VXN_VERSION: string;
declare const VXN_COMMIT: string;

interface Verb extends Command {
  /** May set process.exitCode. */
  run(context: Context, parsed: Parsed): Promise<void>;
}

const STDOUT = 1;
const STDERR = 2;

// A pipe of the caller's can be non-blocking, and full. False when nobody reads it any more.
function writeAll(fd: number, data: string | Buffer): boolean {
  let rest = Buffer.from(data as string);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
    }
  }
  return true;
}

function write(fd: number, data: string | Buffer): void {
  writeAll(fd, data);
}

const id = (parsed: Parsed): string => parsed.args[0] ?? '';

// A verb's code, and what of node it needs, is loaded when it is called: most of a call is node's own start.
const MODULES = {
  create: () => import('../verbs/create.ts'),
  start: () => import('../verbs/start.ts'),
  state: () => import('../verbs/state.ts'),
  kill: () => import('../verbs/kill.ts'),
  delete: () => import('../verbs/delete.ts'),
  remove: () => import('../container/remove.ts'),
  xl: () => import('../xen/xl.ts'),
  pause: () => import('../verbs/pause.ts'),
  spec: () => import('../spec/default-spec.ts'),
  checkpoint: () => import('../verbs/checkpoint.ts'),
  update: () => import('../verbs/update.ts'),
  events: () => import('../verbs/events.ts'),
  control: () => import('../channel/control.ts'),
  exec: () => import('../verbs/exec.ts'),
  run: () => import('../verbs/run.ts'),
  list: () => import('../verbs/list.ts'),
  ps: () => import('../verbs/ps.ts'),
  logs: () => import('../verbs/logs.ts'),
  timeline: () => import('../container/timeline.ts'),
  features: () => import('../verbs/features.ts'),
};

const CHECKPOINT_OPTIONS = {
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
} as const;

const CREATE_OPTIONS = {
  bundle: 'value',
  'pid-file': 'value',
  'console-socket': 'value',
  'no-pivot': 'flag',
  'no-new-keyring': 'flag',
  'preserve-fds': 'value',
} as const;

const createOptions = (parsed: Parsed): CreateOptions => ({
  id: id(parsed),
  bundle: parsed.options.get('bundle') ?? '.',
  pidFile: parsed.options.get('pid-file'),
  consoleSocket: parsed.options.get('console-socket'),
});

const VERBS: Readonly<Record<string, Verb>> = {
  create: {
    summary: 'make a container: build its root disk and boot its domain',
    args: ['ID'],
    options: CREATE_OPTIONS,
    run: async (context, parsed) => {
      await (await MODULES.create()).create(context, createOptions(parsed));
    },
  },
  start: {
    summary: 'start the program of a container that was made',
    args: ['ID'],
    options: {},
    run: async (context, parsed) => (await MODULES.start()).start(context, id(parsed)),
  },
  state: {
    summary: 'print the state of a container as JSON',
    args: ['ID'],
    options: {},
    run: async ({ config, root }, parsed) => {
      const { state } = await MODULES.state();
      write(STDOUT, `${JSON.stringify(state(config, root, id(parsed)), null, 2)}\n`);
    },
  },
  kill: {
    summary: 'send a signal to the program (TERM by default)',
    args: ['ID', '[SIGNAL]'],
    options: { all: 'flag' },
    run: async (context, parsed) => {
      const { kill } = await MODULES.kill();
      kill(context, id(parsed), parsed.args[1] ?? 'TERM', parsed.options.has('all'));
    },
  },
  delete: {
    summary: 'remove a container, its domain and its disks',
    args: ['ID'],
    options: { force: 'flag' },
    run: async (context, parsed) => {
      const { deleteContainer } = await MODULES.delete();
      await deleteContainer(context, id(parsed), parsed.options.has('force'));
    },
  },
  pause: {
    summary: 'stop the processors of a container',
    args: ['ID'],
    options: {},
    run: async (context, parsed) => (await MODULES.pause()).pause(context, id(parsed)),
  },
  resume: {
    summary: 'let a paused container run again',
    args: ['ID'],
    options: {},
    run: async (context, parsed) => (await MODULES.pause()).resume(context, id(parsed)),
  },
  update: {
    summary: 'change what a running container has, within its maxmem and maxvcpus',
    args: ['ID'],
    options: {
      resources: 'value',
      memory: 'value',
      'cpu-quota': 'value',
      'cpu-period': 'value',
      'cpu-share': 'value',
      'cpuset-cpus': 'value',
      'memory-reservation': 'value',
      'memory-swap': 'value',
      'kernel-memory': 'value',
      'kernel-memory-tcp': 'value',
      'cpu-burst': 'value',
      'cpu-idle': 'value',
      'cpu-rt-period': 'value',
      'cpu-rt-runtime': 'value',
      'cpuset-mems': 'value',
      'blkio-weight': 'value',
      'pids-limit': 'value',
      'l3-cache-schema': 'value',
      'mem-bw-schema': 'value',
    },
    run: async (context, parsed) => (await MODULES.update()).update(context, id(parsed), parsed.options),
  },
  events: {
    summary: "print the guest's figures as JSON, every 5 s until the container ends",
    args: ['ID'],
    options: { stats: 'flag', interval: 'value' },
    run: async (context, parsed) => {
      const { events, parseDuration } = await MODULES.events();
      const options = {
        stats: parsed.options.has('stats'),
        interval: parseDuration(parsed.options.get('interval') ?? '5s'),
      };
      await events(context, id(parsed), options, (event) => writeAll(STDOUT, `${JSON.stringify(event)}\n`));
    },
  },
  exec: {
    summary: 'run a further process in a running container',
    args: ['ID', '[COMMAND...]'],
    options: {
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
      // What has no meaning here, or no effect in a guest, is taken all the same.
      'preserve-fds': 'value',
      'process-label': 'value',
      apparmor: 'value',
      cgroup: 'list',
      'ignore-paused': 'flag',
    },
    run: async (context, parsed) => {
      const { options, lists } = parsed;
      process.exitCode = await (await MODULES.exec()).exec(context, {
        id: id(parsed),
        command: parsed.args.slice(1),
        processFile: options.get('process'),
        detach: options.has('detach'),
        pidFile: options.get('pid-file'),
        consoleSocket: options.get('console-socket'),
        tty: options.has('tty'),
        env: lists.get('env') ?? [],
        cwd: options.get('cwd'),
        user: options.get('user'),
        additionalGids: lists.get('additional-gids') ?? [],
        capabilities: lists.get('cap') ?? [],
        noNewPrivileges: options.has('no-new-privs'),
        ignorePaused: options.has('ignore-paused'),
      });
    },
  },
  run: {
    summary: 'create, start, wait and delete: a whole container in one call',
    args: ['ID'],
    options: { ...CREATE_OPTIONS, detach: 'flag', keep: 'flag', 'no-subreaper': 'flag' },
    run: async (context, parsed) => {
      process.exitCode = await (await MODULES.run()).run(context, {
        ...createOptions(parsed),
        detach: parsed.options.has('detach'),
        keep: parsed.options.has('keep'),
      });
    },
  },
  list: {
    summary: 'list the containers of --root',
    args: [],
    options: { format: 'value', quiet: 'flag' },
    run: async ({ config, root }, { options }) => {
      const [{ states }, { renderList }] = [await MODULES.state(), await MODULES.list()];
      write(STDOUT, renderList(states(config, root), options.get('format') ?? 'table', options.has('quiet')));
    },
  },
  ps: {
    summary: 'print the processes in Dom0 that stand for a container',
    args: ['ID'],
    options: { format: 'value' },
    run: async ({ config, root }, parsed) => {
      const { ps } = await MODULES.ps();
      write(STDOUT, await ps(config, root, id(parsed), parsed.options.get('format') ?? 'table'));
    },
  },
  logs: {
    summary: "print what the program wrote, or the guest kernel's log",
    args: ['ID'],
    options: { console: 'flag' },
    run: async ({ config, root }, parsed) => {
      const { consoleLog, programLog } = await MODULES.logs();
      if (parsed.options.has('console')) return write(STDOUT, consoleLog(config, root, id(parsed)));
      for (const { stream, data } of programLog(config, root, id(parsed))) {
        write(stream === 'stdout' ? STDOUT : STDERR, data);
      }
    },
  },
  timeline: {
    summary: 'print how long each phase of a container took',
    args: ['ID'],
    options: { json: 'flag' },
    run: async ({ config, root }, parsed) => {
      const { timeline } = await MODULES.timeline();
      write(STDOUT, timeline(config, root, id(parsed), parsed.options.has('json')));
    },
  },
  spec: {
    summary: 'write a config.json to begin with',
    args: [],
    options: { bundle: 'value' },
    run: async (_, { options }) => (await MODULES.spec()).writeDefaultSpec(options.get('bundle') ?? '.'),
  },
  checkpoint: {
    summary: 'not supported',
    args: ['ID'],
    options: CHECKPOINT_OPTIONS,
    run: async () => (await MODULES.checkpoint()).refuse('checkpoint'),
  },
  restore: {
    summary: 'not supported',
    args: ['ID'],
    options: {
      ...CHECKPOINT_OPTIONS,
      bundle: 'value',
      'console-socket': 'value',
      detach: 'flag',
      'no-pivot': 'flag',
      'no-subreaper': 'flag',
      'pid-file': 'value',
      'lsm-profile': 'value',
      'lsm-mount-context': 'value',
    },
    run: async () => (await MODULES.checkpoint()).refuse('restore'),
  },
  doctor: {
    summary: 'check this Dom0, and say what to do about what is wrong',
    args: [],
    options: { json: 'flag' },
    run: async (context, { options }) => {
      const doctor = beside('vxn-doctor.cjs') as typeof import('./vxn-doctor.ts');
      const findings = doctor.examineAll({
        version: VXN_VERSION,
        script: script(),
        settings: () => context.config,
      });
      write(
        STDOUT,
        options.has('json') ? doctor.renderJson(findings, VXN_VERSION) : doctor.renderText(findings),
      );
      const failed = findings.filter(({ status }) => status === 'failed').map((finding) => finding.id);
      if (failed.length > 0) throw new VxnError('HOST', `failed: ${failed.join(', ')}`);
    },
  },
  features: {
    summary: 'print what this runtime can do, as JSON',
    args: [],
    options: {},
    run: async () => {
      const { features } = await MODULES.features();
      write(STDOUT, `${JSON.stringify(features(VXN_VERSION), null, 2)}\n`);
    },
  },
};

function help(): string {
  const width = Math.max(...Object.keys(VERBS).map((v) => v.length));
  const verbs = Object.entries(VERBS).map(([name, v]) => `  ${name.padEnd(width)}  ${v.summary}\n`);
  return `Runs OCI containers as Xen domains.

Usage: vxn-oci-runtime [--root DIR] [--log FILE] [--log-format text|json] COMMAND [OPTIONS] [ARGUMENTS]

Examples:
  vxn-oci-runtime list                    what is there
  vxn-oci-runtime logs --console ID       why a guest did not come up
  vxn-oci-runtime timeline ID             where the time goes
  vxn-oci-runtime doctor                  is this Dom0 fit for it
Engines keep a root each: containerd's is --root /run/containerd/runc/NAMESPACE.

Commands:
${verbs.join('')}
  COMMAND --help shows its options. -v, --version prints the version.
`;
}

function commandHelp(name: string): string {
  const verb = VERBS[name];
  if (verb === undefined) return help();
  const forms = { flag: '', value: ' VALUE', list: ' VALUE ...' };
  const options = Object.entries(verb.options).map(([o, kind]) => `  --${o}${forms[kind]}\n`);
  const lines = options.length > 0 ? `\nOptions:\n${options.join('')}` : '';
  return `Usage: vxn-oci-runtime ${name} [OPTIONS] ${verb.args.join(' ')}\n\n${verb.summary}\n${lines}`;
}

// go-runc and docker read exactly these three lines.
function versionText(): string {
  return `vxn-oci-runtime version ${VXN_VERSION}\ncommit: ${VXN_COMMIT}\nspec: ${OCI_VERSION}\n`;
}

const script = (): string => realpathSync(process.argv[1] ?? '');

/** Loads a file beside this script, which holds what most calls never need. */
function beside(file: string): unknown {
  // Within a start-up snapshot only node's own modules can be required, so this one has to be made.
  const { createRequire } = require('node:module') as typeof import('node:module');
  return createRequire(script())(`./${file}`);
}

/** The YAML parser is loaded only when /etc/vxn/vxn.yaml has changed. */
function parseYaml(text: string): unknown {
  const { parse } = beside('vxn-yaml.cjs') as { parse(text: string): unknown };
  return parse(text);
}

// runc makes the file even when nothing will be logged, and engines open it afterwards. At the last `delete --force` its
// folder, the bundle, may be gone.
function makeLog(log: string): void {
  try {
    closeSync(openSync(log, 'a', 0o600));
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw new VxnError('USAGE', `cannot open the log: ${messageOf(error)}`);
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const parsed = parseArguments(argv, VERBS);
  if (parsed.options.has('version')) return write(STDOUT, versionText());
  if (parsed.command === undefined || parsed.options.has('help')) {
    return write(STDOUT, parsed.command === undefined ? help() : commandHelp(parsed.command));
  }
  const { log } = parsed.globals;
  if (log !== undefined) makeLog(log);
  await VERBS[parsed.command]?.run(makeContext(parsed.globals, thisCaller(), VXN_VERSION, parseYaml), parsed);
}

// One line to --log, which engines quote as the reason, and the same to stderr.
function report(argv: readonly string[], error: unknown): void {
  const message = error instanceof VxnError ? error.line : `internal error: ${messageOf(error)}`;
  const time = new Date().toISOString();
  const log = globalOption(argv, 'log');
  const json = globalOption(argv, 'log-format') === 'json';
  const entry = json
    ? JSON.stringify({ level: 'error', msg: message, time })
    : `time="${time}" level=error msg=${JSON.stringify(message)}`;
  if (log !== undefined) {
    try {
      appendFileSync(log, `${entry}\n`, { mode: 0o600 });
    } catch {
      // stderr has it as well; the bundle with the log may be gone already.
    }
  }
  write(STDERR, `${message}\n`);
  if (!(error instanceof VxnError) && globalOption(argv, 'debug') !== undefined)
    write(STDERR, `${(error as Error)?.stack}\n`);
}

function run(argv: readonly string[]): void {
  main(argv).then(
    () => process.exit(),
    (error: unknown) => {
      report(argv, error);
      process.exit(error instanceof VxnError ? error.exitCode : 1);
    },
  );
}

// libexec/vxn-snapshot sets this while it builds a start-up snapshot: then nothing of the calling process may be looked at
// yet. Asking node's v8 module instead would cost every call its loading.
const snapshot = (globalThis as { vxnSnapshot?: typeof import('node:v8').startupSnapshot }).vxnSnapshot;
if (snapshot !== undefined) {
  for (const load of Object.values(MODULES)) void load();
  snapshot.setDeserializeMainFunction(() => run(process.argv.slice(2)));
} else {
  run(process.argv.slice(2));
}
