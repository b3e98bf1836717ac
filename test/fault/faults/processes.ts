import type { Fault } from '../lab/scenario.ts'

/** Deaths and standstills of the programs on a node. */
export const processFaults: Record<string, Fault> = {
  'agent killed': { strike: ({ victim }) => victim.signal(victim.agents(), 'SIGKILL') },
  'agent stopped by SIGSTOP': {
    strike: ({ victim, undo }) => {
      const agents = victim.agents()
      victim.signal(agents, 'SIGSTOP')
      undo.defer(() => victim.signal(agents, 'SIGCONT'))
    },
  },
  'worker killed by SIGSEGV': { strike: ({ victim }) => victim.signal(victim.workers(), 'SIGSEGV') },
  'everything killed, stale socket and pid left': {
    strike: ({ victim }) => {
      for (const programs of [victim.keepers(), victim.agents(), victim.workers()]) victim.signal(programs, 'SIGKILL')
    },
  },
}
