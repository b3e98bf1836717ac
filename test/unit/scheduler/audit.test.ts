import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptEvent, NodeNotice } from '../../../src/scheduler/scheduler.ts'
import { seeded } from './fleet-simulation.ts'
import { jobs, run, SimulatedClock, SimulatedNode, SimulatedPool } from './simulation.ts'

/** Nodes whose names begin with `wrong` answer wrongly, each in its own way. */
function nodesOf(names: string[], clock: SimulatedClock): SimulatedNode[] {
  return names.map((name, index) => {
    const node = new SimulatedNode(name, 2, clock, () => ({ ms: 10 }))
    const answer = node.predict.bind(node)
    node.predict = async (request) => {
      const result = await answer(request)
      return name.startsWith('wrong') ? { answer: { ...result.answer, width: 100 + index } } : result
    }
    return node
  })
}

async function audited(names: string[], audit: number, count = 60) {
  const clock = new SimulatedClock()
  const nodes = nodesOf(names, clock)
  const notices: NodeNotice[] = []
  const events: AttemptEvent[] = []
  const outcomes = await run(jobs(count), new SimulatedPool(nodes), clock, {
    audit,
    random: seeded(7),
    onNotice: (notice) => notices.push(notice),
    onAttempt: (event) => events.push(event),
  })
  const widths = outcomes.map((outcome) => (outcome.state === 'done' ? outcome.result.answer.width : 0))
  return { outcomes, widths, notices, events, nodes }
}

test('a wrong result is decided by a third node, is told, and its node gets nothing for a while', async () => {
  const { outcomes, widths, notices, events, nodes } = await audited(['a', 'b', 'wrong'], 1)
  assert.equal(outcomes.length, 60)
  assert.ok(widths.every((width) => width === 1))
  assert.deepEqual([...new Set(notices.map((notice) => notice.kind === 'overruled' && notice.node))], ['wrong'])
  const overruled = events.filter(({ state }) => state === 'overruled')
  assert.ok(overruled.length > 0 && overruled.every(({ node }) => node === 'wrong'))
  assert.ok(nodes[2]!.seen.length <= 8, `the wrong node got ${nodes[2]!.seen.length} jobs`)
})

test('with two nodes a disagreement is told, and each input still has one outcome', async () => {
  const { outcomes, notices } = await audited(['a', 'wrong'], 1, 20)
  assert.equal(outcomes.filter(({ state }) => state === 'done').length, 20)
  assert.ok(notices.length > 0)
  assert.ok(notices.every(({ kind }) => kind === 'undecided'))
})

test('nodes that agree cost a share of the jobs a second attempt, and nothing else', async () => {
  const { events, notices } = await audited(['a', 'b'], 0.1, 1000)
  const audits = events.filter(({ purpose, state }) => purpose === 'audit' && state === 'started').length
  assert.ok(audits > 60 && audits < 140, `${audits} of 1000`)
  assert.deepEqual(notices, [])
})

test('one node audits nothing', async () => {
  const { outcomes, events } = await audited(['a'], 1, 10)
  assert.equal(outcomes.length, 10)
  assert.ok(events.every(({ purpose }) => purpose === 'work'))
})
