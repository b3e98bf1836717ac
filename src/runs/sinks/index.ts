import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { toCpnError } from '../../common/errors.ts'
import { writeCoco } from './coco.ts'
import { writeCsv } from './csv.ts'
import { writeJsonl } from './jsonl.ts'
import { writePage } from './page.ts'
import type { OnUnwritten, Results, SidecarOptions, Sink } from './results.ts'
import { writeIntoOriginals } from './xmp/originals.ts'
import { writeSidecars } from './xmp/sidecars.ts'

interface Format {
  write: Sink
  /** Its file in OUT, where it is one file. */
  file?: string
}

const formats = {
  csv: { write: writeCsv, file: 'predictions.csv' },
  coco: { write: writeCoco, file: 'coco.json' },
  xmp: { write: writeSidecars },
} satisfies Record<string, Format>

/** What `--format` takes. */
export const formatNames = ['jsonl', ...Object.keys(formats)] as ('jsonl' | keyof typeof formats)[]
export type FormatName = (typeof formatNames)[number]

/** How results are written; no part of what is done to a picture. */
export interface ResultOptions extends SidecarOptions {
  /** predictions.jsonl is always written. */
  formats: FormatName[]
  /** Faces go into the original JPEG files, too. */
  writeMetadata: boolean
}

export const defaultResults: ResultOptions = {
  formats: ['jsonl'],
  sidecars: 'out',
  sidecarNames: 'full',
  writeMetadata: false,
}

/**
 * Writes the results of a run as predictions.jsonl and index.html, in the formats that were asked for, and in those whose
 * file is in OUT already: none may tell of an earlier state. Rejects when predictions.jsonl cannot be written; what else cannot is told, and the rest goes on.
 */
export async function writeResults(results: Results, options: ResultOptions, onUnwritten: OnUnwritten): Promise<void> {
  await writeJsonl(results)
  const tell = (error: unknown) => onUnwritten(toCpnError(error))
  for (const [name, { write, file }] of Object.entries<Format>(formats)) {
    const isThere = file !== undefined && existsSync(join(results.out, file))
    if (!isThere && !options.formats.includes(name as FormatName)) continue
    await write(results, options, onUnwritten).catch(tell)
  }
  await writePage(results).catch(tell)
  if (options.writeMetadata) await writeIntoOriginals(results, onUnwritten).catch(tell)
}
