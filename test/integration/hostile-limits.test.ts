import assert from 'node:assert/strict'
import { test } from 'node:test'
import { status } from '../../src/actions/nodes/status.ts'
import { openUnprovisioner } from '../../src/actions/nodes/unprovision.ts'
import { assertIdle, assertSameTree } from '../helpers/leaks.ts'
import { project } from '../helpers/project.ts'
import { provisionAll, quietContext, setting } from '../helpers/provisioned.ts'
import { type SshdOptions, sshdMissing, startHosts, usersMissing } from '../helpers/sshd.ts'
import { busyboxMissing, busyboxOnly, faketimeMissing, yearLate } from '../helpers/strange-host.ts'

/** The host becomes a node, is found ready, and is left as it was. */
async function becomesNode(options: SshdOptions): Promise<void> {
  await using hosts = await startHosts({ name: 'strange', ...options })
  await using folder = project(hosts)
  const { inventory, options: provision } = await setting(folder)
  const trees = hosts.map((host) => host.tree())
  for (const [name, { error }] of await provisionAll(provision)) assert.equal(error, undefined, name)
  const states = await status({ inventory, hosts: [] }, quietContext())
  assert.deepEqual(
    states.map(({ name, state }) => `${name} ${state}`),
    ['strange ready'],
  )
  await using unprovisioner = await openUnprovisioner({ inventory, hosts: ['all'] }, quietContext())
  for (const host of unprovisioner.hosts) await unprovisioner.unprovision(host)
  await assertIdle(hosts)
  for (const [index, host] of hosts.entries()) assertSameTree(host, trees[index]!)
}

test('one session, no SFTP and no forwarding are enough for a node', { skip: sshdMissing }, async () => {
  await becomesNode({ config: ['MaxSessions 1', 'DisableForwarding yes'], subsystem: false })
})

test('the programs of busybox are enough for a node', { skip: usersMissing || busyboxMissing }, async () => {
  await becomesNode({ config: ['SetEnv PATH=/mnt'], launcher: busyboxOnly })
})

test('a clock that is off by a year keeps no host from being a node', {
  skip: sshdMissing || faketimeMissing,
}, async () => {
  await becomesNode({ config: [yearLate] })
})
