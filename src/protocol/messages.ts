import * as z from 'zod'
import { modelNameSchema, sha256Schema } from './model.ts'

/** [x, y, width, height] in pixels of the upright original, origin top left. */
export const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])
export type Box = z.infer<typeof boxSchema>

export const faceSchema = z.object({
  box: boxSchema,
  score: z.number(),
  /** Right eye, left eye, nose, right mouth corner, left mouth corner (the subject's sides), or null if unknown. */
  keypoints: z
    .array(z.tuple([z.number(), z.number()]))
    .length(5)
    .nullable(),
  /** Of the aligned face, 0 for a blurred one; there where faces are embedded. */
  sharpness: z.number().nonnegative().optional(),
})
export type Face = z.infer<typeof faceSchema>

/** Index of one of the model's labels: names are put by the master, so that a node can write no text of its own. */
const classSchema = z.number().int().nonnegative()

export const foundObjectSchema = z.object({ class: classSchema, box: boxSchema, score: z.number() })
export type FoundObject = z.infer<typeof foundObjectSchema>

/** What a picture as a whole shows, with a probability of 0..1. */
export const foundClassSchema = z.object({ class: classSchema, score: z.number() })
export type FoundClass = z.infer<typeof foundClassSchema>

/** What is drawn for one thing that was found. */
export const markSchema = z.object({
  box: boxSchema,
  /** Empty for a box alone. */
  label: z.string().max(256),
  /** unknown: a face that should have a name and has none. caption: about the whole picture, a label without a box. */
  kind: z.enum(['found', 'unknown', 'caption']),
})
export type Mark = z.infer<typeof markSchema>

/** Raw bytes behind the answer's JSON, in this order. */
export const answerPartSchema = z.discriminatedUnion('name', [
  z.object({ name: z.literal('annotated'), bytes: z.number().int().nonnegative(), mediaType: z.string() }),
  /** The picture without marks as JPEG, long edge at most 240. */
  z.object({ name: z.literal('thumbnail'), bytes: z.number().int().nonnegative() }),
  /** A JPEG of each face with what is around it, 96×96, one after another in the order of the faces. */
  z.object({
    name: z.literal('crops'),
    bytes: z.number().int().nonnegative(),
    lengths: z.array(z.number().int().positive()),
  }),
  /** float32 little endian, shape [faces, 128]. */
  z.object({
    name: z.literal('embeddings'),
    bytes: z.number().int().nonnegative(),
    shape: z.tuple([z.number().int(), z.number().int()]),
  }),
])
export type AnswerPart = z.infer<typeof answerPartSchema>

/** JSON part of the answer to POST /cpn/v1/predict. */
export const predictAnswerSchema = z.object({
  job: sha256Schema,
  attempt: z.number().int().positive(),
  epoch: z.number().int().nonnegative(),
  /** Size of the upright original in pixels. */
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  faces: z.array(faceSchema),
  /** By falling score, of the pipeline `objects`. */
  objects: z.array(foundObjectSchema).optional(),
  /** By falling score, of the pipeline `classify`. */
  classes: z.array(foundClassSchema).optional(),
  parts: z.array(answerPartSchema),
  /** Milliseconds spent on the node, by step. */
  timings: z.record(z.string(), z.number()),
})
export type PredictAnswer = z.infer<typeof predictAnswerSchema>

/** How a node's processes are kept apart from the rest of the host. */
export const isolationSchema = z.object({
  /** Node's permission model; restrains JavaScript, not native code. */
  permission: z.boolean(),
  /**
   * What keeps workers from the network, native code included: a network namespace without interfaces, a filter of
   * system calls (systemd's sandbox), or nothing.
   */
  network: z.enum(['namespace', 'filter', 'open']).default('open'),
  /** Workers see neither homes nor sockets and temporary files of others: a mount namespace. */
  files: z.boolean().default(false),
  /** No program that a worker starts can have more rights than it. */
  noNewPrivileges: z.boolean().default(false),
  /** Limits of each worker's process (setrlimit), by name. */
  limits: z.record(z.string(), z.number()).default({}),
  supervisor: z.enum(['systemd-user', 'keeper', 'none']),
})

/** GET /cpn/v1/node */
export const nodeCardSchema = z.object({
  protocol: z.number().int(),
  agentVersion: z.string(),
  /** Digest of the release the agent runs from. */
  release: z.string(),
  fleet: z.string(),
  /** Minted when the agent starts: a new one means that everything in flight was lost. */
  instance: z.string(),
  /** Identity of the running kernel: a new one means a reboot. */
  bootId: z.string(),
  hostname: z.string(),
  platform: z.string(),
  arch: z.string(),
  nodeVersion: z.string(),
  /** Cores this agent may use, after affinity and cgroup quota. */
  cores: z.number().positive(),
  memoryBytes: z.number(),
  workers: z.number().int().positive().max(1024),
  /** Jobs taken at once: one in work and one waiting per worker. */
  slots: z.number().int().positive().max(2048),
  executionProviders: z.array(z.string()),
  models: z.array(z.object({ name: modelNameSchema, version: z.string(), sha256: sha256Schema })),
  isolation: isolationSchema,
  startedAt: z.string(),
})
export type NodeCard = z.infer<typeof nodeCardSchema>

export const agentStates = ['ready', 'degraded', 'draining'] as const

/** What a heartbeat says. */
export const heartbeatSchema = z.object({
  event: z.literal('heartbeat'),
  time: z.string(),
  state: z.enum(agentStates),
  busy: z.number().int().nonnegative(),
  workersReady: z.number().int().nonnegative(),
  /** Jobs finished since the agent started. */
  done: z.number().int().nonnegative(),
  /** Mean over the last minute in which it had work; 0 when it never had any. */
  imagesPerSecond: z.number().nonnegative(),
  load1: z.number(),
  freeMemoryBytes: z.number(),
  rssBytes: z.number(),
  workerRestarts: z.number().int().nonnegative(),
  /** Bytes that came in since the agent started, by all connections; an agent of an older release does not tell. */
  receivedBytes: z.number().int().nonnegative().optional(),
})
export type Heartbeat = z.infer<typeof heartbeatSchema>

/** GET /cpn/v1/events: NDJSON; the first line is `register`, then heartbeats. */
export const agentEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('register'), card: nodeCardSchema, heartbeat: heartbeatSchema }),
  heartbeatSchema,
  z.object({ event: z.literal('goodbye'), reason: z.string() }),
])
export type AgentEvent = z.infer<typeof agentEventSchema>

/** Body of every answer that is no success. */
export const wireErrorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    suggestions: z.array(z.string()).default([]),
  }),
})
