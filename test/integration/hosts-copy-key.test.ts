import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { addHost } from '../../src/actions/hosts/add-host.ts'
import { copyKey } from '../../src/actions/hosts/copy-key.ts'
import type { Context, Prompter } from '../../src/common/context.ts'
import { createLogger } from '../../src/common/logger.ts'
import { makeKey, publicKey } from '../helpers/host-files.ts'
import { type SshdHost, sshdMissing, startSshd, usersMissing } from '../helpers/sshd.ts'
import { fails, hostOf, Master, nobody, person } from './transport-fixture.ts'

const contextOf = (prompter: Prompter): Context => ({
  signal: new AbortController().signal,
  logger: createLogger(),
  prompter,
  notice: () => undefined,
})

const authorizedKeys = (sshd: SshdHost) => join(sshd.home, '.ssh', 'authorized_keys')
const modeOf = (path: string) => statSync(path).mode & 0o777

function newKey(master: Master, passphrase?: string): string {
  const file = join(master.folder, 'id_new')
  makeKey(file, 'ed25519', passphrase)
  return file
}

describe('copying a key to a host', { skip: usersMissing }, () => {
  test('asks for the password once, sets the modes, and is done when it is there', async () => {
    await using sshd = await startSshd({ password: 'open sesame' })
    using master = new Master().trust(sshd)
    const identityFile = newKey(master)
    const before = '# ssh keys, without a newline at the end'
    writeFileSync(authorizedKeys(sshd), before)
    chmodSync(authorizedKeys(sshd), 0o664)
    chmodSync(join(sshd.home, '.ssh'), 0o775)
    const host = hostOf(sshd, { identityFile })
    const prompter = person('open sesame')
    const where = { hosts: [host], knownHostsFile: master.knownHostsFile }
    const copied = await copyKey(host, where, contextOf(prompter))
    assert.equal(copied.added, true)
    assert.equal(prompter.questions.length, 1)
    assert.deepEqual([modeOf(join(sshd.home, '.ssh')), modeOf(authorizedKeys(sshd))], [0o700, 0o600])
    const text = readFileSync(authorizedKeys(sshd), 'utf8')
    assert.ok(text.startsWith(`${before}\n${publicKey(`${identityFile}.pub`)} `) && text.endsWith('\n'))
    assert.equal((await copyKey(host, where, contextOf(nobody))).added, false)
    assert.equal(readFileSync(authorizedKeys(sshd), 'utf8'), text)
  })

  test('a commented key does not count as there, one with options does', async () => {
    await using sshd = await startSshd({ password: 'open sesame' })
    using master = new Master().trust(sshd)
    const identityFile = newKey(master)
    const line = publicKey(`${identityFile}.pub`)
    const host = hostOf(sshd, { identityFile })
    const where = { hosts: [host], knownHostsFile: master.knownHostsFile }
    writeFileSync(authorizedKeys(sshd), `#${line}\n`)
    assert.equal((await copyKey(host, where, contextOf(person('open sesame')))).added, true)
    writeFileSync(authorizedKeys(sshd), `no-pty ${line}\n`)
    assert.equal((await copyKey(host, where, contextOf(nobody))).added, false)
  })

  test('the passphrase of the new key is asked for when it is tried', async () => {
    await using sshd = await startSshd({ password: 'open sesame' })
    using master = new Master().trust(sshd)
    const host = hostOf(sshd, { identityFile: newKey(master, 'phrase') })
    const prompter = person('open sesame', 'phrase')
    const where = { hosts: [host], knownHostsFile: master.knownHostsFile }
    assert.equal((await copyKey(host, where, contextOf(prompter))).added, true)
    assert.match(prompter.questions[1]!, /^Passphrase of /)
  })

  test('a server that does not take the key is an error, and no password is asked for again', async () => {
    await using sshd = await startSshd({ password: 'open sesame', config: ['AuthorizedKeysFile none'] })
    using master = new Master().trust(sshd)
    const host = hostOf(sshd, { identityFile: newKey(master) })
    const prompter = person('open sesame')
    const where = { hosts: [host], knownHostsFile: master.knownHostsFile }
    await assert.rejects(
      copyKey(host, where, contextOf(prompter)),
      fails('CPN_ERR_AUTH_FAILED', sshd.name, /does not take it/),
    )
    assert.equal(prompter.questions.length, 1)
  })
})

describe('adding a host with its key copied', { skip: sshdMissing }, () => {
  test('takes the default key, and can be done later for a host that is there', async () => {
    await using sshd = await startSshd()
    using master = new Master(['Host 127.0.0.*', `IdentityFile ${sshd.identityFile}`])
    mkdirSync(join(master.folder, 'fleet'))
    const inventory = join(master.folder, 'fleet', 'inventory.yaml')
    const { name, address, port, user } = sshd
    const wanted = { inventory, name, copyKey: true, trustOnFirstUse: true }
    const first = await addHost({ ...wanted, settings: { address, port, user } }, contextOf(nobody))
    assert.deepEqual([first.added, first.copiedKey!.path], [true, sshd.identityFile])
    const again = await addHost({ ...wanted, settings: {} }, contextOf(nobody))
    assert.deepEqual([again.added, again.copiedKey!.added], [false, false])
  })

  test('this machine takes no key', async () => {
    const wanted = { inventory: '/none', name: 'here', copyKey: true, settings: { transport: 'local' as const } }
    await assert.rejects(addHost(wanted, contextOf(nobody)), { code: 'CPN_ERR_USAGE', message: /--copy-key/ })
  })
})
