// SPDX-License-Identifier: MIT
// The order of the folders. This table is the rule, and the other files only read it.
// docs/architecture.md says what each folder is for.

/**
 * Folders, and the other folders that each one may use. A folder stands for everything below it
 * that has no row of its own. No row may name a folder that uses it in turn, because this is an
 * order.
 */
export type Order = Readonly<Record<string, readonly string[]>>;

/** The order of imports in TypeScript. A type counts as much as a function. */
export const TYPESCRIPT: Order = {
  'src/host': [],
  'src/spec': ['src/host'],
  'src/config': ['src/host', 'src/spec'],
  'src/xen': ['src/host'],
  'src/channel': ['src/host', 'src/spec'],
  'src/domain': ['src/host', 'src/spec', 'src/config', 'src/xen', 'src/channel'],
  'src/container': ['src/host', 'src/spec', 'src/config', 'src/xen', 'src/channel', 'src/domain'],
  'src/verbs': [
    'src/host',
    'src/spec',
    'src/config',
    'src/xen',
    'src/channel',
    'src/domain',
    'src/container',
  ],
  'src/service': [
    'src/host',
    'src/spec',
    'src/config',
    'src/xen',
    'src/channel',
    'src/domain',
    'src/container',
    'src/verbs',
  ],
  'src/images': ['src/host'],
  'src/doctor': ['src/host', 'src/config', 'src/xen', 'src/channel'],
  'src/vxn-config': ['src/host', 'src/spec', 'src/config'],
  'src/cli': ['src'],
  lab: [],
  'test/fixtures': ['src', 'lab'],
  // The benchmarks run containers on a machine without Xen, as the tests do.
  scripts: ['src', 'lab', 'test/fixtures'],
  test: ['src', 'lab', 'scripts', 'test/fixtures'],
  'native/fuzz': ['src'],
};

/** The order of includes and calls in C. */
export const C: Order = {
  'native/common': [],
  'native/agent': ['native/common'],
  'native/monitor/host': ['native/common'],
  'native/monitor/xen': ['native/common', 'native/monitor/host'],
  'native/monitor/link': ['native/common', 'native/monitor/host', 'native/monitor/xen'],
  'native/monitor/process': ['native/common', 'native/monitor/host', 'native/monitor/link'],
  'native/monitor/domain': [
    'native/common',
    'native/monitor/host',
    'native/monitor/xen',
    'native/monitor/link',
  ],
  'native/monitor': ['native/common', 'native/monitor'],
  'native/block': ['native/common'],
  'native/seccomp': ['native/common'],
  'native/sendtty': ['native/common'],
  'native/vif': ['native/common'],
  'native/test': ['native/common', 'native/agent', 'native/monitor', 'native/seccomp', 'native/sendtty'],
  'native/fuzz': ['native/common', 'native/agent', 'native/monitor'],
};

/** The folders of src/ that may look at the caller of this process. */
export const KNOWS_THE_CALLER: readonly string[] = ['src/cli', 'src/service'];

/** A finding that is allowed to stand. */
export interface Exception {
  /** The line of the finding, as this tool prints it. */
  finding: string;
  reason: string;
}

/** The findings that are allowed for now. An entry without its finding is an error. */
export const EXCEPTIONS: readonly Exception[] = [];
