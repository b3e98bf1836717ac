import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { CpnError, reasonOf, systemErrorCode, toCpnError } from '../../../common/errors.ts'
import { mapAhead } from '../../../common/map-ahead.ts'
import type { JobRecord } from '../../job-record.ts'
import { replaceFile } from '../../replace-file.ts'
import type { FinishedLine, OnUnwritten, Results, SidecarOptions, SidecarPlace } from '../results.ts'
import { toldFaces } from '../told-face.ts'
import { mergeFaces } from './merge.ts'
import { namespaces } from './namespaces.ts'
import { readOrientation } from './orientation.ts'
import { isAsSealed, seal } from './seal.ts'

const atOnce = 16

interface Place extends SidecarPlace {
  /** Nothing is asked for there any more: only what is there of ours is brought up to date. */
  isEarlier: boolean
}

/**
 * Writes the faces of each picture into an XMP sidecar, merged into the one there is. What concerns one picture only, such
 * as a sidecar that is no XMP or a folder that is read-only, is told and leaves that sidecar as it was.
 */
export async function writeSidecars(
  results: Results,
  { earlierSidecars = [], ...asked }: SidecarOptions,
  onUnwritten: OnUnwritten,
): Promise<void> {
  const earlier = earlierSidecars.map((place) => ({ ...place, isEarlier: true }))
  for (const place of [...earlier, { ...asked, isEarlier: false }]) {
    // Pictures may share a sidecar.
    const ahead = place.sidecarNames === 'stem' ? 0 : atOnce
    await forEachPicture(results, ahead, onUnwritten, (line, result) => writeSidecar(results.out, line, result, place))
  }
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
  { sidecars, sidecarNames, isEarlier }: Place,
): Promise<void> {
  const beside = sidecarOf(source, sidecarNames)
  const target = sidecars === 'originals' ? beside : sidecarOf(join(out, name), sidecarNames)
  if (isEarlier && !(await mayBeOurs(target))) return
  const there = await readSidecar(target)
  const original = target === beside ? undefined : await readSidecar(beside)
  const faces = toldFaces(result)
  if (there === undefined && original === undefined && faces.length === 0) return
  const orientation = faces.length === 0 ? 1 : await orientationOfInput(source)
  const picture = { ...result, faces, orientation }
  const options = sidecarNames === 'stem' ? { sidecarForExtension: extname(source).slice(1) } : {}
  if (isEarlier) {
    const withoutOurs = orLeft(target, () => mergeFaces(there, { ...picture, faces: [] }, options))
    if (withoutOurs === there) return
  }
  // The one beside the original goes on living there: what comes into OUT has all that is in it, until somebody works on
  // the one in OUT.
  const follows = target !== beside && (there === undefined || orLeft(target, () => isAsSealed(there)))
  const [from, base] = follows && original !== undefined ? [beside, original] : [target, there]
  const merged = orLeft(from, () => mergeFaces(base, picture, options))
  if (merged === undefined) return
  // Where there is nothing to tell, none is made.
  if (there === undefined && faces.length === 0 && merged === base) return
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

/** Of a file that cannot be read nobody knows. */
async function mayBeOurs(path: string): Promise<boolean> {
  return readFile(path).then(
    (bytes) => bytes.includes(namespaces.cpn),
    (error) => !isNoFile(error),
  )
}

async function readSidecar(path: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(path)
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    if (isNoFile(cause)) return undefined
    const reason = cause instanceof TypeError ? 'it is not UTF-8' : reasonOf(cause)
    throw new CpnError('CPN_ERR_XMP', `${path} is left as it is: ${reason}`, { cause, suggestions: ['Look at it.'] })
  }
}

const isNoFile = (error: unknown) => ['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')

/** Regions are relative to the picture as it is stored, which only its file knows. */
async function orientationOfInput(source: string): Promise<number | undefined> {
  try {
    return await readOrientation(source)
  } catch (cause) {
    throw new CpnError('CPN_ERR_INPUT_UNREADABLE', `${source} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}
