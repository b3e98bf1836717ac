import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CpnError } from '../../../src/common/errors.ts'
import { parseInventory } from '../../../src/inventory/load.ts'
import { findHost, selectHosts, selectSomeHosts } from '../../../src/inventory/select.ts'

const inventory = parseInventory(
  `version: 1
hosts:
  node1: { tags: [lab] }
  node2: { tags: [lab, gpu] }
  node3: {}
  node10: { tags: [gpu] }
  rack01: {}
  rack02: {}
  rack12: {}
  bastion: { provision: false, tags: [lab, door] }
`,
  '/fleet/inventory.yaml',
)

const names = (...patterns: string[]) => selectHosts(inventory, patterns).map((host) => host.name)
const everything = ['node1', 'node2', 'node3', 'node10', 'rack01', 'rack02', 'rack12']

describe('patterns', () => {
  const cases: [patterns: string[], expected: string[]][] = [
    [[], everything],
    [['all'], everything],
    [['node1'], ['node1']],
    [
      ['node3', 'node1'],
      ['node1', 'node3'],
    ],
    [['node3,node1,node3'], ['node1', 'node3']],
    [['node[2-9]'], ['node2', 'node3']],
    [['node[1-12]'], ['node1', 'node2', 'node3', 'node10']],
    [['node[1,3]'], ['node1', 'node3']],
    [
      ['node[1-2,10]', 'rack01'],
      ['node1', 'node2', 'node10', 'rack01'],
    ],
    [['rack[01-12]'], ['rack01', 'rack02', 'rack12']],
    [['rack[02-99]'], ['rack02', 'rack12']],
    [['[n-z]ode[1-999999999999]'], ['node1', 'node2', 'node3', 'node10']],
    [['node*'], ['node1', 'node2', 'node3', 'node10']],
    [['node?'], ['node1', 'node2', 'node3']],
    [['tag:lab'], ['node1', 'node2']],
    [['tag:lab,tag:gpu'], ['node1', 'node2', 'node10']],
    [['!node1'], everything.slice(1)],
    [
      ['all', '!rack*'],
      ['node1', 'node2', 'node3', 'node10'],
    ],
    [
      ['!tag:gpu', 'node*'],
      ['node1', 'node3'],
    ],
    [['bastion'], ['bastion']],
    [
      ['all', 'bastion'],
      [...everything, 'bastion'],
    ],
    [['all,!bastion'], everything],
  ]
  for (const [patterns, expected] of cases) {
    test(`${patterns.join(' ') || 'none'} selects ${expected.join(' ')}`, () => {
      assert.deepEqual(names(...patterns), expected)
    })
  }
})

describe('patterns that mean nothing', () => {
  const cases: [pattern: string, message: RegExp, suggestion: RegExp][] = [
    ['nod1', /no host is called "nod1"; did you mean "node1"/, /node1, node2/],
    ['Node1', /did you mean "node1"/, /node1/],
    ['!node44', /no host is called "node44"/, /node1/],
    ['node[4-9]', /no host matches "node\[4-9\]"/, /node1/],
    ['rack[1-2]', /no host matches/, /rack01/],
    ['tag:lap', /no host has the tag "lap"; did you mean "lab"/, /lab, gpu/],
    ['tag:door', /only hosts with provision: false/, /exactly/],
    ['bast*', /only hosts with provision: false/, /exactly/],
    ['node1,!node*', /leaves no host/, /fewer/],
  ]
  for (const [pattern, message, suggestion] of cases) {
    test(`${pattern} is refused`, () => {
      assert.throws(
        () => selectHosts(inventory, [pattern]),
        (error: CpnError) => {
          assert.equal(error.code, 'CPN_ERR_HOST_UNKNOWN')
          assert.match(error.message, message)
          assert.match(error.suggestions.join('\n'), suggestion)
          return true
        },
      )
    })
  }

  for (const pattern of ['', 'node1,', '!', 'node[', 'node[]', 'node[9-2]', 'node[a-12]', 'node]']) {
    test(`"${pattern}" is no pattern`, () => {
      assert.throws(() => selectHosts(inventory, [pattern]), { code: 'CPN_ERR_USAGE' })
    })
  }
})

test('an empty inventory has no hosts, which is no error when all are meant', () => {
  const empty = parseInventory('version: 1\n', '/fleet/inventory.yaml')
  assert.deepEqual([selectHosts(empty, []), selectHosts(empty, ['all'])], [[], []])
  assert.throws(
    () => selectHosts(empty, ['node1']),
    ({ suggestions }: CpnError) => /cpn hosts add/.test(suggestions.join()),
  )
})

test('work that needs a host is told that there is none', () => {
  const empty = parseInventory('version: 1\n', '/fleet/inventory.yaml')
  assert.throws(() => selectSomeHosts(empty, []), {
    code: 'CPN_ERR_HOST_UNKNOWN',
    message: 'the inventory has no hosts',
    suggestions: ['Add one: cpn hosts add NAME --address ADDRESS'],
  })
  const door = parseInventory('version: 1\nhosts:\n  door: { provision: false }\n', '/fleet/inventory.yaml')
  assert.throws(() => selectSomeHosts(door, []), /only hosts with provision: false/)
  assert.deepEqual(selectSomeHosts(inventory, ['node1']), selectHosts(inventory, ['node1']))
})

test('one host is found by its exact name only', () => {
  assert.equal(findHost(inventory, 'bastion').name, 'bastion')
  assert.throws(() => findHost(inventory, 'node*'), { code: 'CPN_ERR_HOST_UNKNOWN' })
})
