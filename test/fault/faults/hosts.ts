import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { faketimeMissing } from '../../helpers/strange-host.ts'
import { controlGroupsMissing, slowDown, starve } from '../lab/control-group.ts'
import { exhaustDescriptors } from '../lab/descriptors.ts'
import type { LabNode } from '../lab/lab-node.ts'
import { attemptsOf } from '../lab/ledger.ts'
import type { Fault } from '../lab/scenario.ts'
import { fillDisk } from '../lab/small-disk.ts'
import { whileHeld } from '../lab/strike.ts'

const agentPrograms = (node: LabNode) => [...node.keepers(), ...node.agents(), ...node.workers()]

/** What may happen to a host as a whole. */
export const hostFaults: Record<string, Fault> = {
  'sshd restarted': { strike: ({ victim: { host } }) => host.restart() },
  'host frozen': {
    strike: ({ victim: { host }, undo }) => {
      host.pause()
      undo.defer(() => host.resume())
    },
  },
  'link flapping': {
    strike: ({ victim: { proxy }, run }) => {
      proxy.cut()
      const timer = setInterval(() => proxy.cut(), 300)
      void run.exited.finally(() => clearInterval(timer))
    },
  },
  'forwarding switched off': {
    strike: async ({ victim: { host }, undo }) => {
      undo.defer(() => host.reconfigure(host.config))
      await host.reconfigure([...host.config, 'AllowStreamLocalForwarding no'])
    },
  },
  'host key changed': { strike: ({ victim: { host } }) => host.rotateHostKey() },
  'login revoked': {
    strike: async ({ victim: { host }, undo }) => {
      const file = join(host.home, '.ssh', 'authorized_keys')
      const keys = readFileSync(file)
      undo.defer(() => writeFileSync(file, keys))
      writeFileSync(file, '')
      await host.restart()
    },
  },
  'node at a twentieth of its speed': {
    missing: controlGroupsMissing,
    strike: ({ victim, undo }) => void undo.use(slowDown(agentPrograms(victim), 0.05)),
  },
  'node out of memory': {
    missing: controlGroupsMissing,
    strike: ({ victim, undo }) => void undo.use(starve(agentPrograms(victim), 4 << 20)),
  },
  'clock of the node an hour ahead': turnClock(3600),
  'clock of the node an hour behind': turnClock(-3600),
  'descriptors of the agent exhausted': {
    strike: async ({ victim, undo }) => {
      undo.use(exhaustDescriptors(victim.agents()[0]!))
      // Connections that are open go on: it needs new ones.
      victim.proxy.cut()
    },
  },
  'disk of the node full': {
    missing: process.getuid?.() === 0 ? false : 'needs to mount',
    strike: async ({ victim, undo }) => {
      undo.use(fillDisk(victim.disk!))
      // It has to start again without a byte left.
      victim.signal(victim.agents(), 'SIGKILL')
    },
  },
}

/** Turns the clock that the victim's programs see; they look at the file once a second. */
function turnClock(bySeconds: number): Fault {
  return {
    missing: process.getuid?.() === 0 ? faketimeMissing : 'needs hosts with an environment of their own',
    strike: async ({ victim, lab, id, undo, checks }) => {
      const file = join(victim.host.home, '.faketimerc')
      const turn = (to: number): void => {
        writeFileSync(file, `${to < 0 ? '' : '+'}${to}\n`)
        chmodSync(file, 0o644)
      }
      undo.defer(() => turn(0))
      turn(bySeconds)
      await whileHeld(lab.nodes, () => isOff(victim, bySeconds))
      const off = Date.now()
      checks.push(() => {
        const after = attemptsOf(lab.home, id).filter(({ node, started }) => node === victim.name && started >= off)
        assert.ok(
          after.some(({ state }) => state === 'done'),
          'the node did nothing by its other clock',
        )
      })
    },
  }
}

/** Resolves when the clock of a node's agent is off by so much. */
async function isOff(node: LabNode, bySeconds: number): Promise<void> {
  const offBy = async () => (Date.parse((await node.heartbeat())?.time ?? '') - Date.now()) / 1000
  while (!(Math.abs((await offBy()) - bySeconds) < 60)) await sleep(100)
}
