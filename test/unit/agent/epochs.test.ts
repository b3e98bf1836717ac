import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EpochGuard } from '../../../src/agent/epochs.ts'

test('a lower epoch than the run has reached is refused, for that run only', () => {
  const epochs = new EpochGuard()
  epochs.check('a', 2)
  epochs.check('a', 2)
  epochs.check('b', 1)
  epochs.check('a', 3)
  assert.throws(() => epochs.check('a', 2), { code: 'CPN_ERR_STALE_EPOCH', retryable: false })
  epochs.check('b', 1)
})

test('runs that were not heard of for long are forgotten, busy ones are not', () => {
  const epochs = new EpochGuard()
  epochs.check('busy', 5)
  epochs.check('quiet', 5)
  for (let run = 0; run < 999; run++) {
    epochs.check(`run-${run}`, 1)
    epochs.check('busy', 5)
  }
  epochs.check('quiet', 1)
  assert.throws(() => epochs.check('busy', 1), { code: 'CPN_ERR_STALE_EPOCH' })
})
