import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellNodes } from '../../../src/actions/tell-nodes.ts'
import { CpnError } from '../../../src/common/errors.ts'

test('a node that does no work is told of once per reason, and when it works again', () => {
  const lines: string[] = []
  const down = new CpnError('CPN_ERR_CONNECT_REFUSED', 'nothing listens there', { host: 'b' })
  const changed = new CpnError('CPN_ERR_HOST_KEY_CHANGED', 'its key is another one', { host: 'b' })
  const nodes: { name: string; error: CpnError | undefined }[] = [
    { name: 'a', error: undefined },
    { name: 'b', error: down },
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
  changes()
  assert.deepEqual(lines, [
    'b does no work: nothing listens there (CPN_ERR_CONNECT_REFUSED)',
    'b does no work: its key is another one (CPN_ERR_HOST_KEY_CHANGED)',
    'b works again',
  ])
})
