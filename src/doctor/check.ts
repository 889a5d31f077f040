// SPDX-License-Identifier: MIT
import type { Config } from '../config/config.ts';
import type { Host } from './host.ts';

export type Status = 'ok' | 'warning' | 'failed' | 'skipped';

/** The finding of a check. id is stable: tools match on it. */
export interface Finding {
  id: string;
  status: Status;
  /** The finding in words. For a check that was skipped: why. */
  summary: string;
  /** One sentence: what to do. */
  advice?: string;
}

/** The machine and settings that every check looks at. */
export interface Patient {
  host: Host;
  /** The settings in force, or the defaults when they are broken. */
  config: Config;
  /** Why the settings are broken. */
  settingsError: string | undefined;
  /** The runtime's own version, and its script. */
  version: string;
  script: string;
  /** Findings of the checks before this one. */
  found: ReadonlyMap<string, Status>;
}

/** Whether containers get meta-virtualization's guests unless they say otherwise. */
export const isMarker = ({ config }: Patient): boolean => config.guestProtocol === 'marker';

/** One check: small, and without effect on the machine. */
export interface Check {
  id: string;
  /** Ids of the checks without whose success this one says nothing. */
  needs?: readonly string[];
  look(patient: Patient): Omit<Finding, 'id'>;
}

/** A finding that all is well. */
export const ok = (summary: string): Omit<Finding, 'id'> => ({ status: 'ok', summary });
/** A finding that needs attention. advice says how to mend it. */
export const warning = (summary: string, advice: string): Omit<Finding, 'id'> => ({
  status: 'warning',
  summary,
  advice,
});
/** A finding that keeps containers from running. advice says how to mend it. */
export const failed = (summary: string, advice: string): Omit<Finding, 'id'> => ({
  status: 'failed',
  summary,
  advice,
});
/** A finding for a check that could not be made. */
export const skipped = (why: string, advice?: string): Omit<Finding, 'id'> => ({
  status: 'skipped',
  summary: why,
  ...(advice === undefined ? {} : { advice }),
});

/** The first line of a text that says something. */
export const firstLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '') ?? '';
