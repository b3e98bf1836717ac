import { access } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Context } from '../common/context.ts'
import { CpnError, toCpnError } from '../common/errors.ts'
import type { Inventory } from '../inventory/inventory.ts'
import { openState, type State } from '../inventory/state.ts'
import { PipelineStore } from '../models/pipeline-store.ts'
import { labelOf } from '../models/pipeline-version.ts'
import { openModelStore } from '../models/store.ts'
import { hostPlatform } from '../provision/release/platform.ts'
import { openLedger } from '../runs/ledger.ts'
import { status } from './nodes/status.ts'

export interface Check {
  /** What was looked at: a part of this machine or a host's name. */
  subject: string
  verdict: 'ok' | 'warning' | 'failed'
  /** What was found. */
  message: string
  suggestions: string[]
}

/** Looks at this machine, the state folder, the models and every host. Changes nothing on hosts. */
export async function doctor(inventory: Inventory, ctx: Context): Promise<Check[]> {
  const state = await openState(inventory.stateDir).catch(toCpnError)
  const here = [checkRuntime(), await checkSsh()]
  if (state instanceof CpnError) return [...here, failed('state', state)]
  const models = await checkModels(state, ctx).catch((error) => failed('models', toCpnError(error)))
  return [...here, checkLedger(state), models, ...(await checkHosts(inventory, ctx))]
}

function checkRuntime(): Check {
  return attempt('this machine', () => `Node.js ${process.versions.node} on ${hostPlatform()}`)
}

/** Without OpenSSH's client cpn works, but ~/.ssh/config is read by nobody. */
async function checkSsh(): Promise<Check> {
  const places = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'ssh'))
  const found = await Promise.all(
    places.map((place) =>
      access(place).then(
        () => true,
        () => false,
      ),
    ),
  )
  const agent = process.env.SSH_AUTH_SOCK ? 'an ssh-agent is there' : 'no ssh-agent is there'
  if (found.some(Boolean)) return ok('ssh', `~/.ssh/config is read with the ssh program; ${agent}`)
  return {
    subject: 'ssh',
    verdict: 'warning',
    message: `there is no ssh program, so ~/.ssh/config is not read; ${agent}`,
    suggestions: ['Install OpenSSH’s client, or say everything in the inventory.'],
  }
}

function checkLedger({ ledgerFile }: State): Check {
  return attempt('state', () => {
    openLedger(ledgerFile)[Symbol.dispose]()
    return ledgerFile
  })
}

function checkModels(state: State, ctx: Context): Promise<Check> {
  return lookForModels(state, ctx).catch((thrown) => failed('models', toCpnError(thrown)))
}

async function lookForModels({ modelsDir, pipelinesDir }: State, { logger }: Context): Promise<Check> {
  const models = await openModelStore({ dir: modelsDir, logger }).list()
  const names = models.map(({ manifest }) => manifest.name)
  const { detector } = await new PipelineStore(pipelinesDir).active('faces')
  if (models.some(({ manifest }) => manifest.sha256 === detector.sha256)) return ok('models', names.join(', '))
  return {
    subject: 'models',
    verdict: 'warning',
    message: `the detector in use, ${detector.name}, is not here yet`,
    suggestions: [`Pull it: cpn models pull ${labelOf(detector)}`],
  }
}

const noHosts: Check = {
  subject: 'hosts',
  verdict: 'warning',
  message: 'the inventory has no hosts that can be nodes',
  suggestions: ['Add one: cpn hosts add NAME --address ADDRESS'],
}

async function checkHosts(inventory: Inventory, ctx: Context): Promise<Check[]> {
  if (!inventory.hosts.some(({ provision }) => provision)) return [noHosts]
  const nodes = await status({ inventory, hosts: [] }, ctx)
  return nodes.map(({ name, state, error, agentVersion, slots }) => {
    if (!error) return ok(name, `${state}, agent ${agentVersion}, ${slots} slots`)
    const expected = state === 'stopped' || state === 'unprovisioned'
    return {
      subject: name,
      verdict: expected ? 'warning' : 'failed',
      message: `${error.message} (${error.code})`,
      suggestions: error.suggestions,
    }
  })
}

function attempt(subject: string, look: () => string): Check {
  try {
    return ok(subject, look())
  } catch (thrown) {
    return failed(subject, toCpnError(thrown))
  }
}

function failed(subject: string, { message, suggestions }: CpnError): Check {
  return { subject, verdict: 'failed', message, suggestions }
}

const ok = (subject: string, message: string): Check => ({ subject, verdict: 'ok', message, suggestions: [] })
