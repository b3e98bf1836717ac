// Bytes per second from a Unix socket on a host to the master: cpn's tunnel beside OpenSSH's own forwarding.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnector } from '../../src/transport/connector.ts'
import { type SshdHost, startSshd } from '../../test/helpers/sshd.ts'
import { tempFolder } from '../../test/helpers/temp-folder.ts'
import { hostOf, Master } from '../../test/integration/transport-fixture.ts'
import { opensshOptions } from '../peers/scp.ts'
import { type Report, ratio } from '../report.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 5)
const bytes = 512 * 2 ** 20

export async function measure(): Promise<Report> {
  await using sshd = await startSshd()
  using folder = tempFolder()
  chmodSync(folder.path, 0o755)
  const socket = join(folder.path, 'bytes.sock')
  await using _server = await serveBytes(socket)
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = createConnector(master.options([host]))
  await using transport = await connector.open(host)
  const local = join(folder.path, 'forwarded.sock')
  const forwarding = await forward(sshd, local, socket)
  const ours = []
  const theirs = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await rate(await transport.openAgent(socket, 'false')))
    theirs.push(await rate(createConnection(local)))
  }
  forwarding.kill()
  await once(forwarding, 'exit')
  return {
    title: `tunnel: ${bytes / 2 ** 20} MiB from a Unix socket on a host to the master`,
    rows: [
      { what: 'cpn, one connection', unit: 'MiB/s', values: ours },
      { what: 'ssh -L, one connection', unit: 'MiB/s', values: theirs },
    ],
    ratios: [ratio('cpn / ssh -L', ours, theirs)],
    notes: [`The tunnel is of the kind ${transport.tunnel}. Each transfer is counted to its last byte.`],
  }
}

/** Writes zeros to whoever connects. */
async function serveBytes(path: string): Promise<AsyncDisposable> {
  const chunk = Buffer.alloc(64 * 1024)
  const server = createServer((socket) => {
    let left = bytes
    const fill = () => {
      while (left > 0) {
        left -= chunk.length
        if (!socket.write(chunk)) return
      }
      socket.end()
    }
    socket.on('drain', fill).on('error', () => {})
    fill()
  })
  server.listen(path)
  await once(server, 'listening')
  chmodSync(path, 0o777)
  return { [Symbol.asyncDispose]: async () => void server.close() }
}

async function forward(host: SshdHost, local: string, remote: string): Promise<ChildProcess> {
  const { port, user, address } = host
  const args = ['-N', ...opensshOptions(host), '-p', `${port}`, '-L', `${local}:${remote}`, `${user}@${address}`]
  const child = spawn('ssh', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  for (let tries = 0; tries < 200; tries++) {
    const socket = createConnection(local)
    const works = await Promise.race([once(socket, 'data').then(() => true), once(socket, 'error')]).catch(() => false)
    socket.destroy()
    if (works === true) return child
    await sleep(50)
  }
  throw new Error('ssh -L did not come up')
}

async function rate(stream: Readable): Promise<number> {
  const started = performance.now()
  let received = 0
  for await (const chunk of stream) received += (chunk as Buffer).length
  if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came`)
  return bytes / 2 ** 20 / ((performance.now() - started) / 1000)
}
