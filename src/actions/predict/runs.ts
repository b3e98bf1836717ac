import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CpnError } from '../../common/errors.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import { type StatePaths, statePaths } from '../../inventory/state.ts'
import { planOfRun, type SettledPlan } from '../../planning/plan-file.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import { copyName } from '../../runs/copy-name.ts'
import {
  type AttemptRecord,
  type InputRecord,
  type NodeShare,
  openRunHistory,
  type RunHistory,
} from '../../runs/history.ts'
import { type Ledger, openLedger, type RunCounts, type RunRecord, type RunState } from '../../runs/ledger.ts'
import { type LockOwner, outOwner } from '../../runs/run-lock.ts'
import { defaultResults, type ResultOptions } from '../../runs/sinks/index.ts'
import { modelOptions } from '../models/model-options.ts'
import type { PredictOptions } from './predict.ts'

/** A run as `runs list` tells it; `skipped` is part of `done` here. */
export interface RunInfo extends Omit<RunCounts, 'bytes' | 'skipped'> {
  run: string
  /** A run whose master died counts as interrupted. */
  state: RunState
  /** ISO 8601, UTC; of its beginning, of when it was begun or resumed last, and of its end. */
  createdAt: string
  startedAt: string
  endedAt: string | null
  /** How often it was begun or resumed. */
  epoch: number
  paths: string[]
  out: string
  /** Who works on it now. */
  owner?: LockOwner
}

/** Everything that happened to an input. */
export interface InputHistory {
  path: string
  source: string
  state: InputRecord['state']
  sha256: string | null
  bytes: number
  /** ISO 8601, UTC. */
  modified: string
  epoch: number | null
  /** Its picture, if it has one. */
  written: { file: string; bytes: number } | null
  error: InputRecord['error']
  attempts: AttemptRecord[]
}

export interface RunReport {
  run: RunInfo
  nodes: NodeShare[]
  /** What was planned before the run, and what came of it. */
  plan?: SettledPlan
  /** Those that were asked for. */
  inputs: InputHistory[]
}

/** All runs of an inventory, oldest first. */
export function listRuns({ stateDir }: Inventory): RunInfo[] {
  const paths = statePaths(stateDir)
  if (!existsSync(paths.ledgerFile)) return []
  using ledger = openLedger(paths.ledgerFile)
  return ledger.runs().map((record) => runInfo(ledger, record, paths))
}

export interface ShowRunOptions {
  /** A run's id, or `last`. */
  run: string
  /** Failed and quarantined inputs. */
  failed: boolean
  /** One input, by its path in OUT or by that of its file. */
  input?: string
}

/** Rejects with CPN_ERR_RUN_UNKNOWN, or CPN_ERR_INPUT_MISSING for an input that the run does not have. */
export function showRun({ stateDir }: Inventory, { run: name, failed, input }: ShowRunOptions): RunReport {
  const paths = statePaths(stateDir)
  using ledger = ledgerOf(paths, name)
  const record = findRun(ledger, name)
  using history = openRunHistory(paths.ledgerFile)
  const plan = planOfRun(paths.plansDir, record.id)
  const told =
    input === undefined ? (failed ? history.failedInputs(record.id) : []) : [findInput(history, record, input)]
  return {
    run: runInfo(ledger, record, paths),
    nodes: history.shares(record.id),
    ...(plan ? { plan } : {}),
    inputs: Array.from(told, (each) => inputHistory(history, record, each)),
  }
}

/**
 * What `predict` is asked for to go on with a run. Throws CPN_ERR_RUN_UNKNOWN when there is no such run, and when its
 * folder has the results of a later one.
 */
export function optionsOfRun(
  inventory: Inventory,
  name: string,
): Omit<PredictOptions, 'wait' | 'verify' | 'retry' | 'audit'> & { run: string } {
  using ledger = ledgerOf(statePaths(inventory.stateDir), name)
  const { id, out, options } = findRun(ledger, name)
  const later = ledger.lastRunOf(out)
  if (later?.id !== id) throw unknownRun(`the results in ${out} are those of the later run ${later?.id}, not of ${id}`)
  const kept = options as KeptOptions
  const { pipeline, pipelineName = 'faces', paths, hosts, embeddings, threshold, thresholds, results } = kept
  const { annotate, maxPixels } = pipeline
  return {
    run: id,
    inventory,
    paths,
    out,
    hosts,
    ...modelOptions(pipeline),
    pipelineName,
    threshold,
    embeddings,
    results: { ...defaultResults, ...results },
    annotate,
    maxPixels,
    begun: pipeline,
    thresholds: thresholds ?? {},
  }
}

/** What predict keeps of its options; runs of an older cpn have neither a pipeline's name nor `results`. */
export type KeptOptions = Pick<PredictOptions, 'paths' | 'hosts' | 'embeddings' | 'threshold' | 'thresholds'> & {
  pipelineName?: PredictOptions['pipelineName']
  results?: Partial<ResultOptions>
  pipeline: Pipeline
}

function ledgerOf({ ledgerFile }: StatePaths, run: string): Ledger {
  if (!existsSync(ledgerFile)) throw unknownRun(`there is no run ${run}: nothing was run with this inventory`)
  return openLedger(ledgerFile)
}

function findRun(ledger: Ledger, name: string): RunRecord {
  const runs = ledger.runs()
  const found = name === 'last' ? runs.at(-1) : runs.find(({ id }) => id === name)
  if (!found) throw unknownRun(`there is no run ${name}`)
  return found
}

function findInput(history: RunHistory, { id }: RunRecord, path: string): InputRecord {
  const found = history.input(id, path, resolve(path))
  if (found) return found
  throw new CpnError('CPN_ERR_INPUT_MISSING', `run ${id} has no input ${path}`, {
    suggestions: ['Name it as predictions.jsonl does, or give the path of the file.'],
  })
}

export function unknownRun(message: string): CpnError {
  return new CpnError('CPN_ERR_RUN_UNKNOWN', message, { suggestions: ['See all runs: cpn runs list'] })
}

function runInfo(ledger: Ledger, record: RunRecord, { locksDir }: StatePaths): RunInfo {
  const { id, state, createdAt, startedAt, endedAt, epoch, out, options } = record
  const { bytes: _, skipped, done, ...counts } = ledger.counts(id)
  const owner = state === 'running' ? outOwner(locksDir, out) : undefined
  return {
    run: id,
    state: state === 'running' && !owner ? 'interrupted' : state,
    createdAt,
    startedAt,
    endedAt,
    epoch,
    paths: options.paths,
    out,
    done: done + skipped,
    ...counts,
    ...(owner ? { owner } : {}),
  }
}

function inputHistory(history: RunHistory, { id, out }: RunRecord, input: InputRecord): InputHistory {
  const { name, source, state, job, bytes, mtimeMs, epoch, written, error } = input
  return {
    path: name,
    source,
    state,
    sha256: job,
    bytes,
    modified: new Date(mtimeMs).toISOString(),
    epoch,
    written: written === null ? null : { file: join(out, copyName(name)), bytes: written },
    error,
    attempts: job === null ? [] : history.attempts(id, job),
  }
}
