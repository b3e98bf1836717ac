import type { DatabaseSync } from 'node:sqlite'
import { CpnError } from '../common/errors.ts'

const version1 = `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY, created_at TEXT NOT NULL, ended_at TEXT, state TEXT NOT NULL, epoch INTEGER NOT NULL,
    out TEXT NOT NULL, options TEXT NOT NULL, pipeline_digest TEXT NOT NULL) STRICT;
  CREATE TABLE inputs (
    run TEXT NOT NULL REFERENCES runs, seq INTEGER NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL,
    bytes INTEGER NOT NULL, mtime_ms REAL NOT NULL, state TEXT NOT NULL DEFAULT 'queued', job TEXT, error TEXT,
    PRIMARY KEY (run, seq), UNIQUE (run, name)) STRICT, WITHOUT ROWID;
  CREATE INDEX inputs_by_job ON inputs (run, job) WHERE job IS NOT NULL;
  CREATE TABLE jobs (
    run TEXT NOT NULL REFERENCES runs, id TEXT NOT NULL, state TEXT NOT NULL, result TEXT, embeddings BLOB, error TEXT,
    PRIMARY KEY (run, id)) STRICT, WITHOUT ROWID;
  CREATE TABLE attempts (
    run TEXT NOT NULL, job TEXT NOT NULL, attempt INTEGER NOT NULL, node TEXT NOT NULL, state TEXT NOT NULL,
    time TEXT NOT NULL, error TEXT, PRIMARY KEY (run, job, attempt, state)) STRICT, WITHOUT ROWID;
`

/**
 * Runs that can be resumed: what tells a file from a changed one, the bytes of its picture, the epoch in which it was
 * finished; attempts of several epochs side by side; when the run was begun or resumed last.
 */
const version2 = `
  ALTER TABLE runs ADD COLUMN started_at TEXT;
  ALTER TABLE inputs ADD COLUMN ctime_ms REAL;
  ALTER TABLE inputs ADD COLUMN ino REAL;
  ALTER TABLE inputs ADD COLUMN written INTEGER;
  ALTER TABLE inputs ADD COLUMN epoch INTEGER;
  UPDATE inputs SET epoch = 1 WHERE state != 'queued';
  ALTER TABLE attempts RENAME TO attempts_1;
  CREATE TABLE attempts (
    run TEXT NOT NULL, job TEXT NOT NULL, epoch INTEGER NOT NULL, attempt INTEGER NOT NULL, node TEXT NOT NULL,
    state TEXT NOT NULL, time TEXT NOT NULL, error TEXT,
    PRIMARY KEY (run, job, epoch, attempt, state)) STRICT, WITHOUT ROWID;
  INSERT INTO attempts SELECT run, job, 1, attempt, node, state, time, error FROM attempts_1;
  DROP TABLE attempts_1;
  CREATE INDEX runs_by_out ON runs (out, created_at);
`

/** Why there was an attempt: a retry, a copy, a second opinion. */
const version3 = 'ALTER TABLE attempts ADD COLUMN purpose TEXT'

/** What is small of a picture; with which gallery and thresholds the names of a run were given. */
const version4 = `
  ALTER TABLE jobs ADD COLUMN thumbnail BLOB;
  ALTER TABLE jobs ADD COLUMN crops BLOB;
  ALTER TABLE runs ADD COLUMN matching TEXT;
`

/**
 * Groups of faces that nobody knows; with what they were made (null: they have to be made anew), and the highest number
 * that a group of the run ever had.
 */
const version5 = `
  CREATE TABLE grouped_faces (
    run TEXT NOT NULL, number INTEGER NOT NULL, job TEXT NOT NULL, face INTEGER NOT NULL, by_hand INTEGER NOT NULL,
    PRIMARY KEY (run, number, job, face)) STRICT, WITHOUT ROWID;
  ALTER TABLE runs ADD COLUMN grouped TEXT;
  ALTER TABLE runs ADD COLUMN last_group INTEGER NOT NULL DEFAULT 0;
`

/**
 * Who is like whom among the faces that were grouped, so that other names do not make that be searched for again. Jobs are
 * found by an index: rows as large as theirs make a tree of rows deep, and finding one slow.
 */
const version6 = `
  CREATE TABLE jobs_6 (
    run TEXT NOT NULL REFERENCES runs, id TEXT NOT NULL, state TEXT NOT NULL, result TEXT, embeddings BLOB, error TEXT,
    thumbnail BLOB, crops BLOB, PRIMARY KEY (run, id)) STRICT;
  INSERT INTO jobs_6 SELECT run, id, state, result, embeddings, error, thumbnail, crops FROM jobs;
  DROP TABLE jobs;
  ALTER TABLE jobs_6 RENAME TO jobs;
  CREATE TABLE face_links (
    run TEXT PRIMARY KEY, made_with TEXT NOT NULL, faces TEXT NOT NULL, most INTEGER NOT NULL, counts BLOB NOT NULL,
    others BLOB NOT NULL, similarities BLOB NOT NULL) STRICT;
`

const steps = [version1, version2, version3, version4, version5, version6]

/** Makes the tables, or brings those of an older cpn to this version. Throws CPN_ERR_STATE_DIR for a newer one's. */
export function prepareSchema(db: DatabaseSync, file: string): void {
  if (schemaVersion(db, file) === steps.length) return
  // Another process may be doing the same: whoever comes second finds it done.
  db.exec('BEGIN IMMEDIATE')
  try {
    for (const step of steps.slice(schemaVersion(db, file))) db.exec(step)
    db.exec(`PRAGMA user_version = ${steps.length}`)
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

function schemaVersion(db: DatabaseSync, file: string): number {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version <= steps.length) return version
  throw new CpnError('CPN_ERR_STATE_DIR', `the ledger ${file} was written by a newer cpn`, {
    suggestions: ['Use the newer cpn with this inventory.'],
  })
}
