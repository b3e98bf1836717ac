import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzKind, kindNames, shareOf } from './fuzz.ts'

/** `npm run test:fuzz` has more of them. */
const total = 600

for (const kind of kindNames) {
  test(`damaged ${kind} get a typed verdict`, async () => {
    const { faults } = await fuzzKind(kind, 4, 0, shareOf(kind, total))
    assert.deepEqual(faults, [])
  })
}
