// SPDX-License-Identifier: MIT
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { VxnError } from '../../host/errors.ts';
import { type Detected, detect } from '../detect.ts';
import { loadText, targetNames } from '../load.ts';
import { SCHEMA } from '../schema.ts';
import { resolveTarget } from '../target.ts';
import type { Context } from './context.ts';

export interface InitOptions {
  extends?: string;
  architecture?: string;
  guestType?: string;
  engines?: string;
  containerd?: string;
  memory?: string;
  /** Take the proposals for what no option gives, and ask nothing. */
  yes?: boolean;
  force?: boolean;
}

interface Question {
  /** Name of the option that answers it. */
  option: Exclude<keyof InitOptions, 'yes' | 'force'>;
  text: string;
  proposal: string;
}

const { architecture, guestType, engines, containerd } = SCHEMA.fields;

function questions(context: Context, found: Detected): Question[] {
  const isArm = found.architecture === 'aarch64';
  const names = targetNames(context.templates).join(', ');
  return [
    {
      option: 'extends',
      text: `Start from (${names}, or a file)`,
      proposal: isArm ? 'qemuarm64' : 'generic-x86-64',
    },
    {
      option: 'architecture',
      text: `Architecture (${architecture.values.join(', ')})`,
      proposal: found.architecture,
    },
    {
      option: 'guestType',
      text: `Kind of guest (${guestType.values.join(', ')})`,
      proposal: isArm ? 'pvh' : 'pv',
    },
    {
      option: 'engines',
      text: `Engines, with commas (${engines.items.values.join(', ')})`,
      proposal: (found.engines.length > 0 ? found.engines : engines.default).join(','),
    },
    {
      option: 'containerd',
      text: `Generation of containerd (${containerd.fields.version.values.join(', ')})`,
      proposal: found.containerd ?? containerd.fields.version.default,
    },
    { option: 'memory', text: 'MiB of a container without a memory limit', proposal: '256' },
  ];
}

/** Puts a question to the user; undefined where there is nobody to ask. */
export type Ask = (question: string) => Promise<string | undefined>;

async function answers(context: Context, options: InitOptions, ask: Ask): Promise<Map<string, string>> {
  const given = new Map<string, string>();
  for (const { option, text, proposal } of questions(context, await detect())) {
    const answer = options[option] ?? (options.yes === true ? '' : await ask(`${text} [${proposal}]: `));
    given.set(option, answer?.trim() || proposal);
  }
  return given;
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

function describe(given: ReadonlyMap<string, string>): string {
  const get = (key: string): string => given.get(key) ?? '';
  const memory = get('memory');
  const description = {
    extends: get('extends'),
    description: `${get('architecture')} with ${listOf(get('engines')).join(', ')}`,
    architecture: get('architecture'),
    guestType: get('guestType'),
    engines: listOf(get('engines')),
    containerd: { version: get('containerd') },
    defaults: { memory: /^\d+$/.test(memory) ? Number(memory) : memory },
  };
  return `# A target of vxn-config; \`vxn-config explain\` lists every key.\n${stringify(description, { lineWidth: 0 })}`;
}

/**
 * Writes a description: from options, else from the user's answers, else from what this machine
 * has. Throws DescriptionError when the answers do not make one, and writes nothing then.
 */
export async function init(context: Context, file: string, options: InitOptions, ask: Ask): Promise<void> {
  if (!/\.ya?ml$/.test(file)) throw new VxnError('USAGE', `${file}: the name of a description ends in .yaml`);
  const path = resolve(context.cwd, file);
  if (existsSync(path) && options.force !== true)
    throw new VxnError('ALREADY_EXISTS', `${file} is there already`, { hint: '--force replaces it' });
  const text = describe(await answers(context, options, ask));
  const target = resolveTarget(loadText(context, { name: file, text }));
  writeFileSync(path, text);
  const name = file.includes('/') ? file : `./${file}`;
  context.print(`${file} is written. Next:
  vxn-config show ${name}
  vxn-config generate --target ${name} --out DIR        for an image
  vxn-config install --target ${name}                   on the machine itself
It is for ${target.engines.join(', ')}; any other key: vxn-config explain.\n`);
}
