import { formatDuration } from '../common/format.ts'
import type { Job, JobOutcome, NodeNotice } from '../scheduler/scheduler.ts'
import { quote } from '../transport/shell.ts'

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

/** Why an image is quarantined, and a command that shows it. */
export function describeQuarantine({ job, nodes, error }: Extract<JobOutcome, { state: 'quarantined' }>): string {
  return [
    `${nameOf(job)} is quarantined: it did that on ${listed(nodes)}: ${error.message} (${error.code})`,
    ...(job.source ? [`  → See it happen: cpn predict ${quote(job.source)} --hosts ${nodes[0]} --annotate none`] : []),
  ].join('\n')
}

const nameOf = ({ source, id }: Job) => source ?? id

const listed = (names: readonly string[]) => names.join(' and ')
