import { createReadStream } from 'node:fs'
import { relative } from 'node:path'
import { CpnError, systemErrorCode } from '../common/errors.ts'

/** Bytes an inventory may have. */
export const maxInventoryBytes = 1024 * 1024

/** An inventory's path as messages name it: relative where that is shorter. */
export function shortPath(file: string): string {
  const path = relative(process.cwd(), file)
  return path === '' || path.startsWith('..') ? file : path
}

/** The text of the inventory at `file` (absolute). Pipes work too; nothing beyond the limit is read. */
export async function readInventoryText(file: string): Promise<string> {
  try {
    return decode(await readAtMost(file), file)
  } catch (error) {
    throw error instanceof CpnError ? error : readError(error, file)
  }
}

async function readAtMost(file: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of createReadStream(file)) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes > maxInventoryBytes) throw tooLarge(file)
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new CpnError('CPN_ERR_INVENTORY_READ', `${shortPath(file)} is not UTF-8 text`, {
      cause,
      suggestions: ['Name a YAML file with --inventory, or save this one as UTF-8.'],
    })
  }
}

function tooLarge(file: string): CpnError {
  return new CpnError('CPN_ERR_INVENTORY_READ', `${shortPath(file)} is larger than 1 MiB, which no inventory is`, {
    suggestions: ['Check that --inventory names the right file.'],
  })
}

function readError(error: unknown, file: string): CpnError {
  const code = systemErrorCode(error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return missing(file)
  const reason = code === 'EISDIR' ? 'it is a folder' : (error as Error).message
  return new CpnError('CPN_ERR_INVENTORY_READ', `${shortPath(file)} cannot be read: ${reason}`, {
    cause: error,
    suggestions: [`Name a readable YAML file with --inventory${code === 'EISDIR' ? ', such as the one in it' : ''}.`],
  })
}

function missing(file: string): CpnError {
  return new CpnError('CPN_ERR_INVENTORY_MISSING', `there is no inventory at ${shortPath(file)}`, {
    suggestions: [
      'Create it by adding a first host: cpn hosts add NAME --address ADDRESS',
      'Or name an existing one with --inventory FILE or $CPN_INVENTORY.',
    ],
  })
}
