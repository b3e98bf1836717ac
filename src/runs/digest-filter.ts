const bits = 23

/**
 * Tells of most digests that they were never added, in a megabyte however many there are: the ledger is asked about the
 * others only. One in eighty is asked about in vain after 100,000 digests, one in nine after a million.
 */
export class DigestFilter {
  readonly #marks = new Uint8Array(2 ** (bits - 3))

  /** @param digest hex */
  add(digest: string): void {
    const { byte, mask } = placeOf(digest)
    this.#marks[byte]! |= mask
  }

  /** False only when it was not added. */
  mayHave(digest: string): boolean {
    const { byte, mask } = placeOf(digest)
    return (this.#marks[byte]! & mask) !== 0
  }
}

function placeOf(digest: string): { byte: number; mask: number } {
  const place = Number.parseInt(digest.slice(0, 8), 16) >>> (32 - bits)
  return { byte: place >>> 3, mask: 1 << (place & 7) }
}
