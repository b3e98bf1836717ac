import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sha256 } from '../../../src/common/digest.ts'
import { receiveUpload, type UploadTarget, uploadExit } from '../../../src/transport/upload-script.ts'

const data = Buffer.from('some bytes\n')

function run(
  change: Partial<UploadTarget> = {},
  path = process.env.PATH!,
): { status: number | null; files: string[]; mode: number } {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-script-'))
  try {
    const name = join(folder, "it's a name")
    const target = {
      temporary: `${name}.tmp`,
      path: name,
      bytes: data.length,
      sha256: sha256(data),
      mode: 0o640,
      ...change,
    }
    const { status } = spawnSync('/bin/sh', ['-c', receiveUpload(target)], { input: data, env: { PATH: path } })
    const mode = existsSync(name) ? statSync(name).mode & 0o777 : 0
    if (mode > 0) assert.ok(readFileSync(name).equals(data))
    return { status, files: readdirSync(folder), mode }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a whole upload gets its mode and name', () => {
  assert.deepEqual(run(), { status: uploadExit.done, files: ["it's a name"], mode: 0o640 })
})

test('a wrong size or digest leaves nothing', () => {
  assert.deepEqual(run({ bytes: 5 }), { status: uploadExit.size, files: [], mode: 0 })
  assert.deepEqual(run({ sha256: sha256('other') }), { status: uploadExit.digest, files: [], mode: 0 })
})

for (const [program, expected] of [
  ['sha256sum', uploadExit.done],
  ['shasum', uploadExit.done],
  ['openssl', uploadExit.done],
  [undefined, uploadExit.noDigestProgram],
] as const) {
  const found = program === undefined ? '' : which(program)
  const skip = found === undefined ? `needs ${program}` : false
  test(`the digest is computed by ${program ?? 'nothing'}`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'cpn-path-'))
    for (const tool of ['cat', 'wc', 'rm', 'mv', 'chmod', ...(program ? [program] : [])])
      symlinkSync(which(tool)!, join(folder, tool))
    // shasum is a Perl script and finds Perl by its own first line.
    const { status } = run({}, folder)
    rmSync(folder, { recursive: true })
    assert.equal(status, expected)
  })
}

test('a missing cat is told from a full disk', () => {
  assert.equal(run({}, '/nowhere').status, uploadExit.noCat)
})

function which(program: string): string | undefined {
  return process.env
    .PATH!.split(':')
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path))
}
