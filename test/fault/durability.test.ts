import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../helpers/temp-folder.ts'

const straceMissing =
  spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0 ? false : 'needs strace, and the right to trace'

test('a result is written, synced, named, synced in its folder and only then committed, which is synced as well', {
  skip: straceMissing,
}, () => {
  using folder = tempFolder()
  const trace = join(folder.path, 'trace')
  const calls = ['-f', '-y', '-s', '64', '-e', 'trace=openat,write,pwrite64,fsync,fdatasync,rename', '-o', trace]
  const program = join(import.meta.dirname, 'lab', 'record-one.ts')
  execFileSync('strace', [...calls, process.execPath, program, folder.path])
  assert.deepEqual(steps(readFileSync(trace, 'utf8'), folder.path), [
    'write temporary',
    'sync temporary',
    'rename to its name',
    'sync folder',
    'write ledger',
    'sync ledger',
    'settled',
  ])
})

/** What the kernel was asked for, from the picture's bytes to the end of settle(), several writes in a row as one. */
function steps(trace: string, folder: string): string[] {
  const all = trace.split('\n').flatMap((line) => stepOf(line, folder) ?? [])
  const from = all.indexOf('write temporary')
  const some = all.slice(from, all.indexOf('settled') + 1)
  return some.filter((step, index) => step !== some[index - 1])
}

function stepOf(line: string, folder: string): string | undefined {
  const temporary = `${folder}/out/\\.cpn-[\\w-]+\\.tmp`
  const kinds: [string, RegExp][] = [
    ['write temporary', new RegExp(` write\\(\\d+<${temporary}>, "the annotated picture"`)],
    ['sync temporary', new RegExp(` f(?:data)?sync\\(\\d+<${temporary}>`)],
    ['rename to its name', new RegExp(` rename\\("${temporary}", "${folder}/out/a\\.jpg"`)],
    ['sync folder', new RegExp(` fsync\\(\\d+<${folder}/out>`)],
    ['write ledger', new RegExp(` pwrite64\\(\\d+<${folder}/ledger\\.db-wal>`)],
    ['sync ledger', new RegExp(` f(?:data)?sync\\(\\d+<${folder}/ledger\\.db-wal>`)],
    ['settled', new RegExp(` openat\\(.*"${folder}/settled"`)],
  ]
  return kinds.find(([, pattern]) => pattern.test(line))?.[0]
}
