import { CpnError } from '../../common/errors.ts'

const item = '!?(?:tag:)?[^:,/]+'
const remotePath = new RegExp(`^(${item}(?:,${item})*):(.*)$`, 's')

/** PATTERN:PATH in two. An empty path is the home. Rejects with CPN_ERR_USAGE. */
export function parseRemotePath(text: string): { pattern: string; path: string } {
  const [, pattern, path] = remotePath.exec(text) ?? []
  if (pattern === undefined || path === undefined || /(^|,)!?tag$/.test(pattern)) {
    throw new CpnError('CPN_ERR_USAGE', `${JSON.stringify(text)} is not PATTERN:PATH`, {
      suggestions: ['Name hosts and a path there, e.g. node1:/tmp or tag:lab:data.'],
    })
  }
  return { pattern, path }
}
