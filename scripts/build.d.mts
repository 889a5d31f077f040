// SPDX-License-Identifier: MIT
/** Entry points in src/cli, and what each becomes below /usr. */
export const BUNDLES: readonly { entry: string; file: string; mode: number; head: string; maximum?: number }[];

/** The arguments for esbuild, started in the project's folder, which then prints the bundle. */
export function esbuildArguments(entry: string, names: { version: string; commit: string }): string[];

/** Builds everything into a folder, which is emptied first. Gives back the runtime's size in bytes. */
export function build(options: { out: string; esbuild: string; commit: string; target: string }): number;
