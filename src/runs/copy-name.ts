import { rawExtensions } from './image-files.ts'

/** Names whose copies are JPEGs, and names that a copy of such a name could have. */
const becomesJpeg = new RegExp(String.raw`\.(heic|heics|heif|heifs|hif|${rawExtensions.join('|')})(\.jpg)*$`, 'i')

/**
 * Where the annotated copy of an input is in OUT: under its own name, with `.jpg` behind that of a HEIC or raw photo, as
 * nobody opens a JPEG called .HEIC. `IMG_1.HEIC.jpg` as an input gets one more, so that no two inputs share a copy. The
 * name alone decides: a run that goes on knows nothing else of a finished input.
 * @param name relative path of an input in OUT
 */
export function copyName(name: string): string {
  return becomesJpeg.test(name) ? `${name}.jpg` : name
}
