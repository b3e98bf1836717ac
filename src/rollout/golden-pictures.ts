import { readFile } from 'node:fs/promises'
import { sha256, sha256File } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import type { Box } from '../protocol/messages.ts'
import { findInputs, realPath, resolveRoots } from '../runs/find-inputs.ts'

/** A picture that every version and every node has to look at. */
export interface GoldenPicture {
  /** Relative to its folder. */
  name: string
  sha256: string
  bytes: number
  read(): Promise<Buffer>
  /** Boxes of its faces, where they are known. */
  truth?: Box[]
}

/** A push waits for these on every node. */
const mostPictures = 500

/** People of the pictures that cpn draws, and the pictures' sizes. */
const drawn = [
  { name: 'one.jpg', people: [1], width: 320, height: 320 },
  { name: 'two.jpg', people: [2, 3], width: 480, height: 320 },
  { name: 'three.jpg', people: [4, 5, 6], width: 640, height: 360 },
  { name: 'none.jpg', people: [], width: 320, height: 240 },
]
/** Of those that were tried, the first with which each detector of the catalogue finds every face. */
const drawnSeed = 2

/** The pictures of a folder, or those that cpn draws. Rejects with CPN_ERR_INPUT_MISSING, CPN_ERR_USAGE. */
export async function goldenPictures(folder: string | undefined): Promise<GoldenPicture[]> {
  return folder === undefined ? drawPictures() : picturesOf(folder)
}

/** Nobody's photograph is needed. */
async function drawPictures(): Promise<GoldenPicture[]> {
  const { drawGroup } = await import('../drawing/scene.ts')
  const pictures: GoldenPicture[] = []
  for (const { name, people, width, height } of drawn) {
    const { jpeg, faces } = await drawGroup(people, drawnSeed, width, height)
    // What is sent is given away.
    const read = async () => Buffer.from(jpeg)
    pictures.push({ name, sha256: sha256(jpeg), bytes: jpeg.length, read, truth: faces.map(({ box }) => box) })
  }
  return pictures
}

async function picturesOf(folder: string): Promise<GoldenPicture[]> {
  const pictures: GoldenPicture[] = []
  const nowhere = await realPath('/nonexistent')
  for await (const found of findInputs(await resolveRoots([folder]), nowhere)) {
    if (found.kind !== 'input') continue
    const { name, source, bytes } = found.input
    pictures.push({ name, sha256: await sha256File(source), bytes, read: () => readFile(source) })
    if (pictures.length > mostPictures) throw tooMany(folder)
  }
  if (pictures.length > 0) return pictures.sort((a, b) => a.name.localeCompare(b.name, 'en'))
  throw new CpnError('CPN_ERR_INPUT_MISSING', `there is no picture in ${folder}`, {
    suggestions: ['Name a folder with pictures, or leave --golden out: cpn draws some itself then.'],
  })
}

function tooMany(folder: string): CpnError {
  return new CpnError(
    'CPN_ERR_USAGE',
    `${folder} has more than ${mostPictures} pictures, and every node looks at each`,
    {
      suggestions: ['Take a folder with some dozens that show what matters to you.'],
    },
  )
}
