// SPDX-License-Identifier: MIT
// Reads one YAML text: its keys and values, checked against the schema, each with its place.
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  type YAMLMap,
} from 'yaml';
import { checkConfig, DEFAULTS } from '../config/config.ts';
import { messageOf } from '../host/errors.ts';
import { nearest } from '../host/nearest.ts';
import type { Diagnostic, DiagnosticCode, Place, Source } from './diagnostics.ts';
import type { Field, SectionField, StringField } from './field.ts';
import { SCHEMA } from './schema.ts';

/** A value of a description and where it was written. */
export interface Entry {
  value: unknown;
  place: Place;
}

/** Dotted key -> value. Lists are one value, sections are none. */
export type Layer = Map<string, Entry>;

export interface Parsed {
  layer: Layer;
  diagnostics: Diagnostic[];
}

interface Reader extends Parsed {
  source: Source;
  /** Offset of the parsed text in the source. */
  offset: number;
  document: Document;
  /** An alias's own node. */
  resolve(node: unknown): unknown;
}

const TYPE: Readonly<Record<Field['kind'], string>> = {
  string: 'a text',
  enum: 'one of the values',
  integer: 'a whole number',
  boolean: 'true or false',
  list: 'a list',
  section: 'a section of key: value pairs',
  settings: 'a section of key: value pairs',
};

const LONGEST = 60;
const quote = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}..."` : text;
};

function placeOf(reader: Reader, node: unknown): Place {
  const range = (node as Node | null | undefined)?.range ?? [0, 0];
  return { source: reader.source, start: range[0] + reader.offset, end: range[1] + reader.offset };
}

function complain(reader: Reader, code: DiagnosticCode, node: unknown, message: string, hint?: string): void {
  reader.diagnostics.push({ code, message, place: placeOf(reader, node), hint });
}

/** A hint for a word that is none of those known. */
function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word.slice(0, LONGEST), known);
  return near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`;
}

function unknownKey(
  reader: Reader,
  node: unknown,
  what: string,
  name: string,
  known: readonly string[],
): void {
  complain(reader, 'UNKNOWN_KEY', node, `unknown ${what}`, didYouMean(name, known));
}

/** The value of a plain scalar: `1.7` and `2.0` are versions here, not numbers. */
function textOf(node: Scalar): string | undefined {
  if (typeof node.value === 'string') return node.value;
  if (typeof node.value === 'number') return node.source;
  return undefined;
}

function readString(reader: Reader, key: string, field: StringField, node: Scalar): string | undefined {
  if (typeof node.value !== 'string') {
    const hint =
      typeof node.value === 'number' || typeof node.value === 'boolean' ? 'put it in quotes' : undefined;
    complain(reader, 'WRONG_TYPE', node, `${key} must be a text, not ${quote(node.value)}`, hint);
    return undefined;
  }
  if (field.form !== undefined && !field.form.pattern.test(node.value)) {
    complain(reader, 'BAD_VALUE', node, `${key}: ${quote(node.value)} is not ${field.form.words}`);
    return undefined;
  }
  return node.value;
}

function readScalar(reader: Reader, key: string, field: Field, node: unknown): unknown {
  if (!isScalar(node) || node.value === null) {
    const hint = isScalar(node) ? 'give it a value, or leave the key out' : undefined;
    complain(reader, 'WRONG_TYPE', node, `${key} must be ${TYPE[field.kind]}`, hint);
    return undefined;
  }
  switch (field.kind) {
    case 'string':
      return readString(reader, key, field, node);
    case 'enum': {
      const text = textOf(node);
      if (text !== undefined && field.values.includes(text)) return text;
      const near = nearest((text ?? '').slice(0, LONGEST), field.values);
      // Of versions, one that looks alike is not what was meant.
      const hint = near === undefined || /^\d/.test(near) ? undefined : `did you mean "${near}"?`;
      complain(
        reader,
        'NOT_ONE_OF',
        node,
        `${key} must be one of ${field.values.join(', ')}, not ${quote(node.value)}`,
        hint,
      );
      return undefined;
    }
    case 'integer': {
      const { value } = node;
      if (typeof value !== 'number' || !Number.isInteger(value)) {
        complain(reader, 'WRONG_TYPE', node, `${key} must be a whole number, not ${quote(value)}`);
        return undefined;
      }
      if (value >= field.min && value <= field.max) return value;
      complain(
        reader,
        'OUT_OF_RANGE',
        node,
        `${key} must be from ${field.min} to ${field.max}, not ${value}`,
      );
      return undefined;
    }
    case 'boolean':
      if (typeof node.value === 'boolean') return node.value;
      complain(reader, 'WRONG_TYPE', node, `${key} must be true or false, not ${quote(node.value)}`);
      return undefined;
    default:
      complain(reader, 'WRONG_TYPE', node, `${key} must be ${TYPE[field.kind]}`);
      return undefined;
  }
}

function readList(reader: Reader, key: string, items: Field, node: unknown): unknown {
  if (!isSeq(node)) {
    complain(reader, 'WRONG_TYPE', node, `${key} must be a list`, `${key.split('.').at(-1)}: [ ... ]`);
    return undefined;
  }
  const values = node.items.map((item, i) => readScalar(reader, `${key}[${i}]`, items, reader.resolve(item)));
  const twice = values.findIndex((v, i) => v !== undefined && values.indexOf(v) !== i);
  if (twice !== -1)
    complain(reader, 'BAD_VALUE', node.items[twice], `${key} has ${quote(values[twice])} twice`);
  return values.includes(undefined) ? undefined : values;
}

/** The pairs of a mapping whose keys are plain words; everything else is reported. */
function pairsOf(reader: Reader, map: YAMLMap): { name: string; pair: Pair; key: unknown }[] {
  return map.items.flatMap((pair) => {
    if (isScalar(pair.key) && typeof pair.key.value === 'string')
      return [{ name: pair.key.value, pair, key: pair.key }];
    complain(reader, 'UNKNOWN_KEY', pair.key, 'a key must be a plain word');
    return [];
  });
}

function readSetting(reader: Reader, section: string, name: string, node: unknown): void {
  const value: unknown = isNode(node) ? node.toJS(reader.document) : null;
  try {
    checkConfig({ [name]: value }, section);
    reader.layer.set(`${section}.${name}`, { value, place: placeOf(reader, node) });
  } catch (error) {
    complain(reader, 'BAD_SETTING', node, messageOf(error).replace(`${section}: `, ''));
  }
}

function readSettings(reader: Reader, section: string, node: YAMLMap): void {
  for (const { name, pair, key } of pairsOf(reader, node)) {
    if (Object.hasOwn(DEFAULTS, name))
      readSetting(reader, section, name, reader.resolve(pair.value ?? emptyAt(key)));
    else unknownKey(reader, key, `setting ${quote(name)}`, name, Object.keys(DEFAULTS));
  }
}

/** The value of a key that has none, for its place. */
function emptyAt(key: unknown): Scalar {
  const node = new Scalar(null);
  node.range = (key as Node).range ?? null;
  return node;
}

const isEmpty = (node: unknown): boolean =>
  node === null || node === undefined || (isScalar(node) && node.value === null);

function readSection(reader: Reader, prefix: string, field: SectionField, node: unknown): void {
  if (isEmpty(node)) return;
  if (!isMap(node)) {
    const what = prefix === '' ? 'a description' : prefix;
    complain(reader, 'WRONG_TYPE', node, `${what} must be ${TYPE.section}`);
    return;
  }
  for (const { name, pair, key } of pairsOf(reader, node)) {
    const dotted = prefix === '' ? name : `${prefix}.${name}`;
    const known = Object.hasOwn(field.fields, name) ? field.fields[name] : undefined;
    if (known === undefined) {
      const where = prefix === '' ? '' : ` in ${prefix}`;
      unknownKey(reader, key, `key ${quote(name)}${where}`, name, Object.keys(field.fields));
      continue;
    }
    readField(reader, dotted, known, reader.resolve(pair.value ?? emptyAt(key)));
  }
}

function readLeaf(reader: Reader, key: string, field: Field, node: unknown): void {
  const value =
    field.kind === 'list' ? readList(reader, key, field.items, node) : readScalar(reader, key, field, node);
  if (value !== undefined) reader.layer.set(key, { value, place: placeOf(reader, node) });
}

function readField(reader: Reader, key: string, field: Field, node: unknown): void {
  if (field.kind === 'section') readSection(reader, key, field, node);
  else if (field.kind !== 'settings') readLeaf(reader, key, field, node);
  else if (isMap(node)) readSettings(reader, key, node);
  else if (!isEmpty(node)) complain(reader, 'WRONG_TYPE', node, `${key} must be ${TYPE.settings}`);
}

function makeReader(source: Source, text: string, offset: number): { reader: Reader; contents: unknown } {
  const document = parseDocument(text, { prettyErrors: false, keepSourceTokens: false });
  const reader: Reader = {
    source,
    offset,
    layer: new Map(),
    diagnostics: [],
    document,
    resolve: (node) => {
      if (!isAlias(node)) return node;
      const anchored = node.resolve(document);
      if (anchored === undefined)
        complain(reader, 'YAML_SYNTAX', node, `there is no anchor ${quote(node.source)}`);
      return anchored ?? emptyAt(node);
    },
  };
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    reader.diagnostics.push({
      code: code === 'DUPLICATE_KEY' ? 'DUPLICATE_KEY' : 'YAML_SYNTAX',
      message: code === 'DUPLICATE_KEY' ? 'this key is there twice' : message,
      place: { source, start: pos[0] + offset, end: pos[1] + offset },
      hint: undefined,
    });
  }
  return { reader, contents: document.contents };
}

/** Reads a description. Problems come back together with the parts that could be read. */
export function parseDescription(source: Source): Parsed {
  const { reader, contents } = makeReader(source, source.text, 0);
  readSection(reader, '', SCHEMA, contents);
  return reader;
}

/** The field of a dotted key; in a settings section, also the setting. */
function fieldAt(path: readonly string[]): { field: Field; setting?: string } | { known: string[] } {
  let field: Field = SCHEMA;
  for (const [i, name] of path.entries()) {
    if (field.kind === 'settings' && i === path.length - 1) {
      return Object.hasOwn(DEFAULTS, name) ? { field, setting: name } : { known: Object.keys(DEFAULTS) };
    }
    const fields: Readonly<Record<string, Field>> = field.kind === 'section' ? field.fields : {};
    const next = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (next === undefined) return { known: Object.keys(fields) };
    field = next;
  }
  return { field };
}

/** Reads the argument of --set: a dotted key, "=", and a value as a description would have it. */
export function parseSet(argument: string): Parsed {
  const source: Source = { name: '--set', text: argument };
  const key = /^[^=]*/.exec(argument)?.[0] ?? '';
  const keyPlace: Place = { source, start: 0, end: key.length };
  const failed = (code: DiagnosticCode, message: string, hint: string): Parsed => ({
    layer: new Map(),
    diagnostics: [{ code, message, place: keyPlace, hint }],
  });
  if (key === argument)
    return failed('BAD_SET', '--set takes KEY=VALUE', 'for example --set containerd.version=1.7');
  if (key === 'extends')
    return failed('BAD_SET', 'extends cannot be set', 'name the description with --target');
  const path = key.split('.');
  const found = fieldAt(path);
  if ('known' in found) {
    const name = path.find((_, i) => 'known' in fieldAt(path.slice(0, i + 1))) ?? key;
    return failed('UNKNOWN_KEY', `unknown key ${quote(key)}`, didYouMean(name, found.known));
  }
  if (found.field.kind === 'section' || (found.field.kind === 'settings' && found.setting === undefined)) {
    return failed('BAD_SET', `${key} is a section`, `set one of its keys, such as ${key}.KEY=VALUE`);
  }
  const { reader, contents } = makeReader(source, argument.slice(key.length + 1), key.length + 1);
  if (reader.diagnostics.length > 0) return reader;
  if (found.setting !== undefined) readSetting(reader, path.slice(0, -1).join('.'), found.setting, contents);
  else readField(reader, key, found.field, contents);
  return reader;
}
