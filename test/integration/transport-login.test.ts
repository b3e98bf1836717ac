import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeKey, publicKey } from '../helpers/host-files.ts'
import { sshdMissing, startSshd, usersMissing } from '../helpers/sshd.ts'
import { fails, hostOf, Master, nobody, person } from './transport-fixture.ts'

test('a key logs in, and the verified host key is known', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  assert.equal(transport.hostKey, sshd.hostKeyFingerprint)
  assert.equal((await transport.exec('id -un')).stdout.trim(), sshd.user)
})

test('rsa and ecdsa keys log in', { skip: sshdMissing }, async () => {
  using master = new Master()
  for (const type of ['rsa', 'ecdsa']) {
    const identityFile = join(master.folder, `id_${type}`)
    makeKey(identityFile, type)
    await using sshd = await startSshd({ authorizedKeys: [publicKey(`${identityFile}.pub`)], hostKeyTypes: ['rsa'] })
    master.trust(sshd)
    const host = hostOf(sshd, { identityFile })
    await using connector = master.connector([host])
    await using transport = await connector.open(host)
    assert.equal((await transport.exec('true')).exitCode, 0)
  }
})

test('an encrypted key asks once for its passphrase, after a wrong one again', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd({ encryptedKey: 'open sesame' })
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  const prompter = person('wrong', 'open sesame')
  await using connector = master.connector([host], prompter)
  await using first = await connector.open(host)
  await using second = await connector.open(host)
  assert.equal((await first.exec('echo 1')).stdout + (await second.exec('echo 2')).stdout, '1\n2\n')
  assert.deepEqual(
    prompter.questions.map((question) => question.replace(sshd.identityFile, 'KEY')),
    ['Passphrase of KEY: ', 'wrong, once more: Passphrase of KEY: '],
  )
})

test('no passphrase is asked for when the server does not want the key', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  const identityFile = join(master.folder, 'id_other')
  makeKey(identityFile, 'ed25519', 'secret')
  const host = hostOf(sshd, { identityFile })
  const prompter = person()
  await using connector = master.connector([host], prompter)
  await assert.rejects(connector.open(host), fails('CPN_ERR_AUTH_FAILED', sshd.name, /id_other/))
  assert.deepEqual(prompter.questions, [])
})

test('an encrypted key without a terminal says how to load it', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd({ encryptedKey: 'open sesame' })
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await assert.rejects(connector.open(host), (error: Error & { suggestions: string[] }) => {
    assert.match(error.message, /passphrase/)
    assert.match(error.suggestions[0]!, /ssh-add/)
    return true
  })
})

test('after three wrong passphrases ssh-agent is suggested first', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd({ encryptedKey: 'open sesame' })
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host], person('a', 'b', 'c'))
  await assert.rejects(connector.open(host), (error: Error & { suggestions: string[] }) => {
    assert.match(error.message, /none of three passphrases/)
    assert.match(error.suggestions[0]!, /ssh-add/)
    return true
  })
})

test('ssh-agent signs for a key whose file has a passphrase', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  await using sshAgent = await startSshAgent(join(master.folder, 'agent.sock'))
  execFileSync('ssh-add', ['-q', sshd.identityFile], {
    env: { ...process.env, SSH_AUTH_SOCK: sshAgent.socket },
    stdio: 'ignore',
  })
  execFileSync('ssh-keygen', ['-q', '-p', '-N', 'secret', '-f', sshd.identityFile], { stdio: 'ignore' })
  using configured = new Master([`Host *`, `IdentityAgent ${sshAgent.socket}`]).trust(sshd)
  for (const host of [hostOf(sshd), withoutKey(hostOf(sshd))]) {
    await using connector = configured.connector([host], nobody)
    await using transport = await connector.open(host)
    assert.equal((await transport.exec('true')).exitCode, 0)
  }
})

test('a password is asked for on a terminal', { skip: usersMissing }, async () => {
  await using sshd = await startSshd({ password: 'correct horse' })
  using master = new Master().trust(sshd)
  const host = withoutKey(hostOf(sshd))
  const prompter = person('wrong', 'correct horse')
  await using connector = master.connector([host], prompter)
  await using transport = await connector.open(host)
  assert.equal((await transport.exec('true')).exitCode, 0)
  assert.equal(prompter.questions.length, 2)
  assert.match(prompter.questions[0]!, new RegExp(sshd.user))
  assert.match(prompter.questions[1]!, /^wrong, once more: Password/)
})

test('keyboard-interactive asks what the server asks', { skip: usersMissing }, async () => {
  const config = ['UsePAM yes', 'KbdInteractiveAuthentication yes', 'PasswordAuthentication no']
  await using sshd = await startSshd({ password: 'correct horse', config })
  using master = new Master().trust(sshd)
  const host = withoutKey(hostOf(sshd))
  const prompter = person('correct horse')
  await using connector = master.connector([host], prompter)
  await using transport = await connector.open(host)
  assert.equal((await transport.exec('true')).exitCode, 0)
  assert.match(prompter.questions[0]!, /password/i)
})

test('key and password together log in where the server wants both', { skip: usersMissing }, async () => {
  await using sshd = await startSshd({
    password: 'correct horse',
    config: ['AuthenticationMethods publickey,password'],
  })
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host], person('correct horse'))
  await using transport = await connector.open(host)
  assert.equal((await transport.exec('true')).exitCode, 0)
})

test('a password without a terminal fails and says what would help', { skip: usersMissing }, async () => {
  await using sshd = await startSshd({ password: 'correct horse' })
  using master = new Master().trust(sshd)
  const host = withoutKey(hostOf(sshd))
  await using connector = master.connector([host])
  await assert.rejects(connector.open(host), (error: Error & { suggestions: string[] }) => {
    fails('CPN_ERR_AUTH_FAILED', sshd.name, /tried nothing; the server takes publickey, password/)(error)
    assert.ok(error.suggestions.some((suggestion) => suggestion.includes('--copy-key')))
    return true
  })
})

test('a refused login is not tried again', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  const identityFile = join(master.folder, 'id_other')
  makeKey(identityFile)
  const host = hostOf(sshd, { identityFile })
  await using connector = master.connector([host])
  await assert.rejects(connector.open(host), fails('CPN_ERR_AUTH_FAILED', sshd.name))
  await assert.rejects(connector.open(host), fails('CPN_ERR_AUTH_FAILED', sshd.name))
  assert.equal(sshd.log().match(/Connection from/g)?.length, 1)
})

test('a missing identityFile is named before anything is sent', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  const host = hostOf(sshd, { identityFile: '/nowhere/id_ed25519' })
  await using connector = master.connector([host])
  await assert.rejects(connector.open(host), fails('CPN_ERR_IDENTITY', sshd.name, /\/nowhere\/id_ed25519/))
})

test('~/.ssh/config gives address, port, user and key; the inventory wins', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd({ name: 'alias' })
  const { address, port, user, identityFile } = sshd
  const lines = ['Host alias', `HostName ${address}`, `Port ${port}`, 'User somebody', `IdentityFile ${identityFile}`]
  using master = new Master(lines).trust(sshd)
  const host = { ...withoutKey(hostOf(sshd, { address: 'alias', user })) }
  delete host.port
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  assert.equal((await transport.exec('id -un')).stdout.trim(), user)
  assert.match(readFileSync(process.env.CPN_SSH_CONFIG!, 'utf8'), /somebody/)
})

test('a broken ~/.ssh/config is reported with what is wrong', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master(['NoSuchOption yes']).trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await assert.rejects(connector.open(host), fails('CPN_ERR_SSH_CONFIG', sshd.name, /nosuchoption/i))
})

function withoutKey(host: ReturnType<typeof hostOf>): ReturnType<typeof hostOf> {
  const { identityFile: _, ...rest } = host
  return rest
}

async function startSshAgent(socket: string): Promise<AsyncDisposable & { socket: string }> {
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  const end = async (): Promise<void> => {
    child.kill()
    await once(child, 'close')
  }
  return { socket, [Symbol.asyncDispose]: end }
}
