// SPDX-License-Identifier: MIT
// The cgroup that a container has in Dom0, which mounts cgroup2.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keysAndValues } from './bundle.ts';
import { assertClean, dom0, mustSh, removeTask, startsClean } from './dom0.ts';

startsClean();
before(() => dom0());
after(assertClean);

test('ctr task metrics shows the monitor, not containerd; the cgroup holds the monitor alone and goes with it', async () => {
  const script = `
    cd /sys/fs/cgroup; before=$(ls -d */ | tr -d '\\n')
    vctr run -d $IMAGE metered sleep 1000 || exit 1
    pid=$(ctr task ls | awk '$1 == "metered" { print $2 }')
    echo "path=$(cut -d: -f3 /proc/$pid/cgroup)"; echo "alone=$([ "$(cat default/metered/cgroup.procs)" = $pid ] && echo yes)"
    echo "limit=$(cat default/metered/memory.max)"; echo "comm=$(cat /proc/$pid/comm)"
    echo "memory=$(ctr task metrics --format json metered | jq '[.. | .usage? // empty | numbers] | max')"
    echo "metrics=$(ctr task metrics metered | awk '$1 == "memory.usage_in_bytes" || $1 == "memory.usage" { print $2 }')"
    echo "containerd=$(cat /sys/fs/cgroup$(cut -d: -f3 /proc/$(pgrep -x containerd)/cgroup)/memory.current 2>/dev/null)"
    echo "before=$before"; ctr task kill -s KILL metered`;
  const f = keysAndValues(await mustSh(script));
  assert.equal(await removeTask('metered'), 137);
  const after = keysAndValues(
    await mustSh(
      `cd /sys/fs/cgroup; echo "left=$(ls -d default/*/ 2>/dev/null | wc -l)"; echo "all=$(ls -d */ | tr -d '\\n')"`,
    ),
  );
  assert.equal(f.path, '/default/metered');
  assert.deepEqual([f.alone, f.limit, f.comm], ['yes', 'max', 'vxn-monitor']);
  const used = Number(f.metrics || f.memory);
  assert.ok(used > 100_000 && used < 16 << 20, `memory ${used}`);
  assert.equal(after.left, '0');
  assert.equal(after.all, f.before);
});
