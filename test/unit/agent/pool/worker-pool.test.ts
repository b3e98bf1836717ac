import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { type PoolOptions, WorkerPool } from '../../../../src/agent/pool/worker-pool.ts'
import { restartDelayMs } from '../../../../src/agent/pool/worker-seat.ts'
import type { Answer } from '../../../../src/agent/server/answer.ts'
import type { Order } from '../../../../src/agent/worker-messages.ts'
import { createLogger } from '../../../../src/common/logger.ts'
import { until } from '../../../helpers/until.ts'

const fixtures = join(import.meta.dirname, '../../../fixtures')

function startPool(options: Partial<PoolOptions> = {}, program = 'obedient-worker.mjs') {
  const pool = new WorkerPool({
    workers: 1,
    launch: () => spawn(process.execPath, [join(fixtures, program)], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] }),
    logger: createLogger(),
    rssLimitBytes: Infinity,
    ...options,
  })
  pool.start()
  const run = (order: string, { deadlineMs = 60_000, signal = new AbortController().signal } = {}) =>
    pool.run({ order: {} as Order, image: [Buffer.from(order)], deadlineMs, signal })
  return { pool, run, [Symbol.asyncDispose]: () => pool.close() }
}

/** The worker that gave the answer. */
function pidOf({ body }: Answer): number {
  return JSON.parse(Buffer.concat(body).toString())
}

test('jobs that wait run in the order they came', async () => {
  await using started = startPool()
  const finished: string[] = []
  const orders = ['a', 'b', 'c', 'd']
  await Promise.all(orders.map((order) => started.run(order).then(() => finished.push(order))))
  assert.deepEqual(finished, orders)
  assert.equal(started.pool.done, 4)
})

test('workers share the jobs', async () => {
  await using started = startPool({ workers: 2 })
  await until(() => started.pool.workersReady === 2, 'both workers are ready')
  const results = await Promise.all(['a', 'b'].map((order) => started.run(order)))
  const pids = new Set(results.map(pidOf))
  assert.equal(pids.size, 2)
})

test('a worker that dies fails its own job only and is replaced', async () => {
  await using started = startPool()
  const [crash, after] = await Promise.allSettled([started.run('crash'), started.run('a')])
  assert.equal(crash?.status === 'rejected' && crash.reason.code, 'CPN_ERR_WORKER_CRASHED')
  assert.match(crash?.status === 'rejected' ? crash.reason.message : '', /SIGKILL/)
  assert.equal(after?.status, 'fulfilled')
  assert.equal(started.pool.restarts, 1)
  assert.equal(started.pool.done, 1)
})

test('what a worker had answered before it died counts', async () => {
  await using started = startPool()
  await started.run('answer and crash')
  await until(() => started.pool.restarts === 1, 'the worker is replaced')
  assert.equal(started.pool.done, 1)
})

test('a worker that sends what is no message is ended like one that crashed, and harms nobody', async () => {
  await using started = startPool()
  for (const lie of ['send no JSON', 'send no message', 'send null', 'announce gigabytes']) {
    const [lied, after] = await Promise.allSettled([started.run(lie), started.run('a')])
    assert.equal(lied?.status === 'rejected' && lied.reason.code, 'CPN_ERR_WORKER_CRASHED', lie)
    assert.equal(after?.status, 'fulfilled', lie)
  }
})

test("a worker's own error is passed on and counts as done", async () => {
  await using started = startPool()
  await assert.rejects(started.run('fail'), { code: 'CPN_ERR_IMAGE_DECODE' })
  await started.run('a')
  assert.deepEqual([started.pool.done, started.pool.restarts], [2, 0])
})

test('a job that takes too long costs its worker, and the next job gets a new one', async () => {
  await using started = startPool()
  await started.run('a')
  await assert.rejects(started.run('hang', { deadlineMs: 50 }), { code: 'CPN_ERR_IMAGE_TIMEOUT', retryable: true })
  await started.run('b')
  assert.equal(started.pool.restarts, 1)
})

test('a job whose time is over while it waits costs no worker', async () => {
  const started = startPool()
  await started.run('a')
  const hanging = assert.rejects(started.run('hang'), { code: 'CPN_ERR_WORKER_CRASHED' })
  await assert.rejects(started.run('b', { deadlineMs: 50 }), { code: 'CPN_ERR_JOB_TIMEOUT' })
  assert.equal(started.pool.workersReady, 1)
  assert.equal(started.pool.restarts, 0)
  await started.pool.close()
  await hanging
})

test('a job can be taken back while it waits', async () => {
  await using started = startPool()
  const cancel = new AbortController()
  const first = started.run('a')
  const second = started.run('crash', { signal: cancel.signal })
  cancel.abort(new Error('nobody wants it'))
  await assert.rejects(second, { message: 'nobody wants it' })
  await first
  await started.run('b')
  assert.equal(started.pool.restarts, 0)
})

test('a worker that has grown too large is replaced after its job', async () => {
  await using started = startPool({ rssLimitBytes: 160 * 2 ** 20 })
  const before = await started.run('a')
  for (let round = 0; round < 3; round++) await started.run('grow')
  await until(() => started.pool.restarts > 0, 'the worker is replaced')
  const after = await started.run('a')
  assert.notEqual(pidOf(after), pidOf(before))
})

/** Runs jobs that are matched with a gallery; tells which galleries their worker was sent, ever. */
function named(started: ReturnType<typeof startPool>) {
  const { signal } = new AbortController()
  return async (digest: string, order = 'tell galleries') => {
    const matching = { gallery: digest, threshold: 0.4, margin: 0.05 }
    const job = {
      order: { matching } as Order,
      image: [Buffer.from(order)],
      gallery: [Buffer.from(`people of ${digest}`)],
    }
    const { body } = await started.pool.run({ ...job, deadlineMs: 60_000, signal })
    return JSON.parse(Buffer.concat(body).toString()) as [string, string][]
  }
}

test('a worker gets a gallery once, and another one when a job names it', async () => {
  await using started = startPool()
  const run = named(started)
  await run('a')
  assert.deepEqual(await run('a'), [['a', 'people of a']])
  await started.run('no gallery')
  await run('b')
  assert.deepEqual((await run('a')).flat(), ['a', 'people of a', 'b', 'people of b', 'a', 'people of a'])
})

test('a worker that takes the place of another gets the gallery again', async () => {
  await using started = startPool()
  const run = named(started)
  await run('a')
  await assert.rejects(run('a', 'crash'), { code: 'CPN_ERR_WORKER_CRASHED' })
  assert.deepEqual(await run('a'), [['a', 'people of a']])
})

test('workers are told to forget their gallery, and get it again with the next job that names it', async () => {
  await using started = startPool({ workers: 2 })
  await until(() => started.pool.workersReady === 2, 'both workers are ready')
  const run = named(started)
  await Promise.all([run('a'), run('a')])
  started.pool.forgetGallery()
  for (const told of await Promise.all([run('a'), run('a')])) {
    assert.deepEqual(told, [
      ['a', 'people of a'],
      ['', ''],
      ['a', 'people of a'],
    ])
  }
})

test('a worker that cannot start is tried again and never counts as ready', async () => {
  const known: number[][] = []
  await using started = startPool({ onWorkers: (pids) => known.push(pids) }, 'worker-that-never-starts.mjs')
  await until(() => started.pool.restarts >= 2, 'it was tried twice')
  assert.equal(started.pool.workersReady, 0)
  assert.ok(known.length >= 3)
})

test('closing ends the workers and what they work on', async () => {
  const started = startPool()
  await started.run('a')
  const hanging = assert.rejects(started.run('hang'), { code: 'CPN_ERR_WORKER_CRASHED' })
  await started.pool.close()
  await hanging
})

test('restarts come later after each crash in a row, half a minute at most', () => {
  assert.deepEqual([1, 2, 3, 20].map(restartDelayMs), [100, 200, 400, 30_000])
})
