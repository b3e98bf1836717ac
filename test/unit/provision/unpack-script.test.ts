import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { sha256 } from '../../../src/common/digest.ts'
import { unpackScript } from '../../../src/provision/install-release.ts'

const root = mkdtempSync(join(tmpdir(), 'cpn-unpack-'))
after(() => rmSync(root, { recursive: true, force: true }))

const program = Buffer.alloc(300_000, 'a program ')
const blob = { sha256: sha256(program), bytes: program.length, mode: 0o555, source: '/dev/null' }
const zstdMissing = spawnSync('zstd', ['--version']).error ? 'needs zstd on this machine' : false

function unpack(dir: string, input: Buffer, encoding: 'gzip' | 'zstd' = 'gzip') {
  return spawnSync('/bin/sh', ['-c', unpackScript(dir, blob, encoding)], { input, encoding: 'utf8' })
}

test('the runtime is unpacked and gets its name and mode', () => {
  const dir = join(root, 'it’s here')
  const { status, stderr } = unpack(dir, gzipSync(program))
  assert.deepEqual([status, stderr], [0, ''])
  assert.deepEqual(readdirSync(dir), [blob.sha256])
  assert.deepEqual(readFileSync(join(dir, blob.sha256)), program)
  assert.equal(statSync(join(dir, blob.sha256)).mode & 0o777, 0o555)
})

test('a runtime that was cut or changed leaves nothing behind', () => {
  const packed = gzipSync(program)
  for (const input of [packed.subarray(0, -20), gzipSync(Buffer.from('another program'))]) {
    const dir = join(root, 'damaged')
    assert.notEqual(unpack(dir, input).status, 0)
    assert.deepEqual(readdirSync(dir), [])
  }
})

test('zstd of the host is used in the same way', { skip: zstdMissing }, () => {
  const dir = join(root, 'zstd')
  assert.equal(unpack(dir, zstdCompressSync(program), 'zstd').status, 0)
  assert.deepEqual(readdirSync(dir), [blob.sha256])
})
