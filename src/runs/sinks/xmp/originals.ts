import { readFile } from 'node:fs/promises'
import { sha256 } from '../../../common/digest.ts'
import { CpnError, reasonOf } from '../../../common/errors.ts'
import type { JobRecord } from '../../job-record.ts'
import { replaceFile } from '../../replace-file.ts'
import type { FinishedLine, OnUnwritten, Results } from '../results.ts'
import { toldFaces } from '../told-face.ts'
import { isJpeg, readPacket, replacePacket } from './jpeg-segments.ts'
import { mergeFaces } from './merge.ts'
import { orientationOf } from './orientation.ts'
import { forEachPicture } from './sidecars.ts'

/** Whole files are in memory meanwhile. */
const atOnce = 2

/**
 * Writes the faces of each JPEG into the original file's own XMP, merged into what is there; every other byte of it stays.
 * Pictures of other formats are left out. What concerns one file only is told and leaves that file as it was.
 */
export async function writeIntoOriginals(results: Results, onUnwritten: OnUnwritten): Promise<void> {
  await forEachPicture(results, atOnce, onUnwritten, writeIntoOriginal)
}

async function writeIntoOriginal({ source, job }: FinishedLine, result: JobRecord): Promise<void> {
  const jpeg = await readOriginal(source)
  if (!isJpeg(jpeg)) return
  const changed = withFaces(source, jpeg, result)
  if (!changed) return
  // The faces are those of the file as it was then. A file that we wrote is another one until it is looked at again.
  if (sha256(jpeg) !== job) throw unreadable(source, 'it changed since it was looked at')
  await replaceFile(source, changed)
}

/** Undefined where nothing changes. */
function withFaces(source: string, jpeg: Buffer, result: JobRecord): Buffer | undefined {
  try {
    const packet = readPacket(jpeg)
    const merged = mergeFaces(packet, { ...result, faces: toldFaces(result), orientation: orientationOf(jpeg) })
    return merged === undefined || merged === packet ? undefined : replacePacket(jpeg, merged)
  } catch (cause) {
    throw new CpnError('CPN_ERR_XMP', `${source} is left as it is: ${reasonOf(cause)}`, {
      cause,
      suggestions: ['Write its faces beside it: --format xmp'],
    })
  }
}

async function readOriginal(source: string): Promise<Buffer> {
  try {
    return await readFile(source)
  } catch (cause) {
    throw unreadable(source, reasonOf(cause), cause)
  }
}

const unreadable = (source: string, reason: string, cause?: unknown) =>
  new CpnError('CPN_ERR_INPUT_UNREADABLE', `${source} cannot be written to: ${reason}`, { cause })
