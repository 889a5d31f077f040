// SPDX-License-Identifier: MIT
// Every key of a description as a flat list: for `explain`, the reference in docs/, and
// suggestions.
import { type Config, DEFAULTS } from '../config/config.ts';
import type { Field } from './field.ts';
import { SCHEMA } from './schema.ts';
import { SETTING_HELP, SETTING_NAMES } from './settings.ts';

export interface Key {
  /** Dotted; '' is the description itself. */
  name: string;
  /** Its values, in a few words. */
  type: string;
  /** The default, as it would be written; undefined where there is none. */
  default: string | undefined;
  doc: string;
  isSection: boolean;
}

const FOLLOWS: readonly (keyof Config)[] = ['libDir', 'libexecDir', 'guestType', 'kernel', 'initramfs'];

function typeOf(field: Field): string {
  switch (field.kind) {
    case 'string':
      return field.form?.words ?? 'a text';
    case 'enum':
      return field.values.join(', ').replace(/, ([^,]*)$/, ' or $1');
    case 'integer':
      return `a whole number from ${field.min} to ${field.max}${field.unit === undefined ? '' : `, ${field.unit}`}`;
    case 'boolean':
      return 'true or false';
    case 'list':
      return field.items.kind === 'enum'
        ? `a list of ${typeOf(field.items)}`
        : `a list; each is ${typeOf(field.items)}`;
    default:
      return 'a section';
  }
}

function defaultOf(field: Field): string | undefined {
  if (field.derived !== undefined) return field.derived;
  if (!('default' in field) || field.default === undefined || field.default === '') return undefined;
  return Array.isArray(field.default) ? `[${field.default.join(', ')}]` : String(field.default);
}

function settingKey(prefix: string, name: keyof Config): Key {
  const value = DEFAULTS[name];
  const shown = Array.isArray(value) ? `[${value.join(', ')}]` : JSON.stringify(value);
  return {
    name: `${prefix}.${name}`,
    type: Array.isArray(value) ? 'a list of texts' : typeof value === 'number' ? 'a whole number' : 'a text',
    // The runtime's own default never counts for a setting that follows from other keys.
    default: FOLLOWS.includes(name) ? undefined : shown,
    doc: SETTING_HELP[name],
    isSection: false,
  };
}

function walk(name: string, field: Field): Key[] {
  const isSection = field.kind === 'section' || field.kind === 'settings';
  const own: Key = { name, type: typeOf(field), default: defaultOf(field), doc: field.doc, isSection };
  if (field.kind === 'settings') return [own, ...SETTING_NAMES.map((s) => settingKey(name, s))];
  if (field.kind !== 'section') return [own];
  const inner = Object.entries(field.fields).flatMap(([key, f]) =>
    walk(name === '' ? key : `${name}.${key}`, f),
  );
  return [own, ...inner];
}

/** Every key, in the order of the schema. */
export const KEYS: readonly Key[] = walk('', SCHEMA);

/** A key as a paragraph for a terminal. */
export function explainKey(key: Key): string {
  const lines = [key.name === '' ? 'A target description' : key.name, '', `  ${key.doc}`];
  if (!key.isSection) lines.push('', `  value    ${key.type}`);
  if (!key.isSection) lines.push(`  default  ${key.default ?? 'none'}`);
  if (key.isSection) {
    const depth = key.name === '' ? 1 : key.name.split('.').length + 1;
    const inner = KEYS.filter(
      (k) => k.name !== '' && k.name.split('.').length === depth && k.name.startsWith(key.name),
    );
    const width = Math.max(...inner.map((k) => k.name.length));
    lines.push('', ...inner.map((k) => `  ${k.name.padEnd(width)}  ${k.doc}`));
  }
  return `${lines.join('\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** The reference in Markdown: a table for each section. */
export function referenceMarkdown(): string {
  const tables: string[] = [];
  for (const section of KEYS.filter((k) => k.isSection)) {
    const depth = section.name === '' ? 1 : section.name.split('.').length + 1;
    const keys = KEYS.filter(
      (k) =>
        !k.isSection &&
        k.name.split('.').length === depth &&
        (section.name === '' || k.name.startsWith(`${section.name}.`)),
    );
    const rows = keys.map(
      (k) =>
        `| \`${k.name}\` | ${cell(k.type)} | ${k.default === undefined ? '' : `\`${k.default}\``} | ${cell(k.doc)} |`,
    );
    const title = section.name === '' ? 'The description itself' : `\`${section.name}\``;
    tables.push(
      [
        `### ${title}`,
        '',
        ...(section.name === '' ? [] : [section.doc, '']),
        '| key | value | default | |',
        '|---|---|---|---|',
        ...rows,
      ].join('\n'),
    );
  }
  return `${tables.join('\n\n')}\n`;
}
