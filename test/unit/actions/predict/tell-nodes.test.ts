import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellNodes } from '../../../../src/actions/predict/tell-nodes.ts'
import { CpnError } from '../../../../src/common/errors.ts'

test('a node that does no work is told of once per reason, when it works again, and one that joins', () => {
  const lines: string[] = []
  const down = new CpnError('CPN_ERR_CONNECT_REFUSED', 'nothing listens there', { host: 'b' })
  const changed = new CpnError('CPN_ERR_HOST_KEY_CHANGED', 'its key is another one', { host: 'b' })
  const nodes: { name: string; slots: number; error: CpnError | undefined }[] = [
    { name: 'a', slots: 4, error: undefined },
    { name: 'b', slots: 0, error: down },
    { name: 'c', slots: 0, error: undefined },
  ]
  let changes = () => {}
  const fleet = {
    nodes,
    onChange: (listener: () => void) => {
      changes = listener
      return () => {}
    },
  }
  tellNodes(fleet, { notice: (line) => lines.push(line) })
  changes()
  nodes[1]!.error = changed
  changes()
  nodes[1]!.error = undefined
  nodes[1]!.slots = 2
  changes()
  nodes[2]!.slots = 2
  changes()
  assert.deepEqual(lines, [
    'b does no work: nothing listens there (CPN_ERR_CONNECT_REFUSED)',
    'b does no work: its key is another one (CPN_ERR_HOST_KEY_CHANGED)',
    'b works again',
    'c takes part',
  ])
})
