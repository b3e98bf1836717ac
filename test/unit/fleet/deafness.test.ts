import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Deafness } from '../../../src/fleet/deafness.ts'

interface World {
  isBusy?: boolean
  /** What the agent has received, by the second; undefined while no heartbeat comes. */
  receivedBytes: (second: number, asked: number) => number | undefined
  answer?: () => Promise<unknown>
}

const never = () => new Promise(() => undefined)

/** The second in which the agent is taken for deaf; undefined when it never is within two minutes. */
async function deafAfter(t: TestContext, { isBusy = true, receivedBytes, answer = never }: World) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let asked = 0
  using deafness = new Deafness(
    () => isBusy,
    () => {
      asked++
      return answer()
    },
    'node1',
  )
  for (let second = 1; second <= 120; second++) {
    const bytes = receivedBytes(second, asked)
    if (bytes !== undefined) deafness.hear({ receivedBytes: bytes })
    t.mock.timers.tick(1000)
    await setImmediate()
    if (deafness.signal.aborted) {
      assert.equal(deafness.signal.reason.code, 'CPN_ERR_CONNECTION_LOST')
      return second
    }
  }
  return undefined
}

test('an agent that is heard and receives nothing is deaf after some seconds', async (t) => {
  assert.equal(await deafAfter(t, { receivedBytes: () => 100 }), 8)
})

test('questions that fail are no answer', async (t) => {
  const answer = async () => assert.fail('timed out')
  assert.equal(await deafAfter(t, { receivedBytes: () => 100, answer }), 8)
})

test('an agent without work is not asked', async (t) => {
  assert.equal(await deafAfter(t, { isBusy: false, receivedBytes: () => 100 }), undefined)
})

test('a busy link is alive as long as anything arrives, whatever waits behind it', async (t) => {
  assert.equal(await deafAfter(t, { receivedBytes: (second) => Math.floor(second / 5) }), undefined)
})

test('a question that has arrived is enough, its answer may wait', async (t) => {
  assert.equal(await deafAfter(t, { receivedBytes: (_, asked) => asked }), undefined)
})

test('seconds without a heartbeat do not count', async (t) => {
  assert.equal(await deafAfter(t, { receivedBytes: (second) => (second < 4 ? 100 : undefined) }), undefined)
})

test('an agent that does not say what it received is never taken for deaf', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  using deafness = new Deafness(() => true, never, 'node1')
  for (let second = 0; second < 60; second++) {
    deafness.hear({})
    t.mock.timers.tick(1000)
  }
  assert.equal(deafness.signal.aborted, false)
})
