import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { CpnError, reasonOf, systemErrorCode, toCpnError } from '../../../common/errors.ts'
import { mapAhead } from '../../../common/map-ahead.ts'
import type { JobRecord } from '../../job-record.ts'
import { replaceFile } from '../../replace-file.ts'
import type { FinishedLine, OnUnwritten, Results, SidecarOptions } from '../results.ts'
import { toldFaces } from '../told-face.ts'
import { mergeFaces } from './merge.ts'
import { readOrientation } from './orientation.ts'
import { isAsSealed, seal } from './seal.ts'

const atOnce = 16

/**
 * Writes the faces of each picture into an XMP sidecar, merged into the one there is. What concerns one picture only, such
 * as a sidecar that is no XMP or a folder that is read-only, is told and leaves that sidecar as it was.
 */
export async function writeSidecars(
  results: Results,
  options: SidecarOptions,
  onUnwritten: OnUnwritten,
): Promise<void> {
  await forEachPicture(results, options.sidecarNames === 'stem' ? 0 : atOnce, onUnwritten, (line, result) =>
    writeSidecar(results.out, line, result, options),
  )
}

/**
 * Does something for each picture that was looked at for faces; errors are told, a full disk ends it. Where a run looked for
 * something else, what another run has written of faces stays.
 */
export async function forEachPicture(
  results: Results,
  ahead: number,
  onUnwritten: OnUnwritten,
  work: (line: FinishedLine, result: JobRecord) => Promise<void>,
): Promise<void> {
  const one = async ({ line, result }: { line: FinishedLine; result: JobRecord }) => {
    try {
      await work(line, result)
      return undefined
    } catch (error) {
      return toCpnError(error)
    }
  }
  for await (const error of mapAhead(pictures(results), ahead, one)) {
    if (error?.code === 'CPN_ERR_OUTPUT_SPACE') throw error
    if (error) onUnwritten(error)
  }
}

async function* pictures(results: Results): AsyncGenerator<{ line: FinishedLine; result: JobRecord }> {
  if (results.kind !== 'faces') return
  for (const line of results.lines()) if (line.state === 'done' && line.result) yield { line, result: line.result }
}

async function writeSidecar(
  out: string,
  { name, source }: FinishedLine,
  result: JobRecord,
  { sidecars, sidecarNames }: SidecarOptions,
): Promise<void> {
  const beside = sidecarOf(source, sidecarNames)
  const target = sidecars === 'originals' ? beside : sidecarOf(join(out, name), sidecarNames)
  const there = await readSidecar(target)
  const original = target === beside ? undefined : await readSidecar(beside)
  const faces = toldFaces(result)
  if (there === undefined && original === undefined && faces.length === 0) return
  const orientation = faces.length === 0 ? 1 : await orientationOfInput(source)
  const picture = { ...result, faces, orientation }
  const options = sidecarNames === 'stem' ? { sidecarForExtension: extname(source).slice(1) } : {}
  // The one beside the original goes on living there: what comes into OUT has all that is in it, until somebody works on
  // the one in OUT.
  const follows = target !== beside && (there === undefined || orLeft(target, () => isAsSealed(there)))
  const [from, base] = follows && original !== undefined ? [beside, original] : [target, there]
  const merged = orLeft(from, () => mergeFaces(base, picture, options))
  // Where there is nothing to tell, none is made.
  if (merged === undefined || (there === undefined && merged === base)) return
  const text = follows ? seal(merged) : merged
  if (text !== there) await replaceFile(target, text, from)
}

const sidecarOf = (picture: string, names: SidecarOptions['sidecarNames']) =>
  `${names === 'full' ? picture : picture.slice(0, picture.length - extname(picture).length)}.xmp`

function orLeft<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new CpnError('CPN_ERR_XMP', `${path} is left as it is: ${(cause as Error).message}`, {
      cause,
      suggestions: ['Move it away, or choose other names with --sidecar-names, then run the same command again.'],
    })
  }
}

async function readSidecar(path: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(path)
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT' || systemErrorCode(cause) === 'ENOTDIR') return undefined
    const reason = cause instanceof TypeError ? 'it is not UTF-8' : reasonOf(cause)
    throw new CpnError('CPN_ERR_XMP', `${path} is left as it is: ${reason}`, { cause, suggestions: ['Look at it.'] })
  }
}

/** Regions are relative to the picture as it is stored, which only its file knows. */
async function orientationOfInput(source: string): Promise<number | undefined> {
  try {
    return await readOrientation(source)
  } catch (cause) {
    throw new CpnError('CPN_ERR_INPUT_UNREADABLE', `${source} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}
