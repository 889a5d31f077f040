// SPDX-License-Identifier: MIT
// Is this a Dom0, and does its toolstack work?
import { type Check, failed, firstLine, ok, type Patient, skipped, warning } from './check.ts';

const XENCOMMONS =
  'start the Xen services (systemctl start xenstored xen-init-dom0 xenconsoled, or /etc/init.d/xencommons start)';

const root: Check = {
  id: 'root',
  look: ({ host }) =>
    host.euid === 0
      ? ok('running as root')
      : failed('not running as root', 'run it as root: nobody else may talk to Xen'),
};

const xen: Check = {
  id: 'xen',
  look({ host }) {
    const type = host.read('/sys/hypervisor/type')?.toString().trim();
    const part = (name: string): string =>
      host.read(`/sys/hypervisor/version/${name}`)?.toString().trim() ?? '';
    if (type === 'xen') return ok(`Xen ${part('major')}.${part('minor')}${part('extra')}`);
    return failed(
      type === undefined ? 'this kernel does not run on Xen' : `the hypervisor is ${type}, not Xen`,
      'choose the boot entry that starts Xen first (multiboot xen.gz, then the kernel)',
    );
  },
};

const dom0: Check = {
  id: 'dom0',
  needs: ['xen'],
  look({ host }) {
    const capabilities = host.read('/proc/xen/capabilities')?.toString();
    if (capabilities === undefined)
      return failed('/proc/xen/capabilities cannot be read', 'mount -t xenfs xenfs /proc/xen');
    if (capabilities.includes('control_d')) return ok('this is Dom0');
    return failed('this is a guest, not Dom0', 'only Dom0 may create domains: run vxn there');
  },
};

const devices: Check = {
  id: 'xen-devices',
  needs: ['xen'],
  look({ host }) {
    const modules = { privcmd: 'xen-privcmd', evtchn: 'xen-evtchn', gntdev: 'xen-gntdev' };
    const missing = Object.entries(modules).filter(([name]) => host.stat(`/dev/xen/${name}`) === undefined);
    if (missing.length === 0) return ok('/dev/xen has privcmd, evtchn, gntdev');
    return failed(
      `missing in /dev/xen: ${missing.map(([name]) => name).join(', ')}`,
      `modprobe -a ${missing.map(([, module]) => module).join(' ')}, and list them in /etc/modules-load.d/`,
    );
  },
};

function hasModule({ host }: Patient, module: string): boolean {
  const name = module.replaceAll('-', '_');
  if (host.stat(`/sys/module/${name}`) !== undefined) return true;
  const builtIn = host.read(`/lib/modules/${host.kernelRelease}/modules.builtin`)?.toString() ?? '';
  return builtIn.split('\n').some((line) => line.replaceAll('-', '_').endsWith(`/${name}.ko`));
}

// The kernel loads those of traffic control itself, once they are asked for.
function canLoad({ host }: Patient, module: string): boolean {
  const all = host.read(`/lib/modules/${host.kernelRelease}/modules.dep`)?.toString() ?? '';
  return all.split('\n').some((line) => /([^/:]+)\.ko/.exec(line)?.[1]?.replaceAll('-', '_') === module);
}

const trafficControl: Check = {
  id: 'traffic-control',
  needs: ['xen'],
  look(patient) {
    const has = (module: string): boolean => hasModule(patient, module) || canLoad(patient, module);
    const missing = ['sch_ingress', 'act_mirred'].filter((module) => !has(module));
    if (!has('cls_matchall') && !has('cls_u32')) missing.push('cls_matchall');
    return missing.length === 0
      ? ok('network of guests: sch_ingress, act_mirred and a classifier are there')
      : warning(
          `${missing.join(', ')} missing: containers with a network do not start`,
          'a Dom0 kernel with CONFIG_NET_SCH_INGRESS, CONFIG_NET_ACT_MIRRED and CONFIG_NET_CLS_MATCHALL; docs/network.md',
        );
  },
};

function moduleCheck(module: string, what: string, absent: typeof failed): Check {
  return {
    id: `module-${module}`,
    needs: ['xen'],
    look: (patient) =>
      hasModule(patient, module)
        ? ok(`${what}: ${module} is there`)
        : absent(
            `${module} is not loaded: ${what}`,
            `modprobe ${module}, and list it in /etc/modules-load.d/`,
          ),
  };
}

const xenstored: Check = {
  id: 'xenstored',
  needs: ['xen-devices'],
  look({ host, config }) {
    const { missing, status, stdout, stderr } = host.run(config.xenstoreRead, ['/local/domain/0/name']);
    if (missing) return failed(`${config.xenstoreRead}: command not found`, 'install xenstore-utils');
    if (status === 0) return ok(`xenstore answers: ${stdout.toString().trim()}`);
    const why = status === null ? 'no answer within a minute' : firstLine(stderr);
    return failed(`xenstore does not answer: ${why}`, XENCOMMONS);
  },
};

const xenconsoled: Check = {
  id: 'xenconsoled',
  needs: ['xen'],
  look: ({ host }) =>
    host.processes('xenconsoled').length > 0
      ? ok('xenconsoled runs')
      : warning("xenconsoled does not run: guests' kernel logs are lost", XENCOMMONS),
};

/** `xl info` as key and value. */
function xlInfo({ host, config }: Patient): ReadonlyMap<string, string> | string {
  const { missing, status, stdout, stderr } = host.run(config.xl, ['info']);
  if (missing) return `${config.xl}: command not found`;
  if (status !== 0)
    return status === null ? 'no answer within a minute' : firstLine(stderr) || `status ${status}`;
  const lines = stdout.toString().split('\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const [, key, value] = /^(\S+)\s*: (.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, value?.trim() ?? '']];
    }),
  );
}

const xl: Check = {
  id: 'xl',
  needs: ['root', 'dom0', 'xenstored'],
  look(patient) {
    const info = xlInfo(patient);
    if (typeof info !== 'string')
      return ok(`xl answers: ${info.get('nr_cpus')} processors, ${info.get('total_memory')} MiB`);
    if (info.endsWith('command not found'))
      return failed(
        info,
        'install the Xen tools (package xen-tools, xen-utils) or set xl in /etc/vxn/vxn.yaml',
      );
    return failed(
      `xl info fails: ${info}`,
      'see xl dmesg and /var/log/xen; are the tools of the version of the running Xen?',
    );
  },
};

/**
 * MiB that Xen needs for a domain of this size: its memory, and a share that libxl puts aside. A
 * guest that is not PV has page tables of Xen's own, about 1 MiB a vcpu and 1/128 of its memory.
 */
export function xenNeeds(memory: number, vcpus: number, type: 'pv' | 'pvh'): number {
  return memory + 2 + (type === 'pv' ? 0 : vcpus + Math.ceil(memory / 128));
}

const memory: Check = {
  id: 'memory',
  needs: ['xl'],
  look(patient) {
    const { config, host } = patient;
    const info = xlInfo(patient);
    const free = typeof info === 'string' ? Number.NaN : Number(info.get('free_memory'));
    if (typeof info === 'string' || Number.isNaN(free))
      return failed('xl info says nothing of free memory', 'see xl info');
    const need = xenNeeds(config.memory, config.vcpus, config.guestType);
    if (free >= need) return ok(`${free} MiB free in Xen, a container without limits takes ${need}`);
    const advice =
      'give Dom0 less (dom0_mem=1024M,max:1024M on the command line of Xen), or set memory in /etc/vxn/vxn.yaml';
    const summary = `${free} MiB free in Xen, a container without limits takes ${need}`;
    const off = /^\s*autoballoon\s*=\s*("?off"?|0)/m.test(host.read('/etc/xen/xl.conf')?.toString() ?? '');
    // xl takes memory from a Dom0 that was not given a fixed amount.
    if (!off && !/\bdom0_mem=/.test(info.get('xen_commandline') ?? ''))
      return warning(`${summary}; xl will shrink Dom0 for it`, advice);
    return failed(summary, advice);
  },
};

const scheduler: Check = {
  id: 'dom0-weight',
  needs: ['xl'],
  look(patient) {
    const info = xlInfo(patient);
    const name = typeof info === 'string' ? '' : (info.get('xen_scheduler') ?? '');
    if (name !== 'credit' && name !== 'credit2')
      return skipped(`the scheduler of Xen (${name}) has no weights`);
    const command = name === 'credit' ? 'sched-credit' : 'sched-credit2';
    const { stdout } = patient.host.run(patient.config.xl, [command, '-d', '0']);
    const columns = stdout.toString().trim().split('\n').at(-1)?.trim().split(/\s+/) ?? [];
    const weight = Number(columns[2]);
    if (Number.isNaN(weight)) return skipped(`xl ${command} does not say the weight of Dom0`);
    if (weight > 256) return ok(`Dom0 has weight ${weight}`);
    return warning(
      `Dom0 has weight ${weight}, no more than any guest: on a busy host hotplug programs run out of time`,
      `xl ${command} -d 0 -w 8192, at every boot`,
    );
  },
};

export const XEN_CHECKS: readonly Check[] = [
  root,
  xen,
  dom0,
  devices,
  moduleCheck('xen-blkback', 'root disks of guests', failed),
  moduleCheck('loop', 'root disks of guests', failed),
  moduleCheck('xen-netback', 'network of guests', warning),
  trafficControl,
  xenstored,
  xenconsoled,
  xl,
  memory,
  scheduler,
];
