/** Something that is copied. Links are what they point to. */
export interface Entry {
  kind: 'file' | 'folder'
  /** Relative, with slashes; its first part is the name that was asked for. */
  path: string
  /** Zero for folders. */
  bytes: number
  /** Permission bits, e.g. 0o644. */
  mode: number
  /** Seconds since 1970. */
  mtime: number
}

/** An entry on this machine. */
export interface LocalEntry extends Entry {
  /** Where its bytes are. */
  source: string
}

/** How bytes get to a host and back: through commands, or by SFTP where the host runs none. */
export type Way = 'commands' | 'sftp'

/** What a transfer has done on one host. */
export interface Transferred {
  files: number
  bytes: number
  way: Way
}

export interface TransferOptions {
  signal: AbortSignal
  /** Called with the bytes that arrived so far and with those of the whole transfer. */
  onProgress?: (bytes: number, total: number) => void
}

/** From this size on a file travels alone and its transfer can be continued. */
export const largeFileBytes = 8 * 1024 * 1024

/** What one command carries at most. */
const batchBytes = 64 * 1024 * 1024
const batchFiles = 2000

/** Cuts a list of small files into what one command carries. */
export function batchesOf<T extends Entry>(files: T[]): T[][] {
  const batches: T[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const file of files) {
    if (bytes + file.bytes > batchBytes || batches.at(-1)!.length >= batchFiles) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)!.push(file)
    bytes += file.bytes
  }
  return batches
}
