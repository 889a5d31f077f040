// SPDX-License-Identifier: MIT
import { lazy } from '../lazy.ts';
import { agentKind } from './agent.ts';
import type { Kind, KindName } from './kind.ts';

/** The kind of this name. Only this call loads the code of kinds other than agent. */
export async function kindOf(name: KindName): Promise<Kind> {
  return name === 'marker' ? (await lazy.marker()).markerKind : agentKind;
}
