import type { GalleryShelf } from '../gallery-shelf.ts'
import type { WorkerPool } from '../pool/worker-pool.ts'
import { clientGone } from './client-gone.ts'
import { checkContentDigest, readBody, requireLength, sha256Of } from './request-body.ts'
import type { Routes } from './router.ts'

/** What a master tells of the people that faces are matched with. Kept in memory only. */
export function galleryRoutes(shelf: GalleryShelf, pool: WorkerPool): Routes {
  return {
    'POST /cpn/v1/gallery': async ({ request, response }) => {
      const bytes = requireLength(request)
      sha256Of(request.headers['content-digest'])
      const { pieces, digest } = await readBody(request, bytes, clientGone(response))
      checkContentDigest(request, digest)
      shelf.put(digest.toString('hex'), pieces)
      return { gallery: digest.toString('hex') }
    },
    'DELETE /cpn/v1/gallery': () => {
      shelf.clear()
      pool.forgetGallery()
      return { galleries: 0 }
    },
  }
}
