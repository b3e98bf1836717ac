import assert from 'node:assert/strict'
import { test } from 'node:test'
import { displayWidth } from '../../../src/ui/format.ts'
import { renderTable } from '../../../src/ui/table.ts'

const columns = [{ header: 'name' }, { header: 'rate', align: 'right' as const }, { header: 'state' }]

test('columns line up under their headers and lines have no trailing space', () => {
  const table = renderTable(columns, [
    ['node1', '12', 'ready'],
    ['東京', '3.4', ''],
  ])
  assert.deepEqual(table.split('\n'), ['name   rate  state', 'node1    12  ready', '東京    3.4'])
})

test('the widest column gives way until the table fits', () => {
  const table = renderTable(columns, [['node1', '12', 'unreachable: no route to host']], 30)
  assert.deepEqual(table.split('\n'), ['name   rate  state', 'node1    12  unreachable: no …'])
  assert.ok(table.split('\n').every((line) => displayWidth(line) <= 30))
})

test('a cell cannot start a new line or colour the terminal', () => {
  assert.equal(renderTable([{ header: 'name' }], [['a\nb\u001b[1m']]), 'name\na\\x0ab\\x1b[1m')
})

test('a terminal that does not know its width cuts nothing', () => {
  const { columns } = process.stdout
  try {
    process.stdout.columns = 0
    assert.equal(renderTable([{ header: 'GROUP' }], [['unknown-001']]), 'GROUP\nunknown-001')
  } finally {
    process.stdout.columns = columns
  }
})
