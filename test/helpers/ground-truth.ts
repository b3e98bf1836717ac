import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** Left, top, width and height in pixels of the upright image. */
export type Box = [x: number, y: number, width: number, height: number]

/** Annotated faces of dlib XML files, by the name of the picture. */
export function dlibFaces(...files: string[]): Map<string, Box[]> {
  const images = files.flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/<image file='([^']+)'[^>]*>(.*?)<\/image>/gs),
  ])
  return new Map(images.map(([, file, body]) => [basename(file!), dlibBoxes(body!)]))
}

function dlibBoxes(body: string): Box[] {
  return [...body.matchAll(/<box ([^>]*)>/g)].map(([, attributes]) => {
    const value = (name: string): number => Number(new RegExp(`${name}='(-?\\d+)'`).exec(attributes!)![1])
    return [value('left'), value('top'), value('width'), value('height')]
  })
}

/** Annotated objects of a Pascal VOC XML file. */
export function vocFaces(file: string): Box[] {
  const objects = readFileSync(file, 'utf8').matchAll(/<object>(.*?)<\/object>/gs)
  return [...objects].map(([, body]) => {
    const value = (name: string): number => Number(new RegExp(`<${name}>([^<]+)<`).exec(body!)![1])
    return [value('xmin'), value('ymin'), value('xmax') - value('xmin'), value('ymax') - value('ymin')]
  })
}

/** Intersection over union of two boxes, 0..1. */
export function iou(a: Box, b: Box): number {
  const across = overlap(a[0], a[2], b[0], b[2])
  const down = overlap(a[1], a[3], b[1], b[3])
  const both = across * down
  return both / (a[2] * a[3] + b[2] * b[3] - both)
}

function overlap(start: number, length: number, otherStart: number, otherLength: number): number {
  return Math.max(0, Math.min(start + length, otherStart + otherLength) - Math.max(start, otherStart))
}

/** How many of the true boxes are found, each box counting for one of them at most. */
export function countFound(truth: Box[], boxes: Box[], minimumIou: number): number {
  const pairs = truth.flatMap((wanted, t) => boxes.map((box, b) => ({ t, b, overlap: iou(wanted, box) })))
  const taken = new Set<string>()
  return pairs
    .filter((pair) => pair.overlap >= minimumIou)
    .sort((a, b) => b.overlap - a.overlap)
    .filter(({ t, b }) => {
      if (taken.has(`t${t}`) || taken.has(`b${b}`)) return false
      taken.add(`t${t}`).add(`b${b}`)
      return true
    }).length
}
