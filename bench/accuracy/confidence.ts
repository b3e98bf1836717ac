import { seededRandom } from '../../test/helpers/embeddings.ts'

/** z of 95 %. */
const z = 1.96
const resamples = 2000

/** A share in percent with its 95 % interval (Wilson 1927), of trials that are independent. */
export function share(hits: number, trials: number): string {
  const p = hits / trials
  const middle = (p + z ** 2 / (2 * trials)) / (1 + z ** 2 / trials)
  const half = (z * Math.sqrt((p * (1 - p)) / trials + z ** 2 / (4 * trials ** 2))) / (1 + z ** 2 / trials)
  return `${percent(p)} [${percent(middle - half)}, ${percent(middle + half)}] (${hits} of ${trials})`
}

/**
 * The mean of shares in percent with its 95 % interval by bootstrap, drawn from a fixed seed.
 *
 * @param groups shares that are not independent of each other, e.g. those of one person; groups are drawn
 */
export function meanShare(groups: readonly (readonly number[])[]): string {
  const sums = groups.map((shares) => ({ sum: shares.reduce((sum, value) => sum + value, 0), count: shares.length }))
  return resampled(sums, percent, meanOf)
}

/**
 * A figure of trials with its 95 % interval by bootstrap, drawn from a fixed seed.
 *
 * @param trials independent of each other
 */
export function resampled<Trial>(
  trials: readonly Trial[],
  shown: (value: number) => string,
  figure: (trials: readonly Trial[]) => number,
): string {
  const random = seededRandom(1)
  const figures = Array.from({ length: resamples }, () =>
    figure(trials.map(() => trials[Math.floor(random() * trials.length)]!)),
  ).sort((a, b) => a - b)
  const at = (quantile: number) => shown(figures[Math.floor(quantile * resamples)]!)
  return `${shown(figure(trials))} [${at(0.025)}, ${at(0.975)}]`
}

function meanOf(sums: readonly { sum: number; count: number }[]): number {
  const count = sums.reduce((total, group) => total + group.count, 0)
  return sums.reduce((total, group) => total + group.sum, 0) / count
}

function percent(value: number): string {
  return `${(Math.min(1, Math.max(0, value)) * 100).toFixed(2)} %`
}
