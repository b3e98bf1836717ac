import assert from 'node:assert/strict'
import { test } from 'node:test'
import { thresholdFor } from '../../../src/actions/naming.ts'

test('the threshold is that of the model for a family, and grows with the number of people', () => {
  assert.deepEqual(
    [1, 5, 70].map((people) => thresholdFor(people, 0.4)),
    [0.4, 0.4, 0.4],
  )
  assert.deepEqual(
    [200, 700, 7000].map((people) => thresholdFor(people, 0.4)),
    [0.43, 0.465, 0.53],
  )
})
