// SPDX-License-Identifier: MIT
// The runtime added to a daemon.json of others.
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../host/errors.ts';
import type { Diagnostic, Source } from '../diagnostics.ts';
import { dockerConfig } from '../plan.ts';
import type { Target } from '../target.ts';
import { placeOfWord } from './containerd.ts';
import { addMember, isEmptyObject, removeMember } from './json-edit.ts';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function read(source: Source): Json | Diagnostic {
  try {
    const json: unknown = JSON.parse(source.text.replace(/^\uFEFF/, ''));
    if (isObject(json) && (json.runtimes === undefined || isObject(json.runtimes))) return json;
    const message = isObject(json) ? '"runtimes" must be an object' : 'it must be an object';
    return { code: 'NOT_JSON', message, place: placeOfWord(source, '"runtimes"'), hint: undefined };
  } catch (error) {
    const offset = Number(/position (\d+)/.exec(messageOf(error))?.[1] ?? 0);
    const message = messageOf(error).replace(/ \(line.*$/, '');
    return {
      code: 'NOT_JSON',
      message,
      place: { source, start: offset, end: offset + 1 },
      hint: 'docker does not start with it either',
    };
  }
}

const isDiagnostic = (value: Json | Diagnostic): value is Diagnostic => 'code' in value && 'place' in value;

/** Adds the runtime to the text of a daemon.json. */
export function mergeDocker(target: Target, source: Source): { text: string; diagnostics: Diagnostic[] } {
  if (source.text.trim() === '')
    return { text: `${JSON.stringify(dockerConfig(target), null, 2)}\n`, diagnostics: [] };
  const json = read(source);
  if (isDiagnostic(json)) return { text: source.text, diagnostics: [json] };
  const diagnostics: Diagnostic[] = [];
  const wanted = dockerConfig(target);
  const ours = wanted.runtimes.vxn;
  let { text } = source;
  const theirs = (json.runtimes as Json | undefined)?.vxn;
  if (json.runtimes === undefined) text = addMember(text, [], 'runtimes', { vxn: ours });
  else if (theirs === undefined) text = addMember(text, ['runtimes'], 'vxn', ours);
  else if (!isDeepStrictEqual(theirs, ours)) {
    const place = placeOfWord(source, '"vxn"');
    const hint = 'remove it: `vxn-config install` adds it as the target says';
    diagnostics.push({ code: 'CONFLICT', message: 'there is another runtime "vxn" in it', place, hint });
  }
  const root = wanted['default-runtime'];
  if (root !== undefined && json['default-runtime'] === undefined)
    text = addMember(text, [], 'default-runtime', root);
  else if (root !== undefined && json['default-runtime'] !== root) {
    const message = `default-runtime is ${JSON.stringify(json['default-runtime'])} in it; the target wants "vxn"`;
    const place = placeOfWord(source, '"default-runtime"');
    diagnostics.push({
      code: 'CONFLICT',
      message,
      place,
      hint: 'change it by hand, or do not set docker.defaultRuntime',
    });
  }
  return { text: diagnostics.length > 0 ? source.text : text, diagnostics };
}

/** Takes the runtime out of the text of a daemon.json that may have changed since it was added. */
export function stripDocker(text: string): string {
  const json = read({ name: '', text });
  if (isDiagnostic(json)) return text;
  let stripped = removeMember(text, ['runtimes'], 'vxn');
  if (isEmptyObject(stripped, ['runtimes'])) stripped = removeMember(stripped, [], 'runtimes');
  return json['default-runtime'] === 'vxn' ? removeMember(stripped, [], 'default-runtime') : stripped;
}
