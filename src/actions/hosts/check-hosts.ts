import type { Context } from '../../common/context.ts'
import type { ErrorCode } from '../../common/error-codes.ts'
import { type CpnError, toCpnError } from '../../common/errors.ts'
import type { Host, Inventory } from '../../inventory/inventory.ts'
import { selectSomeHosts } from '../../inventory/select.ts'
import { openState } from '../../inventory/state.ts'
import { type HostFacts, parseFacts } from '../../provision/facts.ts'
import { factsScript } from '../../provision/facts-script.ts'
import { type CheckName, checkNames, type Hint, type HostChecks, reportFacts } from '../../provision/host-report.ts'
import { notPosix } from '../../provision/phases/gather-facts.ts'
import { type Connector, createConnector } from '../../transport/connector.ts'
import type { Transport } from '../../transport/transport.ts'

export interface CheckedHost {
  name: string
  /** True when nothing is lacking that provisioning needs; for a host with `provision: false`, that it lets us in. */
  usable: boolean
  checks: HostChecks
  hints: Hint[]
}

export interface CheckHostsOptions {
  inventory: Inventory
  /** Patterns; empty means all. */
  hosts: string[]
}

interface Checking {
  host: Host
  connector: Connector
  fleetId: string
  signal: AbortSignal
}

/** Looks at every selected host, side by side; changes nothing there. One entry per host, in the inventory's order. */
export async function checkHosts({ inventory, hosts }: CheckHostsOptions, ctx: Context): Promise<CheckedHost[]> {
  const { prompter, logger, signal } = ctx
  const selected = selectSomeHosts(inventory, hosts)
  const { fleetId, knownHostsFile } = await openState(inventory.stateDir)
  await using connector = createConnector({ hosts: inventory.hosts, knownHostsFile, prompter, logger })
  // Awaited here: the connector is closed when this function returns.
  return await Promise.all(selected.map((host) => checkHost({ host, connector, fleetId, signal })))
}

async function checkHost(checking: Checking): Promise<CheckedHost> {
  const { host, connector, signal } = checking
  try {
    const transport = await connector.open(host, signal)
    try {
      return await look(transport, checking)
    } finally {
      await transport.close()
    }
  } catch (thrown) {
    signal.throwIfAborted()
    return unconnected(host, toCpnError(thrown))
  }
}

async function look(transport: Transport, { host, fleetId, signal }: Checking): Promise<CheckedHost> {
  const before = Date.now()
  const asked = await askFacts(transport, host, signal).catch(toCpnError)
  const after = Date.now()
  signal.throwIfAborted()
  const allowed = await transport.probe('more' in asked ? (asked.more?.sockets ?? []) : [], signal)
  if (!('home' in asked)) return withoutShell(host, asked, allowed.sftp)
  const { checks, hints } = reportFacts(asked, {
    fleetId,
    allowed,
    clockAheadSeconds: Math.round((asked.more?.time ?? 0) - (before + after) / 2000),
    clockErrorSeconds: (after - before) / 2000 + 1,
  })
  const needs = host.provision ? hints : hints.map((hint) => ({ ...hint, needed: false }))
  return checked(host, { ...connected(transport.kind), ...checks }, needs)
}

async function askFacts(transport: Transport, host: Host, signal: AbortSignal): Promise<HostFacts> {
  const { stdout, stderr } = await transport.exec(factsScript(host.remoteDir, true, true), { signal })
  const facts = parseFacts(stdout)
  if (facts) return facts
  throw notPosix(host.name, stderr)
}

const yes = { verdict: 'ok', found: 'yes' } as const
const no = { verdict: 'lack', found: 'no' } as const

function connected(kind: Transport['kind']): Partial<HostChecks> {
  const local = { verdict: 'ok', found: 'local' } as const
  if (kind === 'local') return { reachable: local, key: local, login: local }
  return { reachable: yes, key: yes, login: yes }
}

function withoutShell(host: Host, error: CpnError, sftp: boolean): CheckedHost {
  const login = { verdict: 'lack', found: 'no shell' } as const
  return checked(host, { ...connected('ssh'), login, sftp: sftp ? yes : no }, [hintOf('login', error)])
}

const keyCodes: Partial<Record<ErrorCode, string>> = {
  CPN_ERR_HOST_KEY_UNKNOWN: 'unknown',
  CPN_ERR_HOST_KEY_CHANGED: 'changed',
  CPN_ERR_HOST_KEY_REVOKED: 'revoked',
}
const loginCodes: ErrorCode[] = ['CPN_ERR_AUTH_FAILED', 'CPN_ERR_AUTH_TIMEOUT', 'CPN_ERR_NEEDS_TERMINAL']

function unconnected(host: Host, error: CpnError): CheckedHost {
  const key = keyCodes[error.code]
  if (key) return checked(host, { reachable: yes, key: { verdict: 'lack', found: key } }, [hintOf('key', error)])
  if (error.code === 'CPN_ERR_IDENTITY') return checked(host, { login: no }, [hintOf('login', error)])
  if (loginCodes.includes(error.code)) {
    return checked(host, { reachable: yes, key: yes, login: no }, [hintOf('login', error)])
  }
  return checked(host, { reachable: no }, [hintOf('reachable', error)])
}

const hintOf = (check: CheckName, { code, message, suggestions }: CpnError): Hint => ({
  check,
  needed: true,
  message,
  suggestion: suggestions.join('\n'),
  code,
})

function checked({ name }: Host, known: Partial<HostChecks>, hints: Hint[]): CheckedHost {
  const unknown = { verdict: 'unknown', found: '' } as const
  const checks = Object.fromEntries(checkNames.map((check) => [check, known[check] ?? unknown])) as HostChecks
  return { name, usable: !hints.some(({ needed }) => needed), checks, hints }
}
