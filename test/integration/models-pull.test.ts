import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { sha256 } from '../../src/common/digest.ts'
import { CpnError } from '../../src/common/errors.ts'
import { liteDetector } from '../../src/models/catalogue/lite-detector.ts'
import { UnreachableModel } from '../../src/models/pull.ts'
import type { ModelManifest } from '../../src/protocol/model.ts'
import { fillDisk, mountDisk } from '../fault/lab/small-disk.ts'
import { type Answer, cutAfter, serveFiles, wholeFile } from '../helpers/file-server.ts'
import { canMakeUsers } from '../helpers/login-user.ts'
import { storeFolder } from '../helpers/model-files.ts'
import { repositoryRoot } from '../helpers/shared.ts'
import { tinyDetector, tinyManifest } from '../helpers/tiny-model.ts'

const bytes = tinyDetector()
const good = wholeFile(bytes)
const page: Answer = (_request, response) => {
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end('<html>Sign in to the guest network</html>')
}
const wrong: Answer = (_request, response) => void response.end(Buffer.alloc(bytes.length, 7))
const short = { connectMs: 2000, headersMs: 500, idleMs: 500 }

delete process.env.CPN_MODEL_MIRROR

/** Pulls into a fresh store from the given answers, tried in order. */
async function pullFrom(answers: Answer[], options: { mirror?: string; manifest?: Partial<ModelManifest> } = {}) {
  await using place = await storeFolder()
  const paths = answers.map((_answer, index) => `/${index}/tiny.onnx`)
  await using server = await serveFiles(Object.fromEntries(paths.map((path, index) => [path, answers[index]!])))
  const manifest = { ...tinyManifest(paths.map((path) => server.url + path)), ...options.manifest }
  const outcome = await place.store.pull(manifest, { mirror: options.mirror ?? '', deadlines: short }).then(
    async ({ path }) => ({ sha256: sha256(await readFile(path)) }),
    (error: unknown) => ({ error: error as CpnError }),
  )
  const files = (await readdir(place.store.dir)).sort()
  return { ...{ sha256: undefined, error: undefined }, ...outcome, requests: server.requests, files }
}

const complete = [sha256(bytes), `${sha256(bytes)}.json`]

test('a model is pulled, checked and listed with its manifest', async () => {
  const { sha256: digest, files } = await pullFrom([good])
  assert.equal(digest, sha256(bytes))
  assert.deepEqual(files, complete)
})

test('a cut download goes on where it ended, from the same address', async () => {
  const third = Math.floor(bytes.length / 3)
  const { files, requests } = await pullFrom([cutAfter(bytes, third + 1)])
  assert.deepEqual(files, complete)
  assert.equal(requests[0], '/0/tiny.onnx')
  assert.ok(requests.length > 1 && requests.slice(1).every((line) => /^\/0\/tiny.onnx bytes=[1-9]\d*-$/.test(line)))
})

test('what a failed pull has is gone on with by the next one', async () => {
  await using place = await storeFolder()
  let healthy = false
  const half = Math.floor(bytes.length / 2)
  const flaky: Answer = (request, response) => {
    if (healthy) return good(request, response)
    if (request.headers.range) return void response.writeHead(503).end()
    cutAfter(bytes, half)(request, response)
  }
  await using server = await serveFiles({ '/m.onnx': flaky })
  const manifest = tinyManifest([`${server.url}/m.onnx`])
  await assert.rejects(place.store.pull(manifest), { code: 'CPN_ERR_MODEL_DOWNLOAD', message: /HTTP 503/ })
  assert.deepEqual(await readdir(place.store.dir), [`${manifest.sha256}.part`])
  healthy = true
  const received: number[] = []
  await place.store.pull(manifest, { onProgress: (now) => received.push(now) })
  assert.ok(received[0]! > half && received.at(-1) === bytes.length)
  assert.deepEqual((await readdir(place.store.dir)).sort(), complete)
})

test('a server that ignores ranges sends it all again, and that is understood', async () => {
  let first = true
  const ignorant: Answer = (request, response) => {
    delete request.headers.range
    const answer = first ? cutAfter(bytes, 1000) : good
    first = false
    answer(request, response)
  }
  assert.deepEqual((await pullFrom([ignorant])).files, complete)
})

test('a partial file with wrong bytes is thrown away and fetched anew', async () => {
  await using server = await serveFiles({ '/m.onnx': good })
  const manifest = tinyManifest([`${server.url}/m.onnx`])
  for (const size of [1000, bytes.length, bytes.length + 5]) {
    await using place = await storeFolder()
    await mkdir(place.store.dir)
    await writeFile(join(place.store.dir, `${manifest.sha256}.part`), Buffer.alloc(size, 9))
    await place.store.pull(manifest)
    assert.deepEqual((await readdir(place.store.dir)).sort(), complete, `${size} bytes`)
  }
})

test('only where the network is to blame is it an error that another network would help', async () => {
  const missing: Answer = (_request, response) => void response.writeHead(404).end()
  const blame = async (...answers: Answer[]) => (await pullFrom(answers)).error instanceof UnreachableModel
  assert.deepEqual([await blame(page), await blame(missing, page)], [true, true])
  assert.deepEqual([await blame(wrong), await blame(page, wrong), await blame()], [false, false, false])
})

test('a disk that is full is the fault of neither the network nor cpn', {
  skip: canMakeUsers ? false : 'needs root',
}, async () => {
  await using place = await storeFolder()
  using _disk = mountDisk(place.store.dir, 1)
  using _full = fillDisk(place.store.dir)
  await using server = await serveFiles({ '/m.onnx': good })
  for (const manifest of [tinyManifest([`${server.url}/m.onnx`]), liteDetector]) {
    await assert.rejects(place.store.pull(manifest), {
      code: 'CPN_ERR_STATE_DIR',
      message: `models cannot be kept in ${place.store.dir}: the disk is full`,
    })
  }
})

test('a web page, other bytes, another size and a missing file lead to the next address', async () => {
  const larger: Answer = (_request, response) => void response.end(Buffer.alloc(bytes.length + 1))
  const endless: Answer = (_request, response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' })
    const chunk = Buffer.alloc(65536)
    const more = () => response.destroyed || response.write(chunk, () => setImmediate(more))
    more()
  }
  const missing: Answer = (_request, response) => void response.writeHead(404).end()
  for (const bad of [page, wrong, larger, endless, missing]) {
    const { files, requests } = await pullFrom([bad, good])
    assert.deepEqual(files, complete)
    assert.equal(requests.at(-1), '/1/tiny.onnx')
  }
})

test('redirects are followed, a circle of them is not followed for ever', async () => {
  const there: Answer = (_request, response) => void response.writeHead(302, { location: '/1/tiny.onnx' }).end()
  const circle: Answer = (request, response) => void response.writeHead(302, { location: request.url }).end()
  assert.deepEqual((await pullFrom([there, good])).requests, ['/0/tiny.onnx', '/1/tiny.onnx'])
  const { error } = await pullFrom([circle])
  assert.equal(error?.code, 'CPN_ERR_MODEL_DOWNLOAD')
})

test('silent servers are given up at their deadlines', async () => {
  const silent: Answer = () => {}
  const stuck: Answer = (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, 100))
  }
  const { error } = await pullFrom([silent, stuck])
  assert.match(error!.message, /no answer within 0.5 s[\s\S]*nothing came for 0.5 s/)
})

test('a download that crawls ends at the deadline of the whole', async () => {
  await using place = await storeFolder()
  const crawl: Answer = (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length })
    const timer = setInterval(() => response.write('.'), 20)
    response.on('close', () => clearInterval(timer))
  }
  await using server = await serveFiles({ '/m.onnx': crawl })
  const pulled = place.store.pull(tinyManifest([`${server.url}/m.onnx`]), { deadlines: { totalMs: 300 } })
  await assert.rejects(pulled, { code: 'CPN_ERR_MODEL_DOWNLOAD', message: /not complete after/ })
})

test('when every address fails each is named with its reason, and what to do offline', async () => {
  const { error, files } = await pullFrom([page, wrong], { mirror: '/nowhere/at/all' })
  assert.equal(error?.code, 'CPN_ERR_MODEL_DOWNLOAD')
  assert.match(error.message, /nowhere\/at\/all: the folder cannot be read/)
  assert.match(error.message, /\/0\/tiny.onnx: the answer is a web page/)
  assert.match(error.message, /\/1\/tiny.onnx: the bytes are not the model/)
  assert.match(error.suggestions.join('\n'), /CPN_MODEL_MIRROR[\s\S]*models add/)
  assert.deepEqual(files, [])
})

test('a refused connection and a name without address are said plainly', async () => {
  const server = await serveFiles({})
  await server[Symbol.asyncDispose]()
  const urls = [`${server.url}/m.onnx`, 'http://no-such-host.invalid/m.onnx']
  const { error } = await pullFrom([], { manifest: { urls } })
  assert.match(error!.message, /the connection was refused/)
  assert.match(error!.message, /does not resolve/)
})

test('a folder as mirror is asked first, and finds the model under any name', async () => {
  await using place = await storeFolder()
  await writeFile(join(place.folder, 'decoy.onnx'), Buffer.alloc(bytes.length))
  await writeFile(join(place.folder, 'renamed.bin'), bytes, { mode: 0o444 })
  for (const mirror of [place.folder, `file://${place.folder}`]) {
    const { files, requests } = await pullFrom([good], { mirror })
    assert.deepEqual([files, requests], [complete, []])
  }
})

test('a folder without the model gives way to the addresses', async () => {
  await using place = await storeFolder()
  assert.deepEqual((await pullFrom([good], { mirror: place.folder })).files, complete)
})

test('an address as mirror has the model by the name of its public file or by its digest', async () => {
  for (const name of ['tiny.onnx', sha256(bytes)]) {
    await using mirror = await serveFiles({ [`/models/${name}`]: good })
    const { files, requests } = await pullFrom([good], { mirror: `${mirror.url}/models` })
    assert.deepEqual([files, requests], [complete, []])
  }
})

test('right bytes that do not fit the family of their manifest are refused', async () => {
  const { error, files } = await pullFrom([good], { manifest: { family: 'arcface' } })
  assert.equal(error?.code, 'CPN_ERR_MODEL_INVALID')
  assert.ok(!files.includes(sha256(bytes)))
})

test('an interrupted pull ends with the reason of the signal and keeps what has come', async () => {
  await using place = await storeFolder()
  const reason = new CpnError('CPN_ERR_INTERRUPTED', 'interrupted')
  const controller = new AbortController()
  await using server = await serveFiles({
    '/m.onnx': (_request, response) => {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 5000))
    },
  })
  const manifest = tinyManifest([`${server.url}/m.onnx`, `${server.url}/other`])
  const onProgress = () => controller.abort(reason)
  await assert.rejects(place.store.pull(manifest, { signal: controller.signal, onProgress }), reason)
  assert.deepEqual(server.requests, ['/m.onnx'])
})

test('a model that is there is not fetched again; one with changed bytes is', async () => {
  await using place = await storeFolder()
  await using server = await serveFiles({ '/m.onnx': good })
  const manifest = tinyManifest([`${server.url}/m.onnx`])
  const { path } = await place.store.pull(manifest)
  await place.store.pull(manifest)
  assert.equal(server.requests.length, 1)
  await writeFile(path, Buffer.alloc(bytes.length))
  await place.store.pull(manifest)
  assert.equal(sha256(await readFile(path)), manifest.sha256)
})

test('several processes pull the same model at once and all have it', async () => {
  await using place = await storeFolder()
  await using server = await serveFiles({ '/m.onnx': good })
  const manifest = tinyManifest([`${server.url}/m.onnx`])
  const script = `
    import { createLogger } from './src/common/logger.ts'
    import { openModelStore } from './src/models/store.ts'
    const store = openModelStore({ dir: process.env.DIR, logger: createLogger() })
    const { path } = await store.pull(JSON.parse(process.env.MANIFEST))
    process.stdout.write(path)`
  const env = { ...process.env, DIR: place.store.dir, MANIFEST: JSON.stringify(manifest) }
  const argv = ['--input-type=module', '-e', script]
  const pull = async () => (await promisify(execFile)(process.execPath, argv, { cwd: repositoryRoot, env })).stdout
  const here = async () => (await place.store.pull(manifest)).path
  for (const path of await Promise.all([pull(), pull(), pull(), here(), here()])) {
    assert.equal(path, join(place.store.dir, manifest.sha256))
  }
  assert.deepEqual((await readdir(place.store.dir)).sort(), complete)
  assert.deepEqual(
    (await place.store.verify()).map(({ state }) => state),
    ['ok'],
  )
})
