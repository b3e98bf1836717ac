import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type DrawnPhoto, drawnPhoto } from './drawn-images.ts'
import { type Box, countFound } from './ground-truth.ts'
import type { Project } from './project.ts'
import type { Prediction } from './run-output.ts'
import { tinyDetector, tinyManifest } from './tiny-model.ts'

const photos: Record<string, DrawnPhoto> = {
  'one.jpg': { width: 640, height: 480, squares: [[100, 120, 80]] },
  'none.jpg': { width: 320, height: 240, squares: [] },
  'small.jpg': { width: 200, height: 150, squares: [[60, 40, 50]] },
  'deep/er/two.png': {
    width: 800,
    height: 600,
    squares: [
      [80, 80, 120],
      [500, 300, 90],
    ],
    format: 'png',
  },
  'deep/two.webp': {
    width: 640,
    height: 640,
    squares: [
      [50, 60, 100],
      [400, 420, 60],
    ],
    format: 'webp',
  },
  'turned.jpg': { width: 480, height: 640, squares: [[200, 100, 100]], orientation: 6 },
  'large.tiff': {
    width: 2600,
    height: 1300,
    squares: [
      [300, 400, 400],
      [1800, 600, 250],
    ],
    format: 'tiff',
  },
  'palette.gif': { width: 640, height: 400, squares: [[300, 100, 140]], format: 'gif' },
  'new.avif': { width: 640, height: 480, squares: [[200, 200, 100]], format: 'avif' },
}

/** A folder of pictures in every format, with their true boxes in the upright picture by relative path. */
export async function drawFolder(folder: string): Promise<Map<string, Box[]>> {
  const truth = new Map<string, Box[]>()
  for (const [path, photo] of Object.entries(photos)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), await drawnPhoto(photo))
    truth.set(
      path,
      photo.squares.map(([x, y, size]) => upright(photo, [x, y, size, size])),
    )
  }
  return truth
}

/** A folder of many pictures with one face each, all of different content: work that lasts. */
export async function drawMany(folder: string, count: number): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const picture = await drawnPhoto({ width: 1600, height: 1200, squares: [[500, 400, 200]] })
  for (let index = 0; index < count; index++) {
    // What comes behind the end of a JPEG is not looked at, but makes the file another one.
    const name = `${String(index).padStart(4, '0')}.jpg`
    writeFileSync(join(folder, name), Buffer.concat([picture, Buffer.from(`${index}`)]))
  }
}

/** Adds the model that finds the squares to a project, as a person adds a model of their own; its name. */
export async function addTinyDetector(project: Project): Promise<string> {
  const { name, family, licence } = tinyManifest()
  const file = join(project.folder, 'squares.onnx')
  writeFileSync(file, tinyDetector())
  await project.ok(['models', 'add', file, '--name', name, '--family', family, '--licence', licence])
  return name
}

/** Every true box is found at an IoU of 0.7, and nothing else. */
export function assertFound(predictions: Prediction[], truth: Map<string, Box[]>): void {
  assert.deepEqual(predictions.map(({ path }) => path).sort(), [...truth.keys()].sort())
  for (const { path, faces, error } of predictions) {
    assert.ok(faces, `${path}: ${error?.code} ${error?.message}`)
    const boxes = faces.map(({ box }) => box)
    const wanted = truth.get(path)!
    const found = countFound(wanted, boxes, 0.7)
    assert.deepEqual(
      [found, boxes.length],
      [wanted.length, wanted.length],
      `${path}: ${JSON.stringify({ wanted, boxes })}`,
    )
  }
}

/** Orientation 6 is shown turned by a quarter to the right. */
function upright({ height, orientation }: DrawnPhoto, [x, y, w, h]: Box): Box {
  return orientation === 6 ? [height - y - h, x, h, w] : [x, y, w, h]
}
