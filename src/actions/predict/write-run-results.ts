import type { Context } from '../../common/context.ts'
import type { Pipeline } from '../../protocol/pipeline.ts'
import type { Ledger } from '../../runs/ledger.ts'
import { type ResultOptions, writeResults } from '../../runs/sinks/index.ts'
import { resultsOf } from '../../runs/sinks/results.ts'

/** What could not be written is named one by one up to this number. */
const unwrittenShown = 20

interface ResultsAsked {
  annotate: Pipeline['annotate']
  embeddings: boolean
  results: ResultOptions
}

/**
 * Writes the results of a run from the ledger into `out`. Rejects when predictions.jsonl cannot be written.
 * @returns how many other things could not be written; each is told of
 */
export async function writeRunResults(
  ledger: Ledger,
  run: string,
  out: string,
  { annotate, embeddings, results: options }: ResultsAsked,
  ctx: Context,
): Promise<number> {
  let unwritten = 0
  const results = resultsOf(ledger, run, { out, copies: annotate !== 'none', embeddings })
  await writeResults(results, options, ({ code, message }) => {
    unwritten++
    ctx.logger.warn({ run, code }, message)
    if (unwritten <= unwrittenShown) ctx.notice(`${message} (${code})`)
    if (unwritten === unwrittenShown + 1) ctx.notice(`more is told by: cpn logs --run ${run}`)
  })
  return unwritten
}
