// SPDX-License-Identifier: MIT
// `doctor`: finds the faults that keep this machine from running containers as domains, and tells
// how to mend them.
import { type Config, DEFAULTS } from '../config/config.ts';
import { messageOf } from '../host/errors.ts';
import { type Check, type Finding, failed, type Patient, type Status, skipped } from './check.ts';
import { ENGINE_CHECKS } from './engines.ts';
import { GUEST_CHECKS } from './guest.ts';
import { type Host, realHost } from './host.ts';
import { INSTALLATION_CHECKS } from './installation.ts';
import { NETWORK_CHECKS } from './network.ts';
import { XEN_CHECKS } from './xen.ts';

export const CHECKS: readonly Check[] = [
  ...XEN_CHECKS,
  ...INSTALLATION_CHECKS,
  ...NETWORK_CHECKS,
  ...GUEST_CHECKS,
  ...ENGINE_CHECKS,
];

export interface DoctorOptions {
  version: string;
  /** The runtime's script, links resolved. */
  script: string;
  /** Gives the settings in force, or throws what is wrong with them. */
  settings(): Config;
  host?: Host;
}

function examine(check: Check, patient: Patient): Finding {
  const cause = check.needs?.find(
    (id) => patient.found.get(id) !== 'ok' && patient.found.get(id) !== 'warning',
  );
  if (cause !== undefined) return { id: check.id, ...skipped(`${cause} comes first`) };
  try {
    return { id: check.id, ...check.look(patient) };
  } catch (error) {
    return {
      id: check.id,
      ...failed(`the check itself failed: ${messageOf(error)}`, 'report it as a fault of vxn'),
    };
  }
}

/** Makes every check, in order; those whose ground is missing are skipped. Changes nothing. */
export function examineAll(options: DoctorOptions): Finding[] {
  let config: Config = DEFAULTS;
  let settingsError: string | undefined;
  try {
    config = options.settings();
  } catch (error) {
    settingsError = messageOf(error);
  }
  const found = new Map<string, Status>();
  const { version, script, host = realHost() } = options;
  return CHECKS.map((check) => {
    const finding = examine(check, { host, config, settingsError, version, script, found });
    found.set(check.id, finding.status);
    return finding;
  });
}

export type Counts = Readonly<Record<Status, number>>;

/** How many there are of each status. */
export function count(findings: readonly Finding[]): Counts {
  const counts = { ok: 0, warning: 0, failed: 0, skipped: 0 };
  for (const { status } of findings) counts[status]++;
  return counts;
}
