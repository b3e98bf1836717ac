/** How many times longer than expected an attempt may take before it counts as stuck. */
const patience = 50
const floorMs = 20_000
const ceilingMs = 120_000
/** Limits are made for images of this size at most; where larger ones are allowed they grow with them. */
const usualPixels = 100_000_000

/**
 * Milliseconds that an image may wait for a worker, and that a worker may take.
 * @param expectedMs what an image of this size takes on this node; undefined where nothing was measured
 * @param isSlow the job takes longer than expected, or a deadline has passed for it: the next one is the longest there is, so that an image that
 *   is only heavy is not taken for one that hangs
 */
export function attemptDeadlineMs(expectedMs: number | undefined, maxPixels: number, isSlow: boolean): number {
  const scale = Math.max(1, maxPixels / usualPixels)
  if (expectedMs === undefined || isSlow) return Math.round(ceilingMs * scale)
  return Math.round(Math.min(ceilingMs, Math.max(floorMs, patience * expectedMs)) * scale)
}
