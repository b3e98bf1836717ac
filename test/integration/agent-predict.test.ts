import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { contentDigest, sha256 } from '../../src/common/digest.ts'
import { predictAnswerSchema } from '../../src/protocol/messages.ts'
import { AgentFleet } from '../helpers/agent-fleet.ts'
import { attempt, photoWithOneFace, predictHeaders } from '../helpers/agent-work.ts'
import { iou } from '../helpers/ground-truth.ts'

const path = '/cpn/v1/predict'
let fleet: AgentFleet
let photo: Buffer

before(async () => {
  fleet = await AgentFleet.create({ workers: 1 })
  await fleet.run()
  photo = await photoWithOneFace()
})
after(() => fleet[Symbol.asyncDispose]())

test('a face is found and an annotated picture comes back', async () => {
  await using client = fleet.client()
  const { answer, annotated } = await client.predict(attempt(photo))
  assert.equal(answer.faces.length, 1)
  assert.ok(iou(answer.faces[0]!.box, [100, 120, 80, 80]) > 0.8)
  assert.deepEqual([answer.width, answer.height], [640, 480])
  assert.ok(annotated && annotated.length > 0 && !annotated.equals(photo))
})

test('the answer says how much of it is JSON and has length and digest', async () => {
  const { status, headers, body } = await fleet.ask('POST', path, predictHeaders(photo), photo)
  assert.equal(status, 200)
  assert.equal(Number(headers['content-length']), body.length)
  assert.equal(headers['content-digest'], contentDigest(body))
  const json = body.toString('utf8', 0, Number(headers['inference-header-content-length']))
  const answer = predictAnswerSchema.parse(JSON.parse(json))
  assert.equal(answer.job, sha256(photo))
})

test('a body without a length is refused', async () => {
  const { 'content-length': _length, ...headers } = predictHeaders(photo)
  const { status, json } = await fleet.ask('POST', path, { ...headers, 'transfer-encoding': 'chunked' }, photo)
  assert.deepEqual([status, json.error.code], [411, 'CPN_ERR_AGENT_PROTOCOL'])
})

test('a body that is larger than the limit is refused before it is sent', async () => {
  const headers = { ...predictHeaders(photo), 'content-length': String(2 ** 30), expect: '100-continue' }
  const { status, json } = await fleet.askHead('POST', path, headers)
  assert.deepEqual([status, json.error.code], [413, 'CPN_ERR_IMAGE_TOO_LARGE'])
})

test('a body that is not what its digest says is refused', async () => {
  const wrong = { ...predictHeaders(photo), 'content-digest': contentDigest(Buffer.from('else')) }
  const digest = await fleet.ask('POST', path, wrong, photo)
  assert.deepEqual([digest.status, digest.json.error.code], [400, 'CPN_ERR_DIGEST_MISMATCH'])
  const job = await fleet.ask('POST', path, predictHeaders(photo, { job: sha256('else') }), photo)
  assert.deepEqual([job.status, job.json.error.code], [400, 'CPN_ERR_DIGEST_MISMATCH'])
  const { 'content-digest': _digest, ...none } = predictHeaders(photo)
  assert.equal((await fleet.ask('POST', path, none, photo)).json.error.code, 'CPN_ERR_DIGEST_MISMATCH')
})

test('a header that is missing or wrong is named', async () => {
  const { 'cpn-run': _run, ...headers } = predictHeaders(photo)
  const { status, json } = await fleet.ask('POST', path, headers, photo)
  assert.deepEqual([status, json.error.code], [400, 'CPN_ERR_AGENT_PROTOCOL'])
  assert.match(json.error.message, /cpn-run/)
})

test('a stale epoch is refused, within its run', async () => {
  await using client = fleet.client()
  await client.predict(attempt(photo, { run: 'fenced', epoch: 2 }))
  await assert.rejects(client.predict(attempt(photo, { run: 'fenced', epoch: 1 })), { code: 'CPN_ERR_STALE_EPOCH' })
  await client.predict(attempt(photo, { run: 'other', epoch: 1 }))
})

test('a file that is no image costs that image only', async () => {
  await using client = fleet.client()
  const noise = randomBytes(2000)
  await assert.rejects(client.predict(attempt(noise)), { code: /CPN_ERR_IMAGE_/, retryable: false })
  const { status } = await fleet.ask('POST', path, predictHeaders(noise), noise)
  assert.equal(status, 422)
  await client.predict(attempt(photo))
})

test('what is unknown is answered with an error of ours', async () => {
  const infer = await fleet.ask('POST', '/v2/models/tiny-squares/infer', {}, Buffer.from('{}'))
  assert.deepEqual([infer.status, infer.json.error.code], [404, 'CPN_ERR_AGENT_PROTOCOL'])
  assert.equal((await fleet.ask('DELETE', '/cpn/v1/node')).status, 405)
})

test('health and metadata follow the Open Inference Protocol', async () => {
  assert.deepEqual((await fleet.ask('GET', '/v2/health/live')).json, { live: true })
  assert.deepEqual((await fleet.ask('GET', '/v2/health/ready')).json, { ready: true })
  assert.equal((await fleet.ask('GET', '/v2')).json.name, 'cpn-agent')
  const model = await fleet.ask('GET', '/v2/models/tiny-squares')
  assert.deepEqual(
    [model.json.name, model.json.versions, model.json.platform],
    ['tiny-squares', ['1'], 'onnxruntime_onnx'],
  )
  assert.deepEqual(model.json.inputs[0].shape, [1, 3, -1, -1])
  assert.equal((await fleet.ask('GET', '/v2/models/tiny-squares/versions/1/ready')).status, 200)
  const unknown = await fleet.ask('GET', '/v2/models/nobody')
  assert.deepEqual([unknown.status, unknown.json.error.code], [404, 'CPN_ERR_MODEL_UNKNOWN'])
})
