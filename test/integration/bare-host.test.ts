import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { test } from 'node:test'
import { bareHostMissing, startBareHost } from '../helpers/bare-host.ts'
import { leakFree } from '../helpers/leaks.ts'
import { openssh } from '../helpers/openssh.ts'
import { repositoryRoot, shared } from '../helpers/shared.ts'

test(
  'a bare host has no checkout, Node, npm or Python',
  { skip: bareHostMissing },
  leakFree(async () => {
    await using host = await startBareHost()
    for (const program of ['node', 'nodejs', 'npm', 'npx', 'python', 'python3', 'pip']) {
      assert.equal(await openssh(host, `command -v ${program} || echo none`), 'none\n', program)
    }
    // A folder that is not there at all is named by no line, an empty one by a blank line.
    const listed = await openssh(host, `ls -A ${repositoryRoot} ${shared()} 2>/dev/null | grep -v : || true`)
    assert.equal(listed.trim(), '')
    assert.equal(await openssh(host, `cd ~ && touch here && ls; ls ${tmpdir()} | wc -l`), 'here\n1\n')
  }),
)

test(
  'a bare host reaches nothing but the master',
  { skip: bareHostMissing },
  leakFree(async () => {
    await using host = await startBareHost()
    const routes = (await openssh(host, 'cat /proc/net/route')).trim().split('\n').slice(1)
    assert.equal(routes.length, 1)
    assert.match(routes[0]!, /^eth0\s+\w+\s+00000000\s/)
    assert.match(await openssh(host, 'ip route get 192.0.2.1 2>&1 || true'), /unreachable/)
  }),
)

test('disposing a bare host takes its namespace, cable and mounts away', { skip: bareHostMissing }, async () => {
  const host = await startBareHost()
  const cables = (): string[] =>
    Object.keys(networkInterfaces()).filter((name) => name.startsWith(`cpn${process.pid}x`))
  assert.equal(cables().length, 1)
  await host[Symbol.asyncDispose]()
  assert.deepEqual([cables(), existsSync(host.home)], [[], false])
})
