import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { CpnError } from '../../../src/common/errors.ts'
import { addHostToInventory, checkedHostEntry, removeHostsFromInventory } from '../../../src/inventory/edit.ts'
import { loadInventory } from '../../../src/inventory/load.ts'
import { repositoryRoot } from '../../helpers/shared.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'cpn-test-'))
  file = join(folder, 'inventory.yaml')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const entry = { address: '192.0.2.99', tags: ['lab'], port: 22 }
const added = '{ address: 192.0.2.99, tags: [lab], port: 22 }'
const read = () => readFileSync(file, 'utf8')

describe('adding a host', () => {
  const cases: [name: string, before: string, after: string][] = [
    [
      'comments, columns and blank lines stay as they are',
      'version:   1 # v\nhosts: # who\n  # first\n  a:   { address: x }   # one\n\n  # loose\n\n# other things\nrequirements: []\n',
      `version:   1 # v\nhosts: # who\n  # first\n  a:   { address: x }   # one\n  n9: ${added}\n\n  # loose\n\n# other things\nrequirements: []\n`,
    ],
    [
      'behind hosts written line by line it is written line by line',
      'version: 1\nhosts:\n    a:\n        address: x\n        # inside\n    # below\nrequirements: []\n',
      'version: 1\nhosts:\n    a:\n        address: x\n        # inside\n    n9:\n        address: 192.0.2.99\n        tags:\n            - lab\n        port: 22\n    # below\nrequirements: []\n',
    ],
    ['without hosts', 'version: 1\n', `version: 1\nhosts:\n  n9: ${added}\n`],
    ['with an empty section', 'version: 1\nhosts: # c\n# d\n', `version: 1\nhosts: # c\n  n9: ${added}\n# d\n`],
    ['behind a host without settings', 'version: 1\nhosts:\n  a:\n', `version: 1\nhosts:\n  a:\n  n9: ${added}\n`],
    ['without a last newline', 'version: 1\nhosts:\n  a: {}', `version: 1\nhosts:\n  a: {}\n  n9: ${added}\n`],
    [
      'with Windows newlines',
      'version: 1\r\nhosts:\r\n  a: {}\r\n',
      `version: 1\r\nhosts:\r\n  a: {}\r\n  n9: ${added}\r\n`,
    ],
    [
      'in braces only what is between them changes',
      'hosts: { a: {address: x} } # c\nversion:  1\n',
      'hosts: { a: { address: x }, n9: { address: 192.0.2.99, tags: [ lab ], port: 22 } } # c\nversion:  1\n',
    ],
  ]
  for (const [name, before, after] of cases) {
    test(name, async () => {
      writeFileSync(file, before)
      await addHostToInventory(file, 'n9', entry)
      assert.equal(read(), after)
    })
  }

  test('the inventory is created, explained and loadable, when there is none', async () => {
    await addHostToInventory(file, 'n9', entry)
    assert.match(read(), /^# The machines of this cluster/)
    const { hosts } = await loadInventory(file)
    assert.deepEqual([hosts.length, hosts[0]!.address], [1, '192.0.2.99'])
  })

  test('a name that is there already changes nothing', async () => {
    await addHostToInventory(file, 'n9', entry)
    const before = read()
    await assert.rejects(addHostToInventory(file, 'n9', { address: 'other' }), { code: 'CPN_ERR_HOST_EXISTS' })
    assert.equal(read(), before)
  })

  test('a host that does not fit to the others changes nothing and says why', async () => {
    await addHostToInventory(file, 'n9', entry)
    const before = read()
    await assert.rejects(addHostToInventory(file, 'n10', entry), (error: CpnError) => {
      assert.equal(error.code, 'CPN_ERR_INVENTORY_WRITE')
      assert.match(error.message, /same place as "n9"/)
      return true
    })
    assert.equal(read(), before)
  })

  test('values that YAML could read as something else are quoted', async () => {
    const odd = { address: '0x10', user: 'yes', tags: ['1e3'], remoteDir: '~/x # y: z' }
    await addHostToInventory(file, 'n9', odd)
    const [host] = (await loadInventory(file)).hosts
    assert.deepEqual([host!.address, host!.user, host!.tags, host!.remoteDir], Object.values(odd))
  })

  test('hosts added at the same time are all there', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`)
    await Promise.all(names.map((name) => addHostToInventory(file, name, { address: name })))
    const { hosts } = await loadInventory(file)
    assert.deepEqual(hosts.map((host) => host.name).sort(), names.sort())
    assert.deepEqual(readdirSync(folder), ['inventory.yaml'])
  })
})

describe('removing hosts', () => {
  test('adding and removing brings the example back byte by byte', async () => {
    const example = readFileSync(join(repositoryRoot, 'inventory.example.yaml'), 'utf8')
    writeFileSync(file, example)
    await addHostToInventory(file, 'n9', entry)
    assert.notEqual(read(), example)
    await removeHostsFromInventory(file, ['n9'])
    assert.equal(read(), example)
  })

  test('only the lines of the hosts go', async () => {
    writeFileSync(
      file,
      'version: 1\nhosts:\n  # one\n  a: { address: x } # inline\n  b:\n    address: y\n\n    # inside\n    port: 1\n  # three\n  c: {}\n',
    )
    await removeHostsFromInventory(file, ['a', 'b'])
    assert.equal(read(), 'version: 1\nhosts:\n  # one\n  # three\n  c: {}\n')
    await removeHostsFromInventory(file, ['c'])
    assert.deepEqual((await loadInventory(file)).hosts, [])
  })

  test('a host that others borrow settings from stays, and nothing changes', async () => {
    const before = 'version: 1\nhosts:\n  a: &lab { user: u }\n  b: { <<: *lab }\n'
    writeFileSync(file, before)
    await assert.rejects(removeHostsFromInventory(file, ['a']), { code: 'CPN_ERR_INVENTORY_WRITE' })
    assert.equal(read(), before)
  })
})

describe('the file', () => {
  test('keeps its mode, and a link to it stays a link', async () => {
    const target = join(folder, 'real.yaml')
    writeFileSync(target, 'version: 1\n')
    chmodSync(target, 0o640)
    symlinkSync(target, file)
    await addHostToInventory(file, 'n9', entry)
    assert.equal(statSync(target).mode & 0o777, 0o640)
    assert.match(readFileSync(target, 'utf8'), /n9/)
    assert.deepEqual(readdirSync(folder).sort(), ['inventory.yaml', 'real.yaml'])
  })

  test('a wrong inventory is not edited, and nothing is left beside it', async () => {
    writeFileSync(file, 'version: 1\nhosts: []\n')
    await assert.rejects(addHostToInventory(file, 'n9', entry), { code: 'CPN_ERR_INVENTORY_SCHEMA' })
    assert.deepEqual(readdirSync(folder), ['inventory.yaml'])
  })

  test('a folder that is not there is said', async () => {
    const path = join(folder, 'none', 'inventory.yaml')
    const refused = { code: 'CPN_ERR_INVENTORY_WRITE', message: /its folder does not exist/ }
    await assert.rejects(addHostToInventory(path, 'n9', entry), refused)
  })
})

test('settings are checked before anything else happens', () => {
  assert.deepEqual(checkedHostEntry('n9', { address: 'x', port: undefined }), { address: 'x' })
  assert.throws(() => checkedHostEntry('N9', {}), { code: 'CPN_ERR_USAGE' })
  assert.throws(() => checkedHostEntry('n9', { address: 'u@x' }), { code: 'CPN_ERR_USAGE', host: 'n9' })
  assert.throws(() => checkedHostEntry('n9', { workers: Number('many') }), { message: /auto or a whole number/ })
})
