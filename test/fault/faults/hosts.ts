import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faketimeMissing } from '../../helpers/strange-host.ts'
import { controlGroupsMissing, slowDown, starve } from '../lab/control-group.ts'
import { exhaustDescriptors } from '../lab/descriptors.ts'
import type { LabNode } from '../lab/lab-node.ts'
import type { Fault } from '../lab/scenario.ts'
import { fillDisk } from '../lab/small-disk.ts'

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
  'clock of the node an hour ahead': turnClock('+3600'),
  'clock of the node an hour behind': turnClock('-3600'),
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
function turnClock(by: string): Fault {
  return {
    missing: process.getuid?.() === 0 ? faketimeMissing : 'needs hosts with an environment of their own',
    strike: ({ victim: { host }, undo }) => {
      const turn = (to: string): void => {
        writeFileSync(join(host.home, '.faketimerc'), `${to}\n`)
        chmodSync(join(host.home, '.faketimerc'), 0o644)
      }
      undo.defer(() => turn('+0'))
      turn(by)
    },
  }
}
