import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { CpnError } from '../common/errors.ts'
import { nodePaths } from '../protocol/paths.ts'

/** Absolute paths of one fleet on this node. */
export interface FleetFolder {
  /** Fleet id: the folder's name. */
  id: string
  /** fleets/<id> */
  dir: string
  /** What holds fleets, releases and models: ~/.cpn. */
  home: string
  /** Link to the release in use. */
  current: string
  modelsDir: string
  runDir: string
  logDir: string
  socket: string
  pid: string
  keeperPid: string
  /** Held by the supervisor as long as it lives. */
  lock: string
  keeperLock: string
  /** Worker processes of the supervisor, to find those that outlived it. */
  workerPids: string
  stopped: string
  log: string
  /** What the processes write to stdout and stderr by themselves: traces of crashes. */
  crashLog: string
  config: string
}

export function fleetFolder(dir: string): FleetFolder {
  if (!isAbsolute(dir) || basename(dirname(dir)) !== 'fleets') {
    throw new CpnError('CPN_ERR_USAGE', `--fleet-dir has to be an absolute path …/fleets/<id>, not ${dir}`)
  }
  const id = basename(dir)
  const home = dirname(dirname(resolve(dir)))
  const at = (path: string) => join(home, path)
  const run = (name: string) => join(dirname(at(nodePaths.socket(id))), name)
  const log = at(nodePaths.log(id))
  return {
    id,
    dir: at(nodePaths.fleet(id)),
    home,
    current: at(nodePaths.current(id)),
    modelsDir: at('models'),
    runDir: run(''),
    logDir: dirname(log),
    socket: at(nodePaths.socket(id)),
    pid: at(nodePaths.pid(id)),
    keeperPid: at(nodePaths.keeperPid(id)),
    lock: run('agent.lock'),
    keeperLock: run('keeper.lock'),
    workerPids: run('workers.pid'),
    stopped: at(nodePaths.stopped(id)),
    log,
    crashLog: join(dirname(log), 'crash.log'),
    config: at(nodePaths.config(id)),
  }
}
