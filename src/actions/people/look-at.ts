import { systemClock } from '../../common/clock.ts'
import type { Context } from '../../common/context.ts'
import { CpnError, toCpnError } from '../../common/errors.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import { findInputs, resolveRoots } from '../../runs/find-inputs.ts'
import { InputReader, type ReadJob } from '../../runs/input-reader.ts'
import { schedule } from '../../scheduler/schedule.ts'
import type { NodeResult } from '../../scheduler/scheduler.ts'

/** What became of one file. */
export interface LookedAt {
  /** Absolute path. */
  source: string
  /** sha256 of the content; undefined for a file that cannot be read. */
  sha256: string | undefined
  result: NodeResult | CpnError
}

/**
 * Has nodes look at a handful of files, without a ledger and without outputs; what is asked for is in memory until it is
 * taken. Files of equal content come once. Rejects with CPN_ERR_INPUT_MISSING for a path that is not there.
 */
export async function* lookAt(
  paths: readonly string[],
  fleet: Fleet,
  pipeline: Pipeline,
  ctx: Context,
): AsyncGenerator<LookedAt> {
  await using reader = new InputReader()
  const unreadable: LookedAt[] = []
  const drain = new AbortController()
  fleet.abandoned().then((error) => drain.abort(error))
  const outcomes = schedule(jobs(paths, reader, unreadable), fleet, {
    run: `look-${process.pid}-${Date.now()}`,
    epoch: 1,
    pipeline,
    clock: systemClock,
    random: Math.random,
    drain: AbortSignal.any([ctx.signal, drain.signal]),
  })
  for await (const outcome of outcomes) {
    const { source = '', id: sha256 } = outcome.job
    yield { source, sha256, result: outcome.state === 'done' ? outcome.result : outcome.error }
  }
  ctx.signal.throwIfAborted()
  drain.signal.throwIfAborted()
  yield* unreadable
}

async function* jobs(paths: readonly string[], reader: InputReader, unreadable: LookedAt[]): AsyncGenerator<ReadJob> {
  const known = new Set<string>()
  for await (const found of findInputs(await resolveRoots(paths), '')) {
    if (found.kind !== 'input') continue
    const { source } = found.input
    const job = await reader.job(source).catch(toCpnError)
    if (job instanceof CpnError) unreadable.push({ source, sha256: undefined, result: job })
    else if (!known.has(job.id)) {
      known.add(job.id)
      yield job
    }
  }
}
