// SPDX-License-Identifier: MIT
// Many containers at once on one network.
import assert from 'node:assert/strict';
import { mustSh, REMOVE } from './dom0.ts';
import { inside, NETNS, SMALL } from './netns.ts';

/** Runs this many containers in namespaces on one bridge, all at once. */
export async function crowd(size: number): Promise<void> {
  const program =
    'trap \\"exit $i\\" TERM; ping -c 1 -W 60 10.9.0.1 >/dev/null && echo out $i; echo err $i >&2; sleep 900 & wait';
  const out = await mustSh(
    `${NETNS} ${REMOVE} for i in $(seq ${size}); do netns n$i $((i + 100)); done
    for i in $(seq ${size}); do
      vctr run -d --log-uri file:///tmp/crowd$i ${SMALL} ${inside('n$i')} $IMAGE crowd$i /bin/sh -c "${program}" >/dev/null &
    done; wait
    for i in $(seq ${size}); do ping -c 1 -W 5 10.9.0.$((i + 100)) >/dev/null && echo in $i; done
    for i in $(seq ${size}); do
      until grep -q err /tmp/crowd$i; do sleep 0.2; done; grep -E 'out|err' /tmp/crowd$i; rm /tmp/crowd$i
      ctr task kill -s TERM crowd$i
    done
    for i in $(seq ${size}); do
      remove crowd$i | sed -n 's/.*exit code \\([0-9]*\\).*/status \\1/p'
    done
    for i in $(seq ${size}); do ! tc -n n$i qdisc | grep ingress; ip netns del n$i; done`,
    { timeoutMs: 900_000 },
  );
  const each = (line: string): string[] => Array.from({ length: size }, (_, i) => `${line} ${i + 1}`);
  assert.deepEqual(out.trim().split('\n').sort(), ['in', 'out', 'err', 'status'].flatMap(each).sort());
}
