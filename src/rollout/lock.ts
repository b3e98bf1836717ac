import { CpnError } from '../common/errors.ts'
import type { StatePaths } from '../inventory/state.ts'
import { lockOut, outOwner } from '../runs/run-lock.ts'

/** Keeps two rollouts of one inventory apart until it is disposed. Throws CPN_ERR_ROLLOUT_BUSY, CPN_ERR_STATE_DIR. */
export function lockRollouts({ locksDir, pipelinesDir }: StatePaths): Disposable {
  try {
    return lockOut(locksDir, pipelinesDir)
  } catch (error) {
    if (!(error instanceof CpnError) || error.code !== 'CPN_ERR_RUN_BUSY') throw error
    const owner = outOwner(locksDir, pipelinesDir)
    const who = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : 'another process'
    throw new CpnError('CPN_ERR_ROLLOUT_BUSY', `${who}, is pushing models or changing the version in use`, {
      retryable: true,
      suggestions: ['Wait until it is done, then run this again.'],
    })
  }
}
