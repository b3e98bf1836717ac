import { type ErrorCode, errorCodes } from '../common/error-codes.ts'
import type { CpnError } from '../common/errors.ts'

/** What the attempts at one job have shown so far. */
export interface JobHistory {
  /** Attempts that say something about the job or a node, not about a lost host. */
  attempts: number
  /** Nodes on which the job killed or hung a worker, one entry per kill. */
  kills: string[]
  /** Nodes that could not do it although they could be reached. */
  failedOn: Set<string>
}

/**
 * fail, quarantine: final. elsewhere: the node is to blame and gets a pause. again: nobody is to blame. busy: the node
 * has no room just now.
 */
export type Verdict = 'fail' | 'quarantine' | 'elsewhere' | 'again' | 'busy'

const maxAttempts = 3
const maxKills = 4

/** The host, the link or its owner is the cause: tells nothing about the job and nothing about the node's health. */
const blameless: ReadonlySet<ErrorCode> = new Set([
  'CPN_ERR_CONNECTION_LOST',
  'CPN_ERR_AGENT_UNREACHABLE',
  'CPN_ERR_AGENT_DRAINING',
  'CPN_ERR_CHANNEL_TIMEOUT',
  'CPN_ERR_CHANNEL_REFUSED',
  'CPN_ERR_FORWARDING_REFUSED',
  'CPN_ERR_NODE_STOPPED',
])

const killing: ReadonlySet<ErrorCode> = new Set(['CPN_ERR_WORKER_CRASHED', 'CPN_ERR_IMAGE_TIMEOUT'])

/**
 * What becomes of a job after a failed attempt on `node`; updates its history.
 * @param usable names of the nodes that could take the job now
 * A verdict about the image is final. One that killed workers on two nodes (or twice where there is only one) is
 * quarantined. What a node cannot do is a failure only when no usable node is left that has not tried. A lost host
 * uses up nothing.
 */
export function judge(error: CpnError, node: string, history: JobHistory, usable: readonly string[]): Verdict {
  if (error.code === 'CPN_ERR_AGENT_BUSY') return 'busy'
  if (blameless.has(error.code)) return 'again'
  history.attempts++
  history.failedOn.add(node)
  if (killing.has(error.code)) {
    history.kills.push(node)
    const { kills } = history
    const proven = usable.length > 1 ? new Set(kills).size >= 2 || kills.length >= maxKills : kills.length >= 2
    return proven ? 'quarantine' : 'elsewhere'
  }
  if (errorCodes[error.code] === 'partial' && !error.retryable) return 'fail'
  const untried = usable.some((name) => !history.failedOn.has(name))
  return untried || history.attempts < maxAttempts ? 'elsewhere' : 'fail'
}

/** Milliseconds until the next try after `failures` failed ones: doubling from 50 ms to 5 s, with full jitter. */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(5000, 50 * 2 ** failures)
}
