import type { Scenario } from './lab/scenario.ts'

const early = { written: 10 }
const lost = /CPN_ERR_CONNECTION_LOST/
/** The host is there, and nobody listens on it. */
const died = /CPN_ERR_(AGENT_DIED|CONNECTION_LOST)/

/**
 * Every fault, when it strikes and what is to come of it. A provisioning that is cut off, in each of its phases and by a
 * death of the master as by one of the connection, has a table of its own: test/integration/provision-killed.test.ts.
 */
export const table: Scenario[] = [
  { fault: 'agent killed', moment: early, outcome: { noticed: died }, short: true },
  { fault: 'agent stopped by SIGSTOP', moment: early, outcome: { noticed: lost } },
  { fault: 'worker killed by SIGSEGV', moment: early, outcome: { noticed: /CPN_ERR_WORKER_CRASHED/ }, short: true },
  { fault: 'everything killed, stale socket and pid left', moment: early, outcome: { noticed: died } },
  { fault: 'poison image', moment: { written: 1 }, outcome: { exitCode: 7, touched: 'quarantined' } },
  { fault: 'link cut', moment: early, outcome: { noticed: lost } },
  { fault: 'black hole', moment: early, outcome: { noticed: lost }, short: true },
  { fault: 'half-open connection', moment: early, outcome: { noticed: lost } },
  { fault: 'nothing comes from the node', moment: early, outcome: { noticed: lost } },
  { fault: '300 ms delay', moment: early },
  { fault: '1 Mbit/s', moment: early },
  { fault: 'reset in mid-upload', moment: early, set: 'large', outcome: { noticed: lost } },
  { fault: 'flipped byte on the link', moment: early, outcome: { noticed: lost } },

  { fault: 'truncated answer', moment: early, outcome: { noticed: /CPN_ERR_(CONNECTION_LOST|DIGEST_MISMATCH)/ } },
  { fault: 'flipped byte in an answer', moment: early, outcome: { noticed: /CPN_ERR_DIGEST_MISMATCH/ }, short: true },
  { fault: 'duplicate answer', moment: early },
  { fault: 'late answer', moment: early },
  { fault: 'answers in another order', moment: early, outcome: { noticed: /CPN_ERR_AGENT_PROTOCOL/ } },
  { fault: 'agent of an unknown protocol', moment: early, outcome: { tells: /CPN_ERR_AGENT_PROTOCOL/, noticed: lost } },
  {
    fault: 'agent of the previous protocol',
    moment: early,
    outcome: { tells: /CPN_ERR_AGENT_PROTOCOL/, noticed: lost },
  },

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
  { fault: 'disk of the node full', moment: early, outcome: { noticed: died } },

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
  {
    fault: 'disk of the ledger full',
    moment: early,
    outcome: { exitCode: 3, tells: /CPN_ERR_STATE_DIR/, again: true },
  },
  {
    fault: 'OUT removed',
    moment: early,
    outcome: { exitCode: 7, tells: /CPN_ERR_OUTPUT_WRITE/, again: true },
    short: true,
  },
  { fault: 'same run twice', moment: early },
  { fault: 'input changed', moment: early, outcome: { touched: 'done' } },
  { fault: 'input deleted', moment: early, outcome: { exitCode: 7, touched: 'failed' } },

  { fault: 'host added and provisioned', moment: early },
  { fault: 'node stopped', moment: early },
  { fault: 'host taken out of the inventory', moment: early },
  { fault: 'inventory edited into nonsense', moment: early },
  {
    fault: 'node computes wrongly',
    moment: early,
    args: ['--audit', '100'],
    outcome: { tells: /node1 gave a wrong result/ },
  },
  { fault: 'one node slow at the end', moment: { written: 140 } },
]
