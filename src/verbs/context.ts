// SPDX-License-Identifier: MIT
export type { Context } from '../domain/context.ts';
