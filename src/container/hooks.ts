// SPDX-License-Identifier: MIT
// Hooks (runtime-spec config.md, POSIX-platform hooks). This file is loaded only when a
// configuration has hooks. The hooks prestart, createRuntime, poststart and poststop run here, in
// Dom0. The guest's agent runs createContainer and startContainer.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Hook, hookRecords } from '../channel/description.ts';
import type { Caller } from '../host/caller.ts';
import { errno, messageOf, VxnError } from '../host/errors.ts';
import { lookInRoot } from '../host/resolve-in-root.ts';
import {
  absolutePath,
  type Json,
  list,
  object,
  optionalInteger,
  optionalObject,
  string,
} from '../spec/read.ts';
import { environmentEntry, type Spec } from '../spec/spec.ts';
import type { Container, Places } from './container.ts';

/** The names of all hooks, in the order of a container's life. */
export const HOOKS = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;
export type HookName = (typeof HOOKS)[number];
export type Hooks = Readonly<Record<HookName, readonly Hook[]>>;

/** Gives its environment to hooks without one, and is warned of a poststop hook that fails. */
export type HookCaller = Pick<Caller, 'env' | 'warn'>;

/** The state that a hook gets on stdin (runtime-spec runtime.md, state). */
interface HookState {
  status: 'creating' | 'created' | 'running' | 'stopped';
  /** As the hook's own PID namespace numbers it. undefined when there is no process. */
  pid: number | undefined;
}

/** Characters of a hook's output that its error shows. */
const TAIL = 1024;
/** Milliseconds to wait for the output of a failed hook, when a child of the hook holds it open. */
const LINGER_MS = 200;
const TIMEOUT_MAX = 0x7fff_ffff / 1000;

function hook(value: unknown, path: string): Hook {
  const h = object(value, path);
  const file = absolutePath(h.path, `${path}.path`);
  const args = list(h.args, `${path}.args`, string);
  return {
    path: file,
    args: args.length > 0 ? args : [file],
    env: h.env === undefined || h.env === null ? undefined : list(h.env, `${path}.env`, environmentEntry),
    timeout: optionalInteger(h.timeout, `${path}.timeout`, 1, TIMEOUT_MAX),
  };
}

/** The hooks of a parsed config.json. Throws INVALID_SPEC. */
export function parseHooks(raw: Json): Hooks {
  const hooks = optionalObject(raw.hooks, 'hooks') ?? {};
  return Object.fromEntries(
    HOOKS.map((name) => [name, list(hooks[name], `hooks.${name}`, hook)]),
  ) as unknown as Hooks;
}

/**
 * Refuses createContainer hooks whose program is not in the container. The specification takes the
 * program from the runtime's side, and runs it in the container's namespaces. These are in a
 * virtual machine, which cannot run a program of Dom0. Throws UNSUPPORTED.
 */
export function checkGuestHooks(hooks: Hooks, spec: Spec, rootfs: string): void {
  const mounted = spec.mounts.map((mount) => mount.destination);
  for (const [i, { path }] of hooks.createContainer.entries()) {
    if (lookInRoot(rootfs, path, mounted) !== undefined) continue;
    throw new VxnError(
      'UNSUPPORTED',
      `config.json: hooks.createContainer[${i}]: ${path} is not in the container`,
      {
        hint: 'a createContainer hook runs in the virtual machine; use createRuntime for a program of Dom0',
      },
    );
  }
}

function stateJson(container: Container, { status, pid }: HookState): string {
  const { ociVersion, id, bundle, annotations } = container;
  const some = Object.keys(annotations).length > 0 ? { annotations } : {};
  return JSON.stringify({ ociVersion, id, status, ...(pid === undefined ? {} : { pid }), bundle, ...some });
}

// The HOOK records of a container's first process. Hooks without an environment get env.
function describeHooks(hooks: Hooks, container: Container, env: readonly string[]): Buffer {
  // In its own PID namespace the container's process is the first.
  const describe = (stage: 1 | 2, list: readonly Hook[], status: HookState['status']): Buffer[] =>
    list.map((hook) => hookRecords(stage, hook, env, stateJson(container, { status, pid: 1 })));
  return Buffer.concat([
    ...describe(1, hooks.createContainer, 'creating'),
    ...describe(2, hooks.startContainer, 'created'),
  ]);
}

// Of several values of a name the first counts, as for getenv(3).
function environment(env: readonly string[]): NodeJS.ProcessEnv {
  const entries = env.map((entry) => [
    entry.slice(0, entry.indexOf('=')),
    entry.slice(entry.indexOf('=') + 1),
  ]);
  return Object.fromEntries(entries.reverse());
}

function collectTail(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  let text = '';
  child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-TAIL);
  });
  return () => (text.trim() === '' ? '' : `, ${name}: ${text.trim()}`);
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
};

const cannotRun = (path: string, error: unknown): string =>
  `exec ${path}: ${WORDS[errno(error) ?? ''] ?? messageOf(error)}`;

function launch({ path, args, env }: Hook, caller: HookCaller): ChildProcess | string {
  try {
    return spawn(path, args.slice(1), {
      argv0: args[0] ?? path,
      env: env === undefined ? caller.env : environment(env),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
  } catch (error) {
    return cannotRun(path, error);
  }
}

// Resolves with the failure, or undefined. Does not wait for output that a child of the hook holds
// open.
function runOne(hook: Hook, input: string, caller: HookCaller): Promise<string | undefined> {
  const { path, timeout } = hook;
  return new Promise((resolve) => {
    const child = launch(hook, caller);
    if (typeof child === 'string') return resolve(child);
    const [stdout, stderr] = [collectTail(child, 'stdout'), collectTail(child, 'stderr')];
    let late = false;
    let timer: NodeJS.Timeout | undefined;
    if (timeout !== undefined) {
      timer = setTimeout(() => {
        late = true;
        killGroup(child);
      }, timeout * 1000);
    }
    const done = (failure: string | undefined): void => {
      clearTimeout(timer);
      for (const stream of child.stdio) stream?.destroy();
      resolve(failure);
    };
    child.on('error', (error) => done(cannotRun(path, error)));
    child.on('exit', (code, signal) => {
      if (code === 0 && !late) return done(undefined);
      const end = signal === null ? `exit status ${code}` : `signal: ${signal}`;
      const what = late ? `hook ran past specified timeout of ${timeout?.toFixed(1)}s` : end;
      const tell = (): void => done(`${what}${stdout()}${stderr()}`);
      clearTimeout(timer);
      child.on('close', tell);
      timer = setTimeout(tell, LINGER_MS);
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

// Runs the hooks in order. Stops after the first that fails.
async function runHooks(
  name: HookName,
  hooks: Hooks,
  container: Container,
  state: HookState,
  caller: HookCaller,
): Promise<void> {
  for (const [i, hook] of hooks[name].entries()) {
    const failure = await runOne(hook, stateJson(container, state), caller);
    if (failure !== undefined) throw new VxnError('HOOK', `error running ${name} hook #${i}: ${failure}`);
  }
}

// Runs all poststop hooks. A failure is only a warning.
async function runPoststop(hooks: Hooks, container: Container, caller: HookCaller): Promise<void> {
  const input = stateJson(container, { status: 'stopped', pid: undefined });
  for (const [i, hook] of hooks.poststop.entries()) {
    const failure = await runOne(hook, input, caller);
    if (failure === undefined) continue;
    caller.warn(`warning: error running poststop hook #${i}: ${failure}`.replace(/\s*\n\s*/g, ' '));
  }
}

/** Runs the poststop hooks of the stored configuration, if create came as far as its first hook. */
export async function poststop(places: Places, container: Container, caller: HookCaller): Promise<void> {
  if (container.holder === undefined) return;
  const raw = JSON.parse(readFileSync(places.config, 'utf8')) as Json;
  await runPoststop(parseHooks(raw), container, caller);
}

/**
 * Runs the hooks of create that belong to Dom0. The domain and its monitor exist, but not the pid
 * file. Throws HOOK.
 */
export async function runCreateHooks(hooks: Hooks, container: Container, caller: HookCaller): Promise<void> {
  const state = { status: 'creating', pid: container.holder?.pid } as const;
  await runHooks('prestart', hooks, container, state, caller);
  await runHooks('createRuntime', hooks, container, state, caller);
}

// The guest's message says that a hook failed.
const FAILED_IN_GUEST = /^error running (createContainer|startContainer) hook #\d+: /;

/** The parts of a start with hooks that the verb brings along. */
export interface StartSteps {
  /** Starts the program. hooks: the HOOK records of its description. */
  begin(hooks: Buffer): void;
  /** Stops and deletes the container. Calls last before its files go. */
  remove(last: () => Promise<void>): Promise<void>;
}

/**
 * Starts the program and runs the poststart hooks. When a hook fails the container is stopped and
 * deleted (runtime-spec runtime.md, lifecycle). Throws what begin throws, and HOOK.
 */
export async function startWithHooks(
  container: Container,
  raw: Json,
  env: readonly string[],
  caller: HookCaller,
  { begin, remove }: StartSteps,
): Promise<void> {
  const hooks = parseHooks(raw);
  try {
    begin(describeHooks(hooks, container, env));
    const state = { status: 'running', pid: container.holder?.pid } as const;
    await runHooks('poststart', hooks, container, state, caller);
  } catch (error) {
    const message = messageOf(error);
    if (!FAILED_IN_GUEST.test(message) && !(error instanceof VxnError && error.code === 'HOOK')) throw error;
    // The hook's failure is the one to tell. `delete` finds what could not be undone.
    await remove(() => runPoststop(hooks, container, caller)).catch(() => undefined);
    throw new VxnError('HOOK', message);
  }
}
