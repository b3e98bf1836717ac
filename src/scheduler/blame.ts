import type { ErrorCode } from '../common/error-codes.ts'
import type { CpnError } from '../common/errors.ts'

/** What the attempts at one job have shown so far. */
export interface JobHistory {
  /** Attempts that say something about the job, not about a lost host. */
  attempts: number
  /** Nodes on which the job killed or hung a worker, one entry per kill. */
  kills: string[]
  /** Nodes that failed in any way. */
  failedOn: Set<string>
}

export type Verdict = 'fail' | 'quarantine' | 'retry'

const maxAttempts = 3

/** Errors that tell nothing about the job: the host, the link or its owner is the cause. */
const blameless: ReadonlySet<ErrorCode> = new Set([
  'CPN_ERR_CONNECTION_LOST',
  'CPN_ERR_AGENT_UNREACHABLE',
  'CPN_ERR_AGENT_BUSY',
  'CPN_ERR_AGENT_DRAINING',
  'CPN_ERR_CHANNEL_TIMEOUT',
  'CPN_ERR_CHANNEL_REFUSED',
  'CPN_ERR_FORWARDING_REFUSED',
  'CPN_ERR_NODE_STOPPED',
])

const killing: ReadonlySet<ErrorCode> = new Set(['CPN_ERR_WORKER_CRASHED', 'CPN_ERR_JOB_TIMEOUT'])

/**
 * What becomes of a job after a failed attempt on `node`; updates its history.
 * @param usableNodes nodes that could take the job now
 * A job that killed workers on two nodes (or twice where there is only one) is quarantined; a verdict about the image
 * is final; a lost host uses up nothing.
 */
export function judge(error: CpnError, node: string, history: JobHistory, usableNodes: number): Verdict {
  history.failedOn.add(node)
  if (blameless.has(error.code)) return 'retry'
  history.attempts++
  if (killing.has(error.code)) {
    history.kills.push(node)
    const enough = usableNodes > 1 ? new Set(history.kills).size >= 2 : history.kills.length >= 2
    return enough ? 'quarantine' : 'retry'
  }
  if (!error.retryable && !error.code.startsWith('CPN_ERR_AGENT_') && !error.code.startsWith('CPN_ERR_MODEL_'))
    return 'fail'
  return history.attempts >= maxAttempts ? 'fail' : 'retry'
}

/** Milliseconds until the next try after `failures` failed ones: doubling from 50 ms to 5 s, with full jitter. */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(5000, 50 * 2 ** failures)
}
