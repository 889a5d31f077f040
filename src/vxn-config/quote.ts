// SPDX-License-Identifier: MIT
// Quotes a value for each language that a template writes. Templates put no value into a file but
// through these.

/** A word for sh(1). */
export const sh = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** A TOML basic string. JSON's escapes are TOML's, and JSON escapes more than TOML asks for. */
export const toml = (value: string): string => JSON.stringify(value).replaceAll('\x7f', '\\u007f');

/** The name of a TOML table, bare where it can be. */
export const tomlTable = (keys: readonly string[]): string =>
  keys.map((key) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : toml(key))).join('.');

/** A TOML array of strings. */
export const tomlList = (values: readonly string[]): string => `[${values.map(toml).join(', ')}]`;

/** A double-quoted YAML scalar; JSON is YAML. */
export const yamlString = (value: string): string => JSON.stringify(value);

/** A value of a unit file's Environment= or a field of tmpfiles.d, where "%" begins a specifier. */
export const systemd = (value: string): string =>
  `"${value
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('%', '%%')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get through
    .replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;

/** A text that a Go template shall give back as it is. */
export const goTemplate = (text: string): string => text.replaceAll('{{', '{{ "{{" }}');
