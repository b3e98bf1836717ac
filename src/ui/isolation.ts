import type { NodeCard } from '../protocol/messages.ts'

/** What keeps a node's workers in, in few words: each names what is out of reach of their native code. */
export function isolationWords({ network, files, noNewPrivileges, limits }: NodeCard['isolation']): string {
  const kept = [
    network !== 'open' && 'network',
    files && 'files',
    noNewPrivileges && 'privileges',
    Object.keys(limits).length > 0 && 'limits',
  ].filter((word) => word !== false)
  return kept.length > 0 ? kept.join(' ') : 'JavaScript only'
}
