import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import sharp from 'sharp'
import { contentDigest } from '../../src/common/digest.ts'
import type { AgentEvent } from '../../src/protocol/messages.ts'
import { AgentFleet } from '../helpers/agent-fleet.ts'
import { attempt, photoWithOneFace, predictHeaders } from '../helpers/agent-work.ts'
import { endlessRaw } from '../helpers/drawn-raw.ts'
import { signalProcess } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'

const photo = await photoWithOneFace()

/** A running agent of one worker, which is frozen: a job stays in work until the worker is let go or dies. */
async function frozenAgent() {
  const fleet = await AgentFleet.create({ workers: 1 })
  const supervisor = await fleet.run()
  const client = fleet.client()
  await client.predict(attempt(photo))
  const worker = fleet.workers()[0]!.pid
  signalProcess(worker, 'SIGSTOP')
  const heartbeat = async () => (await fleet.ask('GET', '/cpn/v1/heartbeat')).json
  return {
    fleet,
    supervisor,
    client,
    worker,
    heartbeat,
    /** Resolves when the agent has taken so many jobs. */
    busy: async (jobs: number) => {
      while ((await heartbeat()).busy !== jobs);
    },
    thaw: () => signalProcess(worker, 'SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]()
      await fleet[Symbol.asyncDispose]()
    },
  }
}

test('events begin with register, heartbeats follow, goodbye comes last', async () => {
  await using fleet = await AgentFleet.create({ workers: 2 })
  const supervisor = await fleet.run()
  await using client = fleet.client()
  const events: AgentEvent[] = []
  for await (const event of client.events()) {
    events.push(event)
    if (events.length === 3) supervisor.kill('SIGTERM')
  }
  const [register] = events
  assert.ok(register?.event === 'register')
  assert.deepEqual([register.card.workers, register.card.slots, register.card.fleet], [2, 4, 'test'])
  assert.deepEqual(
    register.card.models.map(({ name }) => name),
    ['tiny-squares'],
  )
  assert.deepEqual(events.map(({ event }) => event).slice(1, 3), ['heartbeat', 'heartbeat'])
  assert.deepEqual(events.at(-1), { event: 'goodbye', reason: 'SIGTERM' })
  assert.deepEqual(await supervisor.ended, [0, null])
})

test('a worker killed in the middle of a job is replaced while heartbeats go on', async () => {
  await using agent = await frozenAgent()
  const events = agent.client.events()
  await events.next()
  const job = agent.client.predict(attempt(photo))
  await agent.busy(1)
  signalProcess(agent.worker, 'SIGKILL')
  await assert.rejects(job, { code: 'CPN_ERR_WORKER_CRASHED', retryable: true, message: /SIGKILL/ })
  const { answer } = await agent.client.predict(attempt(photo, { attempt: 2 }))
  assert.equal(answer.faces.length, 1)
  const { value: beat } = await events.next()
  assert.equal(beat?.event, 'heartbeat')
  const { state, workerRestarts, done } = await agent.heartbeat()
  assert.deepEqual([state, workerRestarts, done], ['ready', 1, 2])
  await events.return(undefined)
})

test('a raw photo on which the decoder never ends costs itself only: the worker gives it up, or the deadline the worker', async () => {
  await using fleet = await AgentFleet.create({ workers: 1 })
  await fleet.run()
  await using client = fleet.client()
  const endless = await endlessRaw()
  const restarts = async () => (await fleet.ask('GET', '/cpn/v1/heartbeat')).json.workerRestarts
  await assert.rejects(client.predict(attempt(endless)), { code: 'CPN_ERR_IMAGE_DECODE', retryable: false })
  assert.equal((await client.predict(attempt(photo))).answer.faces.length, 1)
  assert.equal(await restarts(), 0)
  const hurried = attempt(endless, { attempt: 2, deadlineMs: 1000 })
  await assert.rejects(client.predict(hurried), { code: 'CPN_ERR_IMAGE_TIMEOUT', retryable: true })
  assert.equal((await client.predict(attempt(photo, { attempt: 2 }))).answer.faces.length, 1)
  assert.equal(await restarts(), 1)
})

test('more jobs than slots are refused until there is room', async () => {
  await using agent = await frozenAgent()
  const jobs = [1, 2].map((number) => agent.client.predict(attempt(photo, { attempt: number })))
  await agent.busy(2)
  await assert.rejects(agent.client.predict(attempt(photo)), { code: 'CPN_ERR_AGENT_BUSY', retryable: true })
  agent.thaw()
  const answers = await Promise.all(jobs)
  assert.deepEqual(
    answers.map(({ answer }) => answer.attempt),
    [1, 2],
  )
  await agent.client.predict(attempt(photo))
})

test('a job past its deadline costs its worker and no other job', async () => {
  await using agent = await frozenAgent()
  const { status, json } = await agent.fleet.ask(
    'POST',
    '/cpn/v1/predict',
    predictHeaders(photo, { deadlineMs: 200 }),
    photo,
  )
  assert.deepEqual([status, json.error.code, json.error.retryable], [422, 'CPN_ERR_IMAGE_TIMEOUT', true])
  await agent.client.predict(attempt(photo))
  assert.notEqual(agent.fleet.workers()[0]?.pid, agent.worker)
})

test('a job whose client has gone is not begun', async () => {
  await using agent = await frozenAgent()
  const first = agent.client.predict(attempt(photo))
  await agent.busy(1)
  const impatient = new AbortController()
  const second = agent.client.predict(attempt(photo, { signal: impatient.signal }))
  await agent.busy(2)
  impatient.abort(new Error('changed my mind'))
  await assert.rejects(second)
  await agent.busy(1)
  agent.thaw()
  await first
  assert.equal((await agent.heartbeat()).done, 2)
})

test('the answer to a master that was replaced meanwhile is refused', async () => {
  await using agent = await frozenAgent()
  const replaced = agent.client.predict(attempt(photo, { epoch: 1 }))
  await agent.busy(1)
  const newer = agent.client.predict(attempt(photo, { epoch: 2 }))
  await agent.busy(2)
  agent.thaw()
  await assert.rejects(replaced, { code: 'CPN_ERR_STALE_EPOCH', retryable: false })
  assert.equal((await newer).answer.epoch, 2)
})

test('a draining agent finishes what it has and takes no more', async () => {
  await using agent = await frozenAgent()
  const job = agent.client.predict(attempt(photo))
  await agent.busy(1)
  const drained = agent.fleet.ask('POST', '/cpn/v1/drain')
  while ((await agent.heartbeat()).state !== 'draining');
  await assert.rejects(agent.client.predict(attempt(photo)), { code: 'CPN_ERR_AGENT_DRAINING', retryable: true })
  assert.notEqual((await agent.fleet.ask('GET', '/v2/health/ready')).status, 200)
  agent.thaw()
  await job
  assert.ok((await drained).status < 300)
})

test('a signal lets the jobs in work finish', async () => {
  await using agent = await frozenAgent()
  const job = agent.client.predict(attempt(photo))
  await agent.busy(1)
  agent.supervisor.kill('SIGTERM')
  while ((await agent.heartbeat()).state !== 'draining');
  agent.thaw()
  assert.equal((await job).answer.faces.length, 1)
  assert.deepEqual(await agent.supervisor.ended, [0, null])
  assert.deepEqual(agent.fleet.processes(), [])
})

test('an answer that is read slowly arrives whole though the agent ends', async () => {
  await using fleet = await AgentFleet.create({ workers: 1 })
  const supervisor = await fleet.run()
  const [width, height] = [1500, 1000]
  const noise = await sharp(randomBytes(width * height * 3), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
  const sent = request({
    socketPath: fleet.folder.socket,
    method: 'POST',
    path: '/cpn/v1/predict',
    headers: predictHeaders(noise),
  })
  sent.end(noise)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  supervisor.kill('SIGTERM')
  await until(() => !existsSync(fleet.folder.socket), 'the agent is about to end')
  const body = await buffer(response)
  assert.ok(body.length > 2 ** 20)
  assert.equal(response.headers['content-digest'], contentDigest(body))
  assert.deepEqual(await supervisor.ended, [0, null])
})

test('an immediate shutdown gives up the jobs in work', async () => {
  await using agent = await frozenAgent()
  const job = assert.rejects(agent.client.predict(attempt(photo)))
  await agent.busy(1)
  const { status } = await agent.fleet.ask('POST', '/cpn/v1/shutdown?now=1')
  assert.equal(status, 202)
  assert.deepEqual(await agent.supervisor.ended, [0, null])
  await job
  assert.deepEqual(agent.fleet.processes(), [])
})

test('a killed supervisor takes its workers along, and the next one starts over what it left', async () => {
  await using fleet = await AgentFleet.create({ workers: 2 })
  const first = await fleet.run()
  first.kill('SIGKILL')
  await first.ended
  await until(() => fleet.processes().length === 0, 'the workers are gone')
  await fleet.run()
  await using client = fleet.client()
  await client.predict(attempt(photo))
})

test('a worker that did not notice the death of its supervisor is ended by the next one', async () => {
  await using agent = await frozenAgent()
  agent.supervisor.kill('SIGKILL')
  await agent.supervisor.ended
  assert.deepEqual(
    agent.fleet.workers().map(({ pid }) => pid),
    [agent.worker],
  )
  await agent.fleet.run()
  await until(() => agent.fleet.workers().every(({ pid }) => pid !== agent.worker), 'the old worker is gone')
})
