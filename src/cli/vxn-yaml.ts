// SPDX-License-Identifier: MIT
// The YAML parser as a file of its own, so that the runtime need not carry it; see config.ts.
export { parse } from 'yaml';
