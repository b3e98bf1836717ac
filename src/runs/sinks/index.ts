import { toCpnError } from '../../common/errors.ts'
import { writeCoco } from './coco.ts'
import { writeCsv } from './csv.ts'
import { writeJsonl } from './jsonl.ts'
import { writePage } from './page.ts'
import type { OnUnwritten, Results, SidecarOptions, Sink } from './results.ts'
import { writeIntoOriginals } from './xmp/originals.ts'
import { writeSidecars } from './xmp/sidecars.ts'

const formats = { csv: writeCsv, coco: writeCoco, xmp: writeSidecars } satisfies Record<string, Sink>

/** What `--format` takes. */
export const formatNames = ['jsonl', ...Object.keys(formats)] as ('jsonl' | keyof typeof formats)[]
export type FormatName = (typeof formatNames)[number]

/** How results are written; no part of what is done to a picture. */
export interface ResultOptions extends SidecarOptions {
  /** predictions.jsonl is always written. */
  formats: FormatName[]
  /** Faces go into the original JPEG files, too. */
  writeMetadata: boolean
  /** Faces were written into original files at some time: whoever forgets somebody has to look there. */
  metadataWritten?: boolean
}

export const defaultResults: ResultOptions = {
  formats: ['jsonl'],
  sidecars: 'out',
  sidecarNames: 'full',
  writeMetadata: false,
}

/** What is asked for, and what was asked for before: no result may go on telling of an earlier state. */
export function withEarlier(asked: ResultOptions, before: Partial<ResultOptions> | undefined): ResultOptions {
  const earlier = { ...defaultResults, ...before }
  const { sidecars, sidecarNames } = asked.formats.includes('xmp') ? asked : earlier
  const places = [...(earlier.earlierSidecars ?? []), ...(earlier.formats.includes('xmp') ? [earlier] : [])]
  const earlierSidecars = places
    .filter((place) => place.sidecars !== sidecars || place.sidecarNames !== sidecarNames)
    .map(({ sidecars, sidecarNames }) => ({ sidecars, sidecarNames }))
  const metadataWritten = asked.writeMetadata || earlier.writeMetadata || earlier.metadataWritten === true
  return {
    ...asked,
    formats: [...new Set([...earlier.formats, ...asked.formats])],
    sidecars,
    sidecarNames,
    ...(earlierSidecars.length > 0 ? { earlierSidecars } : {}),
    ...(metadataWritten ? { metadataWritten } : {}),
  }
}

/**
 * Writes the results of a run as predictions.jsonl and index.html and in the formats that were asked for. Rejects when
 * predictions.jsonl cannot be written; what else cannot is told, and the rest goes on.
 */
export async function writeResults(results: Results, options: ResultOptions, onUnwritten: OnUnwritten): Promise<void> {
  await writeJsonl(results)
  const tell = (error: unknown) => onUnwritten(toCpnError(error))
  for (const [name, write] of Object.entries<Sink>(formats)) {
    if (options.formats.includes(name as FormatName)) await write(results, options, onUnwritten).catch(tell)
  }
  await writePage(results).catch(tell)
  if (options.writeMetadata) await writeIntoOriginals(results, onUnwritten).catch(tell)
}
