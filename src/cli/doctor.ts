// SPDX-License-Identifier: MIT
import { VxnError } from '../host/errors.ts';
import { loadDoctor, scriptPath } from './beside.ts';
import type { Call } from './call.ts';
import { VERSION } from './version.ts';

/** `doctor`: prints the findings. Throws HOST when one of them is a failure. */
export function doctor(call: Call): void {
  const { examineAll, renderJson, renderText } = loadDoctor();
  const findings = examineAll({
    version: VERSION,
    script: scriptPath(),
    settings: () => call.context.config,
  });
  call.print(call.has('json') ? renderJson(findings, VERSION) : renderText(findings));
  const failed = findings.filter(({ status }) => status === 'failed').map(({ id }) => id);
  if (failed.length > 0) throw new VxnError('HOST', `failed: ${failed.join(', ')}`);
}
