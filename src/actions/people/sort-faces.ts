import type { Context } from '../../common/context.ts'
import { reasonOf } from '../../common/errors.ts'
import { Thread } from '../../common/thread.ts'
import type { SortedFaces, SortOrder, SortThreadData } from '../../people/people-thread.ts'
import type { ModelManifest } from '../../protocol/model.ts'
import type { Run } from '../../runs/ledger.ts'
import { identificationOf } from './naming.ts'

export interface SortFacesOptions {
  ledgerFile: string
  run: Run
  /** Real path of the folder of the outputs. */
  out: string
  annotated: boolean
  /** Whose embeddings they are. */
  embedder: Pick<ModelManifest, 'thresholds'>
}

/** What came of sorting. */
export interface Sorting {
  /** Undefined where it came to no end. */
  sorted: SortedFaces | undefined
  /** What could not be done; some of it was told. */
  faults: string[]
}

const tellEveryMs = 200
const noticeEveryMs = 5000

/** Two unknown faces are linked from so much above where one gets a name: a wrong link joins two people. */
const aboveIdentification = 0.1

/** Parameters of grouping for the embeddings of a model. */
export const groupingOf = ({ thresholds }: Pick<ModelManifest, 'thresholds'>) => ({
  threshold: Math.min(1, identificationOf(thresholds) + aboveIdentification),
})

/**
 * Groups the faces of a run that have no name and brings OUT/people to what the run knows of people. The work is done in a
 * thread. A failure is told as a notice, and an abort leaves it for the next command that comes by here: the results of the
 * run are whole without it. The caller holds the lock of `out`.
 * @param onProgress gets the share of the grouping that is done, 0 to 1, several times a second; without it there are notices
 */
export async function sortFaces(
  { ledgerFile, run, out, annotated, embedder }: SortFacesOptions,
  ctx: Pick<Context, 'signal' | 'notice'>,
  onProgress?: (done: number) => void,
): Promise<Sorting> {
  const progress = new Float64Array(new SharedArrayBuffer(8))
  await using thread = new Thread<SortOrder, SortedFaces>('people/people-thread', {
    ledgerFile,
    progress,
  } satisfies SortThreadData)
  using listening = new DisposableStack()
  const tell = onProgress ?? ((done) => ctx.notice(`unknown faces are being grouped: ${Math.floor(done * 100)} %`))
  const timer = setInterval(() => tell(progress[0]!), onProgress ? tellEveryMs : noticeEveryMs)
  listening.defer(() => clearInterval(timer))
  const aborted = Promise.withResolvers<Sorting>()
  const abort = () => aborted.resolve({ sorted: undefined, faults: [] })
  if (ctx.signal.aborted) abort()
  ctx.signal.addEventListener('abort', abort)
  listening.defer(() => ctx.signal.removeEventListener('abort', abort))
  const order = { run: { id: run.id, epoch: run.epoch }, out, annotated, grouping: groupingOf(embedder) }
  const asked = thread.ask(order).then(
    (sorted): Sorting => ({ sorted, faults: sorted.faults }),
    (error): Sorting => ({
      sorted: undefined,
      faults: [`unknown faces are not grouped: ${reasonOf(error)}; cpn people groups tries again`],
    }),
  )
  const sorting = await Promise.race([asked, aborted.promise])
  for (const fault of sorting.faults.slice(0, 10)) ctx.notice(fault)
  return sorting
}
