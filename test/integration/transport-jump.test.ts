import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { scanHostKey } from '../../src/transport/host-keys.ts'
import { sshdMissing, startSshd, usersMissing } from '../helpers/sshd.ts'
import { fails, hostOf, Master, person } from './transport-fixture.ts'

test('a host behind two jump hosts is reached, each key verified', { skip: sshdMissing }, async () => {
  await using outer = await startSshd({ name: 'outer' })
  await using inner = await startSshd({ name: 'inner' })
  await using sshd = await startSshd({ name: 'target' })
  using master = new Master().trust(outer, inner, sshd)
  for (const way of [
    { jump: 'outer,inner', innerJump: undefined },
    { jump: 'inner', innerJump: 'outer' },
  ]) {
    const innerHost = hostOf(inner, way.innerJump === undefined ? {} : { jump: way.innerJump })
    const hosts = [hostOf(outer), innerHost, hostOf(sshd, { jump: way.jump })]
    await using connector = master.connector(hosts)
    await using transport = await connector.open(hosts[2]!)
    const { stdout } = await transport.exec('echo $SSH_CONNECTION')
    assert.ok(stdout.includes(` ${sshd.address} ${sshd.port}`))
    await inner.waitForLog(new RegExp(`Connection from .* on ${inner.address}`))
    assert.equal(transport.hostKey, sshd.hostKeyFingerprint)
  }
  assert.equal(outer.log().match(/Accepted publickey/g)?.length, 2)
  assert.equal(inner.log().match(/Accepted publickey/g)?.length, 2)
})

test('ProxyJump of ~/.ssh/config leads through several hops', { skip: sshdMissing }, async () => {
  await using outer = await startSshd()
  await using inner = await startSshd()
  await using sshd = await startSshd({ name: 'target' })
  const hop = (alias: string, { address, port, user, identityFile }: typeof outer): string[] => [
    `Host ${alias}`,
    `HostName ${address}`,
    `Port ${port}`,
    `User ${user}`,
    `IdentityFile ${identityFile}`,
  ]
  const lines = [...hop('first', outer), ...hop('second', inner), `Host ${sshd.address}`, 'ProxyJump first,second']
  using master = new Master(lines).trust(sshd)
  const known = [outer, inner].map((host) => host.knownHostsLine(`[${host.address}]:${host.port}`))
  writeFileSync(master.userKnownHostsFile, `${known.join('\n')}\n`)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  assert.equal((await transport.exec('true')).exitCode, 0)
  assert.match(inner.log(), /Accepted publickey/)
})

test('a packet to a host behind a jump host is one packet to the jump host', { skip: sshdMissing }, async () => {
  await using bastion = await startSshd({ name: 'bastion' })
  await using sshd = await startSshd({ name: 'target' })
  using master = new Master().trust(bastion, sshd)
  const hosts = [hostOf(bastion), hostOf(sshd, { jump: 'bastion' })]
  await using connector = master.connector(hosts)
  const sockets: Socket[] = []
  const onSocket = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket)
  subscribe('net.client.socket', onSocket)
  await using transport = await connector.open(hosts[1]!)
  unsubscribe('net.client.socket', onSocket)
  const sent = (): number => sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0)
  const { stdin, stdout } = await transport.spawn('cat')
  const before = sent()
  for (let writes = 0; writes < 100; writes++) {
    stdin.write('x')
    await once(stdout, 'data')
  }
  const after = sent()
  stdin.end()
  // 85 in one packet; its parts in packets of their own would be 158.
  const bytes = (after - before) / 100
  assert.ok(bytes > 50 && bytes < 120, `${bytes} bytes for each`)
})

test('an unknown key of a hop is refused before the login there, and named', { skip: sshdMissing }, async () => {
  await using bastion = await startSshd({ name: 'bastion' })
  await using sshd = await startSshd({ name: 'target' })
  using master = new Master().trust(sshd)
  const hosts = [hostOf(bastion), hostOf(sshd, { jump: 'bastion' })]
  await using connector = master.connector(hosts)
  await assert.rejects(connector.open(hosts[1]!), fails('CPN_ERR_JUMP', 'target', /bastion.*CPN_ERR_HOST_KEY_UNKNOWN/))
  assert.doesNotMatch(bastion.log(), /Accepted|Failed/)
})

test('a target behind a hop is verified by its own key', { skip: sshdMissing }, async () => {
  await using bastion = await startSshd({ name: 'bastion' })
  await using sshd = await startSshd({ name: 'target' })
  using master = new Master().trust(bastion)
  const hosts = [hostOf(bastion), hostOf(sshd, { jump: 'bastion' })]
  await using connector = master.connector(hosts)
  await assert.rejects(connector.open(hosts[1]!), fails('CPN_ERR_HOST_KEY_UNKNOWN', 'target'))
  const scanned = await scanHostKey(hosts[1]!, master.options(hosts))
  assert.equal(scanned.fingerprint, sshd.hostKeyFingerprint)
})

test('hosts behind one bastion share its connection and its one question', { skip: usersMissing }, async () => {
  await using bastion = await startSshd({ name: 'bastion', password: 'correct horse' })
  await using first = await startSshd({ name: 'first' })
  await using second = await startSshd({ name: 'second' })
  using master = new Master().trust(bastion, first, second)
  const { identityFile: _, ...bastionHost } = hostOf(bastion)
  const hosts = [bastionHost, hostOf(first, { jump: 'bastion' }), hostOf(second, { jump: 'bastion' })]
  const prompter = person('correct horse')
  await using connector = master.connector(hosts, prompter)
  const [one, two] = await Promise.all([connector.open(hosts[1]!), connector.open(hosts[2]!)])
  assert.equal((await one.exec('echo 1')).stdout + (await two.exec('echo 2')).stdout, '1\n2\n')
  await Promise.all([one.close(), two.close()])
  assert.equal(prompter.questions.length, 1)
  assert.equal(bastion.log().match(/Accepted password/g)?.length, 1)
})

test('a hop that forbids forwarding, and one that cannot reach the target, are told apart', {
  skip: sshdMissing,
}, async () => {
  await using bastion = await startSshd({ name: 'bastion', config: ['AllowTcpForwarding no'] })
  await using open = await startSshd({ name: 'open' })
  await using sshd = await startSshd({ name: 'target' })
  using master = new Master().trust(bastion, open, sshd)
  const hosts = [hostOf(bastion), hostOf(open), hostOf(sshd, { jump: 'bastion' })]
  await using connector = master.connector(hosts)
  await assert.rejects(connector.open(hosts[2]!), fails('CPN_ERR_JUMP', 'target', /bastion.*forbids/))
  sshd.stop()
  await assert.rejects(connector.open(hostOf(sshd, { jump: 'open' })), fails('CPN_ERR_CONNECT_REFUSED', 'target'))
})

test('jumps that go in a circle are refused', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd({ name: 'a' })
  using master = new Master()
  const hosts = [hostOf(sshd, { jump: 'b' }), hostOf(sshd, { name: 'b', jump: 'a' })]
  await using connector = master.connector(hosts)
  await assert.rejects(connector.open(hosts[0]!), fails('CPN_ERR_JUMP', 'a', /a → b → a/))
})

test('a lost bastion loses the hosts behind it', { skip: sshdMissing }, async () => {
  await using bastion = await startSshd({ name: 'bastion' })
  await using sshd = await startSshd({ name: 'target' })
  using master = new Master().trust(bastion, sshd)
  const hosts = [hostOf(bastion), hostOf(sshd, { jump: 'bastion' })]
  await using connector = master.connector(hosts)
  await using transport = await connector.open(hosts[1]!)
  const lost = new Promise((resolve) => transport.lost.addEventListener('abort', resolve, { once: true }))
  await bastion.restart()
  await lost
  assert.equal((transport.lost.reason as { code: string }).code, 'CPN_ERR_CONNECTION_LOST')
  await using again = await connector.open(hosts[1]!)
  assert.equal((await again.exec('true')).exitCode, 0)
})
