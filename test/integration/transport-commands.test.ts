import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { Host } from '../../src/inventory/inventory.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { type SshdHost, type SshdOptions, sshdMissing, startSshd, usersMissing } from '../helpers/sshd.ts'
import { eventually, fails, hostOf, Master, plainHost } from './transport-fixture.ts'

const noisy = { '.bashrc': 'echo welcome; echo warning >&2' }

async function withTransport(
  options: SshdOptions,
  use: (transport: Transport, sshd: SshdHost) => Promise<void>,
): Promise<void> {
  await using sshd = await startSshd(options)
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  await use(transport, sshd)
}

/** Every behaviour of commands has to hold for both kinds of host. */
async function withLocal(use: (transport: Transport) => Promise<void>): Promise<void> {
  using master = new Master()
  const host: Host = plainHost({ name: 'here', transport: 'local' })
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  await use(transport)
}

async function runsCommands(transport: Transport): Promise<void> {
  assert.deepEqual(await transport.exec('echo out; echo err >&2; exit 3'), {
    exitCode: 3,
    signal: null,
    stdout: 'out\n',
    stderr: 'err\n',
  })
  const quotes = `printf '%s' "it's \\"$HOME\\" !x %d \\\\"`
  assert.equal(
    (await transport.exec(quotes)).stdout,
    `it's "$HOME" !x %d \\`.replace('\\"', '"').replace('$HOME', homeOf(transport)),
  )
  assert.equal((await transport.exec('cat')).stdout, '', 'without stdin there is an empty one')
  assert.equal((await transport.exec('cat', { stdin: Buffer.from('bytes') })).stdout, 'bytes')
  assert.equal(
    (await transport.exec('cat', { stdin: Readable.from([Buffer.from('a'), Buffer.from('b')]) })).stdout,
    'ab',
  )
  assert.equal((await transport.exec('head -c 3', { stdin: Buffer.alloc(5_000_000, 'x') })).stdout, 'xxx')
  assert.equal((await transport.exec('yes | head -c 100000', { maxOutputBytes: 1000 })).stdout.length, 1000)
  await assert.rejects(transport.exec('sleep 60', { timeoutMs: 300 }), fails('CPN_ERR_REMOTE_TIMEOUT', transport.host))
  const many = await Promise.all(Array.from({ length: 30 }, (_, index) => transport.exec(`echo ${index}`)))
  assert.deepEqual(
    many.map(({ stdout }) => stdout),
    many.map((_, index) => `${index}\n`),
  )
}

const homes = new Map<Transport, string>()
function homeOf(transport: Transport): string {
  return homes.get(transport) ?? process.env.HOME!
}

async function runsProcesses(transport: Transport): Promise<void> {
  const process = await transport.spawn('read -r line; echo "got $line"; echo done >&2; cat; exit 5')
  const output = Promise.all([text(process.stdout), text(process.stderr)])
  process.stdin.write('one\n')
  process.stdin.end('two')
  assert.deepEqual(await process.exited, { exitCode: 5, signal: null })
  assert.deepEqual(await output, ['got one\ntwo', 'done\n'])
}

test('commands over SSH give their output and exit code', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    homes.set(transport, sshd.home)
    await runsCommands(transport)
    await runsProcesses(transport)
  })
})

test('commands on this machine give their output and exit code', async () => {
  await withLocal(async (transport) => {
    await runsCommands(transport)
    await runsProcesses(transport)
  })
})

test('start files that print leave no trace in the output', { skip: usersMissing }, async () => {
  await withTransport({ shell: '/bin/bash', files: noisy }, async (transport, sshd) => {
    homes.set(transport, sshd.home)
    assert.match(
      execFileSync('ssh', sshArgs(sshd, 'true'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
      /welcome/,
    )
    await runsCommands(transport)
    await runsProcesses(transport)
  })
})

for (const shell of ['/bin/bash', '/bin/zsh', '/bin/csh', '/bin/tcsh', '/usr/bin/fish']) {
  const skip = usersMissing || (existsSync(shell) ? false : `needs ${shell}`)
  test(`commands work with ${shell} as login shell`, { skip }, async () => {
    await withTransport({ shell }, async (transport, sshd) => {
      homes.set(transport, sshd.home)
      await runsCommands(transport)
      await runsProcesses(transport)
    })
  })
}

test('a user without a login shell is told so', { skip: usersMissing }, async () => {
  await withTransport({ shell: '/usr/sbin/nologin' }, async (transport, sshd) => {
    await assert.rejects(transport.exec('true'), fails('CPN_ERR_NO_SHELL', sshd.name, /login shell is nologin/))
  })
})

const family = `sh -c 'trap "" TERM HUP; echo $$; sleep 1000 & wait' & sleep 2000`

test('destroy ends a process with its children, also those that ignore it', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    const process = await transport.spawn(family)
    process.stdout.resume()
    process.stderr.resume()
    await eventually(() => running(sshd, /sleep [12]000/) === 2, 'the family')
    process.destroy()
    await eventually(() => running(sshd, /sleep [12]000/) === 0, 'the end of the family')
    assert.equal((await transport.exec('echo alive')).stdout, 'alive\n')
  })
})

test('a timeout and a signal end a command with its children', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    await assert.rejects(transport.exec(family, { timeoutMs: 500 }), fails('CPN_ERR_REMOTE_TIMEOUT', sshd.name))
    const controller = new AbortController()
    const stdin = Readable.from([Buffer.from('x')])
    const commands = [family, 'cat; sleep 1000'].map((script, index) =>
      transport.exec(script, { signal: controller.signal, ...(index === 1 && { stdin }) }),
    )
    await eventually(() => running(sshd, /sleep 1000/) >= 2, 'the commands')
    controller.abort(new Error('not wanted'))
    for (const command of commands) await assert.rejects(command, /not wanted/)
    await eventually(() => running(sshd, /sleep [12]000/) === 0, 'the end of the commands')
  })
})

test('nothing runs on after the connection is gone', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    const process = await transport.spawn(family)
    process.stdout.on('error', () => undefined).resume()
    process.stderr.resume()
    const command = transport.exec(`cat; ${family}`, { stdin: Buffer.from('x') })
    const quiet = transport.exec(family)
    await eventually(() => running(sshd, /sleep [12]000/) === 6, 'three families')
    await sshd.restart()
    await assert.rejects(process.exited, fails('CPN_ERR_CONNECTION_LOST', sshd.name))
    await assert.rejects(command, fails('CPN_ERR_CONNECTION_LOST', sshd.name))
    await assert.rejects(quiet, fails('CPN_ERR_CONNECTION_LOST', sshd.name))
    await eventually(() => sshd.processes().length === 0, 'the end of everything')
  })
})

test('a script may leave something behind in a session of its own', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    await transport.exec('setsid sleep 1000 >/dev/null 2>&1 </dev/null &')
    await transport.close()
    await eventually(() => running(sshd, /sleep 1000/) === 1, 'what was left behind')
  })
})

test('closing leaves no process of ours on the host', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    const process = await transport.spawn('cat')
    process.stdout.resume()
    process.stderr.resume()
    const slow = transport.exec('sleep 0.3; echo whole')
    process.stdin.end()
    await transport.close()
    assert.equal((await slow).stdout, 'whole\n')
    await eventually(() => sshd.processes().length === 0, 'no process')
    assert.equal(transport.lost.aborted, false)
  })
})

test('destroy on this machine ends a process with its children', async () => {
  await withLocal(async (transport) => {
    const mark = `${1_000_000 + Math.floor(Math.random() * 1_000_000)}`
    const process = await transport.spawn(`sh -c 'trap "" TERM; sleep ${mark} & wait' & sleep ${mark}`)
    process.stdout.resume()
    process.stderr.resume()
    const count = (): number => ps().filter((command) => command === `sleep ${mark}`).length
    await eventually(() => count() === 2, 'the family')
    process.destroy()
    await eventually(() => count() === 0, 'the end of the family')
  })
})

test('many commands at once fit into the few sessions a server allows', { skip: sshdMissing }, async () => {
  for (const sessions of [1, 2, 3]) {
    await withTransport({ config: [`MaxSessions ${sessions}`] }, async (transport) => {
      await runsProcesses(transport)
      const stdin = (index: number): Buffer => Buffer.from(String(index))
      const some = Array.from({ length: 6 }, (_, index) =>
        transport.exec('cat', index % 2 ? { stdin: stdin(index) } : {}),
      )
      assert.deepEqual(
        (await Promise.all(some)).map(({ stdout }) => stdout),
        ['', '1', '', '3', '', '5'],
      )
    })
  }
})

function running(sshd: SshdHost, pattern: RegExp): number {
  return sshd.processes().filter(({ command }) => command.startsWith('sleep') && pattern.test(command)).length
}

function ps(): string[] {
  return execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).split('\n')
}

function sshArgs({ identityFile, port, user, address }: SshdHost, command: string): string[] {
  const options = [
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${join(identityFile, '..', 'seen')}`,
    'LogLevel=ERROR',
  ]
  return [
    ...options.flatMap((option) => ['-o', option]),
    '-i',
    identityFile,
    '-p',
    `${port}`,
    `${user}@${address}`,
    command,
  ]
}
