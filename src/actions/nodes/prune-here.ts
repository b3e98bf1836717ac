import { existsSync, statSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { type StatePaths, statePaths } from '../../inventory/state.ts'
import { PipelineStore } from '../../models/pipeline-store.ts'
import { unusedModels } from '../../models/unused.ts'
import { forgetPlanOf } from '../../planning/plan-file.ts'
import type { ClassifyPipeline, FacesPipeline } from '../../protocol/pipeline.ts'
import { defaultCacheDir } from '../../provision/release/build.ts'
import { sized, unusedInCache } from '../../provision/release/unused-cache.ts'
import { type Ledger, openLedger, type RunRecord } from '../../runs/ledger.ts'
import { lockOut, outOwner } from '../../runs/run-lock.ts'
import type { Prunable } from './prune.ts'

/** What can go on this machine: old runs, outdated models, old logs, what the cache does not use. */
export async function prunableHere({ stateDir }: Inventory, before: number): Promise<Prunable[]> {
  const paths = statePaths(stateDir)
  const { old, used } = readRuns(paths, before)
  const pipelines = await new PipelineStore(paths.pipelinesDir).kept()
  for (const { detector, embedder } of pipelines) used.add(detector.sha256).add(embedder.sha256)
  const models = existsSync(paths.modelsDir) ? await unusedModels(paths.modelsDir, used, before) : []
  const cache = await unusedInCache(defaultCacheDir(), before)
  return [
    ...(old.length > 0 ? [oldRuns(paths, old)] : []),
    ...models.map(({ name, paths, bytes }) => files(`model ${name}`, bytes, paths)),
    ...(await oldLogs(paths.logsDir, before)),
    ...(cache.length > 0
      ? [
          files(
            `${cache.length} files of the cache that this version does not use`,
            cache.reduce((sum, { bytes }) => sum + bytes, 0),
            cache.map(({ path }) => path),
          ),
        ]
      : []),
  ]
}

function files(what: string, bytes: number, paths: string[]): Prunable {
  const remove = async () => {
    for (const path of paths) await rm(path, { recursive: true, force: true })
    return bytes
  }
  return { host: null, what, bytes, remove }
}

async function oldLogs(dir: string, before: number): Promise<Prunable[]> {
  const names = await readdir(dir).catch(() => [])
  const found = await Promise.all(names.map((name) => sized(join(dir, name))))
  return found.filter(({ modified }) => modified < before).map(({ path, bytes }) => files(`log ${path}`, bytes, [path]))
}

interface OldRun {
  id: string
  out: string
  bytes: number
}

/** Runs that ended long ago, and the models that the others need. */
function readRuns(paths: StatePaths, before: number): { old: OldRun[]; used: Set<string> } {
  if (!existsSync(paths.ledgerFile)) return { old: [], used: new Set() }
  using ledger = openLedger(paths.ledgerFile)
  const isOld = ({ startedAt, endedAt, out }: RunRecord) =>
    Date.parse(endedAt ?? startedAt) < before && outOwner(paths.locksDir, out) === undefined
  const runs = Map.groupBy(ledger.runs(), isOld)
  const old = (runs.get(true) ?? []).map(({ id, out }) => ({ id, out, bytes: ledger.runBytes(id) }))
  return { old, used: new Set((runs.get(false) ?? []).flatMap(modelsOf)) }
}

function modelsOf({ options }: RunRecord): string[] {
  const { detector, embedder, classifier } = (options.pipeline ?? {}) as Partial<
    Omit<FacesPipeline, 'kind'> & Omit<ClassifyPipeline, 'kind'>
  >
  return [detector, embedder, classifier].flatMap((part) => part?.model.sha256 ?? [])
}

function oldRuns(paths: StatePaths, runs: OldRun[]): Prunable {
  return {
    host: null,
    what: `${runs.length} ${runs.length === 1 ? 'run' : 'runs'} of the ledger: ${runs.map(({ id }) => id).join(', ')}`,
    bytes: runs.reduce((sum, { bytes }) => sum + bytes, 0),
    async remove() {
      using ledger = openLedger(paths.ledgerFile)
      const before = statSync(paths.ledgerFile).size
      for (const run of runs) removeRun(ledger, paths, run)
      const busy = ledger.runs().some(({ state, out }) => state === 'running' && outOwner(paths.locksDir, out))
      // The room is used again by later runs in any case.
      if (!busy) ledger.shrink()
      return Math.max(0, before - statSync(paths.ledgerFile).size)
    },
  }
}

/** Unless somebody has begun to go on with it. */
function removeRun(ledger: Ledger, { locksDir, plansDir }: StatePaths, { id, out }: OldRun): void {
  try {
    using _lock = lockOut(locksDir, out)
    ledger.deleteRun(id)
    forgetPlanOf(plansDir, id)
  } catch (error) {
    if (!(error instanceof CpnError && error.code === 'CPN_ERR_RUN_BUSY')) throw error
  }
}
