import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JobGate } from '../../../src/agent/job-gate.ts'

test('more jobs than slots are refused until one is out', () => {
  const gate = new JobGate(2)
  const first = gate.enter()
  gate.enter()
  assert.equal(gate.busy, 2)
  assert.throws(() => gate.enter(), { code: 'CPN_ERR_AGENT_BUSY', retryable: true })
  first[Symbol.dispose]()
  gate.enter()
})

test('a draining gate lets nobody in and opens when the last one is out', async () => {
  const gate = new JobGate(2)
  const slot = gate.enter()
  const drained = gate.drain()
  assert.throws(() => gate.enter(), { code: 'CPN_ERR_AGENT_DRAINING', retryable: true })
  slot[Symbol.dispose]()
  await drained
})

test('an empty gate is drained at once', async () => {
  await new JobGate(1).drain()
})
