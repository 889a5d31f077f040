// SPDX-License-Identifier: MIT
// include/uapi/asm-generic/resource.h, in the order of the numbers.
const NAMES = [
  'RLIMIT_CPU',
  'RLIMIT_FSIZE',
  'RLIMIT_DATA',
  'RLIMIT_STACK',
  'RLIMIT_CORE',
  'RLIMIT_RSS',
  'RLIMIT_NPROC',
  'RLIMIT_NOFILE',
  'RLIMIT_MEMLOCK',
  'RLIMIT_AS',
  'RLIMIT_LOCKS',
  'RLIMIT_SIGPENDING',
  'RLIMIT_MSGQUEUE',
  'RLIMIT_NICE',
  'RLIMIT_RTPRIO',
  'RLIMIT_RTTIME',
];

/** The number of a resource limit such as RLIMIT_NOFILE, or undefined when the name is unknown. */
export function rlimitNumber(name: string): number | undefined {
  const i = NAMES.indexOf(name);
  return i < 0 ? undefined : i;
}
