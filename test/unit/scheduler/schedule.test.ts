import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../src/common/clock.ts'
import { CpnError } from '../../../src/common/errors.ts'
import { schedule } from '../../../src/scheduler/schedule.ts'
import type { AttemptEvent } from '../../../src/scheduler/scheduler.ts'
import { crashedWorker, job, jobs, lostHost, run, SimulatedClock, SimulatedNode, SimulatedPool } from './simulation.ts'

const steady = (ms: number) => () => ({ ms })

test('every job has one outcome, and no node gets more than its slots', async () => {
  const clock = new SimulatedClock()
  const nodes = [new SimulatedNode('a', 2, clock, steady(10)), new SimulatedNode('b', 3, clock, steady(15))]
  const outcomes = await run(jobs(200), new SimulatedPool(nodes), clock)
  assert.equal(new Set(outcomes.map((outcome) => outcome.job.id)).size, 200)
  assert.ok(outcomes.every((outcome) => outcome.state === 'done'))
  assert.deepEqual(
    nodes.map((node) => node.mostInFlight),
    [2, 3],
  )
})

test('work follows measured rates, not slots', async () => {
  const clock = new SimulatedClock()
  const fast = new SimulatedNode('fast', 2, clock, steady(10))
  const slow = new SimulatedNode('slow', 2, clock, steady(200))
  await run(jobs(210), new SimulatedPool([slow, fast]), clock)
  assert.ok(slow.seen.length <= 16, `the slow node took ${slow.seen.length} of 210`)
  assert.ok(clock.now() < 1500, `it took ${clock.now()} ms where ${(210 / 210) * 1000} is ideal`)
})

test('a lost host takes nothing from an image: its jobs are done elsewhere however often it fails', async () => {
  const clock = new SimulatedClock()
  const dead = new SimulatedNode('dead', 2, clock, () => ({ ms: 1, error: lostHost() }))
  const good = new SimulatedNode('good', 1, clock, steady(5))
  const outcomes = await run(jobs(20), new SimulatedPool([dead, good]), clock)
  assert.equal(outcomes.filter((outcome) => outcome.state === 'done').length, 20)
  assert.ok(dead.seen.length > 0)
})

test('a job goes to another node after a failure, and back only when there is no other', async () => {
  const clock = new SimulatedClock()
  let failures = 0
  const flaky = new SimulatedNode('flaky', 1, clock, () => (failures++ < 4 ? { ms: 1, error: lostHost() } : { ms: 1 }))
  const [outcome] = await run(jobs(1), new SimulatedPool([flaky]), clock)
  assert.equal(outcome?.state, 'done')
  assert.equal(outcome?.attempts, 5)
})

test('an image that kills workers on two nodes is quarantined; the others are done', async () => {
  const clock = new SimulatedClock()
  const behaviour = ({ id }: { id: string }) => (id === 'job7' ? { ms: 1, error: crashedWorker() } : { ms: 5 })
  const nodes = ['a', 'b', 'c'].map((name) => new SimulatedNode(name, 1, clock, behaviour))
  const outcomes = await run(jobs(20), new SimulatedPool(nodes), clock)
  const poison = outcomes.filter((outcome) => outcome.state !== 'done')
  assert.deepEqual(
    poison.map(({ job: { id }, state, attempts }) => ({ id, state, attempts })),
    [{ id: 'job7', state: 'quarantined', attempts: 2 }],
  )
  assert.equal(nodes.filter((node) => node.seen.includes('job7')).length, 2)
})

test('with one node an image is quarantined after it killed two workers', async () => {
  const clock = new SimulatedClock()
  const only = new SimulatedNode('only', 1, clock, () => ({ ms: 1, error: crashedWorker() }))
  const [outcome] = await run(jobs(1), new SimulatedPool([only]), clock)
  assert.equal(outcome?.state, 'quarantined')
  assert.equal(only.seen.length, 2)
})

test('a verdict about the image is final at once, from a node that does other jobs', async () => {
  const clock = new SimulatedClock()
  const error = new CpnError('CPN_ERR_IMAGE_DECODE', 'truncated')
  const behaviour = ({ id }: { id: string }) => (id === 'job30' ? { ms: 1, error } : { ms: 5 })
  const nodes = ['a', 'b'].map((name) => new SimulatedNode(name, 1, clock, behaviour))
  const outcomes = await run(jobs(40), new SimulatedPool(nodes), clock)
  assert.deepEqual(
    outcomes.filter(({ state }) => state !== 'done').map(({ job: { id }, state, attempts }) => [id, state, attempts]),
    [['job30', 'failed', 1]],
  )
})

test('a node that has done nothing yet does not decide alone that an image cannot be used', async () => {
  const clock = new SimulatedClock()
  const error = new CpnError('CPN_ERR_IMAGE_DECODE', 'its decoder is broken')
  const broken = new SimulatedNode('broken', 2, clock, () => ({ ms: 1, error }))
  const nodes = [broken, ...['b', 'c'].map((name) => new SimulatedNode(name, 2, clock, steady(10)))]
  const outcomes = await run(jobs(50), new SimulatedPool(nodes), clock)
  assert.equal(outcomes.filter(({ state }) => state === 'done').length, 50)
  assert.ok(broken.seen.length <= 15, `the broken node was asked ${broken.seen.length} times`)
})

test('a busy node is left alone for a while and nothing is blamed', async () => {
  const clock = new SimulatedClock()
  let refusals = 0
  const busy = new CpnError('CPN_ERR_AGENT_BUSY', 'full', { retryable: true })
  const node = new SimulatedNode('a', 2, clock, () => (refusals++ < 3 ? { ms: 1, error: busy } : { ms: 1 }))
  const outcomes = await run(jobs(5), new SimulatedPool([node]), clock)
  assert.equal(outcomes.filter((outcome) => outcome.state === 'done').length, 5)
})

test('no usable node: the run waits and goes on when one is back', async () => {
  const clock = new SimulatedClock()
  const node = new SimulatedNode('a', 0, clock, steady(1))
  const pool = new SimulatedPool([node])
  void clock.sleep(1000).then(() => {
    node.slots = 1
    pool.changed()
  })
  const outcomes = await run(jobs(3), pool, clock)
  assert.equal(outcomes.length, 3)
  assert.ok(clock.now() >= 1000)
})

test('draining ends what is in work and starts nothing new', async () => {
  const clock = new SimulatedClock()
  const drain = new AbortController()
  const node = new SimulatedNode('a', 2, clock, steady(10))
  void clock.sleep(25).then(() => drain.abort())
  const outcomes = await run(jobs(100), new SimulatedPool([node]), clock, { drain: drain.signal })
  assert.equal(outcomes.length, node.seen.length)
  assert.ok(outcomes.length >= 4 && outcomes.length <= 8, String(outcomes.length))
})

test('jobs are pulled only as nodes take them', async () => {
  const clock = new SimulatedClock()
  let pulled = 0
  async function* counted() {
    for await (const each of jobs(1000)) {
      pulled++
      yield each
    }
  }
  const drain = new AbortController()
  void clock.sleep(100).then(() => drain.abort())
  const node = new SimulatedNode('a', 2, clock, steady(1000))
  await run(counted(), new SimulatedPool([node]), clock, { drain: drain.signal })
  assert.ok(pulled <= 3, `${pulled} jobs were pulled for 2 slots`)
})

test('a source that fails ends the run with its error', async () => {
  const clock = new SimulatedClock()
  // biome-ignore lint/correctness/useYield: it fails before it has anything to give
  async function* broken(): AsyncGenerator<ReturnType<typeof job>> {
    throw new Error('the disk is gone')
  }
  const pool = new SimulatedPool([new SimulatedNode('a', 1, clock, steady(1))])
  await assert.rejects(run(broken(), pool, clock), /the disk is gone/)
})

test('every attempt is told, with its number, node and end', async () => {
  const clock = new SimulatedClock()
  const events: AttemptEvent[] = []
  let first = true
  const node = new SimulatedNode('a', 1, clock, () => {
    const error = first ? lostHost() : undefined
    first = false
    return { ms: 1, error }
  })
  await run(jobs(1), new SimulatedPool([node]), clock, { onAttempt: (event) => events.push(event) })
  assert.deepEqual(
    events.map(({ attempt, state, error }) => [attempt, state, error?.code]),
    [
      [1, 'started', undefined],
      [1, 'failed', 'CPN_ERR_CONNECTION_LOST'],
      [2, 'started', undefined],
      [2, 'done', undefined],
    ],
  )
})

test('a retried attempt is never forgotten, also by the real clock', async () => {
  const runs = Array.from({ length: 50 }, async () => {
    let first = true
    const node = new SimulatedNode('a', 1, systemClock, () => {
      const error = first ? lostHost() : undefined
      first = false
      return { ms: 1, error }
    })
    return run(jobs(1), new SimulatedPool([node]), systemClock, { random: Math.random })
  })
  const outcomes = (await Promise.all(runs)).flat()
  assert.equal(outcomes.filter(({ state }) => state === 'done').length, 50)
})

test('nodes that cannot do it use up no image while one can', async () => {
  const clock = new SimulatedClock()
  const lacking = new CpnError('CPN_ERR_MODEL_MISSING', 'gone')
  const sick = ['a', 'b', 'c'].map((name) => new SimulatedNode(name, 2, clock, () => ({ ms: 1, error: lacking })))
  const good = new SimulatedNode('good', 1, clock, steady(20))
  const outcomes = await run(jobs(20), new SimulatedPool([...sick, good]), clock)
  assert.equal(outcomes.filter(({ state }) => state === 'done').length, 20)
})

test('what no node can do fails after three attempts', async () => {
  const clock = new SimulatedClock()
  const lacking = new CpnError('CPN_ERR_MODEL_MISSING', 'gone')
  const nodes = ['a', 'b'].map((name) => new SimulatedNode(name, 2, clock, () => ({ ms: 1, error: lacking })))
  const [outcome] = await run(jobs(1), new SimulatedPool(nodes), clock)
  assert.deepEqual([outcome?.state, outcome?.attempts], ['failed', 3])
})

test('an image that kills on one node and is lost with the other is quarantined in the end, with patience for the other', async () => {
  const clock = new SimulatedClock()
  const killer = new SimulatedNode('killer', 1, clock, () => ({ ms: 1, error: crashedWorker() }))
  const leaving: SimulatedNode = new SimulatedNode('leaving', 1, clock, () => {
    leaving.slots = 0
    return { ms: 1, error: lostHost() }
  })
  const [outcome] = await run(jobs(1), new SimulatedPool([killer, leaving]), clock)
  assert.deepEqual([outcome?.state, outcome?.attempts], ['quarantined', 11])
})

test('nodes that fail at once do not empty the source into memory', async () => {
  const clock = new SimulatedClock()
  let pulled = 0
  async function* counted() {
    for await (const each of jobs(10_000)) {
      pulled++
      yield each
    }
  }
  const drain = new AbortController()
  void clock.sleep(60_000).then(() => drain.abort())
  const node = new SimulatedNode('a', 4, clock, () => ({ ms: 0, error: lostHost() }))
  await run(counted(), new SimulatedPool([node]), clock, { drain: drain.signal })
  assert.ok(pulled <= 10, `${pulled} jobs are held`)
})

test('a source that fails lets the attempts in work end and their results count', async () => {
  const clock = new SimulatedClock()
  async function* broken() {
    yield job('one')
    yield job('two')
    throw new Error('the disk is gone')
  }
  const seen: string[] = []
  // The first one ends early: a node that was measured has room, and the source is asked for more while the second goes on.
  const node = new SimulatedNode('a', 4, clock, ({ id }) => ({ ms: id === 'one' ? 10 : 1000 }))
  const options = { run: 'run', epoch: 1, pipeline: {} as never, clock, random: () => 0.5 }
  const never = new AbortController().signal
  const outcomes = schedule(broken(), new SimulatedPool([node]), { ...options, drain: never })
  await assert.rejects(async () => {
    for await (const outcome of outcomes) seen.push(outcome.job.id)
  }, /the disk is gone/)
  assert.deepEqual(seen, ['one', 'two'])
})
