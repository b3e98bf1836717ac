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
 * @returns what else could not be written, with the reason; each is told of
 */
export async function writeRunResults(
  ledger: Ledger,
  run: string,
  out: string,
  { annotate, embeddings, results: options }: ResultsAsked,
  ctx: Context,
): Promise<string[]> {
  const unwritten: string[] = []
  const results = resultsOf(ledger, run, { out, copies: annotate !== 'none', embeddings })
  await writeResults(results, options, ({ code, message }) => {
    const told = `${message} (${code})`
    unwritten.push(told)
    ctx.logger.warn({ run, code }, message)
    if (unwritten.length <= unwrittenShown) ctx.notice(told)
    if (unwritten.length === unwrittenShown + 1) ctx.notice(`more is told by: cpn logs --run ${run}`)
  })
  return unwritten
}
