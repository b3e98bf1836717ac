import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { linkRelease } from '../../../src/agent/link.ts'
import { receive } from '../../../src/agent/receive.ts'
import { canonicalJson, sha256 } from '../../../src/common/digest.ts'
import type { ReceivedFile, ReleaseManifest } from '../../../src/protocol/release.ts'

const root = await mkdtemp(join(tmpdir(), 'cpn-receive-'))
after(() => rm(root, { recursive: true, force: true }))

interface Sent {
  file: ReceivedFile
  wire: Buffer
}

function sent(data: Buffer, encoding: ReceivedFile['encoding'] = 'zstd', kind: ReceivedFile['kind'] = 'blob'): Sent {
  const wire = encoding === 'zstd' ? zstdCompressSync(data) : encoding === 'gzip' ? gzipSync(data) : data
  return { file: { kind, sha256: sha256(data), bytes: data.length, encoding, wireBytes: wire.length }, wire }
}

function stream(parts: Sent[], extra: object = {}): Buffer {
  const header = JSON.stringify({ files: parts.map(({ file }) => file), ...extra })
  return Buffer.concat([Buffer.from(`${header}\n`), ...parts.map(({ wire }) => wire)])
}

// Pieces of odd sizes, so that headers and files begin in the middle of a chunk.
function pieces(bytes: Buffer, size = 1009): Readable {
  const count = Math.ceil(bytes.length / size)
  return Readable.from(
    Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size)),
    { objectMode: false },
  )
}

async function newHome(): Promise<string> {
  return await mkdtemp(join(root, 'home-'))
}

const contents = [Buffer.alloc(0), Buffer.from('one'), randomBytes(300_000), Buffer.alloc(2 << 20, 'a')]

function exampleRelease(): { parts: Sent[]; digest: string; json: string } {
  const manifest: ReleaseManifest = {
    version: '0.1.0',
    platform: 'linux',
    arch: 'x64',
    nodeVersion: '26.10.0',
    files: contents.map((data, index) => ({
      path: `folder${index}/file`,
      sha256: sha256(data),
      bytes: data.length,
      mode: index === 1 ? 0o555 : 0o444,
    })),
  }
  const json = canonicalJson(manifest)
  return { parts: [...contents.map((data) => sent(data)), sent(Buffer.from(json))], digest: sha256(json), json }
}

test('files of every encoding arrive under their digests', async () => {
  const home = await newHome()
  const parts = [sent(contents[2]!, 'zstd'), sent(contents[3]!, 'gzip'), sent(contents[1]!, 'identity', 'model')]
  const answer = await receive(home, pieces(stream(parts)))
  assert.deepEqual(answer, { received: 3, damaged: [], linked: false })
  assert.deepEqual(await readFile(join(home, 'blobs', sha256(contents[2]!))), contents[2])
  assert.deepEqual(await readFile(join(home, 'blobs', sha256(contents[3]!))), contents[3])
  assert.deepEqual(await readFile(join(home, 'models', sha256(contents[1]!))), contents[1])
})

test('frames of zstd that follow each other are one file', async () => {
  const home = await newHome()
  const data = contents[3]!
  const wire = Buffer.concat([zstdCompressSync(data.subarray(0, 1 << 20)), zstdCompressSync(data.subarray(1 << 20))])
  const part: Sent = { file: { ...sent(data).file, wireBytes: wire.length }, wire }
  await receive(home, pieces(stream([part])))
  assert.deepEqual(await readFile(join(home, 'blobs', sha256(data))), data)
})

test('a release is linked from its blobs with their modes', async () => {
  const home = await newHome()
  const { parts, digest, json } = exampleRelease()
  const answer = await receive(home, pieces(stream(parts, { release: digest })))
  assert.deepEqual(answer, { received: 5, damaged: [], linked: true })
  const folder = join(home, 'releases', digest)
  assert.deepEqual(await readFile(join(folder, 'folder2/file')), contents[2])
  assert.equal(await readFile(join(folder, 'release.json'), 'utf8'), json)
  const program = await stat(join(folder, 'folder1/file'))
  assert.equal(program.mode & 0o777, 0o555)
  assert.equal(program.ino, (await stat(join(home, 'blobs', sha256(contents[1]!)))).ino)
  assert.deepEqual(await readdir(join(home, 'releases')), [digest])
})

test('an upload that was cut or changed leaves no blob and no temporary file', async () => {
  const whole = stream([sent(contents[2]!)])
  const changed = Buffer.from(whole)
  changed[changed.length - 1000] = changed[changed.length - 1000]! ^ 1
  for (const bytes of [whole.subarray(0, whole.length - 7), changed]) {
    const home = await newHome()
    await assert.rejects(receive(home, pieces(bytes)))
    assert.deepEqual(await readdir(join(home, 'blobs')), [])
  }
})

test('bytes that are not those of the digest are refused', async () => {
  const home = await newHome()
  const lie = sent(contents[2]!)
  lie.file.sha256 = sha256('something else')
  await assert.rejects(receive(home, pieces(stream([lie]))), { code: 'CPN_ERR_DIGEST_MISMATCH' })
  assert.deepEqual(await readdir(join(home, 'blobs')), [])
})

test('bytes that are not even well packed are refused as not those of the digest', async () => {
  for (const encoding of ['zstd', 'gzip'] as const) {
    const part = sent(randomBytes(5000), encoding)
    part.wire.fill(0xff, 20, 40)
    await assert.rejects(receive(await newHome(), pieces(stream([part]))), { code: 'CPN_ERR_DIGEST_MISMATCH' })
  }
})

test('a header that names paths instead of digests is refused', async () => {
  const home = await newHome()
  const part = sent(contents[1]!)
  part.file.sha256 = '../../evil'
  await assert.rejects(receive(home, pieces(stream([part]))), { code: 'CPN_ERR_AGENT_PROTOCOL' })
})

test('damaged blobs are named and removed, and nothing is linked', async () => {
  const home = await newHome()
  const { parts, digest } = exampleRelease()
  await receive(home, pieces(stream(parts)))
  const short = sha256(contents[3]!)
  const altered = sha256(contents[2]!)
  await truncate(join(home, 'blobs', short), 10)
  await writeFile(join(home, 'blobs', altered), Buffer.alloc(contents[2]!.length))
  const answer = await linkRelease(home, digest, new Set())
  assert.deepEqual(answer, { damaged: [altered, short], linked: false })
  assert.equal(existsSync(join(home, 'blobs', short)), false)
  assert.equal(existsSync(join(home, 'releases', digest)), false)
})

test('a release folder that lost a file is put in order', async () => {
  const home = await newHome()
  const { parts, digest } = exampleRelease()
  await receive(home, pieces(stream(parts, { release: digest })))
  await rm(join(home, 'releases', digest, 'folder3/file'))
  await mkdir(join(home, 'releases', digest, 'stray'))
  assert.equal((await linkRelease(home, digest, new Set())).linked, true)
  assert.deepEqual(await readFile(join(home, 'releases', digest, 'folder3/file')), contents[3])
  assert.equal(existsSync(join(home, 'releases', digest, 'stray')), false)
})
