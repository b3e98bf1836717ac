import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sha256 } from '../../../src/common/digest.ts'
import { defineDigest } from '../../../src/transport/digest-script.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const input = Buffer.from('some bytes\n')
const whole = { status: 0, stdout: `${sha256(input)}\n`, stderr: '' }
const none = { status: 9, stdout: '', stderr: '' }

/** Runs it with these programs and no others: an empty text stands for the real one, another is a script. */
function digestWith(programs: Record<string, string>) {
  using folder = tempFolder()
  for (const [name, script] of Object.entries(programs)) {
    if (script === '') symlinkSync(which(name)!, join(folder.path, name))
    else writeFileSync(join(folder.path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  const script = `${defineDigest('exit 9')}\ndigest`
  const env = { PATH: folder.path }
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { input, env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

for (const program of ['openssl', 'sha256sum', 'shasum']) {
  test(`${program} alone is enough`, { skip: which(program) ? false : `needs ${program}` }, () => {
    assert.deepEqual(digestWith({ [program]: '' }), whole)
  })
}

const broken = {
  'that does not start': 'exec /nowhere/openssl',
  'that says something else': 'echo "Error: FIPS"; exit 0',
  'that reads nothing': 'exit 1',
}

for (const [what, script] of Object.entries(broken)) {
  test(`an openssl ${what} is passed over`, { skip: which('sha256sum') ? false : 'needs sha256sum' }, () => {
    assert.deepEqual(digestWith({ openssl: script, sha256sum: '' }), whole)
    assert.deepEqual(digestWith({ openssl: script }), none)
  })
}

test('a host without any of them is told apart', () => {
  assert.deepEqual(digestWith({}), none)
})

function which(program: string): string | undefined {
  return process.env
    .PATH!.split(':')
    .map((folder) => join(folder, program))
    .find((path) => existsSync(path))
}
