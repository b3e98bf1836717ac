import type { Box } from '../../../protocol/messages.ts'

/** A region as MWG has it: centre and size, 0..1 of the picture as it is stored, before its EXIF orientation is applied. */
export interface Area {
  x: number
  y: number
  w: number
  h: number
}

export interface Size {
  width: number
  height: number
}

/** Where a point of the upright picture, 0..1, is in the stored one, by EXIF orientation 1 to 8. */
const toStored: ((u: number, v: number) => [number, number])[] = [
  (u, v) => [u, v],
  (u, v) => [1 - u, v],
  (u, v) => [1 - u, 1 - v],
  (u, v) => [u, 1 - v],
  (u, v) => [v, u],
  (u, v) => [v, 1 - u],
  (u, v) => [1 - v, 1 - u],
  (u, v) => [1 - v, u],
]

/** @param upright size of the upright picture, of which `box` has the pixels; what lies outside is cut off */
export function storedArea([left, top, width, height]: Box, upright: Size, orientation: number): Area {
  const within = (value: number, size: number) => Math.min(1, Math.max(0, value / size))
  const place = toStored[orientation - 1] ?? toStored[0]!
  const [x1, y1] = place(within(left, upright.width), within(top, upright.height))
  const [x2, y2] = place(within(left + width, upright.width), within(top + height, upright.height))
  return { x: (x1 + x2) / 2, y: (y1 + y2) / 2, w: Math.abs(x2 - x1), h: Math.abs(y2 - y1) }
}

export function storedSize({ width, height }: Size, orientation: number): Size {
  return orientation > 4 ? { width: height, height: width } : { width, height }
}

/** Intersection over union, 0..1. */
export function overlap(a: Area, b: Area): number {
  const shared = (a1: number, aSize: number, b1: number, bSize: number) =>
    Math.max(0, Math.min(a1 + aSize / 2, b1 + bSize / 2) - Math.max(a1 - aSize / 2, b1 - bSize / 2))
  const both = shared(a.x, a.w, b.x, b.w) * shared(a.y, a.h, b.y, b.h)
  return both / (a.w * a.h + b.w * b.h - both) || 0
}
