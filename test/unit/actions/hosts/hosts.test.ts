import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { addHost } from '../../../../src/actions/hosts/add-host.ts'
import { listHosts, removeHosts, showHost } from '../../../../src/actions/hosts/hosts.ts'
import { importHosts } from '../../../../src/actions/hosts/import-hosts.ts'
import { importPeople } from '../../../../src/actions/people/exchange-people.ts'
import type { Context } from '../../../../src/common/context.ts'
import type { CpnError } from '../../../../src/common/errors.ts'
import { createLogger } from '../../../../src/common/logger.ts'
import { loadInventory } from '../../../../src/inventory/load.ts'
import { openState } from '../../../../src/inventory/state.ts'
import { PeopleStore } from '../../../../src/people/people-store.ts'
import { Journal } from '../../../../src/provision/journal.ts'
import { peopleOf, person } from '../../../helpers/people.ts'

let folder: string
let inventory: string
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'cpn-test-'))
  inventory = join(folder, 'inventory.yaml')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A context whose person gives this answer; without one there is no terminal. */
function contextOf(answer?: boolean): Context & { asked: string[] } {
  const asked: string[] = []
  const confirm = async (question: string) => {
    assert.ok(answer !== undefined, 'asked without a terminal')
    asked.push(question)
    return answer
  }
  const prompter = { interactive: answer !== undefined, confirm, secret: () => assert.fail('no secret is needed') }
  return { signal: new AbortController().signal, logger: createLogger(), prompter, notice: () => {}, asked }
}

const state = () => openState(join(folder, '.cpn'))
const read = () => readFileSync(inventory, 'utf8')
const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIFcEKmK7eNmuKqX6HM6xS3UOZXHqPzOEvUDV8mzFcpjt'
const two =
  'version: 1\nhosts:\n  node1: { address: a, jump: door }\n  node2: { address: b }\n  door: { provision: false }\n'

describe('adding a host', () => {
  test('a local one needs no key, and is remembered', async () => {
    const settings = { transport: 'local', workers: 2 } as const
    const { host, hostKey } = await addHost({ inventory, name: 'here', settings }, contextOf())
    assert.deepEqual([host.transport, host.workers, hostKey], ['local', 2, null])
    assert.match(read(), /here: \{ transport: local, workers: 2 \}/)
    const { history, firstSeen, release, hostKeys } = await showHost({ inventory, name: 'here' })
    assert.equal(history[0]!.event, 'added')
    assert.deepEqual([firstSeen, release, hostKeys], [history[0]!.time, null, []])
  })

  test('the first one says what stays behind of the work without an inventory, and how people come along', async (t) => {
    const { XDG_STATE_HOME: before } = process.env
    t.after(() => {
      if (before === undefined) delete process.env.XDG_STATE_HOME
      else process.env.XDG_STATE_HOME = before
    })
    process.env.XDG_STATE_HOME = join(folder, 'alone')
    const told: string[] = []
    const context = { ...contextOf(), notice: (line: string) => told.push(line) }
    const add = (file: string, name = 'here') =>
      addHost({ inventory: file, name, settings: { transport: 'local', remoteDir: `~/${name}` } }, context)
    await add(inventory)
    assert.deepEqual(told, [])
    await new PeopleStore(join(folder, 'alone', 'cpn', 'people')).update(() => peopleOf(person('Ada')))
    const another = join(folder, 'another', 'inventory.yaml')
    mkdirSync(dirname(another))
    await add(another)
    assert.match(told[0]!, /begins anew: .* stay in .*alone\/cpn\.$/)
    const [, file, fleet] = /: cpn people import (\S+) --inventory (\S+)$/.exec(told[1]!) ?? []
    assert.deepEqual((await importPeople(await loadInventory(fleet), file!)).added, ['Ada'])
    await add(another, 'there')
    assert.equal(told.length, 2)
  })

  const refused: [name: string, options: object, code: string][] = [
    ['without a terminal a key needs a fingerprint or trust', {}, 'CPN_ERR_NEEDS_TERMINAL'],
    ['--yes does not answer for a key', { yes: true }, 'CPN_ERR_NEEDS_TERMINAL'],
    ['an MD5 fingerprint is refused', { hostKey: 'MD5:00:11' }, 'CPN_ERR_USAGE'],
    ['a wrong name is refused', { name: 'Node_1' }, 'CPN_ERR_USAGE'],
    ['a wrong address is refused', { settings: { address: 'u@h' } }, 'CPN_ERR_USAGE'],
    ['an address of this machine is refused', { settings: { transport: 'local', address: 'a' } }, 'CPN_ERR_USAGE'],
    [
      'a host key of this machine is refused',
      { settings: { transport: 'local' }, hostKey: 'SHA256:' },
      'CPN_ERR_USAGE',
    ],
    ['a missing identity file is refused', { settings: { identityFile: 'none' } }, 'CPN_ERR_IDENTITY'],
  ]
  for (const [name, options, code] of refused) {
    test(`${name}, before anything is reached or written`, async () => {
      const settings = { address: '192.0.2.1' }
      await assert.rejects(addHost({ inventory, name: 'node1', settings, ...options }, contextOf()), { code })
      assert.deepEqual(readdirSync(folder), [])
    })
  }

  test('a name that is there already is refused before the host is asked for its key', async () => {
    writeFileSync(inventory, two)
    const options = { inventory, name: 'node1', settings: { address: '192.0.2.99' }, trustOnFirstUse: true }
    await assert.rejects(addHost(options, contextOf()), { code: 'CPN_ERR_HOST_EXISTS' })
    assert.equal(read(), two)
  })

  test('--yes on a terminal does not answer for a key either', async () => {
    const context = contextOf(true)
    await assert.rejects(addHost({ inventory, name: 'node1', settings: {}, yes: true }, context), {
      code: 'CPN_ERR_NEEDS_TERMINAL',
    })
    assert.deepEqual(context.asked, [])
  })
})

describe('listing and showing', () => {
  test('hosts are listed with their defaults', async () => {
    writeFileSync(inventory, two)
    const { hosts } = await listHosts({ inventory })
    assert.deepEqual(
      hosts.map(({ name, address, jump, provision }) => [name, address, jump, provision]),
      [
        ['node1', 'a', 'door', true],
        ['node2', 'b', undefined, true],
        ['door', 'door', undefined, false],
      ],
    )
  })

  test('a host is shown with its key, release and history', async () => {
    writeFileSync(inventory, two)
    const { knownHostsFile, recordHostEvent } = await state()
    writeFileSync(knownHostsFile, `node1 ssh-ed25519 ${key}\n`)
    await recordHostEvent('node1', { event: 'added' })
    await recordHostEvent('node1', { event: 'provisioned', release: 'r1' })
    const shown = await showHost({ inventory, name: 'node1' })
    assert.equal(shown.release, 'r1')
    assert.equal(shown.hostKeys.length, 1)
    assert.match(shown.hostKeys[0]!.fingerprint, /^SHA256:/)
    assert.deepEqual(
      shown.history.map(({ event }) => event),
      ['added', 'provisioned'],
    )
    await assert.rejects(showHost({ inventory, name: 'node3' }), { code: 'CPN_ERR_HOST_UNKNOWN' })
  })
})

describe('removing hosts', () => {
  test('the host goes after a yes, and its key with it', async () => {
    writeFileSync(inventory, two)
    const { knownHostsFile, hostHistory } = await state()
    writeFileSync(knownHostsFile, `node1 ssh-ed25519 ${key}\nnode2 ssh-ed25519 ${key}\n`)
    const context = contextOf(true)
    assert.deepEqual(await removeHosts({ inventory, patterns: ['node1'] }, context), { removed: ['node1'] })
    assert.deepEqual(context.asked, ['Remove node1 from the inventory?'])
    assert.equal(readFileSync(knownHostsFile, 'utf8'), `node2 ssh-ed25519 ${key}\n`)
    assert.doesNotMatch(read(), /node1/)
    assert.equal((await hostHistory('node1')).at(-1)!.event, 'removed')
  })

  test('nothing is believed of another host that gets the name, and the history stays', async () => {
    writeFileSync(inventory, two)
    const { recordHostEvent, journalFile, markSeen, lastSeen } = await state()
    await recordHostEvent('node2', { event: 'added' })
    new Journal(journalFile('node2')).begin()
    await markSeen('node2')
    await removeHosts({ inventory, patterns: ['node2'] }, contextOf(true))
    assert.deepEqual([new Journal(journalFile('node2')).unfinished(), await lastSeen('node2')], [undefined, undefined])
    await addHost({ inventory, name: 'node2', settings: { transport: 'local' } }, contextOf())
    const { history, firstSeen } = await showHost({ inventory, name: 'node2' })
    assert.deepEqual(
      history.map(({ event }) => event),
      ['added', 'removed', 'added'],
    )
    assert.equal(firstSeen, history[2]!.time)
  })

  for (const how of ['added', 'imported'] as const) {
    test(`nor is it where the host was taken out of the file by hand, when another one is ${how}`, async () => {
      const { journalFile, markSeen, lastSeen } = await state()
      new Journal(journalFile('node2')).begin()
      await markSeen('node2')
      if (how === 'added') {
        await addHost({ inventory, name: 'node2', settings: { transport: 'local' } }, contextOf())
      } else {
        const ansible = join(folder, 'hosts.ini')
        writeFileSync(ansible, 'node2 ansible_host=192.0.2.2\n')
        await importHosts({ inventory, from: { kind: 'ansible', file: ansible } }, contextOf(true))
      }
      assert.deepEqual(
        [new Journal(journalFile('node2')).unfinished(), await lastSeen('node2')],
        [undefined, undefined],
      )
    })
  }

  test('a no leaves everything as it is', async () => {
    writeFileSync(inventory, two)
    await assert.rejects(removeHosts({ inventory, patterns: ['node*'] }, contextOf(false)), {
      code: 'CPN_ERR_DECLINED',
    })
    assert.equal(read(), two)
  })

  test('a provisioned host stays, with the command that cleans it up, unless forced', async () => {
    writeFileSync(inventory, two)
    await (await state()).recordHostEvent('node2', { event: 'provisioned', release: 'r1' })
    await assert.rejects(removeHosts({ inventory, patterns: ['node2'] }, contextOf(true)), (error: CpnError) => {
      assert.equal(error.code, 'CPN_ERR_HOST_IN_USE')
      assert.match(error.suggestions.join('\n'), /cpn unprovision node2/)
      return true
    })
    assert.equal(read(), two)
    await removeHosts({ inventory, patterns: ['node2'], force: true }, contextOf(true))
    assert.doesNotMatch(read(), /node2/)
  })

  test('a host that others are reached through stays, unless they go too', async () => {
    writeFileSync(inventory, two)
    await assert.rejects(removeHosts({ inventory, patterns: ['door'] }, contextOf(true)), {
      code: 'CPN_ERR_HOST_IN_USE',
      message: /node1/,
    })
    await removeHosts({ inventory, patterns: ['door,node1'] }, contextOf(true))
    assert.deepEqual(
      (await listHosts({ inventory })).hosts.map(({ name }) => name),
      ['node2'],
    )
  })

  test('without an inventory nothing is created', async () => {
    await assert.rejects(removeHosts({ inventory, patterns: ['all'] }, contextOf(true)), {
      code: 'CPN_ERR_INVENTORY_MISSING',
    })
    assert.ok(!existsSync(join(folder, '.cpn')))
  })
})
