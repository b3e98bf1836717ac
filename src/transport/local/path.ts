import { homedir } from 'node:os'

/** A path on this machine as a shell in the home folder would read it. */
export function localPath(path: string): string {
  if (path === '~') return homedir()
  if (path.startsWith('~/')) return `${homedir()}/${path.slice(2)}`
  return path.startsWith('/') ? path : `${homedir()}/${path}`
}
