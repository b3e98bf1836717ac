import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptEvent } from '../../../src/scheduler/scheduler.ts'
import { seeded, simulate, type WorldPlan } from './fleet-simulation.ts'
import { assertInvariants } from './invariants.ts'
import { jobs, run, SimulatedClock, SimulatedNode, SimulatedPool } from './simulation.ts'

/** A fleet of equal nodes and one at 5 % of their speed; with the milliseconds that a perfect plan would take. */
function fleetWithSlowNode(seed: number, count: number): { plan: WorldPlan; idealMs: number } {
  const random = seeded(seed)
  const fast = 1 + Math.floor(random() * 4)
  const slots = [2, 4, 8][Math.floor(random() * 3)]!
  const serviceMs = 30 + random() * 100
  const steady = { slots, spread: 0.3, fault: 'none', joinsAt: 0, leavesAt: Number.POSITIVE_INFINITY } as const
  const nodes = Array.from({ length: fast }, (_, index) => ({ ...steady, name: `fast${index}`, serviceMs }))
  nodes.push({ ...steady, name: 'slow', serviceMs: 20 * serviceMs })
  const images = Array.from({ length: count }, () => 'good' as const)
  return {
    plan: { seed, nodes, images, audit: 0.005, tellsLeft: true },
    idealMs: (count * serviceMs) / ((fast + 0.05) * (slots / 2)),
  }
}

test('one node at 5 % speed costs at most its share: the makespan is at most 1.2 times the ideal', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const { plan, idealMs } = fleetWithSlowNode(seed, 400)
    const report = await simulate(plan)
    assertInvariants(plan, report)
    const ratio = report.milliseconds / idealMs
    assert.ok(ratio <= 1.2, `seed ${seed}: ${ratio.toFixed(2)} times the ideal`)
  }
})

test('an attempt that hangs at the end is overtaken by a copy elsewhere; the late one is called off and dropped', async () => {
  const clock = new SimulatedClock()
  const events: AttemptEvent[] = []
  const hanging = new SimulatedNode('hanging', 2, clock, ({ id }) => ({ ms: id === 'job38' ? 1e9 : 10 }))
  const sound = new SimulatedNode('sound', 2, clock, () => ({ ms: 10 }))
  let first: string | undefined
  for (const node of [hanging, sound]) {
    const answer = node.predict.bind(node)
    node.predict = async (request) => {
      if (request.job.id === 'job38') first ??= node.name
      return answer(request)
    }
  }
  const outcomes = await run(jobs(40), new SimulatedPool([hanging, sound]), clock, {
    onAttempt: (event) => events.push(event),
  })
  assert.equal(outcomes.length, 40)
  assert.ok(clock.now() < 5000, `it took ${clock.now()} ms`)
  const ends = events.filter(({ job, state }) => job === 'job38' && state !== 'started')
  const expected = first === 'hanging' ? ['hedge done', 'work cancelled'] : ['work done']
  assert.deepEqual(ends.map(({ purpose, state }) => `${purpose} ${state}`).toSorted(), expected)
  assert.equal(first, 'hanging')
})

test('a slow node gets no job that the others would be done with before it', async () => {
  const clock = new SimulatedClock()
  const fast = new SimulatedNode('fast', 2, clock, () => ({ ms: 10 }))
  const slow = new SimulatedNode('slow', 2, clock, () => ({ ms: 1000 }))
  let given = 0
  async function* source() {
    for await (const each of jobs(400)) {
      given++
      yield each
    }
  }
  const late: number[] = []
  const answer = slow.predict.bind(slow)
  slow.predict = async (request) => {
    late.push(Number(request.job.id.slice(3)))
    return answer(request)
  }
  await run(source(), new SimulatedPool([fast, slow]), clock, { left: () => 400 - given })
  assert.ok(Math.max(...late) < 300, `the slow node got ${late}`)
})
