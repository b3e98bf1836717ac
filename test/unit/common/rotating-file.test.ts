import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { RotatingFile, rotatedFiles } from '../../../src/common/rotating-file.ts'
import { repositoryRoot } from '../../helpers/shared.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const writer = join(repositoryRoot, 'test', 'fixtures', 'log-writer.ts')

test('a file beyond its limit goes on in a new one, and only so many old ones are kept', () => {
  using folder = tempFolder()
  const path = join(folder.path, 'cpn.ndjson')
  const file = new RotatingFile(path, { limitBytes: 1000, keep: 2 })
  for (let line = 0; line < 200; line++) file.append(`${JSON.stringify({ line, text: 'x'.repeat(40) })}\n`)
  assert.deepEqual(readdirSync(folder.path).toSorted(), ['cpn.ndjson', 'cpn.ndjson.1', 'cpn.ndjson.2'])
  const lines = rotatedFiles(path).flatMap((each) => readFileSync(each, 'utf8').trim().split('\n'))
  const numbers = lines.map((line) => JSON.parse(line).line as number)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => 200 - numbers.length + index),
  )
  for (const each of rotatedFiles(path)) {
    assert.ok(statSync(each).size <= 1000)
    assert.equal(statSync(each).mode & 0o777, 0o600)
  }
})

test('several processes write and rotate at once: every line is there once and whole', async () => {
  using folder = tempFolder()
  const path = join(folder.path, 'cpn.ndjson')
  const names = ['a', 'b', 'c', 'd']
  const lines = 400
  const writers = names.map((name) => {
    const args = [writer, path, '20000', '50', name, `${lines}`]
    return once(spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit')
  })
  for (const [code] of await Promise.all(writers)) assert.equal(code, 0)
  const written = rotatedFiles(path).flatMap((each) => readFileSync(each, 'utf8').split('\n').slice(0, -1))
  assert.ok(rotatedFiles(path).length > 5, 'it was rotated')
  const seen = written.map((line) => JSON.parse(line) as { name: string; line: number })
  assert.equal(seen.length, names.length * lines)
  assert.equal(new Set(seen.map(({ name, line }) => `${name} ${line}`)).size, seen.length)
})

test('a rotation whose process was killed does not keep others from it for ever', () => {
  using folder = tempFolder()
  const path = join(folder.path, 'cpn.ndjson')
  const file = new RotatingFile(path, { limitBytes: 10, keep: 2 })
  mkdirSync(`${path}.rotating`)
  file.append('one, which fills it\n')
  file.append('two\n')
  assert.equal(existsSync(`${path}.1`), false)
  utimesSync(`${path}.rotating`, new Date(0), new Date(0))
  file.append('three\n')
  file.append('four\n')
  assert.equal(readFileSync(`${path}.1`, 'utf8'), 'one, which fills it\ntwo\nthree\n')
  assert.equal(readFileSync(path, 'utf8'), 'four\n')
})

test('a file that cannot be rotated loses nothing', () => {
  using folder = tempFolder()
  const path = join(folder.path, 'cpn.ndjson')
  const file = new RotatingFile(path, { limitBytes: 10, keep: 1 })
  mkdirSync(join(`${path}.1`, 'in-the-way'), { recursive: true })
  for (const line of ['one, which fills it\n', 'two\n', 'three\n']) file.append(line)
  assert.equal(readFileSync(path, 'utf8'), 'one, which fills it\ntwo\nthree\n')
})

test('a file that cannot be written does no harm', () => {
  new RotatingFile('/nonexistent/cpn.ndjson', { limitBytes: 10, keep: 1 }).append('lost\n')
})
