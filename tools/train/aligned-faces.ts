import { readFileSync } from 'node:fs'
import type { Detector } from '../../src/agent/families/family.ts'
import { yunet } from '../../src/agent/families/yunet.ts'
import { openSession } from '../../src/agent/inference.ts'
import { findFaces } from '../../src/agent/pipelines/find-faces.ts'
import { Photo } from '../../src/agent/pipelines/photo.ts'
import { viewEdge } from '../../src/agent/pipelines/picture.ts'
import { alignFace } from '../../src/agent/vision/align.ts'
import { decodeImage, viewOf } from '../../src/agent/vision/decode.ts'
import type { Detection } from '../../src/agent/vision/detection.ts'
import type { Raster } from '../../src/agent/vision/raster.ts'
import { yunetSDynamic } from '../../src/models/catalogue/yunet-s-dynamic.ts'

const maxPixels = 100_000_000
const thresholds = { scoreThreshold: yunetSDynamic.thresholds.score!, nmsThreshold: yunetSDynamic.thresholds.nms! }

export interface AlignedFace {
  /** 112×112, RGB. */
  crop: Raster
  /** Of the face in the photo, in its pixels. */
  edge: number
}

/** The catalogue's detector out of its file. */
export async function openDetector(file: string): Promise<Detector> {
  return yunet.create(await openSession(readFileSync(file), 1), yunetSDynamic)
}

/** The faces of a photo as cpn finds and cuts them, the one closest to the photo's middle first. */
export async function alignedFaces(bytes: Uint8Array, detector: Detector): Promise<AlignedFace[]> {
  const image = await decodeImage(bytes, maxPixels)
  const photo = Photo.of(image, await viewOf(image, viewEdge))
  const found = await findFaces(photo, detector, thresholds)
  const original = await photo.full()
  const off = ({ box }: Detection) =>
    Math.hypot(box[0] + box[2] / 2 - photo.width / 2, box[1] + box[3] / 2 - photo.height / 2)
  return found
    .sort((a, b) => off(a) - off(b))
    .map((face) => ({ crop: alignFace(original, face), edge: Math.sqrt(face.box[2] * face.box[3]) }))
}
