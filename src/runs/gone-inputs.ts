import { stat } from 'node:fs/promises'
import { systemErrorCode } from '../common/errors.ts'
import type { GroupCommit } from './group-commit.ts'
import type { BegunRun, KnownInput, Ledger, LedgerChange } from './ledger.ts'

const batchSize = 500
const namesTold = 3

/**
 * Tells of inputs of earlier epochs whose files are gone. Results stay. An input without one fails when its turn comes,
 * and is no part of the run any more once that was told by a run that ended by itself.
 * @param found how many inputs were found this time
 */
export async function forgetGone(
  ledger: Ledger,
  commits: GroupCommit<LedgerChange>,
  run: BegunRun,
  found: number,
  notice: (text: string) => void,
): Promise<void> {
  if (run.left === undefined || ledger.counts(run.id).inputs === found) return
  const kept = new Names()
  const dropped = new Names()
  let after = 0
  for (;;) {
    const batch = ledger.finished(run.id, after, batchSize)
    if (batch.length === 0) break
    after = batch.at(-1)!.seq
    const early = batch.filter(({ epoch }) => epoch !== run.epoch)
    const gone = (await Promise.all(early.map(ifGone))).filter((input) => input !== undefined)
    const useless = gone.filter(({ state }) => state !== 'done' && run.left === 'finished')
    for (const { state, source } of gone) if (state === 'done') kept.add(source)
    for (const { source } of useless) dropped.add(source)
    if (useless.length > 0) await commits.add(...useless.map(({ seq }) => ({ kind: 'dropped', seq }) as const))
  }
  if (kept.count > 0) notice(`${kept}: not there any more; the results are kept`)
  if (dropped.count > 0) notice(`${dropped}: not there any more; no part of the run from now on`)
}

const ifGone = async (input: KnownInput) =>
  stat(input.source).then(
    () => undefined,
    (error) => (systemErrorCode(error) === 'ENOENT' ? input : undefined),
  )

/** The first of many names, and how many there are. */
class Names {
  count = 0
  readonly #first: string[] = []

  add(name: string): void {
    if (this.count++ < namesTold) this.#first.push(name)
  }

  toString(): string {
    const more = this.count - this.#first.length
    return this.#first.join(', ') + (more > 0 ? ` and ${more} more` : '')
  }
}
