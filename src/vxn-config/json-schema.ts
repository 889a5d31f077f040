// SPDX-License-Identifier: MIT
// The description's schema as JSON Schema, for editors.
import { type Config, DEFAULTS } from '../config/config.ts';
import type { Field, Form } from './field.ts';
import { SCHEMA } from './schema.ts';
import { SETTING_HELP, SETTING_NAMES } from './settings.ts';

type Json = Record<string, unknown>;

const described = (field: { doc: string; derived?: string }): string =>
  field.derived === undefined ? field.doc : `${field.doc} Default: ${field.derived}.`;

const patternOf = (form: Form | undefined): Json =>
  form === undefined ? {} : { pattern: form.pattern.source };

function settingSchema(name: keyof Config): Json {
  const value = DEFAULTS[name];
  const description = SETTING_HELP[name];
  if (Array.isArray(value)) return { description, type: 'array', items: { type: 'string' } };
  if (typeof value === 'number') return { description, type: 'integer', minimum: 0 };
  return { description, type: 'string' };
}

function objectOf(properties: Json, description: string): Json {
  return { description, type: ['object', 'null'], properties, additionalProperties: false };
}

function schemaOf(field: Field): Json {
  const common: Json = { description: described(field) };
  if ('default' in field && field.default !== undefined && field.default !== '')
    common.default = field.default;
  switch (field.kind) {
    case 'string':
      return { ...common, type: 'string', ...patternOf(field.form) };
    case 'enum':
      // 1.7 and 2 are numbers to YAML.
      return {
        ...common,
        enum: [...new Set(field.values.flatMap((v) => (Number.isNaN(Number(v)) ? [v] : [v, Number(v)])))],
      };
    case 'integer':
      return { ...common, type: 'integer', minimum: field.min, maximum: field.max };
    case 'boolean':
      return { ...common, type: 'boolean' };
    case 'list':
      return { ...common, type: 'array', uniqueItems: true, items: schemaOf(field.items) };
    case 'section':
      return objectOf(
        Object.fromEntries(Object.entries(field.fields).map(([key, f]) => [key, schemaOf(f)])),
        described(field),
      );
    case 'settings':
      return objectOf(
        Object.fromEntries(SETTING_NAMES.map((name) => [name, settingSchema(name)])),
        described(field),
      );
  }
}

/** JSON Schema of a target description. */
export function jsonSchema(): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A target of vxn-config',
    ...schemaOf(SCHEMA),
    type: 'object',
  };
}
