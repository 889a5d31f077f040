// SPDX-License-Identifier: MIT
// docker's networks with containers that are domains.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startDocker } from '../../../lab/engines.ts';
import { assertClean, dom0, dom0Sh, IMAGE, mustSh, startsClean, waitFor } from '../dom0.ts';
import { removeContainers } from '../engine.ts';

const RUN = 'docker run --runtime vxn --annotation org.openembedded.vxn.memory=96';
const SITE = 'mkdir /www; hostname >/www/index.html; httpd -h /www';

startsClean();
before(async () => {
  await startDocker(await dom0());
  await mustSh(
    'docker network create one && docker network create two && docker network create --ipv6 --subnet fd5a::/64 --subnet 10.66.0.0/24 six',
  );
});

after(async () => {
  await removeContainers('docker');
  await mustSh('docker network rm one two six');
  await assertClean();
});

const inspect = async (container: string, network: string, what = 'IPAddress'): Promise<string> =>
  (
    await mustSh(
      `docker inspect -f '{{(index .NetworkSettings.Networks "${network}").${what}}}' ${container}`,
    )
  ).trim();

suite('side by side', { concurrency: 2 }, () => {
  test('two networks, names, a published port, what inspect says, IPv6, a network that comes later, restart', async () => {
    await mustSh(`
    docker create --runtime vxn --name web --hostname web --network one -p 8080:80 --mac-address 02:42:ac:99:00:07 \\
      --sysctl net.ipv4.ip_default_ttl=77 --add-host friend:192.0.2.9 ${IMAGE} \\
      sh -c '${SITE}; ip -o addr; cat /proc/sys/net/ipv4/ip_default_ttl /etc/hosts; exec sleep 900'
    docker network connect two web && docker start web`);
    const client = await mustSh(
      `${RUN} --rm --network one ${IMAGE} sh -c 'wget -qO- http://web/; nslookup -type=a web | grep Address: | tail -n1; nslookup nobody >/dev/null || echo unknown; cat /etc/resolv.conf'`,
    );
    const [one, two] = [await inspect('web', 'one'), await inspect('web', 'two')];
    assert.match(client, /^web\n/);
    assert.ok(client.includes(one), `${client} has no ${one}`);
    assert.match(client, /unknown\n/);
    assert.match(client, /nameserver 127\.0\.0\.11/);
    const said = await mustSh('docker logs web');
    for (const address of [one, two]) assert.ok(said.includes(`inet ${address}/`), said);
    assert.match(said, /^77$/m);
    assert.match(said, /192\.0\.2\.9\s+friend/);
    assert.equal(await inspect('web', 'one', 'MacAddress'), '02:42:ac:99:00:07');
    for (const url of [
      `http://${one}/`,
      `http://${two}/`,
      'http://127.0.0.1:8080/',
      'http://10.0.2.15:8080/',
    ])
      assert.equal(await mustSh(`busybox wget -qO- ${url}`), 'web\n', url);

    await mustSh('docker network connect six web');
    const six = await inspect('web', 'six', 'GlobalIPv6Address');
    await waitFor(`ping -c 1 -W 1 ${six} >/dev/null`, 30);
    assert.equal(await mustSh(`busybox wget -qO- http://${await inspect('web', 'six')}/`), 'web\n');
    await mustSh('docker network disconnect six web && ! ping -c 1 -W 1 fd5a::2');

    await mustSh('docker restart -t 0 web');
    assert.equal(await inspect('web', 'one'), one);
    await waitFor(`busybox wget -qO- http://${one}/ 2>/dev/null | grep -q web`);
    await mustSh('docker rm -f web');
  });

  test("the default bridge with IPv6; none; the host's network is refused", async () => {
    const out = await mustSh(
      `${RUN} --rm --name six --ip6 fd00:d::77 ${IMAGE} sh -c 'ip -o addr show eth0; ping -c 1 -W 5 172.17.0.1; ping -6 -c 1 -W 5 fd00:d::1' || ${RUN} --rm ${IMAGE} sh -c 'ip -o addr show eth0; ping -c 1 -W 5 172.17.0.1; ping -6 -c 1 -W 5 fd00:d::1'`,
    );
    assert.match(out, /inet 172\.17\.0\.\d+\/16/);
    assert.match(out, /inet6 fd00:d::/);
    assert.equal(out.match(/1 packets received/g)?.length, 2, out);
    assert.equal(await mustSh(`${RUN} --rm --network none ${IMAGE} ls /sys/class/net`), 'lo\n');
    const host = await dom0Sh(`${RUN} --rm --network host ${IMAGE} true`);
    assert.equal(host.status, 125);
    assert.match(host.stderr, /host's network namespace cannot be shared/);
  });

  test("another container's network: refused while that is a machine with an interface", async () => {
    await mustSh(`${RUN} -d --name first ${IMAGE} sleep 600`);
    const { stderr } = await dom0Sh(`${RUN} --rm --network container:first ${IMAGE} true`);
    assert.match(stderr, /interface eth0 of the network namespace belongs to another virtual machine/);
    await mustSh('docker rm -f first');
  });
});
