import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapAhead } from '../../../src/common/map-ahead.ts'

async function* numbers(count: number): AsyncGenerator<number> {
  for (let value = 0; value < count; value++) yield value
}

test('results come in order, with a bounded number of calls ahead', async () => {
  let running = 0
  let most = 0
  const results: number[] = []
  const mapped = mapAhead(numbers(20), 3, async (value) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return value * 2
  })
  for await (const result of mapped) results.push(result)
  assert.deepEqual(
    results,
    Array.from({ length: 20 }, (_, value) => value * 2),
  )
  assert.ok(most >= 2 && most <= 4, String(most))
})

test('a result does not wait for the next item of a slow source', async () => {
  const more = Promise.withResolvers<void>()
  async function* slow(): AsyncGenerator<number> {
    yield 1
    await more.promise
    yield 2
  }
  const mapped = mapAhead(slow(), 4, async (value) => value)
  assert.deepEqual(await mapped.next(), { done: false, value: 1 })
  more.resolve()
  assert.deepEqual(await mapped.next(), { done: false, value: 2 })
  assert.equal((await mapped.next()).done, true)
})

test('a source that fails ends the results with its error', async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1
    throw new Error('gone')
  }
  const mapped = mapAhead(broken(), 4, async (value) => value)
  await assert.rejects(async () => {
    for await (const _ of mapped);
  }, /gone/)
})
