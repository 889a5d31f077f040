// SPDX-License-Identifier: MIT
// Plans what `install` has to do below a root, as a whole, before anything is touched.
import { readdirSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { DEFAULTS } from '../../config/config.ts';
import { matchesGlob } from '../../host/glob.ts';
import { inRoot } from '../../host/resolve-in-root.ts';
import { DescriptionError, type Diagnostic, type Source } from '../diagnostics.ts';
import { type PlanInput, type Planned, places, planTarget } from '../plan.ts';
import { alike, type Present, present, wanted } from '../tree.ts';
import { toBytes, toText } from './bytes.ts';
import { mergeContainerd } from './containerd.ts';
import { mergeDocker, stripDocker } from './docker.ts';
import { podmanJson } from './podman.ts';
import { type Entry, hashOf, type State, type Store } from './state.ts';
import { readToml, stripToml } from './toml-edit.ts';

type File = Extract<Present, { kind: 'file' }>;

export type Action = 'created' | 'replaced' | 'edited' | 'updated' | 'unchanged' | 'kept';

export interface Change {
  /** On the target, links in its last part followed where a file of others is edited. */
  path: string;
  kind: string;
  action: Action;
  /** Why it is kept. */
  reason?: string;
  /** The file or link that is there now, and the one that shall be there. */
  now: Present | undefined;
  next: Present;
  /** The file or link that shall be there after `uninstall`. */
  before: Present | undefined;
  /** --force takes it from its place, and keeps it. */
  aside?: Present;
}

export interface Changes {
  changes: Change[];
  notes: string[];
}

/** Takes our part out of a file of others. */
export function strip(kind: string, content: string): string {
  const text = toText(content);
  return toBytes(kind === 'daemon.json' ? stripDocker(text) : stripToml(text));
}

function meansTheSame(kind: string, a: string, b: string): boolean {
  if (a === b) return true;
  const read = kind === 'daemon.json' ? JSON.parse : readToml;
  try {
    return isDeepStrictEqual(read(a), read(b));
  } catch {
    return false;
  }
}

class Planner {
  readonly changes: Change[] = [];
  readonly notes: string[] = [];
  readonly diagnostics: Diagnostic[] = [];
  private readonly known: ReadonlyMap<string, Entry>;

  constructor(
    private readonly store: Store,
    state: State | undefined,
    private readonly force: boolean,
  ) {
    this.known = new Map(state?.entries.map((e) => [e.path, e]));
  }

  look(path: string): Present | undefined {
    return present(inRoot(this.store.root, path));
  }

  /** A file that is all ours. */
  whole(planned: Planned): void {
    this.changes.push(this.decide(planned));
  }

  private decide(planned: Planned): Change {
    const { path, kind } = planned;
    const [now, next, entry] = [this.look(path), wanted(planned), this.known.get(path)];
    const before = entry === undefined ? now : this.store.before(entry);
    const change = (action: Action, reason?: string): Change => ({
      ...{ path, kind, action, now, next, before },
      ...(reason === undefined ? {} : { reason }),
    });
    if (now === undefined) return change('created');
    if (alike(now, next)) return change('unchanged');
    if (entry !== undefined && hashOf(now) === entry.left) return change('updated');
    if (now.kind === 'other') return change('kept', 'it is neither a file nor a link');
    if (this.force && (entry === undefined || hashOf(now) === hashOf(before))) return change('replaced');
    // The backup is of what was there before the first install.
    if (this.force) return { ...change('replaced', this.store.describeAside(path, now)), aside: now };
    if (entry !== undefined)
      return change('kept', 'it was changed since it was installed; --force replaces it');
    // The operator's settings come before ours.
    if (kind === 'vxn.yaml')
      return change('kept', `it was there${settingsThatDiffer(now, next)}; --force replaces it`);
    return change('replaced');
  }

  /** A file that may be that of others, and then gets our part. */
  merged(planned: Planned, merge: (source: Source) => { text: string; diagnostics: Diagnostic[] }): void {
    const at = inRoot(this.store.root, planned.path, true);
    const path = `/${posix.relative(this.store.root, at)}`;
    const now = present(at);
    const entry = this.known.get(path);
    const isOurs = entry?.action === 'created' && hashOf(now) === entry.left;
    if (now?.kind !== 'file' || isOurs || alike(now, wanted(planned))) this.whole({ ...planned, path });
    else this.changes.push(this.mergeInto(now, path, planned.kind, entry, merge));
  }

  private mergeInto(
    now: File,
    path: string,
    kind: string,
    entry: Entry | undefined,
    merge: (source: Source) => { text: string; diagnostics: Diagnostic[] },
  ): Change {
    const before = this.withoutUs(entry, kind, now);
    const result = merge({ name: path, text: toText(before.content) });
    this.diagnostics.push(...result.diagnostics);
    const next: Present = { ...now, content: toBytes(result.text) };
    // Others may have moved our part about.
    if (meansTheSame(kind, toText(now.content), result.text))
      return { path, kind, action: 'unchanged', now, next: now, before };
    return { path, kind, action: 'edited', now, next, before };
  }

  /** A file of others as it would be had we never been there. */
  private withoutUs(entry: Entry | undefined, kind: string, now: File): File {
    if (entry === undefined) return now;
    if (hashOf(now) === entry.left) {
      const before = this.store.before(entry);
      if (before?.kind === 'file') return before;
    }
    return { ...now, content: strip(kind, now.content) };
  }
}

function settingsThatDiffer(now: Present, next: Present): string {
  if (now.kind !== 'file' || next.kind !== 'file') return '';
  try {
    const [theirs, ours] = [parse(toText(now.content)), parse(toText(next.content))] as Record<
      string,
      unknown
    >[];
    const defaults: Readonly<Record<string, unknown>> = { ...DEFAULTS };
    const keys = Object.keys(ours ?? {}).filter(
      (k) => JSON.stringify(theirs?.[k] ?? defaults[k]) !== JSON.stringify(ours?.[k]),
    );
    return keys.length === 0 ? '' : `, with other values for ${keys.join(', ')}`;
  } catch {
    return ', and is not YAML';
  }
}

/** The files below a root that the globs of containerd's imports name. */
function readImports(root: string, globs: readonly string[]): Source[] {
  return globs.flatMap((glob) => {
    const folder = inRoot(root, dirname(glob), true);
    let names: string[];
    try {
      names = readdirSync(folder).sort();
    } catch {
      return [];
    }
    return names
      .filter((name) => matchesGlob(name, basename(glob)))
      .flatMap((name) => {
        const file = present(inRoot(root, join(dirname(glob), name), true));
        return file?.kind === 'file' ? [{ name: join(dirname(glob), name), text: toText(file.content) }] : [];
      });
  });
}

/**
 * Plans config.toml. Gives the input for the drop-in beside it, which must not be of a newer
 * version; undefined when there shall be no drop-in.
 */
function planContainerdConfig(
  planner: Planner,
  root: string,
  input: PlanInput,
  config: Planned,
): PlanInput | undefined {
  let forDropIn: PlanInput | undefined = input;
  planner.merged(config, (source) => {
    const absolute = (glob: string): string => posix.resolve(dirname(source.name), glob);
    const merge = mergeContainerd(input, source, (globs) => readImports(root, globs.map(absolute)));
    planner.notes.push(...merge.notes);
    const configVersion = merge.dropInVersion;
    const { target } = input;
    forDropIn =
      configVersion === undefined
        ? undefined
        : { ...input, target: { ...target, containerd: { ...target.containerd, configVersion } } };
    return merge;
  });
  return forDropIn;
}

export interface ChangesOptions {
  /** The record of an earlier `install`. */
  state: State | undefined;
  /** Files beside those of the target. */
  extra: readonly Planned[];
  /** Replace what would be kept. */
  force: boolean;
}

/**
 * Computes what `install` has to do, and touches nothing. Throws DescriptionError with every reason
 * why it cannot be done.
 */
export function computeChanges(given: PlanInput, store: Store, options: ChangesOptions): Changes {
  const planner = new Planner(store, options.state, options.force);
  const at = places(given.target);
  const json = podmanJson(store.root, at.podmanConfig);
  const input: PlanInput = json === undefined ? given : { ...given, podmanJson: json };
  const config = planTarget(input).find((file) => file.path === at.containerdConfig);
  const forDropIn =
    config === undefined ? undefined : planContainerdConfig(planner, store.root, input, config);
  for (const file of [...planTarget(forDropIn ?? input), ...options.extra]) {
    if (file.path === at.containerdConfig) continue;
    if (file.path === at.containerdDropIn && forDropIn === undefined) continue;
    if (file.path === at.dockerConfig) planner.merged(file, (source) => mergeDocker(input.target, source));
    else planner.whole(file);
  }
  if (planner.diagnostics.length > 0) throw new DescriptionError(planner.diagnostics);
  return { changes: planner.changes, notes: planner.notes };
}
