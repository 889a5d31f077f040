// SPDX-License-Identifier: MIT
import { VxnError } from '../host/errors.ts';

// The generic numbers of signal(7), which x86, arm64 and riscv share.
const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
  RTMIN: 34,
  RTMAX: 64,
};

/**
 * The number of a signal. The text is a number or a name, as runc takes it: in any case, with or
 * without SIG, and also RTMIN+N or RTMAX-N. Throws USAGE on an unknown signal.
 */
export function signalNumber(text: string): number {
  if (/^\d+$/.test(text)) {
    const n = Number(text);
    if (n >= 1 && n <= 64) return n;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realtime = /^(RTMIN\+|RTMAX-)(\d{1,2})$/.exec(name);
  if (realtime !== null) {
    const n = realtime[1] === 'RTMIN+' ? 34 + Number(realtime[2]) : 64 - Number(realtime[2]);
    if (n >= 34 && n <= 64) return n;
  }
  const n = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
  if (n === undefined) throw new VxnError('USAGE', `unknown signal "${text}"`);
  return n;
}
