import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { zstdCompressSync } from 'node:zlib'
import { receive } from '../../../src/agent/receive.ts'
import { canonicalJson, sha256 } from '../../../src/common/digest.ts'
import { readOnnx } from '../../../src/models/onnx.ts'
import type { ReceivedFile } from '../../../src/protocol/release.ts'
import { tinyDetector } from '../../helpers/tiny-model.ts'
import { below, mutate } from '../mutate.ts'
import { type Target, verdictOf } from '../target.ts'

/** Models, and uploads of releases with their headers and manifests, as an agent receives them. */
export async function manifestsTarget(): Promise<Target> {
  const home = await mkdtemp(join(tmpdir(), 'cpn-fuzz-'))
  const upload = releaseUpload()
  const model = tinyDetector()
  return {
    one: (random) =>
      below(random, 2) === 0
        ? verdictOf(() => readOnnx(mutate(model, random)))
        : verdictOf(() => receive(home, Readable.from([mutate(upload, random)], { objectMode: false }))),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  }
}

function releaseUpload(): Buffer {
  const program = Buffer.from('#!/bin/sh\nexit 0\n')
  const file = { path: 'bin/program', sha256: sha256(program), bytes: program.length, mode: 0o555 }
  const about = { version: '0.1.0', platform: 'linux', arch: 'x64', nodeVersion: '26.10.0' }
  const manifest = Buffer.from(canonicalJson({ ...about, files: [file] }))
  const parts = [program, manifest].map((bytes) => ({ bytes, wire: zstdCompressSync(bytes) }))
  const files = parts.map(({ bytes, wire }): ReceivedFile => {
    const sizes = { bytes: bytes.length, wireBytes: wire.length }
    return { kind: 'blob', sha256: sha256(bytes), encoding: 'zstd', ...sizes }
  })
  const header = JSON.stringify({ files, release: sha256(manifest) })
  return Buffer.concat([Buffer.from(`${header}\n`), ...parts.map(({ wire }) => wire)])
}
