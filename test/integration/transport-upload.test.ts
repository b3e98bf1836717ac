import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { sha256 } from '../../src/common/digest.ts'
import type { Transport, UploadOptions } from '../../src/transport/transport.ts'
import { type SshdHost, type SshdOptions, sshdMissing, startSshd, usersMissing } from '../helpers/sshd.ts'
import { eventually, fails, hostOf, Master, plainHost } from './transport-fixture.ts'

const data = randomBytes(3_000_000)
const options: UploadOptions = { sha256: sha256(data), bytes: data.length, mode: 0o750 }
const source = (): Readable => chunked(data)

function chunked(bytes: Buffer): Readable {
  const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
    bytes.subarray(index * 65_536, (index + 1) * 65_536),
  )
  return Readable.from(chunks)
}

async function withTransport(
  sshdOptions: SshdOptions,
  use: (transport: Transport, sshd: SshdHost) => Promise<void>,
): Promise<void> {
  await using sshd = await startSshd(sshdOptions)
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  await use(transport, sshd)
}

async function uploads(transport: Transport, sshd: SshdHost): Promise<void> {
  const progress: number[] = []
  const path = "it's a file"
  await transport.upload(source, path, { ...options, onProgress: (sent) => progress.push(sent) })
  const file = join(sshd.home, path)
  assert.ok(readFileSync(file).equals(data))
  assert.equal(statSync(file).mode & 0o777, 0o750)
  assert.equal(progress.at(-1), data.length)
  await transport.upload(() => chunked(Buffer.alloc(0)), `~/${path}`, { sha256: sha256(''), bytes: 0, mode: 0o600 })
  assert.equal(statSync(file).size, 0)
  await transport.upload(source, file, options)
  assert.equal(statSync(file).size, data.length)
  assert.deepEqual(leftovers(sshd.home), [])
}

test('an upload has the bytes, the mode and the name', { skip: sshdMissing }, async () => {
  await withTransport({}, uploads)
})

test('an upload needs no SFTP, one session, and silence of no start file', { skip: usersMissing }, async () => {
  const config = ['MaxSessions 1']
  await withTransport(
    { subsystem: false, config, shell: '/bin/bash', files: { '.bashrc': 'echo hi; echo ho >&2' } },
    uploads,
  )
})

test('SFTP stands in where the command does not get the bytes through', { skip: usersMissing }, async () => {
  const config = ['Subsystem sftp internal-sftp']
  for (const broken of ['head -c 5', 'tr a b', 'exit 127']) {
    const files = { '.bashrc': 'PATH=$HOME/bin:$PATH', 'bin/cat': `#!/bin/sh\n${broken}\n` }
    await withTransport({ shell: '/bin/bash', config, subsystem: false, files }, async (transport, sshd) => {
      await transport.exec('chmod 700 bin/cat')
      await transport.upload(source, 'file', options)
      assert.ok(readFileSync(join(sshd.home, 'file')).equals(data))
      assert.equal(statSync(join(sshd.home, 'file')).mode & 0o777, 0o750)
      assert.deepEqual(leftovers(sshd.home), [])
    })
  }
})

async function failsClean(
  transport: Transport,
  folder: string,
  change: Partial<UploadOptions>,
  says: RegExp,
): Promise<void> {
  const bad = transport.upload(source, join(folder, 'bad'), { ...options, ...change })
  await assert.rejects(bad, fails('CPN_ERR_UPLOAD', transport.host, says))
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('bad')),
    [],
  )
}

async function refusesDamage(transport: Transport, folder: string): Promise<void> {
  await failsClean(transport, folder, { sha256: sha256('other') }, /digest/)
  await failsClean(transport, folder, { bytes: data.length + 1 }, /3000000 of 3000001 bytes/)
  await failsClean(transport, folder, { bytes: 10 }, /3000000 of 10 bytes/)
  const missing = transport.upload(source, join(folder, 'none', 'file'), options)
  await assert.rejects(missing, fails('CPN_ERR_UPLOAD', transport.host, /none/))
  const broken = (): Readable =>
    Readable.from(
      (async function* () {
        yield data.subarray(0, 100_000)
        throw new Error('cannot read it any more')
      })(),
    )
  const upload = transport.upload(broken, join(folder, 'bad'), options)
  await assert.rejects(upload, fails('CPN_ERR_UPLOAD', transport.host, /cannot read it any more/))
  await eventually(() => readdirSync(folder).every((name) => !name.startsWith('bad')), 'no leftover')
}

test('a damaged upload leaves nothing on the host', { skip: sshdMissing }, async () => {
  await withTransport({}, (transport, sshd) => refusesDamage(transport, sshd.home))
})

test('a damaged upload leaves nothing on this machine', async () => {
  using master = new Master()
  const host = plainHost({ name: 'here', transport: 'local' })
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  const folder = mkdtempSync(join(tmpdir(), 'cpn-upload-'))
  try {
    await transport.upload(source, join(folder, 'file'), options)
    assert.ok(readFileSync(join(folder, 'file')).equals(data))
    assert.equal(statSync(join(folder, 'file')).mode & 0o777, 0o750)
    await refusesDamage(transport, folder)
    assert.equal((await transport.exec('pwd')).stdout.trim(), homedir())
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a connection that is cut in the middle leaves no file', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    const cut = new AbortController()
    const endless = (): Readable => Readable.from(endlessly())
    const upload = transport.upload(endless, 'file', {
      ...options,
      onProgress: (sent) => {
        if (sent > 5_000_000 && !cut.signal.aborted) cut.abort()
      },
    })
    upload.catch(() => undefined)
    await new Promise((resolve) => cut.signal.addEventListener('abort', resolve, { once: true }))
    assert.equal(leftovers(sshd.home).length, 1)
    await sshd.restart()
    await assert.rejects(upload, fails('CPN_ERR_CONNECTION_LOST', sshd.name))
    await eventually(() => readdirSync(sshd.home).every((name) => !name.startsWith('file')), 'no file')
  })
})

test('a signal ends an upload and removes what was there of it', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    const controller = new AbortController()
    const onProgress = (sent: number): void => {
      if (sent > 1_000_000) controller.abort(new Error('not wanted'))
    }
    const { signal } = controller
    const upload = transport.upload(() => Readable.from(endlessly()), 'file', { ...options, signal, onProgress })
    await assert.rejects(upload, /not wanted/)
    await eventually(() => readdirSync(sshd.home).every((name) => !name.startsWith('file')), 'no file')
    assert.equal((await transport.exec('echo alive')).stdout, 'alive\n')
  })
})

test('a full disk is called by its name', { skip: usersMissing || !canMount() }, async () => {
  await withTransport({}, async (transport, sshd) => {
    const small = join(sshd.home, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=1m,uid=${sshd.uid}`, 'tmpfs', small])
    try {
      await failsClean(transport, small, {}, /disk is full \(3000000 bytes are needed\)/)
    } finally {
      execFileSync('umount', [small])
    }
  })
})

function leftovers(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.includes('.cpn-'))
}

function* endlessly(): Generator<Buffer> {
  for (;;) yield data.subarray(0, 65_536)
}

function canMount(): boolean {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'cpn-mount-'))
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
    return true
  } catch {
    return false
  }
}
