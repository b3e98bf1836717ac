import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findLocal } from '../../src/transport/transfer/find-local.ts'
import { partOf } from '../../src/transport/transfer/large-scripts.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { connectTo, never, plant, send, snapshot } from './copy-fixture.ts'
import { eventually, fails } from './transport-fixture.ts'

describe('copying to a host', { skip: sshdMissing }, () => {
  let host: SshdHost
  let transport: Transport
  before(async () => {
    host = await startSshd()
    transport = await connectTo(host)
  })
  after(async () => {
    await transport?.close()
    await host?.[Symbol.asyncDispose]()
  })
  const there = (path: string): string => join(host.home, path)
  const leftovers = (): string[] =>
    readdirSync(host.home, { recursive: true })
      .map(String)
      .filter((path) => path.includes('.cpn-'))

  test('a file keeps its content, mode and time under the name that was asked for', async () => {
    using folder = tempFolder()
    plant(folder.path, { 'a.txt': 'hello' })
    assert.deepEqual(await send(transport, [join(folder.path, 'a.txt')], 'b.txt'), {
      files: 1,
      bytes: 5,
      way: 'commands',
    })
    assert.equal(readFileSync(there('b.txt'), 'utf8'), 'hello')
    const { mode, mtimeMs } = statSync(there('b.txt'))
    assert.deepEqual([mode & 0o777, mtimeMs], [0o640, 1_500_000_000_000])
    assert.deepEqual(leftovers(), [])
  })

  test('a folder goes into one that is there and becomes one that is not', async () => {
    using folder = tempFolder()
    plant(join(folder.path, 'dir'), { x: '1', 'sub/y': '2', 'sub/z': randomBytes(9 * 1024 * 1024) })
    mkdirSync(join(folder.path, 'dir', 'empty'), { mode: 0o750 })
    await send(transport, [join(folder.path, 'dir')], 'fresh')
    await send(transport, [join(folder.path, 'dir')], '~/fresh')
    assert.deepEqual(snapshot(there('fresh/dir')), snapshot(join(folder.path, 'dir')))
    assert.equal(statSync(there('fresh/empty')).mode & 0o777, 0o750)
    assert.equal(
      statSync(there('fresh/sub')).mtimeMs,
      Math.floor(statSync(join(folder.path, 'dir/sub')).mtimeMs / 1000) * 1000,
    )
    assert.deepEqual(leftovers(), [])
  })

  test('any name works', async () => {
    using folder = tempFolder()
    const names = ['-rf', "it's", 'a b', 'line\nbreak', '"q" $HOME `x` \\ *', 'ü', 'n'.repeat(200), '-d/-x', 'f/inish']
    plant(join(folder.path, '-odd dir'), Object.fromEntries(names.map((name) => [name, name])))
    writeFileSync(join(folder.path, '-odd dir', "-big 'one'\n"), Buffer.alloc(9 * 1024 * 1024))
    await send(transport, [join(folder.path, '-odd dir')], "-to 'here'\n$x")
    assert.deepEqual(snapshot(there("-to 'here'\n$x")), snapshot(join(folder.path, '-odd dir')))
  })

  test('links are what they point to, and a loop is left out', async () => {
    using folder = tempFolder()
    plant(folder.path, { 'dir/a': '1', outside: '2' })
    symlinkSync(join(folder.path, 'outside'), join(folder.path, 'dir', 'link'))
    symlinkSync('..', join(folder.path, 'dir', 'loop'))
    symlinkSync('nowhere', join(folder.path, 'dir', 'broken'))
    const { entries, skipped } = await findLocal([join(folder.path, 'dir')], never)
    // The first turn shows what is above the folder; the second one would show the same again.
    assert.ok(entries.some(({ path }) => path === 'dir/link'))
    assert.deepEqual(skipped.map((line) => line.slice(folder.path.length + 1)).sort(), [
      'dir/broken: it does not exist',
      'dir/loop/dir: it leads back to a folder above it',
    ])
  })

  test('an interrupted large file is continued, and a part with other bytes is not', async () => {
    using folder = tempFolder()
    const content = randomBytes(48 * 1024 * 1024)
    plant(folder.path, { big: content })
    const stop = new AbortController()
    // What was sent may still be on its way: what counts is what the host has.
    const arrived = (): number => Math.max(0, ...leftovers().map((path) => statSync(there(path)).size))
    const onProgress = (): void => void (arrived() > 2e6 && stop.abort(new Error('stop')))
    const local = join(folder.path, 'big')
    await assert.rejects(send(transport, [local], 'big', { signal: stop.signal, onProgress }), /stop/)
    const { entries } = await findLocal([local], never)
    const part = there(partOf(entries[0]!))
    await eventually(() => existsSync(part), 'a part that is kept')
    assert.ok(!readdirSync(host.home).includes('big'), 'nothing has the final name')
    const first: number[] = []
    await send(transport, [local], 'big', { onProgress: (bytes) => void first.push(bytes) })
    assert.ok(first[0]! > 1e6, `continued at ${first[0]}`)
    assert.ok(readFileSync(there('big')).equals(content))
    writeFileSync(part, randomBytes(3_000_000))
    writeFileSync(there('big'), 'other')
    await send(transport, [local], 'big')
    assert.ok(readFileSync(there('big')).equals(content))
    assert.deepEqual(leftovers(), [])
  })

  test('a large file that is there already is not sent again', async () => {
    using folder = tempFolder()
    plant(folder.path, { same: Buffer.alloc(9 * 1024 * 1024) })
    await send(transport, [join(folder.path, 'same')], 'same')
    const { ino } = statSync(there('same'))
    await send(transport, [join(folder.path, 'same')], 'same')
    assert.equal(statSync(there('same')).ino, ino)
  })

  test('5,000 small files arrive', async () => {
    using folder = tempFolder()
    const files = Array.from({ length: 5000 }, (_, index) => [`${index % 50}/${index}`, `content ${index}`])
    plant(join(folder.path, 'many'), Object.fromEntries(files))
    assert.equal((await send(transport, [join(folder.path, 'many')], 'many')).files, 5000)
    assert.deepEqual(snapshot(there('many')), snapshot(join(folder.path, 'many')))
  })

  test('what cannot be is said, and nothing is left', async () => {
    using folder = tempFolder()
    plant(folder.path, { a: 'a', 'd/a/b': 'b', big: Buffer.alloc(9 * 1024 * 1024) })
    const failing = (target: string, says: RegExp, ...names: string[]) =>
      assert.rejects(
        send(
          transport,
          names.map((name) => join(folder.path, name)),
          target,
        ),
        fails('CPN_ERR_TRANSFER', host.name, says),
      )
    await transport.exec('mkdir -p taken/a taken/big; : > taken/file')
    await failing('no/where', /does not exist/, 'a')
    await failing('no-folder/', /is no folder/, 'a')
    await failing('no-folder', /is no folder/, 'a', 'd')
    await failing('/proc', /cannot/, 'a')
    await failing('taken', /director/, 'a')
    await failing('taken', /folder there/, 'big')
    await failing('taken/file', /is a file there/, 'd')
    assert.deepEqual(leftovers(), [])
  })
})
