import type { Context } from '../../common/context.ts'
import { formatDuration, formatRate } from '../../common/format.ts'
import type { StatePaths } from '../../inventory/state.ts'
import { planOf, type SettledPlan, settlePlan } from '../../planning/plan-file.ts'
import { openRunHistory } from '../../runs/history.ts'
import type { Ledger } from '../../runs/ledger.ts'
import type { PredictResult } from '../predict/predict.ts'

/** A node's share that differs by more than this is told. */
const shareTold = 0.1

/** Where a run was planned, says how wrong the plan was. A run that was cut short says nothing: the plan waits for the rest. */
export async function tellPlanError(
  { state, ledger, place }: { state: StatePaths; ledger: Ledger; place: string },
  { summary, ended }: PredictResult,
  { notice, logger }: Context,
): Promise<void> {
  const run = ledger.lastRunOf(place)
  if (ended || !run) return
  const about = { paths: run.options.paths, out: place, pipelineDigest: run.pipelineDigest }
  const plan = planOf(state.plansDir, about)
  const images = ledger.settledLately(run.id)
  if (!plan || images === 0) return
  const took = { images, seconds: summary.seconds, imagesPerSecond: images / summary.seconds }
  // Attempts of earlier epochs would count as well.
  const shares = run.epoch === 1 ? sharesOf(state.ledgerFile, run.id) : {}
  const settled = { ...plan, run: run.id, took: { ...took, shares } }
  notice(describePlanError(settled))
  try {
    settlePlan(state.plansDir, about, settled)
  } catch (error) {
    // What the run did is done: that nobody can look it up later is no failure of it.
    logger.warn({ event: 'plan-not-kept', reason: (error as Error).message }, 'plan not kept')
  }
}

/** 'planned 12m 00s, took 13m 05s (9 % more): 6.3 images/s instead of 6.9; node2 did 31 % of them instead of 45 %' */
export function describePlanError(plan: SettledPlan): string {
  const { took } = plan
  // Of a part of the images, if it was only that.
  const planned = (plan.seconds.expected * took.images) / plan.images
  const off = Math.round(100 * (took.seconds / planned - 1))
  const more = off === 0 ? 'as planned' : `${Math.abs(off)} % ${off > 0 ? 'more' : 'less'}`
  const part = took.images === plan.images ? '' : ` for ${took.images} of ${plan.images} images`
  const within = took.seconds >= plan.seconds.low && took.seconds <= plan.seconds.high ? ', within its bounds' : ''
  const rates = `${formatRate(took.imagesPerSecond)} images/s instead of ${formatRate(plan.images / plan.seconds.expected)}`
  const times = `planned ${seconds(planned)}${part}, took ${seconds(took.seconds)} (${more}${part === '' ? within : ''})`
  return [`${times}: ${rates}`, ...otherShares(plan)].join('; ')
}

const seconds = (value: number) => formatDuration(1000 * value)

function otherShares({ shares, took }: SettledPlan): string[] {
  const names = Object.keys(took.shares).length === 0 ? [] : Object.keys({ ...shares, ...took.shares })
  const differences = names.map((name) => ({ name, was: took.shares[name] ?? 0, planned: shares[name] ?? 0 }))
  return differences
    .filter(({ was, planned }) => Math.abs(was - planned) > shareTold)
    .map(({ name, was, planned }) => `${name} did ${percent(was)} of them instead of ${percent(planned)}`)
}

const percent = (share: number) => `${Math.round(100 * share)} %`

function sharesOf(ledgerFile: string, run: string): Record<string, number> {
  using history = openRunHistory(ledgerFile)
  const shares = history.shares(run)
  const all = shares.reduce((sum, { done }) => sum + done, 0)
  return Object.fromEntries(shares.map(({ node, done }) => [node, all > 0 ? done / all : 0]))
}
