import * as z from 'zod'
import { sha256Schema } from './model.ts'

/** Platforms a node can have: Node's process.platform and process.arch. */
export const releasePlatforms = ['linux-x64', 'linux-arm64', 'darwin-arm64'] as const
export type ReleasePlatform = (typeof releasePlatforms)[number]

const relativePath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith('/') && path.split('/').every((part) => part !== '' && part !== '..'), {
    error: 'has to stay inside the release',
  })

export const releaseFileSchema = z.object({
  /** Relative to the release's folder, with slashes. */
  path: relativePath,
  sha256: sha256Schema,
  bytes: z.number().int().nonnegative(),
  /** File mode, e.g. 0o444. */
  mode: z.number().int().min(0).max(0o777),
})
export type ReleaseFile = z.infer<typeof releaseFileSchema>

/**
 * release.json. Its canonical JSON is stored as a blob like every other file; the sha256 of that is the release's
 * digest. It does not list itself.
 */
export const releaseManifestSchema = z.object({
  version: z.string(),
  platform: z.enum(['linux', 'darwin']),
  arch: z.enum(['x64', 'arm64']),
  nodeVersion: z.string(),
  files: z.array(releaseFileSchema),
})
export type ReleaseManifest = z.infer<typeof releaseManifestSchema>

export const manifestPath = 'release.json'

/** One file of a receive stream; `wireBytes` follow the header, in the order of the list. */
export const receivedFileSchema = z.object({
  kind: z.enum(['blob', 'model', 'model-manifest']),
  /** Of the decoded bytes; of the model itself for a model-manifest. */
  sha256: sha256Schema,
  bytes: z.number().int().nonnegative(),
  encoding: z.enum(['zstd', 'gzip', 'identity']),
  wireBytes: z.number().int().nonnegative(),
})
export type ReceivedFile = z.infer<typeof receivedFileSchema>

/** First line of the stream that `agent.mjs receive` reads; the files' bytes follow it without gaps. */
export const receiveHeaderSchema = z.object({
  files: z.array(receivedFileSchema),
  /** Release to assemble once the files are in: digest of a release.json among the blobs. */
  release: sha256Schema.optional(),
  /** Blobs whose digest was compared on the host a moment ago: not read again. */
  verified: z.array(sha256Schema).default([]),
})
export type ReceiveHeader = z.infer<typeof receiveHeaderSchema>

/** What `receive` and `link` print as JSON on stdout. */
export const receiveAnswerSchema = z.object({
  received: z.number().int(),
  /** Blobs that were found wrong and removed: they have to be sent again. */
  damaged: z.array(sha256Schema),
  /** The release is in place. */
  linked: z.boolean(),
})
export type ReceiveAnswer = z.infer<typeof receiveAnswerSchema>
