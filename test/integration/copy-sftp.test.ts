import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fetchFiles } from '../../src/transport/transfer/fetch.ts'
import { findLocal } from '../../src/transport/transfer/find-local.ts'
import { partOf } from '../../src/transport/transfer/large-scripts.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { project } from '../helpers/project.ts'
import { type SshdHost, type SshdOptions, startHosts, startSshd, usersMissing } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { connectTo, never, plant, send, snapshot } from './copy-fixture.ts'
import { eventually, fails } from './transport-fixture.ts'

const sftpOnly = { subsystem: false, config: ['Subsystem sftp internal-sftp', 'ForceCommand internal-sftp'] }
const large = 9 * 1024 * 1024

describe('copying to and from a host that allows SFTP and no commands', { skip: usersMissing }, () => {
  let host: SshdHost
  let transport: Transport
  before(async () => {
    host = await startSshd(sftpOnly)
    transport = await connectTo(host)
  })
  after(async () => {
    await transport?.close()
    await host?.[Symbol.asyncDispose]()
  })
  const there = (path: string): string => join(host.home, path)
  // With their types: else links that lead back are followed.
  const leftovers = (folder = host.home): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
      .filter((path) => path.includes('.cpn-'))
  /** The only part that there is; undefined before it is there. */
  const partNow = (): string | undefined => {
    const [part, ...others] = leftovers()
    assert.deepEqual(others, [])
    return part === undefined ? undefined : there(part)
  }
  const sizeNow = (): number => statSync(partNow() ?? '', { throwIfNoEntry: false })?.size ?? 0

  test('folders go there and come back: any name, content, mode and time', async () => {
    using folder = tempFolder()
    const names = ['-rf', "it's", 'a b', 'line\nbreak', '"q" $HOME `x` \\ *', 'ü', '-d/-x']
    plant(join(folder.path, "odd 'dir"), Object.fromEntries(names.map((name) => [name, name])))
    plant(join(folder.path, "odd 'dir"), { none: '', big: randomBytes(large) })
    mkdirSync(join(folder.path, "odd 'dir", 'empty'), { mode: 0o750 })
    const planted = snapshot(join(folder.path, "odd 'dir"))
    const counts: number[] = []
    const onProgress = (bytes: number): void => void counts.push(bytes)
    const sent = await send(transport, [join(folder.path, "odd 'dir")], 'fresh', { onProgress })
    assert.deepEqual([sent.way, sent.files, counts.at(-1)], ['sftp', 9, sent.bytes])
    await send(transport, [join(folder.path, "odd 'dir")], '~/fresh')
    assert.deepEqual(snapshot(there("fresh/odd 'dir")), planted)
    assert.equal(statSync(there('fresh/empty')).mode & 0o777, 0o750)
    const time = (path: string): number => Math.floor(statSync(path).mtimeMs / 1000)
    assert.equal(time(there('fresh/-d')), time(join(folder.path, "odd 'dir/-d")))
    symlinkSync('..', there("fresh/odd 'dir/-d/loop"))
    symlinkSync('nowhere', there('fresh/broken'))
    const back = join(folder.path, 'back')
    const { way, files, skipped } = await fetchFiles(transport, "fresh/odd 'dir/", back, { signal: never })
    assert.deepEqual([way, files], ['sftp', 9])
    assert.match(skipped.join(), /loop: it leads back/)
    assert.deepEqual(snapshot(join(back, "odd 'dir")), planted)
    assert.match((await fetchFiles(transport, 'fresh', back, { signal: never })).skipped.join(), /broken: it does not/)
    assert.deepEqual([...leftovers(), ...leftovers(folder.path)], [])
  })

  test('an interrupted large file is continued, and a part with other bytes is not', async () => {
    using folder = tempFolder()
    const content = randomBytes(4 * large)
    plant(folder.path, { big: content })
    const local = join(folder.path, 'big')
    const { entries } = await findLocal([local], never)
    const stop = new AbortController()
    const onProgress = (): void => void (sizeNow() > large && stop.abort(new Error('stop')))
    await assert.rejects(send(transport, [local], 'big', { signal: stop.signal, onProgress }), /stop/)
    assert.ok(!existsSync(there('big')), 'nothing has the final name')
    const size = sizeNow()
    assert.ok(size > large && size < content.length, `a part of ${size} bytes`)
    const first: number[] = []
    await send(transport, [local], 'big', { onProgress: (bytes) => void first.push(bytes) })
    assert.ok(first[0]! >= large, `continued at ${first[0]}`)
    assert.ok(readFileSync(there('big')).equals(content))
    const { ino } = statSync(there('big'))
    await send(transport, [local], 'big')
    assert.equal(statSync(there('big')).ino, ino, 'what is there already is not sent again')
    writeFileSync(there('big'), 'other')
    plantPart(there(partOf(entries[0]!)), randomBytes(large))
    await send(transport, [local], 'big')
    assert.ok(readFileSync(there('big')).equals(content))
    assert.deepEqual(leftovers(), [])
  })

  test('what somebody else put under the name of a part is neither written to nor becomes the file', async () => {
    using folder = tempFolder()
    const content = randomBytes(large)
    plant(folder.path, { wanted: content })
    const { entries } = await findLocal([join(folder.path, 'wanted')], never)
    const part = there(partOf(entries[0]!))
    plantPart(there('victim'), content.subarray(0, 1000))
    symlinkSync('victim', part)
    writeFileSync(part.replace(/part$/, 'foreign.part'), content.subarray(0, 2000), { mode: 0o666 })
    mkdirSync(part.replace(/part$/, 'folder.part'))
    await send(transport, [join(folder.path, 'wanted')], 'wanted')
    assert.equal(statSync(there('victim')).size, 1000)
    const about = lstatSync(there('wanted'))
    assert.ok(about.isFile())
    assert.equal(about.uid, host.uid)
    assert.ok(readFileSync(there('wanted')).equals(content))
    const [taken, ...others] = leftovers()
    assert.deepEqual(others, [])
    assert.ok(statSync(there(taken!)).isDirectory(), 'only a folder cannot be taken away')
    rmdirSync(there(taken!))
  })

  test('two copies at once do not mix their bytes', async () => {
    using folder = tempFolder()
    const contents = [randomBytes(4 * large), randomBytes(4 * large)]
    // Of one name, length and time, as only two masters can have them.
    for (const [index, content] of contents.entries()) plant(folder.path, { [`${index}/both`]: content })
    await using other = await connectTo(host)
    const begun = Promise.withResolvers<void>()
    const onProgress = (bytes: number): void => void (bytes > large / 2 && begun.resolve())
    const first = send(other, [join(folder.path, '0/both')], 'both', { onProgress })
    first.catch(() => undefined)
    await begun.promise
    await send(transport, [join(folder.path, '1/both')], 'both')
    // It may have missed its part for the moment that the second one looked at it, and says so then.
    const [ended] = await Promise.allSettled([first])
    if (ended.status === 'rejected') assert.ok(fails('CPN_ERR_TRANSFER', host.name)(ended.reason))
    const now = readFileSync(there('both'))
    assert.ok(contents.some((content) => now.equals(content)))
    for (const part of leftovers()) unlinkSync(there(part))
  })

  test('bytes that are not those that were sent get no name', async () => {
    using folder = tempFolder()
    plant(folder.path, { changed: randomBytes(large) })
    let isDamaged = false
    // When all bytes are there and none of them has been read back yet.
    const onProgress = (bytes: number): void => {
      if (isDamaged || bytes < large / 2) return
      isDamaged = true
      const part = partNow()!
      const text = readFileSync(part)
      text[0]! ^= 1
      writeFileSync(part, text)
    }
    const sent = send(transport, [join(folder.path, 'changed')], '.', { onProgress })
    await assert.rejects(sent, fails('CPN_ERR_TRANSFER', host.name, /wrong digest/))
    assert.ok(isDamaged)
    assert.ok(!existsSync(there('changed')))
    assert.deepEqual(leftovers(), [])
  })

  test('what cannot be looked at is left out of a fetch and said', async () => {
    using folder = tempFolder()
    plant(there('mixed'), { a: 'a', 'closed/b': 'b', 'open/c': 'c', z: 'z' }, 0o644)
    chmodSync(there('mixed/closed'), 0o700)
    symlinkSync('closed/b', there('mixed/link'))
    const { files, skipped } = await fetchFiles(transport, 'mixed', folder.path, { signal: never })
    assert.equal(files, 3)
    assert.deepEqual(Object.keys(snapshot(folder.path)), ['mixed/a', 'mixed/open/c', 'mixed/z'])
    const [closed, link, ...others] = skipped
    assert.match(closed!, /mixed\/closed .*permission denied/)
    assert.match(link!, /mixed\/link .*permission denied/)
    assert.deepEqual(others, [])
  })

  test('a file that changes while it is fetched gets no name here', async () => {
    using folder = tempFolder()
    plant(there('.'), { growing: randomBytes(large) }, 0o644)
    const onProgress = (): void => truncateSync(there('growing'), 1_000_000)
    const fetched = fetchFiles(transport, 'growing', folder.path, { signal: never, onProgress })
    await assert.rejects(fetched, fails('CPN_ERR_TRANSFER', host.name, /changed meanwhile/))
    assert.deepEqual(readdirSync(folder.path), [])
  })

  test('what cannot be is said, and nothing is left', async () => {
    using folder = tempFolder()
    plant(folder.path, { a: 'a', 'd/a/b': 'b', big: Buffer.alloc(large) })
    const failing = (target: string, says: RegExp, ...names: string[]) => {
      const sent = send(
        transport,
        names.map((name) => join(folder.path, name)),
        target,
      )
      return assert.rejects(sent, fails('CPN_ERR_TRANSFER', host.name, says))
    }
    mkdirSync(there('taken/a'), { recursive: true })
    mkdirSync(there('taken/big'))
    writeFileSync(there('taken/file'), '')
    await failing('no/where', /does not exist/, 'a')
    await failing('no-folder/', /is no folder/, 'a')
    await failing('no-folder', /is no folder/, 'a', 'd')
    await failing('/proc', /cannot/, 'a')
    await failing('/', /permission denied/, 'a')
    await failing('taken', /folder there/, 'a')
    await failing('taken', /folder there/, 'big')
    await failing('taken/file', /is a file there/, 'd')
    const nowhere = fetchFiles(transport, 'nowhere', folder.path, { signal: never })
    await assert.rejects(nowhere, fails('CPN_ERR_TRANSFER', host.name, /does not exist/))
    assert.deepEqual(leftovers(), [])
  })

  test('a disk that is full is said to be so, and is given its space back', async () => {
    using folder = tempFolder()
    plant(folder.path, { big: randomBytes(large) })
    const disk = there('disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=4m,uid=${host.uid}`, 'tmpfs', disk])
    try {
      const sent = send(transport, [join(folder.path, 'big')], 'disk')
      await assert.rejects(sent, fails('CPN_ERR_TRANSFER', host.name, /disk is full/))
      assert.deepEqual(readdirSync(disk), [])
    } finally {
      execFileSync('umount', [disk])
    }
  })

  test('a connection that is cut leaves a part that the next copy continues', async () => {
    using folder = tempFolder()
    plant(folder.path, { cut: randomBytes(4 * large) })
    const local = join(folder.path, 'cut')
    const cut = await connectTo(host)
    const onProgress = (): void => void (sizeNow() > large && cut.destroy(new Error('cut')))
    await assert.rejects(send(cut, [local], 'cut', { onProgress }), fails('CPN_ERR_CONNECTION_LOST', host.name))
    await eventually(() => sizeNow() > large, 'a part that is kept')
    const first: number[] = []
    await send(transport, [local], 'cut', { onProgress: (bytes) => void first.push(bytes) })
    assert.ok(first[0]! >= large, `continued at ${first[0]}`)
    assert.deepEqual(leftovers(), [])
  })

  /** Root's file would not be the user's to write. */
  function plantPart(path: string, content: Buffer): void {
    writeFileSync(path, content)
    execFileSync('chown', [host.user, path])
  }
})

test('each host goes its own way, and the result says which', { skip: usersMissing }, async () => {
  const nologin = { ...sftpOnly, config: ['Subsystem sftp internal-sftp'], shell: '/usr/sbin/nologin' }
  await using hosts = await startHosts(
    { name: 'shell' },
    { name: 'forced', ...sftpOnly },
    { name: 'nologin', ...nologin },
  )
  await using home = project(hosts)
  writeFileSync(join(home.folder, 'a'), 'hello')
  const copied = await home.json<{ hosts: { name: string; way: string; error: unknown }[] }>(['copy', 'a', 'all:b'])
  const ways = copied.hosts.map(({ name, way }) => `${name} ${way}`)
  assert.deepEqual(ways, ['shell commands', 'forced sftp', 'nologin sftp'])
  for (const host of hosts) assert.equal(readFileSync(join(host.home, 'b'), 'utf8'), 'hello')
  const { stderr } = await home.ok(['fetch', 'all:b', 'back'])
  assert.equal(stderr.match(/by SFTP/g)?.length, 2, stderr)
  for (const { name } of hosts) assert.equal(readFileSync(join(home.folder, 'back', name, 'b'), 'utf8'), 'hello')
})

const without: Record<string, [SshdOptions, RegExp]> = {
  'no SFTP': [{ subsystem: false, config: ['ForceCommand echo go away'] }, /go away/],
  // sshd has the login shell start it.
  'an SFTP program that nologin does not start': [{ shell: '/usr/sbin/nologin' }, /nologin/],
}

for (const [what, [options, says]] of Object.entries(without)) {
  test(`a host that runs no commands and has ${what} says why it runs none`, { skip: usersMissing }, async () => {
    await using host = await startSshd(options)
    await using transport = await connectTo(host)
    using folder = tempFolder()
    plant(folder.path, { a: 'a' })
    const sent = send(transport, [join(folder.path, 'a')], 'a')
    await assert.rejects(sent, fails('CPN_ERR_NO_SHELL', host.name, says))
  })
}
