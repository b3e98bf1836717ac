import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomOf } from '../../../src/common/random.ts'
import { estimate } from '../../../src/planning/estimate.ts'
import type { Measures } from '../../../src/planning/measures.ts'
import { type ModelNode, trialOf } from './fleet-model.ts'

const each = { upBytes: 200_000, downBytes: 100_000, copyBytes: 90_000 }
const node = (name: string, change: Partial<ModelNode> = {}): ModelNode => ({
  name,
  workers: 2,
  workMs: 100,
  link: 1e8,
  ...change,
})

function bottleneckOf(nodes: ModelNode[], changes: Partial<Measures> = {}) {
  const work = { images: 1000, bytes: 1000 * each.upBytes, listed: 1000, annotates: true }
  return estimate(work, trialOf(nodes, each, changes), randomOf(1)).bottleneck
}

test('nodes whose workers always have something are limited by their processors', () => {
  const { kind, nodes, help } = bottleneckOf([node('node1'), node('node2')])
  assert.deepEqual([kind, nodes], ['processors', ['node1', 'node2']])
  assert.match(help, /--annotate none spares 20 % of their time/)
})

test('a node whose workers are slow is named beside one that shows how fast they can be', () => {
  const { kind, nodes, text } = bottleneckOf([node('node1'), node('node2', { workMs: 1000 })])
  assert.deepEqual([kind, nodes], ['processors', ['node2']])
  assert.match(text, /node2 does 1\.0 images\/s per worker where node1 does 10/)
})

test('a link that keeps workers waiting is named with what the node could do, and with what helps', () => {
  const { kind, nodes, text, help } = bottleneckOf([node('node1'), node('node2', { link: 800_000 })])
  assert.deepEqual([kind, nodes], ['link', ['node2']])
  assert.match(
    text,
    /^node2’s link: 100 % busy with 781 KiB\/s; the node could do 20 images\/s, the link carries 4\.0$/,
  )
  assert.match(help, /--annotate none spares 33 % of the bytes/)
})

test('a link that carried fewer of its few images by chance is named as long as the nodes are not in each other’s way', () => {
  const { kind, nodes } = bottleneckOf([node('node1'), node('node2', { link: 300_000, together: 1 })])
  assert.deepEqual([kind, nodes], ['link', ['node2']])
  const both = bottleneckOf([node('node1', { together: 12 }), node('node2', { link: 300_000, together: 1 })])
  assert.equal(both.kind, 'uplink')
})

test('a link that is slow and still keeps up is no bottleneck', () => {
  assert.equal(bottleneckOf([node('node1', { link: 8e6 })]).kind, 'processors')
})

test('a master that is always busy while its nodes wait is what they wait for', () => {
  const nodes = [node('node1', { together: 8 }), node('node2', { together: 8 })]
  const { together } = trialOf(nodes, each)
  const { kind, text } = bottleneckOf(nodes, { together: { ...together, masterBusy: 0.97 } })
  assert.equal(kind, 'master')
  assert.match(text, /97 % busy; the nodes could do 40 images\/s, it keeps up with 16$/)
})

test('a disk that reads no faster than the nodes work is what they wait for', () => {
  const { kind, text } = bottleneckOf([node('node1')], { reading: { images: 40, bytes: 8e6, seconds: 2 } })
  assert.equal(kind, 'inputs')
  assert.match(text, /it reads 3\.8 MiB\/s, 20 images\/s$/)
})

test('links that together carry less than each alone share the way out of this machine', () => {
  const starved = { link: 4e6, together: 10 }
  const { kind, nodes } = bottleneckOf([node('node1', starved), node('node2', starved)])
  assert.deepEqual([kind, nodes], ['uplink', ['node1', 'node2']])
})

test('nodes that slow each other down share processors', () => {
  const nodes = [node('node1', { together: 10 }), node('node2', { together: 10 })]
  const slowed = trialOf(
    nodes.map((each) => ({ ...each, workMs: 200 })),
    each,
  )
  const { kind, text } = bottleneckOf(nodes, { together: slowed.together })
  assert.equal(kind, 'processors')
  assert.match(text, /they share some; 20 images\/s together, 40 if each worked alone$/)
})
