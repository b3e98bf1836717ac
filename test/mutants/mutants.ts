/** A bug planted into the shipped source, and the test that tells. */
export interface Mutant {
  bug: string
  /** Path below the repository. */
  file: string
  /** Text that stands there exactly once. */
  replace: string
  by: string
  test: {
    file: string
    name: string
    /** The test runs the built program. */
    built?: true
  }
}

const scheduler = 'test/unit/scheduler/schedule.test.ts'
const recorder = 'test/unit/runs/recorder.test.ts'
const groupCommit = 'test/unit/runs/group-commit.test.ts'
const ledger = 'test/unit/runs/ledger.test.ts'
const runWriter = 'test/unit/runs/run-writer.test.ts'
const agentClient = 'test/unit/fleet/agent-client.test.ts'
const agentFailures = 'test/integration/agent-failures.test.ts'
const agentPredict = 'test/integration/agent-predict.test.ts'
const workerPool = 'test/unit/agent/pool/worker-pool.test.ts'
const peopleApply = 'test/integration/people-apply.test.ts'
const makespan = 'test/unit/scheduler/makespan.test.ts'
const audit = 'test/unit/scheduler/audit.test.ts'
const blame = 'test/unit/scheduler/blame.test.ts'
const provisionHosts = 'test/integration/provision-hosts.test.ts'
const confinement = 'test/integration/worker-confinement.test.ts'
const modelsPush = 'test/integration/models-push.test.ts'
const modelLoader = 'test/unit/agent/model-loader.test.ts'
const outFolder = (name: string) => ({ file: 'test/unit/runs/out-folder.test.ts', name })
const durability = {
  file: 'test/fault/durability.test.ts',
  name: 'a result is written, synced, named, synced in its folder and only then committed, which is synced as well',
}

export const mutants: Mutant[] = [
  {
    bug: 'a requeue is dropped',
    file: 'src/scheduler/schedule.ts',
    replace: "    else if (task.running.size === 0) this.#queue.add(task, task.history.suspect ? 'alone' : 'retry')\n",
    by: '',
    test: {
      file: scheduler,
      name: 'a lost host takes nothing from an image: its jobs are done elsewhere however often it fails',
    },
  },
  {
    bug: 'the image is blamed for a lost host',
    file: 'src/scheduler/blame.ts',
    replace: "  'CPN_ERR_CONNECTION_LOST',\n",
    by: '',
    test: { file: scheduler, name: 'a job goes to another node after a failure, and back only when there is no other' },
  },
  {
    bug: 'one killed worker is enough for quarantine',
    file: 'src/scheduler/blame.ts',
    replace: 'nodesOf(credible) >= 2 && credible.length >= needed',
    by: 'nodesOf(credible) >= 1',
    test: { file: scheduler, name: 'an image that kills workers on two nodes is quarantined; the others are done' },
  },
  {
    bug: 'an image that kills on the only node is never quarantined',
    file: 'src/scheduler/blame.ts',
    replace: ': kills.length >= needed',
    by: ': kills.length >= 200',
    test: { file: scheduler, name: 'with one node an image is quarantined after it killed two workers' },
  },
  {
    bug: 'a verdict about the image is not final',
    file: 'src/scheduler/blame.ts',
    replace: "  if (isAboutImage(error)) return 'fail'\n",
    by: '',
    test: { file: scheduler, name: 'a verdict about the image is final at once, from a node that does other jobs' },
  },
  {
    bug: 'draining starts new attempts',
    file: 'src/scheduler/schedule.ts',
    replace: 'return this.#options.drain.aborted || this.#failure !== undefined',
    by: 'return this.#failure !== undefined',
    test: { file: scheduler, name: 'draining ends what is in work and starts nothing new' },
  },
  {
    bug: 'results in work are forgotten when the source fails',
    file: 'src/scheduler/schedule.ts',
    replace: 'if (this.#running().length > 0) return false',
    by: 'if (this.#running().length > 0 && this.#failure === undefined) return false',
    test: { file: scheduler, name: 'a source that fails lets the attempts in work end and their results count' },
  },
  {
    bug: 'an answer of an earlier epoch is accepted',
    file: 'src/fleet/agent-client.ts',
    replace: ' || answer.epoch !== request.epoch',
    by: '',
    test: { file: agentClient, name: 'an answer with an older epoch does not count: CPN_ERR_AGENT_PROTOCOL' },
  },
  {
    bug: 'a late answer of another attempt is accepted',
    file: 'src/fleet/agent-client.ts',
    replace: ' || answer.attempt !== request.attempt',
    by: '',
    test: { file: agentClient, name: 'an answer with another attempt does not count: CPN_ERR_AGENT_PROTOCOL' },
  },
  {
    bug: 'an answer to another job is accepted',
    file: 'src/fleet/agent-client.ts',
    replace: 'answer.job !== request.job.id || ',
    by: '',
    test: { file: agentClient, name: 'an answer with another job does not count: CPN_ERR_AGENT_PROTOCOL' },
  },
  {
    bug: 'the digest of an answer is not looked at',
    file: 'src/fleet/agent-client.ts',
    replace: " || contentDigest(body) !== headers['content-digest']",
    by: '',
    test: {
      file: agentClient,
      name: 'an answer with a digest that does not fit does not count: CPN_ERR_DIGEST_MISMATCH',
    },
  },
  {
    bug: 'an answer without the picture counts',
    file: 'src/fleet/agent-client.ts',
    replace: "(request.pipeline.annotate !== 'none') !== (result.annotated !== undefined)",
    by: 'false',
    test: { file: agentClient, name: 'an answer with no picture does not count: CPN_ERR_AGENT_PROTOCOL' },
  },
  {
    bug: 'the fsync of a picture is skipped',
    file: 'src/runs/write-file.ts',
    replace: '          await syncFile(file)\n',
    by: '',
    test: durability,
  },
  {
    bug: 'the fsync of a folder is skipped',
    file: 'src/runs/write-file.ts',
    replace: '    await folder.sync()\n',
    by: '',
    test: durability,
  },
  {
    bug: 'a picture is renamed before it is synced',
    file: 'src/runs/write-file.ts',
    replace: '          await syncFile(file)\n',
    by: '          renameSync(temporary, path)\n          await syncFile(file)\n          openNew(temporary)\n',
    test: durability,
  },
  {
    bug: 'the ledger is committed before the picture has its name',
    file: 'src/runs/recorder.ts',
    replace: 'const error = annotated && (await this.#writePicture(name, annotated))',
    by: 'const error = annotated && void setTimeout(() => this.#writePicture(name, annotated), 50)',
    test: durability,
  },
  {
    bug: 'the ledger is not synced at a commit',
    file: 'src/runs/sqlite-ledger.ts',
    replace: 'PRAGMA synchronous = FULL',
    by: 'PRAGMA synchronous = NORMAL',
    test: durability,
  },
  {
    bug: 'an output that cannot be written counts as done',
    file: 'src/runs/recorder.ts',
    replace: '      if (!isFaultOfOneFile(error)) throw error\n      return told(error as CpnError)',
    by: '      return undefined',
    test: {
      file: recorder,
      name: 'failures carry their code into the line, and an output that cannot be written loses nothing',
    },
  },
  {
    bug: 'inputs that come while their job is written are forgotten',
    file: 'src/runs/recorder.ts',
    replace: 'while (waiting.length > 0) await',
    by: 'while (false) await',
    test: { file: recorder, name: 'an input that comes while its job is being written is not forgotten' },
  },
  {
    bug: 'equal files are sent twice',
    file: 'src/runs/recorder.ts',
    replace: "      waiting.push({ input, file })\n      return 'waiting'",
    by: "      waiting.push({ input, file })\n      return 'new'",
    test: { file: recorder, name: 'equal files are one job and several inputs, before, while and after it is done' },
  },
  {
    bug: 'an equal file counts as done although its picture has gone',
    file: 'src/runs/recorder.ts',
    replace: '      if (!annotated) return undefined\n',
    by: "      if (!annotated) return { name: input.name, state: 'done' }\n",
    test: { file: recorder, name: 'an equal file whose picture is gone is looked at again' },
  },
  {
    bug: 'bytes that changed are sent under the old digest',
    file: 'src/runs/input-reader.ts',
    replace: 'again.sha256 !== id',
    by: 'false',
    test: { file: recorder, name: 'bytes that changed since they were read are not sent a second time' },
  },
  {
    bug: 'changes that come while a group is written are dropped',
    file: 'src/runs/group-commit.ts',
    replace: '      await this.#commit(changes).then(resolve, reject)\n',
    by: '      await this.#commit(changes).then(resolve, reject)\n      this.#waiting = []\n',
    test: { file: groupCommit, name: 'what comes while a commit is written makes up the next one' },
  },
  {
    bug: 'a commit is told of before it is durable',
    file: 'src/runs/group-commit.ts',
    replace: '      await this.#commit(changes).then(resolve, reject)\n',
    by: '      resolve()\n      await this.#commit(changes).catch(() => reject)\n',
    test: { file: groupCommit, name: 'everybody whose change was not committed is told, and later changes are' },
  },
  {
    bug: 'half a group is kept when the other half fails',
    file: 'src/runs/sqlite-ledger.ts',
    replace: "      this.#db.exec('ROLLBACK')\n",
    by: "      this.#db.exec('COMMIT')\n",
    test: { file: runWriter, name: 'a commit that fails makes none of its changes and is told' },
  },
  {
    bug: 'a ledger of a newer cpn is written to',
    file: 'src/runs/ledger-schema.ts',
    replace: 'if (version <= steps.length) return version',
    by: 'return Math.min(version, steps.length)',
    test: { file: recorder, name: 'a ledger of a newer version is refused' },
  },
  {
    bug: 'the agent does not compare an image with its digest',
    file: 'src/agent/server/predict.ts',
    replace: '    checkDigest(request, digest, order.job)\n',
    by: '',
    test: { file: agentPredict, name: 'a body that is not what its digest says is refused' },
  },
  {
    bug: 'the agent forgets epochs: one is used again',
    file: 'src/agent/epochs.ts',
    replace: 'if (epoch < highest) {',
    by: 'if (epoch < highest - 1) {',
    test: {
      file: 'test/unit/agent/epochs.test.ts',
      name: 'a lower epoch than the run has reached is refused, for that run only',
    },
  },
  {
    bug: 'a master that was replaced while it waited gets its answer',
    file: 'src/agent/server/predict.ts',
    replace: '    epochs.check(run, order.epoch)\n    sendAnswer',
    by: '    sendAnswer',
    test: { file: agentFailures, name: 'the answer to a master that was replaced meanwhile is refused' },
  },
  {
    bug: 'a job whose client has gone is done all the same',
    file: 'src/agent/pool/worker-pool.ts',
    replace: "    job.signal.addEventListener('abort', onAbort, { once: true })\n",
    by: '',
    test: { file: agentFailures, name: 'a job whose client has gone is not begun' },
  },
  {
    bug: 'the agent takes one job more than it has slots',
    file: 'src/agent/job-gate.ts',
    replace: 'this.#busy >= this.slots',
    by: 'this.#busy > this.slots',
    test: { file: agentFailures, name: 'more jobs than slots are refused until there is room' },
  },
  {
    bug: 'a draining agent takes jobs',
    file: 'src/agent/job-gate.ts',
    replace: '    if (this.#draining) {',
    by: '    if (false) {',
    test: { file: agentFailures, name: 'a draining agent finishes what it has and takes no more' },
  },
  {
    bug: 'a worker that died is not replaced',
    file: 'src/agent/pool/worker-seat.ts',
    replace: 'if (!this.#closed) this.#scheduleRestart(pid, reason)',
    by: '',
    test: { file: workerPool, name: 'a worker that dies fails its own job only and is replaced' },
  },
  {
    bug: 'nobody is told that a worker died with a job',
    file: 'src/agent/pool/worker-seat.ts',
    replace: '    this.#job?.reject(crashed(reason))\n',
    by: '',
    test: { file: workerPool, name: 'a worker that dies fails its own job only and is replaced' },
  },
  {
    bug: 'a worker that hangs is kept',
    file: 'src/agent/pool/worker-pool.ts',
    replace: 'seat.abandon(tookTooLong(entry.job))',
    by: 'undefined',
    test: { file: workerPool, name: 'a job that takes too long costs its worker, and the next job gets a new one' },
  },
  {
    bug: 'what is received is not compared with its digest',
    file: 'src/agent/receive.ts',
    replace: 'if (bytes !== file.bytes || !right)',
    by: 'if (bytes !== file.bytes)',
    test: { file: 'test/unit/agent/receive.test.ts', name: 'bytes that are not those of the digest are refused' },
  },
  {
    bug: 'every host key is accepted',
    file: 'src/transport/ssh/handshake.ts',
    replace: 'if (verdict === true) return true',
    by: 'if (verdict) return true',
    test: {
      file: 'test/integration/transport-host-keys.test.ts',
      name: 'a changed key refuses the host and says how to accept it',
    },
  },
  {
    bug: 'a frozen host is never noticed',
    file: 'src/transport/ssh/liveness.ts',
    replace: 'if (silent >= silentLooks) onDead()',
    by: '',
    test: {
      file: 'test/integration/transport-failures.test.ts',
      name: 'a frozen host is noticed, and what waits for it ends',
    },
  },
  {
    bug: 'a resumed run uses its epoch again',
    file: 'src/runs/sqlite-ledger.ts',
    replace: 'return { id, epoch: epoch + 1, left',
    by: 'return { id, epoch, left',
    test: { file: ledger, name: 'the same work goes on in a new epoch, other work into the same folder is a new run' },
  },
  {
    bug: 'a former master goes on committing',
    file: 'src/runs/sqlite-ledger.ts',
    replace: 'if (row?.epoch === epoch) return',
    by: 'if (row) return',
    test: { file: ledger, name: 'a former master commits nothing any more, and does not end the run' },
  },
  {
    bug: 'a finished input counts although its picture is gone from OUT',
    file: 'src/runs/recognise.ts',
    replace: 'return found?.isFile() === true && found.size === written',
    by: 'return found?.isFile() !== false || found.size === written',
    test: {
      file: 'test/integration/resume.test.ts',
      built: true,
      name: 'the same command again skips what is finished and does what is new, changed or missing in OUT',
    },
  },
  {
    bug: 'a late result is accepted beside the first',
    file: 'src/scheduler/schedule.ts',
    replace: 'if (task.settled || attempt.cancel.signal.aborted) this.#tellOf',
    by: 'if (false) this.#tellOf',
    test: {
      file: makespan,
      name: 'an attempt that hangs at the end is overtaken by a copy elsewhere; the late one is called off and dropped',
    },
  },
  {
    bug: 'the end of a run waits for whoever hangs',
    file: 'src/scheduler/hedging.ts',
    replace: 'return copy !== undefined && gain * copy < remainingMs(attempt, now)',
    by: 'return copy === -1',
    test: {
      file: makespan,
      name: 'an attempt that hangs at the end is overtaken by a copy elsewhere; the late one is called off and dropped',
    },
  },
  {
    bug: 'copies at the end have no limit',
    file: 'src/scheduler/hedging.ts',
    replace: 'return hedges < Math.max(1, Math.floor(budgetShare * jobs))',
    by: 'return hedges >= 0 || jobs > 0',
    test: {
      file: 'test/unit/scheduler/worlds.test.ts',
      name: 'whatever happens to a fleet: one outcome per job, no node over its credit, fair blame, few hedges',
    },
  },
  {
    bug: 'what an audit finds is ignored',
    file: 'src/scheduler/audits.ts',
    replace: '    lanes.setAside(lane, milliseconds)\n',
    by: '',
    test: {
      file: audit,
      name: 'a wrong result is decided by a third node, is told, and its node gets nothing for a while',
    },
  },
  {
    bug: 'the first of two results that differ counts',
    file: 'src/scheduler/votes.ts',
    replace: 'if (new Set(largest.map(({ node }) => node)).size >= 2)',
    by: 'if (votes.length >= 2)',
    test: {
      file: audit,
      name: 'a wrong result is decided by a third node, is told, and its node gets nothing for a while',
    },
  },
  {
    bug: 'what was in work when an agent died runs beside others again',
    file: 'src/scheduler/schedule.ts',
    replace: '    if (ward.inFlight > 0) return false\n',
    by: '',
    test: { file: blame, name: 'what was in work when an agent died runs again with nothing beside it' },
  },
  {
    bug: 'a node that fails is not set aside',
    file: 'src/scheduler/schedule.ts',
    replace: '    this.#lanes.setAside(lane, milliseconds)\n',
    by: '',
    test: {
      file: blame,
      name: 'a node that fails while another does not is set aside, for longer each time, and is told of',
    },
  },
  {
    bug: 'a run that another master has taken over goes on',
    file: 'src/scheduler/blame.ts',
    replace: "  if (error.code === 'CPN_ERR_STALE_EPOCH') return 'stop'\n",
    by: '',
    test: { file: blame, name: 'a run that another master has taken over ends' },
  },
  {
    bug: 'nobody looks whether OUT is still the folder it was',
    file: 'src/runs/out-folder.ts',
    replace: 'if (now?.ino !== was.ino || now.dev !== was.dev)',
    by: 'if (now?.ino === -1)',
    test: outFolder('a folder that was removed, or has another in its place, is not the one it was'),
  },
  {
    bug: 'an input whose picture was taken away counts as done',
    file: 'src/runs/out-folder.ts',
    replace: "input.state !== 'done' || hasPicture(input, out)",
    by: 'input.state !== undefined',
    test: outFolder('done inputs without their picture are queued again, and no others'),
  },
  {
    bug: 'a release is not taken back when it cannot infer',
    file: 'src/provision/run-phases.ts',
    replace: '    throw await withRollBack(provisioning, toCpnError(error))',
    by: '    throw toCpnError(error)',
    test: {
      file: provisionHosts,
      name: 'a first release that cannot infer leaves the host without an agent, and a good one works then',
    },
  },
  {
    bug: 'a release counts without an inference',
    file: 'src/provision/phases/verify.ts',
    replace: '    for (const picture of verificationPictures()) await infer',
    by: '    for (const picture of verificationPictures().slice(9)) await infer',
    test: {
      file: provisionHosts,
      name: 'a first release that cannot infer leaves the host without an agent, and a good one works then',
    },
  },
  {
    bug: 'a lock that somebody has is taken',
    file: 'src/provision/lock.ts',
    replace: '  [ -n "$(holder token)" ] || return 1\n',
    by: '  return 1\n',
    test: { file: 'test/unit/provision/lock.test.ts', name: 'a lock is held until it is given back' },
  },
  {
    bug: 'a lock belongs to whoever gives it back',
    file: 'src/provision/lock.ts',
    replace: ' ]; then\n  watcher=$(cat ',
    by: ' ] || true; then\n  watcher=$(cat ',
    test: { file: 'test/unit/provision/lock.test.ts', name: 'a lock is held until it is given back' },
  },
  {
    bug: 'a worker runs outside of its confinement, and the card says otherwise',
    file: 'src/agent/pool/confinement.ts',
    replace: 'return { launcher, isolation: isolationOf(way, limits) }',
    by: 'return { launcher: [], isolation: isolationOf(way, limits) }',
    test: {
      file: confinement,
      name: 'native code in a worker opens no connection, which the same code does outside',
    },
  },
  {
    bug: 'a worker has the network of its host',
    file: 'src/agent/pool/confinement.ts',
    replace: "'--map-root-user', '--net', ...",
    by: "'--map-root-user', ...",
    test: {
      file: confinement,
      name: 'native code in a worker opens no connection, which the same code does outside',
    },
  },
  {
    bug: 'a worker may read every file',
    file: 'src/agent/pool/launch-worker.ts',
    replace: "    '--permission',\n",
    by: '',
    test: {
      file: 'test/unit/agent/pool/launch-worker.test.ts',
      name: 'a worker is nice, sees no environment, and opens no door but release and models',
    },
  },
  {
    bug: 'any file that is called like a digest is a model',
    file: 'src/agent/model-loader.ts',
    replace:
      '    if (!modelsOnNode(this.#modelsDir).some((model) => model.sha256 === digest)) throw notListed(name, digest)\n',
    by: '',
    test: { file: modelLoader, name: 'a file that no manifest names is not loaded, whatever its name' },
  },
  {
    bug: 'a model that was changed is loaded',
    file: 'src/agent/model-loader.ts',
    replace: '    if (sha256(bytes) !== digest) throw altered(name, digest)\n',
    by: '',
    test: { file: modelLoader, name: 'a listed file with other bytes than its name says is not loaded' },
  },
  {
    bug: 'nobody looks at what a node answers',
    file: 'src/fleet/agent-client.ts',
    replace: '    if (fault !== undefined) throw this.#breach(fault)\n',
    by: '',
    test: {
      file: agentClient,
      name: 'an answer with a page in the place of the picture does not count: CPN_ERR_AGENT_PROTOCOL',
    },
  },
  {
    bug: 'a picture with something behind its end is kept',
    file: 'src/fleet/verify-result.ts',
    replace: 'return copy.isWhole(annotated) ? undefined :',
    by: 'return copy.isWhole !== undefined ? undefined :',
    test: {
      file: 'test/unit/fleet/verify-result.test.ts',
      name: 'a copy that is cut, or has something behind it, is refused in every format',
    },
  },
  {
    bug: 'a run that goes on has forgotten which images ended workers',
    file: 'src/scheduler/task.ts',
    replace: 'newHistory(job.earlier)',
    by: 'newHistory()',
    test: {
      file: 'test/unit/scheduler/earlier-failures.test.ts',
      name: 'an image that ended a worker in an earlier process of the run needs one more node, another one',
    },
  },
  {
    bug: 'what is done anew is held against an image',
    file: 'src/runs/sqlite-ledger.ts',
    replace: 'AND epoch > COALESCE(',
    by: 'AND epoch >= COALESCE(',
    test: { file: ledger, name: 'what failed before an input was finished is settled when it is done anew' },
  },
  {
    bug: 'a run is looked at without telling damage',
    file: 'src/runs/history.ts',
    replace: 'return tellDamage(new RunHistory(file), file)',
    by: 'return new RunHistory(file)',
    test: {
      file: 'test/unit/runs/ledger-damage.test.ts',
      name: 'so is damage that commands which only look at runs come upon',
    },
  },
  {
    bug: 'the journal of a removed host is believed of the next one',
    file: 'src/actions/hosts/hosts.ts',
    replace: '    await state.forgetHost(name)\n',
    by: '',
    test: {
      file: 'test/unit/actions/hosts/hosts.test.ts',
      name: 'nothing is believed of another host that gets the name, and the history stays',
    },
  },
  {
    bug: 'names count before the pictures that show them are written',
    file: 'src/actions/people/apply-names.ts',
    replace:
      '    for (const { name } of inputs) await writer.writePicture(join(out, copyName(name)), picture)\n' +
      "    await this.#commits.add({ kind: 'named', job, ...renamed, written: byteLength })\n",
    by:
      "    await this.#commits.add({ kind: 'named', job, ...renamed, written: byteLength })\n" +
      '    for (const { name } of inputs) await writer.writePicture(join(out, copyName(name)), picture)\n',
    test: {
      file: peopleApply,
      name: 'on a full disk pictures and lines stay as they were, and with space again the same command does it',
      built: true,
    },
  },
  {
    bug: 'a gallery is sent to a node once only',
    file: 'src/fleet/node.ts',
    replace: '      await session.sending\n',
    by: '      await session.sending\n      this.#options.gallery = undefined\n',
    test: {
      file: 'test/integration/people-galleries.test.ts',
      name: 'an agent that is killed in the middle of a run gets the gallery again, and no image fails',
      built: true,
    },
  },
  {
    bug: 'a new worker is taken to have the gallery of the one before',
    file: 'src/agent/pool/worker-seat.ts',
    replace: '    this.#child = child\n    this.#gallery = undefined\n',
    by: '    this.#child = child\n',
    test: { file: workerPool, name: 'a worker that takes the place of another gets the gallery again' },
  },
  {
    bug: 'forgetting leaves embeddings',
    file: 'src/actions/people/apply-names.ts',
    replace: 'forget: forget.toArray() }',
    by: 'forget: [] }',
    test: {
      file: peopleApply,
      name: 'somebody is forgotten without a node that draws: what is kept goes, and pictures that show the name are told',
      built: true,
    },
  },
  {
    bug: 'a gallery of another model answers',
    file: 'src/actions/people/naming.ts',
    replace: 'if (found.model !== embedder.sha256) {',
    by: 'if (found.model === undefined) {',
    test: {
      file: 'test/unit/actions/people/naming.test.ts',
      name: 'people of another model name nobody, and that is told',
    },
  },
  {
    bug: 'a face that lost a neighbour keeps its shortened list',
    file: 'src/matching/neighbours.ts',
    replace: '    const isLacking = kept < before.counts[former]! && before.counts[former] === most\n',
    by: '    const isLacking = false\n',
    test: {
      file: 'test/unit/matching/neighbours.test.ts',
      name: 'a search that goes on from an earlier one finds what a new one finds',
    },
  },
  {
    bug: 'a forgotten face is still known to be like others',
    file: 'src/runs/apply-change.ts',
    replace: "  sql('DELETE FROM face_links WHERE run = ?').run(id)\n",
    by: '',
    test: {
      file: 'test/unit/people/group-unknown.test.ts',
      name: 'nothing is kept of whom a forgotten face was like',
    },
  },
  {
    bug: 'a run that goes on takes the version that is in use by now',
    file: 'src/actions/models/resolve-pipeline.ts',
    replace:
      "  if (begun?.kind === 'faces') return begunPipeline(stores.models, begun, options.thresholds ?? {}, ctx)\n",
    by: '',
    test: {
      file: modelsPush,
      name: 'a run that was interrupted goes on with the models that it began with',
      built: true,
    },
  },
  {
    bug: 'a version comes into use although it loses faces',
    file: 'src/actions/models/push.ts',
    replace: 'lostShare(reference) <= options.maxLost',
    by: 'true',
    test: {
      file: modelsPush,
      name: 'a version that loses faces does not come into use unless that is allowed',
      built: true,
    },
  },
  {
    bug: 'what a push that is given up has sent stays there',
    file: 'src/actions/models/push.ts',
    replace: '      await takeBack(host, models, reach)\n',
    by: '',
    test: { file: modelsPush, name: 'a canary that fails changes nothing anywhere', built: true },
  },
  {
    bug: 'a version is used with other bytes than it names',
    file: 'src/actions/models/resolve-pipeline.ts',
    replace: 'each.sha256 !== manifest.sha256',
    by: 'false',
    test: {
      file: 'test/integration/models-versions.test.ts',
      name: 'a version whose model has other bytes here is not used, and nothing is sent',
      built: true,
    },
  },
  {
    bug: 'a node may mean a class that the model has not',
    file: 'src/fleet/verify-result.ts',
    replace:
      "  if (objects.some((object) => object.class >= labels.count)) return 'an object of a class that there is not'\n",
    by: '',
    test: {
      file: 'test/unit/fleet/verify-result.test.ts',
      name: 'objects and classes that cannot be are refused, and so is what nobody asked for',
    },
  },
  {
    bug: 'things suppress things of another class',
    file: 'src/agent/families/yolox.ts',
    replace: 'Map.groupBy(objects, (object) => object.class)',
    by: 'Map.groupBy(objects, () => 0)',
    test: {
      file: 'test/unit/agent/families/yolox.test.ts',
      name: 'what overlaps a better one of its class goes, and one of another class stays',
    },
  },
  {
    bug: 'a node draws whatever labels it has',
    file: 'src/agent/model-loader.ts',
    replace: 'if (!labels || labelsRef(labels).sha256 !== wanted.sha256)',
    by: 'if (!labels)',
    test: {
      file: modelLoader,
      name: 'labels are those of the manifest here, and only where the master means the same',
    },
  },
  {
    bug: 'wrong bytes are taken for a network that is down, and other models used',
    file: 'src/models/pull.ts',
    replace: 'urls.length > 0 && !failures.some((failure) => failure instanceof DownloadFault)',
    by: 'urls.length > 0',
    test: {
      file: 'test/integration/models-pull.test.ts',
      name: 'only where the network is to blame is it an error that another network would help',
    },
  },
  {
    bug: 'a model that comes with cpn is used whatever its bytes are',
    file: 'src/models/embedded.ts',
    replace: '  if (found !== manifest.sha256) throw',
    by: '  if (found === undefined) throw',
    test: {
      file: 'test/unit/models/embedded.test.ts',
      name: 'a copy of cpn’s own that is damaged is not used, and the error says what helps',
    },
  },
]
