import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import type { AttemptEvent, NodeNotice } from '../../../src/scheduler/scheduler.ts'
import { crashedWorker, jobs, lostHost, run, SimulatedClock, SimulatedNode, SimulatedPool } from './simulation.ts'

const died = () => new CpnError('CPN_ERR_AGENT_DIED', 'the agent ended', { retryable: true })

/** Nodes whose agent dies of some jobs, with all that is in work there, and comes back after a second. */
function mortalNodes(count: number, slots: number, poison: string | readonly string[] = []) {
  const clock = new SimulatedClock()
  const deaths: string[] = []
  const running = new Map<string, Set<AbortController>>()
  const nodes = Array.from({ length: count }, (_, index) => {
    const node: SimulatedNode = new SimulatedNode(`node${index}`, slots, clock, () => ({ ms: 10 }))
    const lives = new Set<AbortController>()
    running.set(node.name, lives)
    const answer = node.predict.bind(node)
    node.predict = async (request) => {
      const life = new AbortController()
      lives.add(life)
      const signal = AbortSignal.any([life.signal, request.signal!])
      try {
        const result = await answer({ ...request, signal })
        if ([poison].flat().includes(request.job.id)) die(node)
        life.signal.throwIfAborted()
        return result
      } finally {
        lives.delete(life)
      }
    }
    return node
  })
  const pool = new SimulatedPool(nodes)
  function die(node: SimulatedNode): void {
    deaths.push(node.name)
    node.slots = 0
    for (const life of running.get(node.name)!) life.abort(died())
    pool.changed()
    void clock.sleep(1000).then(() => {
      node.slots = slots
      pool.changed()
    })
  }
  return { clock, nodes, pool, deaths, die }
}

for (const count of [1, 2, 4]) {
  test(`an image that takes agents down is found out on ${count} nodes, and those in work with it are not blamed`, async () => {
    const { clock, pool, deaths } = mortalNodes(count, 4, 'job9')
    const outcomes = await run(jobs(40), pool, clock)
    const others = outcomes.filter(({ state }) => state !== 'done')
    assert.deepEqual(
      others.map(({ job: { id }, state }) => [id, state]),
      [['job9', 'quarantined']],
    )
    assert.ok(deaths.length <= 4, `${deaths} died`)
  })
}

test('what was in work when an agent died runs again with nothing beside it', async () => {
  const { clock, pool, nodes, die } = mortalNodes(2, 4)
  const events: AttemptEvent[] = []
  void clock.sleep(35).then(() => die(nodes[0]!))
  const outcomes = await run(jobs(60), pool, clock, { onAttempt: (event) => events.push(event) })
  assert.ok(outcomes.every(({ state }) => state === 'done'))
  const alone = events.filter(({ purpose, state }) => purpose === 'alone' && state === 'started')
  assert.ok(alone.length >= 2, `${alone.length} ran alone`)
  const inWork = new Map<string, Set<string>>()
  for (const { node, job, attempt, purpose, state } of events) {
    const here = inWork.get(node) ?? new Set()
    inWork.set(node, here)
    const key = `${job}/${attempt}/${purpose}`
    if (state === 'started') here.add(key)
    else here.delete(key)
    const suspects = [...here].filter((each) => each.endsWith('/alone'))
    if (suspects.length > 0) assert.equal(here.size, 1, `${[...here]} are in work on ${node}`)
  }
})

test('agents that are killed from outside twice while the same image is alone on them do not prove it', async () => {
  const { clock, pool, nodes, die } = mortalNodes(3, 4)
  let kills = 3
  const onAttempt = ({ job, state, node }: AttemptEvent) => {
    if (job === 'job20' && state === 'started' && kills-- > 0)
      void clock.sleep(5).then(() => die(nodes.find(({ name }) => name === node)!))
  }
  const outcomes = await run(jobs(40), pool, clock, { onAttempt })
  assert.equal(kills, -1)
  assert.ok(outcomes.every(({ state }) => state === 'done'))
})

test('deaths that a quarantined image explains do not make the nodes bad witnesses', async () => {
  const { clock, pool, deaths } = mortalNodes(2, 2, ['job9', 'job29', 'job49'])
  const outcomes = await run(jobs(60), pool, clock)
  assert.equal(outcomes.filter(({ state }) => state === 'quarantined').length, 3)
  assert.ok(deaths.length <= 3 * 4, `${deaths} died`)
})

test('a node whose workers die of everything proves nothing while one that only just began is away', async () => {
  const clock = new SimulatedClock()
  const broken = new SimulatedNode('broken', 4, clock, () => ({ ms: 20, error: crashedWorker() }))
  const away: SimulatedNode = new SimulatedNode('away', 4, clock, () => {
    if (clock.now() >= 1000) return { ms: 10 }
    away.slots = 0
    return { ms: 10, error: lostHost() }
  })
  const pool = new SimulatedPool([away, broken])
  void clock.sleep(1000).then(() => {
    away.slots = 4
    pool.changed()
  })
  const outcomes = await run(jobs(50), pool, clock)
  assert.equal(outcomes.filter(({ state }) => state === 'done').length, 50)
})

test('a quarantined image is told with the nodes that prove it', async () => {
  const clock = new SimulatedClock()
  const behaviour = ({ id }: { id: string }) => (id === 'job20' ? { ms: 1, error: crashedWorker() } : { ms: 5 })
  const nodes = ['a', 'b'].map((name) => new SimulatedNode(name, 2, clock, behaviour))
  const outcomes = await run(jobs(40), new SimulatedPool(nodes), clock)
  const poison = outcomes.find(({ state }) => state === 'quarantined')
  assert.ok(poison?.state === 'quarantined')
  assert.deepEqual(poison.nodes.toSorted(), ['a', 'b'])
})

test('nodes whose workers die of everything prove nothing against an image that another node can do', async () => {
  const clock = new SimulatedClock()
  const broken = ['a', 'b', 'c'].map(
    (name) => new SimulatedNode(name, 2, clock, () => ({ ms: 1, error: crashedWorker() })),
  )
  const sound = new SimulatedNode('sound', 2, clock, () => ({ ms: 30 }))
  const outcomes = await run(jobs(50), new SimulatedPool([...broken, sound]), clock)
  assert.equal(outcomes.filter(({ state }) => state === 'done').length, 50)
})

test('a node that fails while another does not is set aside, for longer each time, and is told of', async () => {
  const clock = new SimulatedClock()
  const notices: NodeNotice[] = []
  const lacking = new CpnError('CPN_ERR_MODEL_MISSING', 'gone')
  const sick = new SimulatedNode('sick', 2, clock, () => ({ ms: 1, error: lacking }))
  const sound = new SimulatedNode('sound', 2, clock, () => ({ ms: 50 }))
  await run(jobs(3000), new SimulatedPool([sick, sound]), clock, { onNotice: (notice) => notices.push(notice) })
  const pauses = notices.map((notice) =>
    notice.kind === 'set-aside' && notice.node === 'sick' ? notice.milliseconds : 0,
  )
  assert.ok(pauses.length >= 3)
  assert.deepEqual(
    pauses,
    pauses.toSorted((a, b) => a - b),
  )
  assert.ok(pauses.every((pause) => pause > 0 && pause <= 60_000))
  assert.ok(sick.seen.length < 20, `the sick node got ${sick.seen.length} jobs`)
})

test('all nodes fail: none is set aside, and the run goes on as soon as one works', async () => {
  const clock = new SimulatedClock()
  const notices: NodeNotice[] = []
  const nodes = ['a', 'b'].map(
    (name) =>
      new SimulatedNode(name, 1, clock, () => (clock.now() < 30_000 ? { ms: 1, error: lostHost() } : { ms: 5 })),
  )
  const outcomes = await run(jobs(20), new SimulatedPool(nodes), clock, { onNotice: (notice) => notices.push(notice) })
  assert.equal(outcomes.filter(({ state }) => state === 'done').length, 20)
  assert.deepEqual(notices, [])
  assert.ok(clock.now() < 37_000, `it took ${clock.now()} ms`)
})

test('a run that another master has taken over ends', async () => {
  const clock = new SimulatedClock()
  const stale = new CpnError('CPN_ERR_STALE_EPOCH', 'a newer master has the run')
  const node = new SimulatedNode('a', 2, clock, ({ id }) => (id === 'job5' ? { ms: 1, error: stale } : { ms: 5 }))
  await assert.rejects(run(jobs(50), new SimulatedPool([node]), clock), { code: 'CPN_ERR_STALE_EPOCH' })
  assert.ok(node.seen.length < 10)
})

test('a job that a deadline ended gets the longest one next', async () => {
  const clock = new SimulatedClock()
  const late = new CpnError('CPN_ERR_IMAGE_TIMEOUT', 'not done', { retryable: true })
  const deadlines: number[] = []
  const nodes = ['a', 'b'].map(
    (name) =>
      new SimulatedNode(name, 2, clock, ({ id }, { deadlineMs }) => {
        if (id !== 'job30') return { ms: 10 }
        deadlines.push(deadlineMs)
        return deadlines.length === 1 ? { ms: deadlineMs, error: late } : { ms: 50_000 }
      }),
  )
  const outcomes = await run(jobs(40), new SimulatedPool(nodes), clock)
  assert.ok(outcomes.every(({ state }) => state === 'done'))
  assert.deepEqual(deadlines, [20_000, 120_000])
})
