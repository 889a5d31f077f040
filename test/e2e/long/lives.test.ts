// SPDX-License-Identifier: MIT
// Lives in each of which something is killed at a random moment, under containerd: nothing is left, no status is wrong. VXN_LIVES
// says how many; two hundred take some fifty minutes here, and a minute in test/runtime/stress.test.ts without Xen.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { live, numbers } from '../../fixtures/random.ts';
import { assertClean, dom0, mustSh, startsClean } from '../dom0.ts';

const LIVES = Number(process.env.VXN_LIVES ?? 10);
const AT_ONCE = 3;

/** What is killed: by its moment in a container's life. */
const VICTIMS = ['runtime', 'kill', 'monitor', 'delete', 'domain', 'nothing'] as const;
type Victim = (typeof VICTIMS)[number];

/** What begins and ends within this time in the lab, in seconds. */
const LONGEST: Partial<Record<Victim, number>> = { runtime: 4, kill: 1.5, delete: 2 };

startsClean();
before(() => dom0());
after(assertClean);

// The runtime's calls for a container end with its id. What a call that was killed leaves is for the next one: the engine's, or
// an operator's.
const WORDS = `
exec 3>&1 >/dev/null
run() { vctr run -d $IMAGE $ID /bin/sh -c "$PROGRAM" 2>&3; }
harm() { sleep $DELAY; pkill -9 -f "([v]xn-oci-runtime|[n]ode --snapshot).* $ID$"; }
end() { ctr task kill -s KILL $ID 2>&3; }
stopped() {
  for n in $(seq 600); do ctr task ls | grep -qE "^$ID .*STOPPED" && return; sleep 0.2; done
  echo "$ID does not stop" >&3; exit 1
}
remove() { ctr task rm $ID 2>&3; }
`;
const NOTHING_LEFT = `
ctr task rm -f $ID 2>/dev/null
vxn-oci-runtime --root $ROOT delete --force $ID 2>&3 || exit
ctr c rm $ID 2>/dev/null
left=$(xl list | grep "^vxn-$ID-"; ls -d /run/vxn/*/$ID /var/lib/vxn/*/$ID 2>/dev/null)
[ -z "$left" ] || { echo "left: $left" >&3; exit 1; }
`;

const SCRIPTS: Record<Victim, string> = {
  runtime: 'harm & run; wait; end; remove',
  monitor: `run; kill -9 "$(ctr task ls | awk '$1 == ENVIRON["ID"] { print $2 }')"; stopped; remove`,
  domain: `run; xl destroy "$(xl list | awk '$1 ~ "^vxn-" ENVIRON["ID"] "-" { print $2 }')"; stopped; remove`,
  kill: 'run; harm & end; wait; end; stopped; remove',
  delete: 'run; end; stopped; harm & remove; wait; remove',
  nothing: 'run; [ "$PROGRAM" = "exit 7" ] || end; stopped; remove',
};

/** The statuses that containerd may have seen; undefined: the container was gone before anybody asked. */
function allowed(victim: Victim, own: number): readonly (number | undefined)[] {
  if (victim === 'monitor') return [own, 137];
  if (victim === 'domain') return [own, 255];
  return victim === 'nothing' ? [own] : [own, 137, undefined];
}

async function life(n: number, random: () => number): Promise<void> {
  const id = `life${n}`;
  const victim = VICTIMS[n % VICTIMS.length] ?? 'nothing';
  const finishes = random() < 0.5;
  const delay = (random() * (LONGEST[victim] ?? 0)).toFixed(2);
  const env = { ID: id, DELAY: delay, PROGRAM: finishes ? 'exit 7' : 'exec sleep 600' };
  const said = await mustSh(WORDS + SCRIPTS[victim] + NOTHING_LEFT, { env });
  const status = /non-zero exit code (\d+)/.exec(said)?.[1];
  const seen = status === undefined ? undefined : Number(status);
  assert.ok(allowed(victim, finishes ? 7 : 137).includes(seen), `${id}, ${victim} killed: ${seen}\n${said}`);
}

test(`${LIVES} lives with random kills of the runtime, the monitor and the domain`, async () => {
  const random = numbers(20261124);
  await live(LIVES, AT_ONCE, (n) => life(n, random));
});
