import { formatDuration } from '../../common/format.ts'
import type { Inventory } from '../../inventory/inventory.ts'
import type { Job, JobOutcome, NodeNotice } from '../../scheduler/scheduler.ts'
import { quote } from '../../transport/shell.ts'
import type { PipelineOptions } from '../models/resolve-pipeline.ts'

/** A pipeline as it was asked for, and the fleet that was asked. */
export type AskedPipeline = PipelineOptions & { inventory: Pick<Inventory, 'file'> }

/** A line about a node for the person who watches a run. */
export function describeNotice(notice: NodeNotice): string {
  if (notice.kind === 'undecided') {
    const { nodes, job, difference } = notice
    return `${listed(nodes)} disagree about ${nameOf(job)} (${difference}), and nobody could decide`
  }
  const { node, milliseconds } = notice
  const pause = `it gets nothing for ${formatDuration(milliseconds)}`
  if (notice.kind === 'set-aside') {
    const { message, code } = notice.error
    return `${node} fails while others do not: ${pause}\n  last: ${message} (${code})`
  }
  const { job, difference } = notice
  return [
    `${node} gave a wrong result for ${nameOf(job)}: two others agree on another one (${difference}); ${pause}`,
    `  → Look for what is wrong with it; what it did before may be wrong, too: cpn run-remote ${node} -- dmesg`,
  ].join('\n')
}

/** Why an image is quarantined, and a command that shows it: the same is done to it once more, on a node that it harmed. */
export function describeQuarantine(
  { job, nodes, error }: Extract<JobOutcome, { state: 'quarantined' }>,
  { inventory, ...pipeline }: AskedPipeline,
): string {
  const lines = [`${nameOf(job)} is quarantined: it did that on ${listed(nodes)}: ${error.message} (${error.code})`]
  if (job.source) {
    const fleet = inventory.file === undefined ? [] : ['--inventory', inventory.file]
    // The last one is in the fleet; others may be of an earlier process of the run.
    const words = ['cpn', 'predict', job.source, ...fleet, '--hosts', nodes.at(-1)!, ...pipelineFlags(pipeline)]
    lines.push(`  → See it happen: ${words.map(asWord).join(' ')}`)
  }
  return lines.join('\n')
}

/** How many pictures there are that no node reads, by extension, the most frequent first. */
export function describeUnread(unread: ReadonlyMap<string, number>, complete: boolean): string {
  const kinds = [...unread].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
  const count = kinds.reduce((sum, [, each]) => sum + each, 0)
  const files = count === 1 ? '1 picture of a kind' : `${count} pictures of kinds`
  const list = kinds.map(([extension, each]) => `${each} ${extension}`).join(', ')
  return `${files} that cpn does not read${complete ? '' : ', so far'}: ${list}`
}

/** All that decides what is done to an image, defaults too: another cpn may have others. */
function pipelineFlags(options: Omit<AskedPipeline, 'inventory'>): string[] {
  const { pipelineName, detector, classifier, top, scoreThreshold, tryRotations, embeddings, annotate, maxPixels } =
    options
  return [
    ...['--pipeline', pipelineName],
    ...(detector === undefined ? [] : ['--detector', detector]),
    ...(classifier === undefined ? [] : ['--classifier', classifier]),
    ...(top === undefined ? [] : ['--top-k', `${top}`]),
    ...(scoreThreshold === undefined ? [] : ['--score-threshold', `${scoreThreshold}`]),
    ...(tryRotations ? ['--try-rotations'] : []),
    ...(embeddings ? ['--embeddings'] : []),
    ...['--annotate', annotate, '--max-megapixels', `${maxPixels / 1_000_000}`],
  ]
}

/** Only what a shell would take apart is quoted. */
const asWord = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : quote(text))

const nameOf = ({ source, id }: Job) => source ?? id

const listed = (names: readonly string[]) => names.join(' and ')
