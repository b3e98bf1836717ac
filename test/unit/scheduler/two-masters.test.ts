import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import type { AttemptRequest, JobOutcome, NodeResult, SchedulableNode } from '../../../src/scheduler/scheduler.ts'
import { seeded } from './fleet-simulation.ts'
import { jobs, run, SimulatedClock } from './simulation.ts'

const slots = 8
const serviceMs = 50
const wayMs = 2

/** A node that several masters use: who comes when all slots are taken is refused. */
class SharedNode implements SchedulableNode {
  readonly name = 'shared'
  readonly slots = slots
  refusals = 0
  #inWork = 0
  readonly #clock: SimulatedClock
  readonly #random: () => number

  constructor(clock: SimulatedClock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  async predict({ job, attempt, epoch, signal }: AttemptRequest): Promise<NodeResult> {
    await this.#clock.sleep(wayMs, signal)
    if (this.#inWork >= slots) {
      this.refusals++
      await this.#clock.sleep(wayMs, signal)
      throw new CpnError('CPN_ERR_AGENT_BUSY', 'all slots are taken', { retryable: true })
    }
    this.#inWork++
    await this.#clock.sleep(serviceMs * (0.5 + this.#random()), signal)
    this.#inWork--
    await this.#clock.sleep(wayMs, signal)
    return { answer: { job: job.id, attempt, epoch, width: 1, height: 1, faces: [], parts: [], timings: {} } }
  }
}

test('two masters on one node get equal shares, also when one comes later, and the node stays busy', async () => {
  const clock = new SimulatedClock()
  const random = seeded(1)
  const node = new SharedNode(clock, random)
  const pool = { nodes: [node], onChange: () => () => undefined }
  const count = 2000
  const done: { master: string; at: number }[] = []
  const master = (name: string): Promise<JobOutcome[]> =>
    run(jobs(count), pool, clock, {
      random,
      onAttempt: ({ state }) => state === 'done' && done.push({ master: name, at: clock.now() }),
    })
  const later = clock.sleep(1000).then(() => master('later'))
  const outcomes = await Promise.all([master('first'), later])
  assert.ok(outcomes.flat().every(({ state }) => state === 'done'))

  const firstEnds = Math.max(...done.filter(({ master }) => master === 'first').map(({ at }) => at))
  const together = done.filter(({ at }) => at > 2000 && at <= firstEnds)
  // In no second one of them is kept from working.
  for (let second = 2000; second + 1000 <= firstEnds; second += 1000) {
    const within = together.filter(({ at }) => at > second && at <= second + 1000)
    const share = within.filter(({ master }) => master === 'later').length / within.length
    assert.ok(share > 0.25 && share < 0.75, `the later one got ${share} of second ${second / 1000}`)
  }
  const share = together.filter(({ master }) => master === 'later').length / together.length
  assert.ok(share > 0.4 && share < 0.6, `the later one got ${share}`)
  const atBest = (2 * count * (serviceMs + 2 * wayMs)) / slots
  assert.ok(clock.now() < 1.3 * atBest, `it took ${clock.now()} ms instead of ${atBest}`)
  assert.ok(node.refusals < 0.2 * 2 * count, `${node.refusals} refusals`)
})
