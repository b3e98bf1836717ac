import { CpnError } from '../common/errors.ts'

/** Galleries kept at most: runs that go on at once seldom use different ones. */
const most = 4

/** Encoded galleries in memory, by digest; never on the disk. The one that was not used for longest goes first. */
export class GalleryShelf {
  readonly #galleries = new Map<string, Uint8Array[]>()

  put(digest: string, pieces: Uint8Array[]): void {
    this.#galleries.delete(digest)
    this.#galleries.set(digest, pieces)
    const [oldest] = this.#galleries.keys()
    if (this.#galleries.size > most && oldest !== undefined) this.#galleries.delete(oldest)
  }

  /** Throws CPN_ERR_GALLERY_MISSING, which is retryable once the gallery was sent. */
  get(digest: string): Uint8Array[] {
    const pieces = this.#galleries.get(digest)
    if (!pieces) {
      throw new CpnError('CPN_ERR_GALLERY_MISSING', `the agent has no gallery ${digest.slice(0, 12)}`, {
        retryable: true,
      })
    }
    this.put(digest, pieces)
    return pieces
  }

  /** Forgets all of them. */
  clear(): void {
    this.#galleries.clear()
  }
}
