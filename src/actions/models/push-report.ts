import type { CpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import type { Difference } from '../../rollout/compare.ts'

export interface PushOptions {
  inventory: Inventory
  /** Patterns; none means all. */
  hosts: string[]
  /** `persons@2`, or by `persons` the newest version. */
  version: string
  /** Nodes that try it first. */
  canaries: number
  /** Nodes at once after them. */
  batch: number
  /** Failed nodes with which it is given up; default half of the nodes, at least two. */
  maxFail?: number
  /** Share of the golden pictures' faces, 0..1, that may be lost against the version in use. */
  maxLost: number
  /** Folder of pictures; cpn draws some without it. */
  golden?: string
}

/**
 * ready: has it and gave the same results as the canary. unchanged: had it before. skipped: stopped or not provisioned; it
 * gets it when it is used. failed: went back alone. back: was ready, and went back with the rest. waiting: was not begun.
 */
export type PushedState = 'ready' | 'unchanged' | 'skipped' | 'failed' | 'back' | 'waiting'

export interface PushedNode {
  name: string
  canary: boolean
  state: PushedState
  /** Models that were sent, as name@version. */
  sent: string[]
  bytes: number
  /** Why it failed or was skipped. */
  error: CpnError | null
  /** Models that could not be removed again. */
  left: string[]
}

/** What the golden pictures showed. */
export interface GoldenReport {
  pictures: number
  /** Against the version in use, where a canary has it. */
  before: Difference | null
  /** Against what is known of the pictures. */
  truth: Difference | null
}

export interface PushReport {
  pipeline: string
  /** What was pushed, what was in use before, and what is in use now. */
  version: string
  from: string
  active: string
  models: string[]
  /** The embedder is another one: people enrolled with the one before are not recognised. */
  embedderChanged: boolean
  golden: GoldenReport | null
  nodes: PushedNode[]
  /** Why the push was given up. */
  error: CpnError | null
}

/** What a push tells while it goes on. */
export type PushEvent =
  | { type: 'begin'; version: string; from: string; hosts: number }
  | { type: 'sending'; host: string; models: string[]; bytes: number }
  | { type: 'looking'; host: string; pictures: number }
  | { type: 'golden'; report: GoldenReport }
  | { type: 'node'; node: PushedNode }
