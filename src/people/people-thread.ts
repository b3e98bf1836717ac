import { join } from 'node:path'
import { answerQuestions, threadData } from '../common/thread.ts'
import type { GroupOptions } from '../matching/group.ts'
import { openGroupLedger } from '../runs/group-ledger.ts'
import type { Run } from '../runs/ledger.ts'
import { groupedWith, groupUnknown } from './group-unknown.ts'
import { updatePeopleFolder } from './people-folder.ts'
import { wantedFolders } from './wanted-folders.ts'

/** What the thread is asked to do with a run. */
export interface SortOrder {
  run: Run
  /** Real path of the folder of the outputs. */
  out: string
  annotated: boolean
  /** Parameters of grouping. */
  grouping: GroupOptions
}

export interface SortedFaces {
  /** Groups of the run now. */
  groups: number
  /** Faces in them. */
  grouped: number
  /** Absolute path of OUT/people. */
  folder: string
  /** What of OUT/people could not be made. */
  faults: string[]
}

/** What the thread is started with. */
export interface SortThreadData {
  ledgerFile: string
  /** Shared: the share of the grouping that is done, 0 to 1. */
  progress: Float64Array
}

const { ledgerFile, progress } = threadData as SortThreadData

/** The thread behind actions/people/sort-faces.ts: groups what has to be, then brings OUT/people to it. */
answerQuestions(({ run, out, annotated, grouping }: SortOrder): SortedFaces => {
  using ledger = openGroupLedger(ledgerFile)
  progress[0] = 0
  if (ledger.groupedBy(run.id) !== groupedWith(grouping)) {
    groupUnknown(ledger, run, grouping, (done) => {
      progress[0] = done
    })
  }
  const groups = ledger.groups(run.id)
  // A folder of pictures may have the name.
  let folder = 'people'
  for (let next = 2; ledger.hasFolder(run.id, folder); next++) folder = `people-${next}`
  const wanted = wantedFolders(ledger, { run: run.id, out, folder, annotated })
  const faults = updatePeopleFolder(join(out, folder), wanted)
  if (folder !== 'people') faults.push(...updatePeopleFolder(join(out, 'people'), []))
  const grouped = groups.reduce((sum, { faces }) => sum + faces.length, 0)
  return { groups: groups.length, grouped, folder: join(out, folder), faults }
})
