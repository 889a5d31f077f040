// SPDX-License-Identifier: MIT
// include/uapi/linux/capability.h, in the order of the bits.
const NAMES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  );

/** All capability names with their prefix, as `features` lists them. */
export const CAPABILITIES: readonly string[] = NAMES.map((n) => `CAP_${n}`);

/** The bit of a capability such as CAP_NET_RAW, or undefined when the name is unknown. */
export function capabilityBit(name: string): bigint | undefined {
  const i = CAPABILITIES.indexOf(name);
  return i < 0 ? undefined : 1n << BigInt(i);
}
