// How fast nodes and links are is measured here, so that a machine with other work can make these wrong: they are run by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Plan } from '../../src/actions/plan/plan.ts'
import { controlGroupsMissing, slowDown } from '../fault/lab/control-group.ts'
import { Lab } from '../fault/lab/lab.ts'
import type { LabNode } from '../fault/lab/lab-node.ts'
import { drawMany } from '../helpers/drawn-job.ts'
import { sshdMissing } from '../helpers/sshd.ts'
import { tinyManifest } from '../helpers/tiny-model.ts'

let lab: Lab
let nodes: [LabNode, LabNode]
before(async () => {
  if (sshdMissing) return
  const settings = { workers: 1 }
  lab = await Lab.open({
    nodes: [
      { host: { name: 'node1' }, settings },
      { host: { name: 'node2' }, settings },
    ],
    sets: { many: (folder) => drawMany(folder, 40) },
  })
  nodes = lab.nodes as [LabNode, LabNode]
})
after(async () => {
  await lab?.[Symbol.asyncDispose]()
})

const planned = async () => {
  const args = ['plan', 'many', '--pipeline', 'faces', '--detector', tinyManifest().name, '--sample', '8']
  return (await lab.home.json<Plan>(args)).estimate!
}

test('a link that carries little is named, with what helps', { skip: sshdMissing }, async () => {
  const [, victim] = nodes
  const limit = 150_000
  victim.proxy.limit(limit)
  const estimate = await planned()
  victim.heal()
  const { bottleneck, nodes: parts } = estimate
  assert.deepEqual([bottleneck.kind, bottleneck.nodes], ['link', ['node2']], JSON.stringify(estimate, null, 2))
  const [node1, node2] = parts
  const carried = node2!.linkBytesPerSecond / limit
  assert.ok(carried > 0.3 && carried < 1.5, `${carried} of what it carries`)
  assert.ok(node1!.share > node2!.share)
})

test('a node that is slowed down is named beside one that is not', {
  skip: sshdMissing || controlGroupsMissing,
}, async () => {
  const [, victim] = nodes
  const slowed = slowDown(victim.workers(), 0.08)
  const estimate = await planned()
  slowed[Symbol.dispose]()
  const { bottleneck, nodes: parts } = estimate
  assert.equal(bottleneck.kind, 'processors', JSON.stringify(estimate, null, 2))
  assert.ok(bottleneck.nodes.includes('node2'))
  const [node1, node2] = parts
  assert.ok(node1!.able > node2!.able && node1!.share > node2!.share)
})
