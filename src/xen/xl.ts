// SPDX-License-Identifier: MIT
// The toolstack that calls xl(1) and xenstore-read(1).
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { errno, VxnError } from '../host/errors.ts';
import { describeStatus } from '../host/step.ts';
import { CREATE_STEP, type Toolstack } from './toolstack.ts';

// xl waits for hotplug scripts and for the memory of dying domains. It gives up long before this.
const TIMEOUT_MS = 180_000;

function run(command: string, args: string[]): SpawnSyncReturns<string> {
  // xl gets no descriptor of the caller, because fds 0 to 2 may belong to the container.
  return spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
}

function explain(stderr: string): { text: string; hint?: string } {
  const lines = stderr.split('\n').filter((l) => l.trim() !== '');
  const text = lines
    .filter((l) => !/^Parsing config/.test(l))
    .map((l) => l.replace(/^\w+: (error|detail|warning): (\S+:\d+:\S+ )?(Domain \d+:)?/, '').trim())
    .slice(0, 3)
    .join('; ');
  if (
    /not enough (free )?memory|failed to free memory|Cannot allocate memory|memory_exchange/i.test(stderr)
  ) {
    return { text, hint: 'Xen has too little free memory: see `xl info`, or ask for less' };
  }
  if (/privcmd|Permission denied|xenstore|Is xencommons/i.test(stderr)) {
    return { text, hint: 'is this a Xen Dom0, and are you root? see `vxn-oci-runtime --help`' };
  }
  return { text };
}

function notFound(xl: string): VxnError {
  return new VxnError('TOOLSTACK', `${xl}: command not found`, {
    hint: 'install the Xen tools (package xen-tools, xen-utils)',
  });
}

function createFailure(xl: string, status: number, stderr: string): VxnError {
  if (status === 127 && stderr.includes('command not found')) return notFound(xl);
  const { text, hint } = explain(stderr);
  const why = text === '' ? describeStatus(status) : text;
  return new VxnError('TOOLSTACK', `xl create failed: ${why}`, hint === undefined ? {} : { hint });
}

function unanswered(command: string, { stderr, status, signal, error }: SpawnSyncReturns<string>): VxnError {
  const { text, hint } = explain(stderr ?? '');
  const why = text === '' ? (error?.message ?? `status ${status ?? signal}`) : text;
  return new VxnError('TOOLSTACK', `${command} failed: ${why}`, hint === undefined ? {} : { hint });
}

/** The toolstack that calls the given programs. Each one is a path, or a name that PATH finds. */
export function xlToolstack(xl: string, xenstoreRead: string): Toolstack {
  const call = (...args: string[]): SpawnSyncReturns<string> => {
    const result = run(xl, args);
    if (result.error !== undefined && errno(result.error) === 'ENOENT') throw notFound(xl);
    return result;
  };
  // Some commands of xl fail with status 0. Their stderr shows it.
  const must = (command: string, ...args: string[]): string => {
    const result = call(command, ...args);
    if (result.status === 0 && !/\berror: /.test(result.stderr)) return result.stdout;
    throw unanswered(`xl ${command}`, result);
  };
  const isOurs = (domid: number, uuid: string): boolean => {
    const result = run(xenstoreRead, [`/local/domain/${domid}/vm`]);
    if (result.error !== undefined) {
      throw new VxnError('TOOLSTACK', `${xenstoreRead}: ${result.error.message}`, {
        hint: 'install xenstore-utils',
      });
    }
    if (result.status === 0) return result.stdout.trim() === `/vm/${uuid}`;
    // An unclear answer must not count as a no: the domain would be forgotten.
    if (/couldn't read path/.test(result.stderr)) return false;
    throw unanswered(xenstoreRead, result);
  };
  return {
    createStep: (configFile, paused) => ({
      name: CREATE_STEP,
      argv: [xl, 'create', '-q', '-e', ...(paused ? ['-p'] : []), configFile],
      failure: (status, stderr) => createFailure(xl, status, stderr),
    }),
    isCreating: (commandLine) => commandLine.includes('\0create\0'),
    monitorArgs: ['--xl', xl],
    findDomain(name, uuid) {
      // Without xl no domain was made.
      const result = run(xl, ['domid', name]);
      if (errno(result.error) === 'ENOENT') return undefined;
      if (result.status !== 0) {
        if (/Can't get domid/.test(result.stderr) && !/\berror: /.test(result.stderr)) return undefined;
        // Where there is no Xen there is no domain either.
        if (/cannot open libxc handle/.test(result.stderr)) return undefined;
        throw unanswered(`${xl} domid`, result);
      }
      const domid = Number.parseInt(result.stdout, 10);
      return Number.isInteger(domid) && isOurs(domid, uuid) ? domid : undefined;
    },
    isOurs,
    pause: (domid) => void must('pause', String(domid)),
    unpause: (domid) => void must('unpause', String(domid)),
    memory(domid) {
      const columns = must('list', String(domid)).trim().split('\n').at(-1)?.trim().split(/\s+/);
      const mib = Number(columns?.[2]);
      if (columns?.[1] === String(domid) && Number.isInteger(mib)) return mib;
      throw new VxnError('TOOLSTACK', `xl list does not show domain ${domid}`);
    },
    setMemory: (domid, mib) => void must('mem-set', String(domid), `${mib}m`),
    setVcpus: (domid, vcpus) => void must('vcpu-set', String(domid), String(vcpus)),
    setShare(domid, weight, cap) {
      const scheduler = must('info', 'xen_scheduler').trim().split(/\s+/).at(-1) ?? '';
      if (scheduler !== 'credit' && scheduler !== 'credit2') {
        throw new VxnError('UNSUPPORTED', `Xen's scheduler here (${scheduler}) has no weights and caps`, {
          hint: 'boot Xen with sched=credit2',
        });
      }
      const command = scheduler === 'credit' ? 'sched-credit' : 'sched-credit2';
      must(command, '-d', String(domid), '-w', String(weight), '-c', String(cap));
    },
    setCpus: (domid, cpus) => void must('vcpu-pin', String(domid), 'all', cpus === '' ? 'all' : cpus),
    destroy(domid) {
      call('destroy', String(domid));
    },
  };
}
