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
const durability = {
  file: 'test/fault/durability.test.ts',
  name: 'a result is written, synced, named, synced in its folder and only then committed, which is synced as well',
}

export const mutants: Mutant[] = [
  {
    bug: 'a requeue is dropped',
    file: 'src/scheduler/schedule.ts',
    replace: '    this.#waiting.push(task)\n    this.#pause(',
    by: '    this.#pause(',
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
    replace: 'new Set(kills).size >= 2',
    by: 'new Set(kills).size >= 1',
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
    replace: "if (errorCodes[error.code] === 'partial' && !error.retryable) return 'fail'",
    by: '',
    test: { file: scheduler, name: 'a verdict about the image is final at once' },
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
    replace: 'if (this.#active > 0) return false',
    by: 'if (this.#active > 0 && this.#failure === undefined) return false',
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
    replace: '    checkDigest(request, digest, headers.job)\n',
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
    replace: '    epochs.check(headers.run, headers.epoch)\n    sendAnswer',
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
]
