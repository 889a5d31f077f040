// SPDX-License-Identifier: MIT
/** The entry points in src/cli, and the file below /usr that each becomes. */
export const BUNDLES: readonly { entry: string; file: string; mode: number; head: string; maximum?: number }[];

/**
 * The arguments for esbuild. Started in the project's folder with them, esbuild prints the bundle.
 */
export function esbuildArguments(entry: string, names: { version: string; commit: string }): string[];

/** Empties a folder and builds everything into it. Gives the runtime's size in bytes. */
export function build(options: { out: string; esbuild: string; commit: string; target: string }): number;
