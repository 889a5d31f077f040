// SPDX-License-Identifier: MIT
// Members put into the text of a JSON object, and taken out again, with every other byte as it was.

interface Member {
  key: string;
  /** Offset of the key's quote. */
  start: number;
  /** Offset of the value, and behind it. */
  value: number;
  end: number;
}

interface Members {
  /** Behind the opening brace. */
  open: number;
  /** At the closing brace. */
  close: number;
  members: readonly Member[];
}

function skipSpace(text: string, at: number): number {
  let i = at;
  while (/[\s\uFEFF]/.test(text[i] ?? '')) i++;
  return i;
}

function skipString(text: string, at: number): number {
  let i = at + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

function skipValue(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; ) {
    const c = text[i] ?? '';
    if (c === '"') i = skipString(text, i);
    else if (depth === 0 && (/[,\]}]/.test(c) || /\s/.test(c))) return i;
    else {
      if (c === '{' || c === '[') depth += 1;
      if (c === '}' || c === ']') depth -= 1;
      i += 1;
    }
    if (depth === 0 && (c === '"' || c === '}' || c === ']')) return i;
  }
  return text.length;
}

// The text is known to be JSON: JSON.parse has read it.
function membersAt(text: string, object: number): Members {
  const open = object + 1;
  const members: Member[] = [];
  let at = skipSpace(text, open);
  while (text[at] === '"') {
    const keyEnd = skipString(text, at);
    const value = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, value);
    members.push({ key: JSON.parse(text.slice(at, keyEnd)) as string, start: at, value, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return { open, close: at, members };
}

/** The object at a path of keys, if there is one. */
function find(text: string, path: readonly string[]): Members | undefined {
  let members = membersAt(text, skipSpace(text, 0));
  for (const key of path) {
    const member = members.members.find((m) => m.key === key);
    if (member === undefined || text[member.value] !== '{') return undefined;
    members = membersAt(text, member.value);
  }
  return members;
}

/** Puts a member at the head of the object at a path, indented as its neighbours are. */
export function addMember(text: string, path: readonly string[], key: string, value: unknown): string {
  const object = find(text, path);
  if (object === undefined) throw new Error(`no object at ${path.join('.')}`);
  const { open, close, members } = object;
  const [first] = members;
  const lead = first === undefined ? undefined : text.slice(open, first.start);
  const indent = lead?.includes('\n') ? lead.slice(lead.lastIndexOf('\n') + 1) : undefined;
  if (lead !== undefined && indent === undefined) {
    return `${text.slice(0, open)}${lead}${JSON.stringify(key)}: ${JSON.stringify(value)},${text.slice(open)}`;
  }
  const own = indent ?? '  '.repeat(path.length + 1);
  const json = JSON.stringify(value, null, /^\t/.test(own) ? '\t' : 2).replaceAll('\n', `\n${own}`);
  const head = `${text.slice(0, open)}\n${own}${JSON.stringify(key)}: ${json}`;
  return first === undefined
    ? `${head}\n${'  '.repeat(path.length)}${text.slice(close)}`
    : `${head},${text.slice(open)}`;
}

/** Takes a member out of the object at a path, with its comma. An absent member is not an error. */
export function removeMember(text: string, path: readonly string[], key: string): string {
  const object = find(text, path);
  const index = object?.members.findIndex((m) => m.key === key) ?? -1;
  const member = object?.members[index];
  if (object === undefined || member === undefined) return text;
  const next = object.members[index + 1];
  const previous = object.members[index - 1];
  if (next !== undefined) {
    const before = previous === undefined ? object.open : skipSpace(text, previous.end) + 1;
    const after = skipSpace(text, member.end) + 1;
    return text.slice(0, before) + text.slice(after);
  }
  if (previous !== undefined) return text.slice(0, previous.end) + text.slice(member.end);
  return text.slice(0, object.open) + text.slice(object.close);
}

/** Whether the object at a path has no members. */
export function isEmptyObject(text: string, path: readonly string[]): boolean {
  return find(text, path)?.members.length === 0;
}
