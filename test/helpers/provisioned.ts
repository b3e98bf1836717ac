import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openProvisioner, type ProvisionOptions, type ProvisionReport } from '../../src/actions/nodes/provision.ts'
import type { Context } from '../../src/common/context.ts'
import { createLogger } from '../../src/common/logger.ts'
import type { Inventory } from '../../src/inventory/inventory.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { openState, type State } from '../../src/inventory/state.ts'
import { openModelStore } from '../../src/models/store.ts'
import type { ProvisionEvent } from '../../src/provision/phase.ts'
import { agentBundle } from './agent-bundle.ts'
import type { Project } from './project.ts'
import { repositoryRoot } from './shared.ts'
import { tinyDetector, tinyManifest } from './tiny-model.ts'

/** The context of a command that nobody watches: yes is the answer, a secret is not known. */
export function quietContext(secret = ''): Context {
  return {
    signal: new AbortController().signal,
    logger: createLogger(),
    prompter: { interactive: true, secret: async () => secret, confirm: async () => true },
    notice: () => {},
  }
}

export interface Setting {
  inventory: Inventory
  state: State
  options: ProvisionOptions
}

/** What provisioning a project's hosts needs: the agent as it is in the sources, and a model made by the tests. */
export async function setting(project: Project): Promise<Setting> {
  const inventory = await loadInventory(project.inventory)
  const state = await openState(inventory.stateDir)
  const store = openModelStore({ dir: state.modelsDir, logger: createLogger() })
  const file = join(project.folder, 'tiny.onnx')
  await writeFile(file, tinyDetector())
  await store.add(file, { manifest: tinyManifest() })
  const release = { bundleDir: await agentBundle(), cacheDir: join(repositoryRoot, 'node_modules/.cache/cpn-test/cpn') }
  return { inventory, state, options: { inventory, hosts: [], sudo: false, dryRun: false, release } }
}

export interface Provisioned {
  report?: ProvisionReport
  error?: unknown
  events: ProvisionEvent[]
}

/** Provisions every host side by side; failures are results. */
export async function provisionAll(
  options: ProvisionOptions,
  context = quietContext(),
  onEvent: (event: ProvisionEvent) => void = () => {},
): Promise<Map<string, Provisioned>> {
  await using provisioner = await openProvisioner(options, context)
  const results = await Promise.all(
    provisioner.hosts.map(async (host): Promise<[string, Provisioned]> => {
      const events: ProvisionEvent[] = []
      const note = (event: ProvisionEvent) => {
        events.push(event)
        onEvent(event)
      }
      try {
        return [host.name, { report: await provisioner.provision(host, note), events }]
      } catch (error) {
        return [host.name, { error, events }]
      }
    }),
  )
  return new Map(results)
}
