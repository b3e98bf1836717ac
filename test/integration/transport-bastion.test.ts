import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sshdMissing, startHosts, startSshd, usersMissing } from '../helpers/sshd.ts'
import { fails, hostOf, Master, person } from './transport-fixture.ts'

const count = 12
const names = Array.from({ length: count }, (_, index) => ({ name: `inner${index + 1}` }))

test('twelve hosts behind one bastion share its connection, its question and its limits', {
  skip: usersMissing,
}, async () => {
  const limits = ['MaxStartups 2:100:3', 'MaxSessions 2']
  await using bastion = await startSshd({ name: 'bastion', password: 'correct horse', config: limits })
  await using inner = await startHosts(...names)
  using master = new Master().trust(bastion, ...inner)
  const { identityFile: _, ...bastionHost } = hostOf(bastion)
  const targets = inner.map((host) => hostOf(host, { jump: 'bastion' }))
  const prompter = person('correct horse')
  await using connector = master.connector([bastionHost, ...targets], prompter)
  const users = await Promise.all(
    targets.map(async (target) => {
      await using transport = await connector.open(target)
      return (await transport.exec('id -un')).stdout.trim()
    }),
  )
  assert.deepEqual(
    users,
    inner.map(({ user }) => user),
  )
  assert.equal(prompter.questions.length, 1)
  assert.equal(bastion.log().match(/Accepted password/g)?.length, 1)
})

test('a dead bastion fails the hosts behind it, each with its name, and no others', { skip: sshdMissing }, async () => {
  await using bastion = await startSshd({ name: 'bastion' })
  await using direct = await startSshd({ name: 'direct' })
  using master = new Master().trust(bastion, direct)
  const behind = names.map(({ name }) => hostOf(direct, { name, jump: 'bastion' }))
  await using connector = master.connector([hostOf(bastion), hostOf(direct), ...behind])
  bastion.stop()
  const refused = behind.map((host) =>
    assert.rejects(connector.open(host), fails('CPN_ERR_JUMP', host.name, /bastion.*CPN_ERR_CONNECT_REFUSED/)),
  )
  await using transport = await connector.open(hostOf(direct))
  assert.equal((await transport.exec('echo works')).stdout, 'works\n')
  await Promise.all(refused)
})
