import { DatabaseSync } from 'node:sqlite'
import { CpnError } from '../common/errors.ts'
import { decodeLinks, type EncodedLinks, encodeLinks, type FaceLinks } from './face-links.ts'
import { decodeRecord, type NamedFace } from './job-record.ts'
import { openLedger, type Run } from './ledger.ts'
import { tellDamage } from './ledger-damage.ts'

/** One face of a run. */
export interface FaceRef {
  /** sha256 of the photo. */
  job: string
  /** Position among the faces of the photo. */
  face: number
}

/** Faces of a run that seem to be of one person whom nobody has named. */
export interface FaceGroup {
  /** From 1; a group keeps it as long as there is one. */
  number: number
  /** Somebody has split or merged it: it is not made anew. */
  byHand: boolean
  faces: FaceRef[]
}

/** A done photo of a run. */
export interface RunPhoto {
  /** Relative path in OUT. */
  name: string
  /** Absolute path of the original. */
  source: string
  job: string
  faces: NamedFace[]
}

/**
 * What the ledger keeps of unknown faces.
 * @param file the ledger. When it is damaged, CPN_ERR_STATE_DIR comes from here or from any call.
 */
export function openGroupLedger(file: string): GroupLedger {
  // An older cpn's is brought to this version first.
  openLedger(file)[Symbol.dispose]()
  return tellDamage(new GroupLedger(file), file)
}

export type { GroupLedger }

// The index is named: without statistics SQLite would rather look through all inputs for each job.
const hasPhoto = `EXISTS (SELECT 1 FROM inputs i INDEXED BY inputs_by_job
  WHERE i.run = j.run AND i.job = j.id AND i.job IS NOT NULL AND i.state = 'done')`

class GroupLedger implements Disposable {
  readonly #db: DatabaseSync

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 10_000 })
    this.#db.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = FAST')
  }

  /** With what the groups of a run were made; null when they have to be made anew. */
  groupedBy(run: string): string | null {
    return this.#run(run)?.grouped ?? null
  }

  /** The highest number that a group of the run ever had. */
  lastGroup(run: string): number {
    return this.#run(run)?.lastGroup ?? 0
  }

  /** By number. */
  groups(run: string): FaceGroup[] {
    const rows = this.#db.prepare('SELECT number, job, face, by_hand AS byHand FROM grouped_faces WHERE run = ?')
    const groups = new Map<number, FaceGroup>()
    for (const row of rows.iterate(run)) {
      const { number, job, face, byHand } = row as unknown as FaceRef & { number: number; byHand: 0 | 1 }
      const group = groups.get(number) ?? { number, byHand: byHand === 1, faces: [] }
      group.faces.push({ job, face })
      groups.set(number, group)
    }
    return [...groups.values()]
  }

  /** What grouping with these parameters found last; undefined where that is not known. */
  links(run: string, groupedBy: string): FaceLinks | undefined {
    const row = this.#db
      .prepare('SELECT faces, most, counts, others, similarities FROM face_links WHERE run = ? AND made_with = ?')
      .get(run, groupedBy) as EncodedLinks | undefined
    return row && decodeLinks(row)
  }

  /**
   * Puts groups in the place of all that the run had; durable when it returns. Throws CPN_ERR_STALE_EPOCH when the run was
   * resumed meanwhile.
   * @param links what they were made of; those that are kept stay without it
   */
  setGroups({ id, epoch }: Run, groups: readonly FaceGroup[], groupedBy: string, links?: FaceLinks): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      if (this.#run(id)?.epoch !== epoch) throw new CpnError('CPN_ERR_STALE_EPOCH', `run ${id} goes on elsewhere`)
      this.#db.prepare('DELETE FROM grouped_faces WHERE run = ?').run(id)
      const insert = this.#db.prepare(
        'INSERT INTO grouped_faces (run, number, job, face, by_hand) VALUES (?, ?, ?, ?, ?)',
      )
      for (const { number, byHand, faces } of groups)
        for (const { job, face } of faces) insert.run(id, number, job, face, byHand ? 1 : 0)
      const highest = groups.reduce((most, { number }) => Math.max(most, number), 0)
      this.#db
        .prepare('UPDATE runs SET grouped = ?, last_group = MAX(last_group, ?) WHERE id = ?')
        .run(groupedBy, highest, id)
      if (links) this.#setLinks(id, groupedBy, links)
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /** Photos with embeddings that the run has still, each content once, in the order of their digests, streamed. */
  *embedded(run: string): Iterable<{ job: string; faces: NamedFace[]; embeddings: Float32Array[] }> {
    const rows = this.#db.prepare(`SELECT id AS job, result, embeddings FROM jobs j
      WHERE run = ? AND state = 'done' AND embeddings IS NOT NULL AND ${hasPhoto} ORDER BY id`)
    for (const row of rows.iterate(run)) {
      const { job, result, embeddings } = row as { job: string; result: string; embeddings: Uint8Array }
      const record = decodeRecord({ result, embeddings })
      yield { job, faces: record.faces, embeddings: record.embeddings ?? [] }
    }
  }

  /** Done photos by name, streamed. */
  *photos(run: string): Iterable<RunPhoto> {
    const rows = this.#db.prepare(`SELECT i.name, i.source, i.job, j.result FROM inputs i
      JOIN jobs j ON j.run = i.run AND j.id = i.job WHERE i.run = ? AND i.state = 'done' AND j.state = 'done'
      ORDER BY i.name`)
    for (const row of rows.iterate(run)) {
      const { name, source, job, result } = row as Record<'name' | 'source' | 'job' | 'result', string>
      yield { name, source, job, faces: decodeRecord({ result }).faces }
    }
  }

  /** A photo's faces, with their embeddings and, where the run has them, small JPEGs. */
  facesOf(run: string, job: string): { faces: NamedFace[]; embeddings: Float32Array[]; crops: Uint8Array[] } {
    const row = this.#db.prepare('SELECT result, embeddings, crops FROM jobs WHERE run = ? AND id = ?').get(run, job) as
      | { result: string; embeddings: Uint8Array | null; crops: Uint8Array | null }
      | undefined
    if (!row) return { faces: [], embeddings: [], crops: [] }
    const { faces, embeddings = [], crops = [] } = decodeRecord({ ...row, thumbnail: null })
    return { faces, embeddings, crops }
  }

  /** Whether an input's path in OUT begins with this folder, however it is written. */
  hasFolder(run: string, folder: string): boolean {
    const one = this.#db.prepare(`SELECT 1 FROM inputs
      WHERE run = ?1 AND (lower(name) = ?2 OR lower(substr(name, 1, length(?2) + 1)) = ?2 || '/') LIMIT 1`)
    return one.get(run, folder) !== undefined
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  #setLinks(run: string, groupedBy: string, links: FaceLinks): void {
    const { faces, most, counts, others, similarities } = encodeLinks(links)
    this.#db
      .prepare(`INSERT OR REPLACE INTO face_links (run, made_with, faces, most, counts, others, similarities)
        VALUES (?, ?, ?, ?, ?, ?, ?)`)
      .run(run, groupedBy, faces, most, counts, others, similarities)
  }

  #run(run: string): { epoch: number; grouped: string | null; lastGroup: number } | undefined {
    const row = this.#db.prepare('SELECT epoch, grouped, last_group AS lastGroup FROM runs WHERE id = ?').get(run)
    return row as { epoch: number; grouped: string | null; lastGroup: number } | undefined
  }
}
