import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { importHosts } from '../../src/actions/hosts/import-hosts.ts'
import type { Context } from '../../src/common/context.ts'
import { createLogger } from '../../src/common/logger.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { cpn, isolatedEnvironment } from '../helpers/cli.ts'
import { sshdMissing, startSshd } from '../helpers/sshd.ts'

let folder: string
let inventory: string
const configBefore = process.env.CPN_SSH_CONFIG
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'cpn-test-'))
  inventory = join(folder, 'fleet', 'inventory.yaml')
  mkdirSync(join(folder, 'fleet'))
  process.env.CPN_SSH_CONFIG = write('own_ssh_config', 'UserKnownHostsFile none\nGlobalKnownHostsFile none\n')
})
afterEach(() => {
  if (configBefore === undefined) delete process.env.CPN_SSH_CONFIG
  else process.env.CPN_SSH_CONFIG = configBefore
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function contextOf(answer = true): Context & { notices: string[]; asked: string[] } {
  const notices: string[] = []
  const asked: string[] = []
  const confirm = async (question: string) => {
    asked.push(question)
    return answer
  }
  const prompter = { interactive: true, confirm, secret: () => assert.fail('no secret is needed') }
  const notice = (message: string) => void notices.push(message)
  return { signal: new AbortController().signal, logger: createLogger(), prompter, notice, notices, asked }
}

const sshMissing = existsSync('/usr/bin/ssh') ? false : 'needs the ssh program'

describe('importing an ssh_config', { skip: sshMissing }, () => {
  test('takes the hosts without wildcards, as ssh sees them, Include followed', async () => {
    const key = write('key', 'a key')
    write('more_hosts', 'Host inner\n  HostName 10.0.0.5\n  ProxyJump Gate.Lab\n')
    const file = write(
      'ssh_config',
      `Include ${folder}/more_*
Host other *.wild !not
  HostName=%h.lab
Host Gate.Lab
  HostName 192.0.2.1
  Port 2222 # comment
  User "admin"
Host odd
  ProxyCommand nc %h %p
Host "quoted"
  HostName 192.0.2.3
  IdentityFile ${folder}/missing
  IdentityFile ${key}
Host "not a name"
  HostName 192.0.2.4
Host *
  User common
`,
    )
    const context = contextOf()
    const { added } = await importHosts({ inventory, from: { kind: 'ssh-config', file } }, context)
    assert.deepEqual(added, {
      inner: { address: '10.0.0.5', user: 'common', jump: 'gate-lab' },
      'gate-lab': { address: '192.0.2.1', port: 2222, user: 'admin' },
      other: { address: 'other.lab', user: 'common' },
      quoted: { address: '192.0.2.3', user: 'common', identityFile: key },
    })
    assert.ok(context.notices.some((notice) => /^Left not a name alone: ssh -G .*invalid/.test(notice)))
    assert.ok(context.notices.some((notice) => /^Left odd alone: .*ProxyCommand/.test(notice)))
    assert.ok(context.notices.some((notice) => notice.includes('gate-lab') && notice.includes('port 2222')))
    assert.equal(context.asked.length, 1)
    assert.equal((await loadInventory(inventory)).hosts.length, 4)
  })

  test('an unreadable file is named', async () => {
    const from = { kind: 'ssh-config', file: join(folder, 'none') } as const
    await assert.rejects(importHosts({ inventory, from }, contextOf()), { code: 'CPN_ERR_SSH_CONFIG', message: /none/ })
  })
})

describe('importing an Ansible inventory', () => {
  const ini = '[lab]\nnode[1:2] ansible_user=cpn\nnode9 ansible_host=192.0.2.9\n'

  test('keeps comments and hosts of the inventory, and writes once', async () => {
    const before = 'version: 1\n# mine\nhosts:\n  node1: { address: 192.0.2.1 } # first\n\n# end\n'
    writeFileSync(inventory, before)
    const context = contextOf()
    const from = { kind: 'ansible', file: write('hosts.ini', ini) } as const
    const result = await importHosts({ inventory, from }, context)
    assert.deepEqual(Object.keys(result.added), ['node2', 'node9'])
    assert.ok(context.notices.some((notice) => /^Left node1 alone: the inventory has/.test(notice)))
    assert.equal(
      readFileSync(inventory, 'utf8'),
      before.replace(
        '# first\n',
        '# first\n  node2: { tags: [lab], user: cpn }\n  node9: { address: 192.0.2.9, tags: [lab] }\n',
      ),
    )
    assert.deepEqual((await importHosts({ inventory, from }, context)).added, {})
  })

  test('a no writes nothing', async () => {
    const from = { kind: 'ansible', file: write('hosts.ini', ini) } as const
    await assert.rejects(importHosts({ inventory, from }, contextOf(false)), { code: 'CPN_ERR_DECLINED' })
    assert.equal(existsSync(inventory), false)
  })
})

describe('keys of imported hosts', { skip: sshdMissing }, () => {
  test('are taken on first use when that is wanted, through jumps, and a dead host keeps no other back', async () => {
    await using door = await startSshd()
    await using inner = await startSshd()
    const line = (sshd: typeof door, more = '') =>
      `${sshd.name} ansible_host=${sshd.address} ansible_port=${sshd.port} ansible_user=${sshd.user} ` +
      `ansible_ssh_private_key_file=${sshd.identityFile} ${more}\n`
    const text = `${line(inner, `ansible_ssh_common_args="-J ${door.name}"`)}${line(door)}dead ansible_host=127.0.0.1 ansible_port=1\n`
    const from = { kind: 'ansible', file: write('hosts.ini', text) } as const
    const without = await importHosts({ inventory, from }, contextOf())
    assert.deepEqual([without.keys, without.keyless], [[], []])
    assert.equal(existsSync(join(folder, 'fleet/.cpn/known_hosts')), false)
    const result = await importHosts({ inventory, from, trustOnFirstUse: true }, contextOf())
    assert.deepEqual(
      new Set(result.keys.map(({ fingerprint }) => fingerprint)),
      new Set([door.hostKeyFingerprint, inner.hostKeyFingerprint]),
    )
    assert.deepEqual(
      result.keyless.map(({ name, code }) => [name, code]),
      [['dead', 'CPN_ERR_CONNECT_REFUSED']],
    )
    assert.match(
      readFileSync(join(folder, 'fleet/.cpn/known_hosts'), 'utf8'),
      new RegExp(inner.hostKeyLine.split(' ')[1]!.replace(/\+/g, '\\+')),
    )
  })
})

describe('cpn hosts import', () => {
  test('asks unless --yes, says how keys become trusted, and takes one source', { skip: sshMissing }, async () => {
    const file = write('ssh_config', 'Host node1\n  HostName 192.0.2.1\n')
    const env = isolatedEnvironment(join(folder, 'home'))
    const run = (...args: string[]) => cpn(['hosts', 'import', '-i', inventory, ...args], { env })
    assert.equal((await run('--ssh-config', file)).exitCode, 2)
    assert.equal((await run(file)).exitCode, 2)
    assert.equal((await run('--ansible', file, file)).exitCode, 2)
    const done = await run('--ssh-config', file, '--yes')
    assert.equal(done.exitCode, 0, done.stderr)
    assert.match(done.stdout, /Added node1 .*\nTheir keys are not trusted yet.*cpn hosts add node1\n/)
    const again = await run('--ssh-config', file, '--yes', '--json')
    assert.deepEqual((JSON.parse(again.stdout) as { added: object }).added, {})
  })
})
