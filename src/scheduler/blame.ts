import { type ErrorCode, errorCodes } from '../common/error-codes.ts'
import type { CpnError } from '../common/errors.ts'
import type { EarlierFailure } from './scheduler.ts'

/** What the attempts at one job have shown so far. */
export interface JobHistory {
  /** Attempts that say something about the job or a node, not about a lost host. */
  attempts: number
  /** Workers or agents that ended with the job and with nothing else that could have been the cause. */
  kills: Kill[]
  /** Nodes that could not do it although they could be reached. */
  failedOn: Set<string>
  /** Agents that died while it was in work there. */
  deaths: Set<Death>
  /** It was in work, among others, when an agent died: its next attempts run alone. */
  suspect: boolean
  /** A deadline passed while a worker had it. */
  wasLate: boolean
}

/** One time that a node's agent died; the same for all that were in work there. */
export interface Death {
  node: string
}

export interface Kill {
  node: string
  /** It took the whole agent, which somebody else may have ended as well. */
  isDeath: boolean
  /** The node does other jobs: that it failed at this one says something about the job. */
  credible: boolean
}

/**
 * fail, quarantine: final. elsewhere: the node is to blame and gets a pause. again: nobody is to blame. busy: the node
 * has no room just now. stop: another master has taken the run over.
 */
export type Verdict = 'fail' | 'quarantine' | 'elsewhere' | 'again' | 'busy' | 'stop'

/** Where and how an attempt failed. */
export interface Circumstances {
  node: string
  /** The node does other jobs. */
  credible: boolean
  /** Nothing else was in work on the node from the attempt's start to its end. */
  alone: boolean
  /** Names of the nodes that could take the job now. */
  usable: readonly string[]
  /** Some other node, which had work in this run and has not failed at this job, may come back. */
  othersAway: boolean
}

const maxAttempts = 3
/** Attempts while a node that might do it, or might prove what it is, is away. */
const patientAttempts = 10
/** So many nodes are proof, whatever each of them is worth. */
const manyNodes = 4

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

const killing: ReadonlySet<string> = new Set(['CPN_ERR_WORKER_CRASHED', 'CPN_ERR_IMAGE_TIMEOUT', 'CPN_ERR_AGENT_DIED'])

/**
 * What is known of a job when it arrives. Of its failures in earlier processes of the run only those count that may be the
 * image's: what a node could not do then it may do now.
 */
export function newHistory(earlier: readonly EarlierFailure[] = []): JobHistory {
  const history: JobHistory = {
    attempts: 0,
    kills: [],
    deaths: new Set(),
    failedOn: new Set(),
    suspect: false,
    wasLate: false,
  }
  for (const failure of earlier) if (killing.has(failure.code)) noteKill(history, failure)
  return history
}

/**
 * What becomes of a job after a failed attempt; updates its history. docs/decisions/0014 explains the rules.
 * A verdict about the image is final. One that killed workers (or an agent, alone) on two nodes, or twice where there is
 * only one, is quarantined; where an agent ended, it takes a third time. What a node cannot do is a failure only when no usable node is left that has not tried. A
 * lost host uses up nothing.
 */
export function judge(error: CpnError, history: JobHistory, circumstances: Circumstances): Verdict {
  const { node, usable, credible, alone, othersAway } = circumstances
  if (error.code === 'CPN_ERR_STALE_EPOCH') return 'stop'
  if (error.code === 'CPN_ERR_AGENT_BUSY') return 'busy'
  if (blameless.has(error.code)) return 'again'
  if (killing.has(error.code)) {
    const isKill = noteKill(history, { code: error.code, node, credible, alone })
    return isKill && isProven(history, circumstances) ? 'quarantine' : 'elsewhere'
  }
  history.attempts++
  history.failedOn.add(node)
  if (isAboutImage(error)) return 'fail'
  const untried = usable.some((name) => !history.failedOn.has(name))
  // Who cannot do it at all says nothing about an image that took a worker down elsewhere.
  const patient = othersAway || history.kills.length > 0
  const enough = history.attempts >= (patient ? patientAttempts : maxAttempts)
  if (untried || !enough) return 'elsewhere'
  return history.kills.length > 0 ? 'quarantine' : 'fail'
}

/** False for one of many that were in work with a dying agent: innocent until it was alone, it uses up nothing. */
function noteKill(history: JobHistory, { code, node, credible, alone }: EarlierFailure): boolean {
  const isDeath = code === 'CPN_ERR_AGENT_DIED'
  if (isDeath) history.suspect = true
  if (code === 'CPN_ERR_IMAGE_TIMEOUT') history.wasLate = true
  if (isDeath && !alone) return false
  history.attempts++
  history.failedOn.add(node)
  history.kills.push({ node, credible, isDeath })
  return true
}

/** An error that is a statement about the image: any node would come to the same. */
export function isAboutImage(error: CpnError): boolean {
  return errorCodes[error.code] === 'partial' && !error.retryable
}

/** Milliseconds until the next try after `failures` failed ones: doubling from 50 ms to 5 s, with full jitter. */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(5000, 50 * 2 ** failures)
}

/**
 * Two nodes that do other jobs are proof. Nodes that have done nothing else yet, or fail at everything, prove nothing
 * while others are left to ask; when nobody is, two kills are enough, wherever they were. An agent that ended alone with
 * the job may have been ended by somebody else, twice even: then it takes three.
 */
function isProven({ kills, failedOn }: JobHistory, { usable, othersAway }: Circumstances): boolean {
  const credible = kills.filter((kill) => kill.credible)
  const needed = kills.some(({ isDeath }) => isDeath) ? 3 : 2
  if ((nodesOf(credible) >= 2 && credible.length >= needed) || nodesOf(kills) >= manyNodes) return true
  if (usable.some((name) => !failedOn.has(name))) return false
  return othersAway ? credible.length >= needed || kills.length >= patientAttempts : kills.length >= needed
}

const nodesOf = (kills: readonly Kill[]) => new Set(kills.map(({ node }) => node)).size
