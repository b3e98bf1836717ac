import type { Pipeline } from '../protocol/pipeline.ts'
import type { Lanes, NodeCandidate } from './lanes.ts'
import type { NodeNotice } from './scheduler.ts'
import { isOnlySampled, type Task } from './task.ts'
import { countVotes, type Vote } from './votes.ts'

export interface AuditsOptions {
  lanes: Lanes
  pipeline: Pipeline
  random: () => number
  /** Share of jobs, 0..1. */
  audit?: number
  onNotice?: (notice: NodeNotice) => void
  /** Called for each result that others agree against. */
  onOverruled: (vote: Vote, task: Task) => void
}

/** Tries for a second opinion that come to nothing; a result that is there does not wait for ever. */
const maxFailedAudits = { sample: 3, required: 10 } as const

/** Second opinions: which results get one, who is asked, and what follows. */
export class Audits {
  readonly #options: AuditsOptions

  constructor(options: AuditsOptions) {
    this.#options = options
  }

  /**
   * Whether somebody else is asked about this job, too. A share of all results is a sample, which is let go of where it
   * would hold the end of a run up. All results of a node that was wrong before have to be confirmed, and an image that
   * is said to be unusable by a node that has not done anything else yet.
   */
  wants(task: Task, { node, opinion }: Vote): 'sample' | 'required' | undefined {
    const { lanes, random, audit = 0 } = this.#options
    if (!lanes.usable().some((name) => name !== node && !task.history.failedOn.has(name))) return undefined
    const lane = lanes.get(node)
    if ('error' in opinion) {
      return opinion.error.code.startsWith('CPN_ERR_IMAGE_') && lane.successes === 0 ? 'required' : undefined
    }
    if (lane.probation > 0) {
      lane.probation--
      return 'required'
    }
    if (audit >= 1) return 'required'
    return audit > 0 && random() < audit ? 'sample' : undefined
  }

  /** Nodes to ask next: others, or where there are none and two disagree, one of them once more. */
  candidatesFor(task: Task, candidates: NodeCandidate[]): NodeCandidate[] {
    const others = candidates.filter(({ name }) => isUnasked(task, name))
    return others.length > 0 || task.votes.length < 2 ? others : candidates
  }

  /** The opinion that counts; undefined while somebody else has to be asked. What was wrong has its consequences. */
  count(task: Task): Vote | undefined {
    const { lanes, pipeline, onNotice } = this.#options
    const tired = task.failedAudits >= maxFailedAudits[isOnlySampled(task) ? 'sample' : 'required']
    if (tired && task.votes.length === 1) return task.votes[0]
    const usable = lanes.usable()
    const othersLeft = !tired && usable.some((name) => isUnasked(task, name))
    const count = countVotes(task.votes, othersLeft, pipeline)
    if (count.state === 'decided') {
      for (const vote of count.wrong) this.#overrule(vote, task, count.difference)
      return count.kept
    }
    if (count.state === 'more' && !tired) return undefined
    const kept = count.state === 'undecided' ? count.kept : task.votes[0]!
    const difference = count.state === 'undecided' ? count.difference : 'their results'
    onNotice?.({
      kind: 'undecided',
      nodes: [...new Set(task.votes.map(({ node }) => node))],
      job: task.job,
      difference,
    })
    return kept
  }

  #overrule(vote: Vote, task: Task, difference: string): void {
    const { lanes, random, onNotice, onOverruled } = this.#options
    const lane = lanes.get(vote.node)
    const milliseconds = lane.distrust(random)
    lanes.setAside(lane, milliseconds)
    onOverruled(vote, task)
    onNotice?.({ kind: 'overruled', node: vote.node, milliseconds, job: task.job, difference })
  }
}

function isUnasked({ votes, history }: Task, name: string): boolean {
  return !history.failedOn.has(name) && !votes.some(({ node }) => node === name)
}
