import assert from 'node:assert/strict'
import type { JobOutcome } from '../../../src/scheduler/scheduler.ts'
import { type ImageKind, isRight, type WorldPlan, type WorldReport } from './fleet-simulation.ts'

const expected: Record<ImageKind, JobOutcome['state']> = {
  good: 'done',
  undecodable: 'failed',
  'kills-worker': 'quarantined',
  'kills-agent': 'quarantined',
}

/** What holds in every world, whatever happens in it; throws with the seed otherwise. */
export function assertInvariants(plan: WorldPlan, report: WorldReport): void {
  const where = `seed ${plan.seed}`
  assert.deepEqual(report.breaches, [], where)
  assertOneOutcomeEach(plan, report, where)
  assertFairBlame(plan, report, where)
  assertAttemptsEnd(report, where)
  const count = (purpose: string) => report.events.filter((e) => e.purpose === purpose && e.state === 'started').length
  const most = Math.max(1, Math.floor(0.05 * plan.images.length))
  assert.ok(count('hedge') <= most, `${where}: ${count('hedge')} hedges for ${plan.images.length} jobs`)
}

function assertOneOutcomeEach({ images }: WorldPlan, { outcomes }: WorldReport, where: string): void {
  assert.equal(outcomes.length, images.length, `${where}: outcomes`)
  assert.equal(new Set(outcomes.map(({ job }) => job.id)).size, images.length, `${where}: jobs with an outcome`)
}

/** Each image gets what it deserves, whatever is wrong with the nodes, and a result that counts is right. */
function assertFairBlame({ images }: WorldPlan, { outcomes }: WorldReport, where: string): void {
  for (const outcome of outcomes) {
    const kind = images[Number(outcome.job.id.slice('job'.length))]!
    const code = 'error' in outcome ? outcome.error.code : ''
    assert.equal(outcome.state, expected[kind], `${where}: ${outcome.job.id} (${kind}) ${code}`)
    if (outcome.state === 'done') assert.ok(isRight(outcome.result), `${where}: ${outcome.job.id} is wrong`)
  }
}

/** Every attempt that started is told to have ended, once. */
function assertAttemptsEnd({ events }: WorldReport, where: string): void {
  const open = new Set<string>()
  for (const { job, attempt, state } of events) {
    const key = `${job}/${attempt}`
    if (state === 'started') assert.ok(!open.has(key) && open.add(key), `${where}: ${key} starts twice`)
    else if (state !== 'overruled') assert.ok(open.delete(key), `${where}: ${key} ends without having started`)
  }
  assert.deepEqual([...open], [], `${where}: attempts without an end`)
}
