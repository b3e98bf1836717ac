import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planImport } from '../../../../src/actions/hosts/plan-import.ts'
import type { ForeignHost } from '../../../../src/inventory/foreign-host.ts'
import { plainHost } from '../../../integration/transport-fixture.ts'

const host = (alias: string, settings: ForeignHost['settings'] = {}): ForeignHost => ({
  alias,
  settings: { address: alias, ...settings },
})
const reasons = (plan: ReturnType<typeof planImport>) => plan.left.map(({ alias, reason }) => `${alias}: ${reason}`)

test('names are made valid, and jumps follow', () => {
  const { added } = planImport([host('Gate.Example.COM'), host('in_side', { jump: 'Gate.Example.COM,other' })], [])
  assert.deepEqual(added, {
    'gate-example-com': { address: 'Gate.Example.COM' },
    'in-side': { address: 'in_side', jump: 'gate-example-com,other' },
  })
})

test('a host whose name is its address says nothing twice', () => {
  assert.deepEqual(planImport([host('node1', { port: 2222 })], []).added, { node1: { port: 2222 } })
})

test('what exists already, by name or place, is left alone', () => {
  const existing = [plainHost({ name: 'node1' }), plainHost({ name: 'gate', address: '192.0.2.7' })]
  const plan = planImport([host('node1'), host('other', { address: '192.0.2.7' })], existing)
  assert.deepEqual(plan.added, {})
  assert.deepEqual(plan.names, ['node1'])
  assert.deepEqual(reasons(plan), [
    'node1: the inventory has a host node1 already',
    'other: it is the same place as gate',
  ])
})

test('hosts that would be called or placed the same are added once', () => {
  const plan = planImport([host('a.b'), host('a_b'), host('c', { address: 'a.b' })], [])
  assert.deepEqual(Object.keys(plan.added), ['a-b'])
  assert.equal(plan.left.length, 2)
})

test('what an inventory cannot say is left out with its reason, and the rest comes', () => {
  const wrong = [host('all'), host('___'), host('p', { port: 99_999 }), { ...host('w'), fault: 'no SSH' }]
  const plan = planImport([...wrong, host('good')], [])
  assert.deepEqual(Object.keys(plan.added), ['good'])
  assert.deepEqual(
    plan.left.map(({ alias }) => alias),
    ['all', '___', 'p', 'w'],
  )
  assert.match(reasons(plan)[2]!, /port is a whole number/)
})

test('hosts that would be reached through themselves are left alone, and no others', () => {
  const foreign = [host('a', { jump: 'b' }), host('b', { jump: 'a' }), host('self', { jump: 'self' }), host('ok')]
  const plan = planImport([...foreign, host('behind', { jump: 'ok' })], [])
  assert.deepEqual(Object.keys(plan.added), ['ok', 'behind'])
  assert.deepEqual(plan.names, ['ok', 'behind'])
  const circle = 'it would be reached through itself'
  assert.deepEqual(reasons(plan), [`a: ${circle}`, `b: ${circle}`, `self: ${circle}`])
})

test('hosts that would be reached through themselves are left alone, and no others', () => {
  const foreign = [host('a', { jump: 'b' }), host('b', { jump: 'a' }), host('self', { jump: 'self' }), host('ok')]
  const plan = planImport([...foreign, host('behind', { jump: 'ok' })], [])
  assert.deepEqual(Object.keys(plan.added), ['ok', 'behind'])
  assert.deepEqual(plan.names, ['ok', 'behind'])
  const circle = 'it would be reached through itself'
  assert.deepEqual(reasons(plan), [`a: ${circle}`, `b: ${circle}`, `self: ${circle}`])
})
