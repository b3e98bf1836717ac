/** A figure of accuracy beside what it has to reach. */
export interface Row {
  name: string
  /** With its confidence interval. */
  value: string
  /** What has to hold, or nothing where it is told for comparison. */
  floor: string
  /** Somebody else's figure on the same photos. */
  reference?: string
  /** On what and how it was measured. */
  detail?: string
}
