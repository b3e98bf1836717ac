import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import type { AttemptEvent, EarlierFailure, Job } from '../../../src/scheduler/scheduler.ts'
import { crashedWorker, job, run, SimulatedClock, SimulatedNode, SimulatedPool } from './simulation.ts'

const crashed: EarlierFailure = { node: 'a', code: 'CPN_ERR_WORKER_CRASHED', alone: false, credible: true }

/** Forty jobs; `poison`, which ends every worker, is the 30th. */
async function* withPoison(earlier: EarlierFailure[]): AsyncGenerator<Job> {
  for (let index = 0; index < 40; index++) yield index === 30 ? { ...job('poison'), earlier } : job(`job${index}`)
}

async function nodesThatPoisonHarms(earlier: EarlierFailure[]): Promise<string[]> {
  const clock = new SimulatedClock()
  const behaviour = ({ id }: Job) => (id === 'poison' ? { ms: 1, error: crashedWorker() } : { ms: 5 })
  const nodes = ['a', 'b', 'c'].map((name) => new SimulatedNode(name, 1, clock, behaviour))
  const outcomes = await run(withPoison(earlier), new SimulatedPool(nodes), clock)
  assert.equal(outcomes.find(({ job }) => job.id === 'poison')?.state, 'quarantined')
  return nodes.filter(({ seen }) => seen.includes('poison')).map(({ name }) => name)
}

test('an image that ended a worker in an earlier process of the run needs one more node, another one', async () => {
  const [harmed, ...others] = await nodesThatPoisonHarms([crashed])
  assert.deepEqual(others, [])
  assert.notEqual(harmed, 'a')
  assert.equal((await nodesThatPoisonHarms([])).length, 2)
})

test('a node that had done nothing else then proves nothing now', async () => {
  assert.deepEqual(await nodesThatPoisonHarms([{ ...crashed, credible: false }]), ['b', 'c'])
})

test('what says nothing about the image is not held against it', async () => {
  for (const code of ['CPN_ERR_CONNECTION_LOST', 'CPN_ERR_AGENT_BUSY', 'CPN_ERR_MODEL_MISSING']) {
    assert.equal((await nodesThatPoisonHarms([{ ...crashed, code }])).length, 2, code)
  }
})

test('a good image is done whatever it was taken for before', async () => {
  const clock = new SimulatedClock()
  const nodes = ['a', 'b'].map((name) => new SimulatedNode(name, 1, clock, () => ({ ms: 5 })))
  const earlier = [crashed, { ...crashed, node: 'b' }]
  const [outcome] = await run(one(earlier), new SimulatedPool(nodes), clock)
  assert.equal(outcome?.state, 'done')
})

test('what was in work when an agent died in an earlier process runs alone', async () => {
  const clock = new SimulatedClock()
  const events: AttemptEvent[] = []
  const node = new SimulatedNode('a', 2, clock, () => ({ ms: 5 }))
  const onAttempt = (event: AttemptEvent) => events.push(event)
  await run(one([{ ...crashed, code: 'CPN_ERR_AGENT_DIED' }]), new SimulatedPool([node]), clock, { onAttempt })
  assert.equal(events[0]?.purpose, 'alone')
})

test('an agent that died with company in an earlier process is no kill, one that died alone is', async () => {
  const attempts = async (alone: boolean) => {
    const clock = new SimulatedClock()
    const died = new CpnError('CPN_ERR_AGENT_DIED', 'the agent ended', { retryable: true })
    const node = new SimulatedNode('a', 2, clock, () => ({ ms: 1, error: died }))
    const [outcome] = await run(one([{ ...crashed, code: died.code, alone }]), new SimulatedPool([node]), clock)
    assert.equal(outcome?.state, 'quarantined')
    return outcome?.attempts
  }
  assert.deepEqual([await attempts(false), await attempts(true)], [3, 2])
})

async function* one(earlier: EarlierFailure[]): AsyncGenerator<Job> {
  yield { ...job('poison'), earlier }
}
