import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { after, before, test } from 'node:test'
import { startLinkedHosts } from '../helpers/linked-hosts.ts'
import { sshdMissing } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'
import { vethMissing } from '../helpers/veth-link.ts'
import { hostOf, Master } from './transport-fixture.ts'

// Shorter deadlines, so that less has to be sent to be longer on its way than they allow.
const scaleBefore = process.env.CPN_TIMEOUT_SCALE
before(() => {
  process.env.CPN_TIMEOUT_SCALE = '0.3'
})
after(() => {
  if (scaleBefore === undefined) delete process.env.CPN_TIMEOUT_SCALE
  else process.env.CPN_TIMEOUT_SCALE = scaleBefore
})

// Twelve megabytes fit into the windows of six channels and take five seconds; a channel is asked for within three.
test('a command starts while others send more than the link takes', {
  skip: sshdMissing || vethMissing(),
}, async () => {
  await using fleet = await startLinkedHosts(1)
  using master = new Master().trust(...fleet.hosts)
  const host = hostOf(fleet.hosts[0]!)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  const senders = await Promise.all(Array.from({ length: 6 }, () => transport.spawn('cat >/dev/null')))
  fleet.links[0]!.limit(20)
  for (const { stdin } of senders) stdin.end(Buffer.alloc(2 * 2 ** 20))
  await transport.exec('true')
  await Promise.all(senders.map(({ exited }) => exited))
})

// Two megabytes take eleven seconds, and a request is answered within nine.
test('a chunk that is longer on its way than one request may take is written by SFTP', {
  skip: sshdMissing || vethMissing(),
}, async () => {
  await using fleet = await startLinkedHosts(1)
  const sshd = fleet.hosts[0]!
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  await using files = await transport.openFiles()
  const chunk = randomBytes(2 * 2 ** 20)
  fleet.links[0]!.limit(1.5)
  await files.write('chunk', Readable.from([chunk]))
  assert.ok(readFileSync(join(sshd.home, 'chunk')).equals(chunk))
})

test('commands that have begun on a busy link end with the connection', {
  skip: sshdMissing || vethMissing(),
}, async () => {
  await using fleet = await startLinkedHosts(1)
  const sshd = fleet.hosts[0]!
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  const transport = await connector.open(host)
  const senders = await Promise.all(Array.from({ length: 4 }, () => transport.spawn('cat >/dev/null')))
  fleet.links[0]!.limit(20)
  for (const { stdin, exited } of senders) {
    ignoreLoss(stdin, exited)
    stdin.write(Buffer.alloc(8 * 2 ** 20))
  }
  const begun = (): string[] => readdirSync(sshd.home).filter((name) => name.startsWith('begun-'))
  const commands = Array.from({ length: 4 }, (_, index) => transport.spawn(`>begun-${index}; exec sleep 1000`))
  for (const command of commands) command.then(({ stdin, exited }) => ignoreLoss(stdin, exited), ignore)
  await until(() => begun().length >= 2, 'commands have begun', 30_000)
  transport.destroy(new Error('cut'))
  await until(() => sshd.processes().length === 0, 'nothing runs on the host', 20_000)
})

const ignore = (): void => undefined

function ignoreLoss(stdin: Writable, exited: Promise<unknown>): void {
  stdin.on('error', ignore)
  exited.catch(ignore)
}
