import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { addHost } from '../../src/actions/hosts/add-host.ts'
import { removeHosts, showHost } from '../../src/actions/hosts/hosts.ts'
import type { Context } from '../../src/common/context.ts'
import type { CpnError } from '../../src/common/errors.ts'
import { createLogger } from '../../src/common/logger.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'

let folder: string
let fleet: string
let inventory: string
let usersKnownHosts: string
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'cpn-test-'))
  fleet = join(folder, 'fleet')
  inventory = join(fleet, 'inventory.yaml')
  usersKnownHosts = join(folder, 'users_known_hosts')
  mkdirSync(fleet)
  process.env.CPN_SSH_CONFIG = join(folder, 'ssh_config')
  writeFileSync(process.env.CPN_SSH_CONFIG, `UserKnownHostsFile ${usersKnownHosts}\nGlobalKnownHostsFile none\n`)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A context whose person gives this answer; without one there is no terminal. */
function contextOf(answer?: boolean): Context & { asked: string[]; notices: string[] } {
  const asked: string[] = []
  const notices: string[] = []
  const confirm = async (question: string) => {
    assert.ok(answer !== undefined, 'asked without a terminal')
    asked.push(question)
    return answer
  }
  const prompter = { interactive: answer !== undefined, confirm, secret: () => assert.fail('no secret is needed') }
  const notice = (message: string) => void notices.push(message)
  return { signal: new AbortController().signal, logger: createLogger(), prompter, notice, asked, notices }
}

function add(host: SshdHost, trust: object, context = contextOf(), jump?: string) {
  const { name, address, port, user, identityFile } = host
  return addHost({ inventory, name, settings: { address, port, user, identityFile, jump }, ...trust }, context)
}

const knownHosts = () => readFileSync(join(fleet, '.cpn', 'known_hosts'), 'utf8')

describe('adding a host over SSH', { skip: sshdMissing }, () => {
  test('a host of the inventory gets its key accepted, also a new one after a reinstallation', async () => {
    await using host = await startSshd()
    await add(host, { trustOnFirstUse: true })
    const before = readFileSync(inventory, 'utf8')
    await host.rotateHostKey()
    const again = { inventory, name: host.name, settings: {} }
    await assert.rejects(addHost({ ...again, trustOnFirstUse: true }, contextOf()), {
      code: 'CPN_ERR_HOST_KEY_CHANGED',
    })
    const kept = await addHost({ ...again, hostKey: host.hostKeyFingerprint }, contextOf())
    assert.equal(kept.added, false)
    assert.equal((await add(host, { trustOnFirstUse: true })).added, false, 'the same command again')
    assert.equal(knownHosts().trim(), host.knownHostsLine())
    assert.equal(readFileSync(inventory, 'utf8'), before)
  })

  test('a yes to the shown fingerprint records key and host', async () => {
    await using host = await startSshd()
    const context = contextOf(true)
    const added = await add(host, {}, context)
    assert.deepEqual(added.hostKey, { type: 'ssh-ed25519', fingerprint: host.hostKeyFingerprint, known: false })
    assert.equal(context.asked.length, 1)
    assert.ok(context.asked[0]!.includes(host.hostKeyFingerprint))
    assert.equal(knownHosts().trim(), host.knownHostsLine())
    const shown = await showHost({ inventory, name: host.name })
    assert.deepEqual(
      shown.hostKeys.map((key) => key.fingerprint),
      [host.hostKeyFingerprint],
    )
    assert.equal(shown.history[0]!.hostKey, host.hostKeyFingerprint)
  })

  test('a no writes nothing', async () => {
    await using host = await startSshd()
    await assert.rejects(add(host, {}, contextOf(false)), { code: 'CPN_ERR_DECLINED' })
    assert.deepEqual(readdirSync(fleet), [])
  })

  test('the right fingerprint needs no terminal', async () => {
    await using host = await startSshd()
    await add(host, { hostKey: host.hostKeyFingerprint })
    assert.equal(knownHosts().trim(), host.knownHostsLine())
  })

  test('a wrong fingerprint writes nothing', async () => {
    await using host = await startSshd()
    await using other = await startSshd()
    await assert.rejects(add(host, { hostKey: other.hostKeyFingerprint }), (error: CpnError) => {
      assert.equal(error.code, 'CPN_ERR_HOST_KEY_CHANGED')
      assert.equal(error.host, host.name)
      assert.ok(error.message.includes(host.hostKeyFingerprint))
      return true
    })
    assert.deepEqual(readdirSync(fleet), [])
  })

  test('trust on first use says what it trusts', async () => {
    await using host = await startSshd()
    const context = contextOf()
    await add(host, { trustOnFirstUse: true }, context)
    assert.ok(context.notices.some((notice) => notice.includes(host.hostKeyFingerprint)))
    assert.equal(knownHosts().trim(), host.knownHostsLine())
  })

  test('a key that the user knows already is shown as known and recorded as well', async () => {
    await using host = await startSshd()
    writeFileSync(usersKnownHosts, `${host.knownHostsLine(`[${host.address}]:${host.port}`)}\n`)
    const context = contextOf(true)
    const { hostKey } = await add(host, {}, context)
    assert.equal(hostKey!.known, true)
    assert.match(context.asked[0]!, /already in your known_hosts/)
    assert.equal(knownHosts().trim(), host.knownHostsLine())
  })

  test('another key than the user knows is not trusted on first use', async () => {
    await using host = await startSshd()
    writeFileSync(usersKnownHosts, `${host.knownHostsLine(`[${host.address}]:${host.port}`)}\n`)
    await host.rotateHostKey()
    await assert.rejects(add(host, { trustOnFirstUse: true }), { code: 'CPN_ERR_HOST_KEY_CHANGED' })
    assert.deepEqual(readdirSync(fleet), [])
  })

  test('the right fingerprint outweighs an outdated key of the user, but not a revocation', async () => {
    await using host = await startSshd()
    const line = host.knownHostsLine(`[${host.address}]:${host.port}`)
    writeFileSync(usersKnownHosts, `${line}\n`)
    await host.rotateHostKey()
    await add(host, { hostKey: host.hostKeyFingerprint })
    assert.equal(knownHosts().trim(), host.knownHostsLine())
    await removeHosts({ inventory, patterns: [host.name] }, contextOf(true))
    writeFileSync(usersKnownHosts, `@revoked ${host.knownHostsLine('*')}\n`)
    await assert.rejects(add(host, { hostKey: host.hostKeyFingerprint }), { code: 'CPN_ERR_HOST_KEY_REVOKED' })
    assert.equal(knownHosts(), '')
  })

  test('a host with several keys shows the one that the user knows', async () => {
    await using host = await startSshd({ hostKeyTypes: ['rsa', 'ed25519'] })
    writeFileSync(usersKnownHosts, `${host.knownHostsLine(`[${host.address}]:${host.port}`)}\n`)
    const { hostKey } = await add(host, { trustOnFirstUse: true })
    assert.deepEqual(hostKey, { type: 'ssh-rsa', fingerprint: host.hostKeyFingerprint, known: true })
  })

  test('a host that does not answer is not added', async () => {
    await using host = await startSshd()
    host.stop()
    await assert.rejects(add(host, { trustOnFirstUse: true }), { code: 'CPN_ERR_CONNECT_REFUSED', host: host.name })
    assert.deepEqual(readdirSync(fleet), [])
  })

  test('the key of a host behind another is fetched through it', async () => {
    await using door = await startSshd()
    await using host = await startSshd()
    await add(door, { hostKey: door.hostKeyFingerprint })
    await add(host, { hostKey: host.hostKeyFingerprint }, contextOf(), door.name)
    assert.match(door.log(), /Accepted publickey/)
    assert.deepEqual(knownHosts().trim().split('\n'), [door.knownHostsLine(), host.knownHostsLine()])
    assert.equal((await showHost({ inventory, name: host.name })).jump, door.name)
  })

  test('a jump host whose key changed is not gone through', async () => {
    await using door = await startSshd()
    await using host = await startSshd()
    await add(door, { hostKey: door.hostKeyFingerprint })
    await door.rotateHostKey()
    const before = readFileSync(inventory, 'utf8')
    await assert.rejects(add(host, { trustOnFirstUse: true }, contextOf(), door.name), (error: CpnError) => {
      assert.equal(error.code, 'CPN_ERR_JUMP')
      assert.equal((error.cause as CpnError).code, 'CPN_ERR_HOST_KEY_CHANGED')
      return true
    })
    assert.equal(readFileSync(inventory, 'utf8'), before)
    assert.equal(host.log().includes('Connection from'), false)
  })

  test('a removed host is forgotten, so that a reinstalled one can take its name', async () => {
    await using host = await startSshd()
    await add(host, { trustOnFirstUse: true })
    await removeHosts({ inventory, patterns: [host.name] }, contextOf(true))
    assert.equal(knownHosts(), '')
    await host.rotateHostKey()
    await add(host, { trustOnFirstUse: true })
    assert.equal(knownHosts().trim(), host.knownHostsLine())
  })
})
