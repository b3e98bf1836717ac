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
