import type { Scenario } from './lab/scenario.ts'

const early = { written: 10 }
const lost = /CPN_ERR_CONNECTION_LOST/
const died = /CPN_ERR_AGENT_DIED/

/** Every fault, when it strikes and what is to come of it. */
export const table: Scenario[] = [
  { fault: 'agent killed', moment: early, outcome: { noticed: died }, short: true },
  // A copy on the other node is done before a silent node is given up; test/e2e/silent-node.test.ts has one node only.
  { fault: 'agent stopped by SIGSTOP', moment: early },
  { fault: 'worker killed by SIGSEGV', moment: early, outcome: { noticed: /CPN_ERR_WORKER_CRASHED/ }, short: true },
  { fault: 'everything killed, stale socket and pid left', moment: early, outcome: { noticed: lost } },
  { fault: 'poison image', moment: { written: 1 }, outcome: { exitCode: 7, touched: 'quarantined' } },
  { fault: 'link cut', moment: early, outcome: { noticed: lost } },
  { fault: 'black hole', moment: early, outcome: { noticed: lost }, short: true },
  { fault: 'half-open connection', moment: early, outcome: { noticed: lost } },
  { fault: 'nothing comes from the node', moment: early, outcome: { noticed: lost } },
  { fault: 'nothing comes to the node', moment: early },
  { fault: '300 ms delay', moment: early },
  { fault: '1 Mbit/s', moment: early },
  { fault: 'reset in mid-upload', moment: early, set: 'large', outcome: { noticed: lost } },
  { fault: 'flipped byte on the link', moment: early, outcome: { noticed: lost } },

  { fault: 'truncated answer', moment: early, outcome: { noticed: /CPN_ERR_(CONNECTION_LOST|DIGEST_MISMATCH)/ } },
  { fault: 'flipped byte in an answer', moment: early, outcome: { noticed: /CPN_ERR_DIGEST_MISMATCH/ }, short: true },
  { fault: 'duplicate answer', moment: early },
  { fault: 'late answer', moment: early },
  { fault: 'answers in another order', moment: early, outcome: { noticed: /CPN_ERR_AGENT_PROTOCOL/ } },
  { fault: 'agent of an unknown protocol', moment: early, outcome: { noticed: lost } },
  { fault: 'agent of the previous protocol', moment: early, outcome: { noticed: lost } },

  { fault: 'sshd restarted', moment: early, outcome: { noticed: lost } },
  { fault: 'host frozen', moment: early, outcome: { noticed: lost } },
  { fault: 'link flapping', moment: early, outcome: { noticed: lost } },
  { fault: 'forwarding switched off', moment: early, outcome: { noticed: lost } },
  { fault: 'host key changed', moment: early, outcome: { tells: /CPN_ERR_HOST_KEY_CHANGED/, noticed: lost } },
  { fault: 'login revoked', moment: early, outcome: { tells: /CPN_ERR_AUTH_FAILED/, noticed: lost } },
  { fault: 'node at a twentieth of its speed', moment: early },
  { fault: 'node out of memory', moment: early },
  { fault: 'clock of the node an hour ahead', moment: early },
  { fault: 'clock of the node an hour behind', moment: early },
  { fault: 'descriptors of the agent exhausted', moment: early, outcome: { noticed: lost } },
  { fault: 'disk of the node full', moment: early, outcome: { noticed: lost } },

  { fault: 'master killed', moment: early, outcome: { exitCode: null, again: true }, short: true },
  { fault: 'SIGINT once', moment: early, outcome: { exitCode: 130, again: true } },
  { fault: 'SIGINT twice', moment: early, outcome: { exitCode: 130, again: true } },
  { fault: 'master stopped by SIGSTOP for a minute', moment: early },
  { fault: 'descriptors of the master exhausted', moment: early, outcome: { exitCode: 7, again: true } },
  {
    fault: 'disk of the master full',
    moment: early,
    outcome: { exitCode: 7, tells: /CPN_ERR_OUTPUT_SPACE/, again: true },
  },
  { fault: 'OUT removed', moment: early, outcome: { again: true } },
  { fault: 'input changed', moment: early, outcome: { touched: 'done' } },
  { fault: 'input deleted', moment: early, outcome: { exitCode: 7, touched: 'failed' } },
  { fault: 'inventory edited', moment: early },
]
