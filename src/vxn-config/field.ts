// SPDX-License-Identifier: MIT
// The kinds of keys in a target description. One table of such fields (schema.ts) gives the check,
// the JSON Schema, the reference in docs/, `explain`, and the TypeScript type of a description.

interface Common {
  /** The purpose of the key, in one or two sentences. */
  doc: string;
  /** How its default is found, where that is not one fixed value. */
  derived?: string;
}

export interface StringField extends Common {
  kind: 'string';
  /** Every value must match it: in words for the error, and as a pattern. */
  form?: Form;
  default?: string;
}

export interface EnumField extends Common {
  kind: 'enum';
  values: readonly string[];
  default?: string;
}

export interface IntegerField extends Common {
  kind: 'integer';
  min: number;
  max: number;
  unit?: string;
  default?: number;
}

export interface BooleanField extends Common {
  kind: 'boolean';
  default?: boolean;
}

export interface ListField extends Common {
  kind: 'list';
  items: StringField | EnumField;
  default?: readonly string[];
}

export interface SectionField extends Common {
  kind: 'section';
  fields: Readonly<Record<string, Field>>;
}

/** Settings of the runtime, handed on into vxn.yaml; checked by the runtime's own code. */
export interface SettingsField extends Common {
  kind: 'settings';
}

export type Field =
  | StringField
  | EnumField
  | IntegerField
  | BooleanField
  | ListField
  | SectionField
  | SettingsField;

export interface Form {
  pattern: RegExp;
  /** "an absolute path" */
  words: string;
}

/** The type of a field's value in TypeScript. */
export type ValueOf<F> = F extends { kind: 'enum'; values: readonly (infer V)[] }
  ? V
  : F extends { kind: 'string' }
    ? string
    : F extends { kind: 'integer' }
      ? number
      : F extends { kind: 'boolean' }
        ? boolean
        : F extends { kind: 'list'; items: infer I }
          ? readonly ValueOf<I>[]
          : F extends { kind: 'section'; fields: infer S }
            ? { [K in keyof S]?: ValueOf<S[K]> }
            : F extends { kind: 'settings' }
              ? Readonly<Record<string, unknown>>
              : never;
