// SPDX-License-Identifier: MIT
import { jsonSchema } from '../json-schema.ts';
import type { Context } from './context.ts';

/** Prints the JSON Schema of a description. */
export function schema(context: Context): void {
  context.print(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
}
