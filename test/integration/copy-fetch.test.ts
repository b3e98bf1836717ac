import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fetchFiles } from '../../src/transport/transfer/fetch.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { connectTo, never, plant, snapshot } from './copy-fixture.ts'
import { fails } from './transport-fixture.ts'

const rootMissing = process.getuid?.() === 0 ? false : 'needs root'

describe('fetching from a host', { skip: sshdMissing }, () => {
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
  const fetch = (path: string, folder: string, signal = never) => fetchFiles(transport, path, folder, { signal })

  test('a folder comes whole: any name, content, mode and time', async () => {
    using folder = tempFolder()
    const names = ['-rf', "it's", 'a b', 'line\nbreak', '"q" $HOME `x` \\ *', 'ü', 'empty/../e', '-d/-x']
    plant(there("odd 'dir"), Object.fromEntries(names.map((name) => [name, name])), 0o644)
    plant(there("odd 'dir"), { none: '', big: randomBytes(9 * 1024 * 1024) }, 0o644)
    const planted = snapshot(there("odd 'dir"))
    symlinkSync('none', there("odd 'dir/link"))
    symlinkSync('..', there("odd 'dir/-d/loop"))
    const { files, skipped } = await fetch("odd 'dir/", folder.path)
    assert.equal(files, 11)
    assert.match(skipped.join(), /loop/i)
    const fetched = snapshot(join(folder.path, "odd 'dir"))
    const { link, ...rest } = fetched
    assert.equal(link, fetched.none)
    assert.deepEqual(rest, planted)
    assert.deepEqual(readdirSync(folder.path), ["odd 'dir"])
  })

  test('5,000 small files arrive', async () => {
    using folder = tempFolder()
    const files = Array.from({ length: 5000 }, (_, index) => [`${index % 50}/${index}`, `content ${index}`])
    plant(there('many'), Object.fromEntries(files), 0o644)
    assert.equal((await fetch('many', folder.path)).files, 5000)
    assert.deepEqual(snapshot(join(folder.path, 'many')), snapshot(there('many')))
  })

  test('an interrupted large file is continued', async () => {
    using folder = tempFolder()
    const content = randomBytes(20 * 1024 * 1024)
    plant(there('.'), { big: content }, 0o644)
    const stop = new AbortController()
    const onProgress = (bytes: number): void => void (bytes > 10e6 && stop.abort(new Error('stop')))
    await assert.rejects(fetchFiles(transport, 'big', folder.path, { signal: stop.signal, onProgress }), /stop/)
    assert.match(readdirSync(folder.path).join(), /^\.cpn-\w+\.part$/)
    const seen: number[] = []
    await fetchFiles(transport, 'big', folder.path, { signal: never, onProgress: (bytes) => void seen.push(bytes) })
    assert.ok(seen[0]! > 1e6, `continued at ${seen[0]}`)
    assert.ok(readFileSync(join(folder.path, 'big')).equals(content))
    assert.deepEqual(readdirSync(folder.path), ['big'])
  })

  test('a file that is a little too long for the disk here gets no name', { skip: rootMissing }, async () => {
    using folder = tempFolder()
    const disk = join(folder.path, 'disk')
    mkdirSync(disk)
    for (const megabytes of [4, 9]) {
      const bytes = megabytes * 1024 * 1024
      plant(there('.'), { long: randomBytes(bytes + 1000) }, 0o644)
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk])
      try {
        await assert.rejects(fetch('long', disk), fails('CPN_ERR_TRANSFER', host.name, /disk is full/))
        assert.deepEqual(
          readdirSync(disk).filter((name) => !name.startsWith('.cpn-')),
          [],
        )
      } finally {
        execFileSync('umount', [disk])
      }
    }
  })

  test('what cannot be is said, and nothing is left', async () => {
    using folder = tempFolder()
    await assert.rejects(fetch('nowhere', folder.path), fails('CPN_ERR_TRANSFER', host.name, /does not exist/))
    plant(there('secret'), { a: 'a', b: 'b' }, 0o600)
    if (process.getuid?.() === 0) {
      await assert.rejects(fetch('secret', folder.path), fails('CPN_ERR_TRANSFER', host.name, /permission denied/))
    }
    mkdirSync(join(folder.path, 'taken', 'x'), { recursive: true })
    writeFileSync(there('taken'), 'file', { mode: 0o644 })
    await assert.rejects(fetch('taken', folder.path), fails('CPN_ERR_TRANSFER', host.name, /folder/))
    assert.ok(!readdirSync(folder.path).some((name) => name.startsWith('.cpn-')))
  })
})
