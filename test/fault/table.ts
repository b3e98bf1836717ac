import type { Scenario } from './lab/scenario.ts'

const early = { written: 10 }
const lost = /CPN_ERR_CONNECTION_LOST/

/** Every fault, when it strikes and what is to come of it. */
export const table: Scenario[] = [
  { fault: 'agent killed', moment: early, outcome: { noticed: lost }, short: true },
  { fault: 'agent stopped by SIGSTOP', moment: early, outcome: { noticed: lost } },
  { fault: 'worker killed by SIGSEGV', moment: early, outcome: { noticed: /CPN_ERR_WORKER_CRASHED/ }, short: true },
  { fault: 'everything killed, stale socket and pid left', moment: early, outcome: { noticed: lost } },
  { fault: 'link cut', moment: early, outcome: { noticed: lost }, short: true },
  { fault: 'black hole', moment: early, outcome: { noticed: lost }, short: true },
  { fault: 'half-open connection', moment: early, outcome: { noticed: lost } },
  { fault: 'nothing comes from the node', moment: early, outcome: { noticed: lost } },
  { fault: '300 ms delay', moment: early },
  { fault: '1 Mbit/s', moment: early },
  { fault: 'reset in mid-upload', moment: early, set: 'large', outcome: { noticed: lost } },
  { fault: 'flipped byte on the link', moment: early, outcome: { noticed: lost }, short: true },
]
