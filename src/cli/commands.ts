// SPDX-License-Identifier: MIT
// Every command of vxn-oci-runtime: its summary, its command line, and how its verb is called.
import type { Command } from './arguments.ts';
import type { Call } from './call.ts';
import {
  CHECKPOINT_OPTIONS,
  CREATE_OPTIONS,
  createOptions,
  EVENTS_OPTIONS,
  EXEC_OPTIONS,
  eventsOptions,
  execOptions,
  RESTORE_OPTIONS,
  RUN_OPTIONS,
  runOptions,
} from './command-options.ts';
import { doctor } from './doctor.ts';
import { lazy } from './lazy.ts';
import { renderDomains } from './render/domains.ts';
import { renderList } from './render/list.ts';
import { writeLogs } from './render/logs.ts';
import { renderPs } from './render/ps.ts';
import { timelineJson, timelineTable } from './render/timeline.ts';
import { UPDATE_OPTIONS, wantedResources } from './update-arguments.ts';
import { VERSION } from './version.ts';

export interface Verb extends Command {
  run(call: Call): Promise<void>;
}

export const COMMANDS: Readonly<Record<string, Verb>> = {
  create: {
    summary: 'create a container: build its root disk and boot its domain',
    args: ['ID'],
    options: CREATE_OPTIONS,
    run: async (call) => {
      await (await lazy.create()).create(call.context, createOptions(call));
    },
  },
  start: {
    summary: 'start the program of a created container',
    args: ['ID'],
    options: {},
    run: async ({ context, id }) => (await lazy.start()).start(context, id),
  },
  state: {
    summary: 'print the state of a container as JSON',
    args: ['ID'],
    options: {},
    run: async (call) => {
      const { config, root } = call.context;
      call.printJson((await lazy.state()).state(config, root, call.id));
    },
  },
  kill: {
    summary: 'send a signal to the program of a container (TERM by default)',
    args: ['ID', '[SIGNAL]'],
    options: { all: 'flag' },
    run: async (call) => {
      (await lazy.kill()).kill(call.context, call.id, call.args[1] ?? 'TERM', call.has('all'));
    },
  },
  delete: {
    summary: 'remove a container with its domain and its disks',
    args: ['ID'],
    options: { force: 'flag' },
    run: async (call) => (await lazy.delete()).deleteContainer(call.context, call.id, call.has('force')),
  },
  pause: {
    summary: 'stop the processors of a container',
    args: ['ID'],
    options: {},
    run: async ({ context, id }) => (await lazy.pause()).pause(context, id),
  },
  resume: {
    summary: 'let a paused container run again',
    args: ['ID'],
    options: {},
    run: async ({ context, id }) => (await lazy.pause()).resume(context, id),
  },
  update: {
    summary: 'change the memory and processors of a running container, up to its maxmem and maxvcpus',
    args: ['ID'],
    options: UPDATE_OPTIONS,
    run: async ({ context, id, options }) => {
      const wanted = wantedResources(context.caller, options);
      await (await lazy.update()).update(context, id, wanted);
    },
  },
  events: {
    summary: 'print statistics of the guest as JSON, every 5 s until the container ends',
    args: ['ID'],
    options: EVENTS_OPTIONS,
    run: async (call) => {
      const emit = (event: object): boolean => call.print(`${JSON.stringify(event)}\n`);
      await (await lazy.events()).events(call.context, call.id, eventsOptions(call), emit);
    },
  },
  exec: {
    summary: 'run a further process in a running container',
    args: ['ID', '[COMMAND...]'],
    options: EXEC_OPTIONS,
    run: async (call) => {
      call.status = await (await lazy.exec()).exec(call.context, execOptions(call));
    },
  },
  run: {
    summary: 'create, start, wait and delete: a whole container in one call',
    args: ['ID'],
    options: RUN_OPTIONS,
    run: async (call) => {
      call.status = await (await lazy.run()).run(call.context, runOptions(call));
    },
  },
  list: {
    summary: 'list the containers of --root',
    args: [],
    options: { format: 'value', quiet: 'flag' },
    run: async (call) => {
      const { config, root } = call.context;
      const states = (await lazy.list()).list(config, root);
      call.print(renderList(states, call.has('quiet') ? 'quiet' : call.format));
    },
  },
  domains: {
    summary: 'list the domains of every root with their containers',
    args: [],
    options: { format: 'value' },
    run: async (call) => {
      call.print(renderDomains((await lazy.domains()).domains(call.context), call.format));
    },
  },
  ps: {
    summary: 'list the processes in Dom0 that represent those of a container',
    args: ['ID'],
    options: { format: 'value' },
    run: async (call) => {
      const { config, root } = call.context;
      const { format } = call;
      call.print(renderPs(await (await lazy.ps()).ps(config, root, call.id), format));
    },
  },
  logs: {
    summary: 'print the output of the program, or the log of the guest kernel (--console)',
    args: ['ID'],
    options: { console: 'flag' },
    run: async (call) => {
      const { config, root, caller } = call.context;
      const { consoleLog, programLog } = await lazy.logs();
      if (call.has('console')) call.print(consoleLog(config, root, call.id));
      else writeLogs(programLog(config, root, call.id), caller.fds);
    },
  },
  timeline: {
    summary: 'print how long each phase of a container took',
    args: ['ID'],
    options: { json: 'flag' },
    run: async (call) => {
      const { config, root } = call.context;
      const found = (await lazy.timeline()).timeline(config, root, call.id);
      call.print(call.has('json') ? timelineJson(found) : timelineTable(found));
    },
  },
  spec: {
    summary: 'write a config.json to begin with',
    args: [],
    options: { bundle: 'value' },
    run: async (call) => {
      const bundle = call.value('bundle') ?? '.';
      (await lazy.spec()).writeDefaultSpec(call.path(bundle), bundle);
    },
  },
  checkpoint: {
    summary: 'not supported',
    args: ['ID'],
    options: CHECKPOINT_OPTIONS,
    run: async () => (await lazy.checkpoint()).refuse('checkpoint'),
  },
  restore: {
    summary: 'not supported',
    args: ['ID'],
    options: RESTORE_OPTIONS,
    run: async () => (await lazy.checkpoint()).refuse('restore'),
  },
  doctor: {
    summary: 'check this Dom0, and tell how to mend each fault',
    args: [],
    options: { json: 'flag' },
    run: async (call) => doctor(call),
  },
  features: {
    summary: 'print the abilities of this runtime as JSON',
    args: [],
    options: {},
    run: async (call) => call.printJson((await lazy.features()).features(VERSION)),
  },
};
