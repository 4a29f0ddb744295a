import { backup, backupDirectory, forget, giveUp, inTurn, type Program, prune, read } from './actors.ts'
import type { Past, Universe } from './schedule.ts'
import type { ScriptStep } from './scheduler.ts'
import {
  first,
  incompleteBelow,
  incompleteSnapshot,
  overtakenListing,
  past,
  toEnd,
  until,
} from './universes.ts'

/** One change of a built file: the text that is there exactly once, and what comes in its place. */
export interface Change {
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** The product with one rule of the prune protocol switched off, and where that shows. */
export interface Mutant {
  readonly rule: string
  readonly changes: readonly Change[]
  readonly universe: Omit<Universe, 'name'>
  /** What is violated then. */
  readonly violates: RegExp
}

const LOSS = /^S[12]:/
const UNCONDEMNED = /^S3:/

/** A pack with a chunk that is needed and one that is not. */
const partlyUsed = [...first(backup('a', 'b'), backup('a'), forget(0))]
/** Two packs with the same chunk a, and a snapshot of it alone: {a, e} is listed first, then {a, d}. */
const twoCopies: readonly Past[] = [
  {
    programs: [backup('a', 'e'), backup('a', 'd')],
    script: [past(0, 'list index'), past(1, 'list index'), toEnd(0), toEnd(1)],
  },
  ...first(backup('a')),
]

/** A backup relies on a chunk that somebody forgets and prunes. */
const backupBeside = (pruning: Program, ...script: readonly ScriptStep[]): Mutant['universe'] => ({
  history: first(backup('a')),
  actors: () => [backup('a'), inTurn(forget(0), pruning)],
  script,
})

/** @param directory with two files, a and b, for the rule that only the real backup can break */
export function createMutants(directory: string): readonly Mutant[] {
  return [
    {
      rule: 'R1 the session is durable before the index is loaded',
      changes: [
        {
          file: 'snapshot/commit.js',
          find: `const session = await announce();`,
          replace: `await repository.loadIndex({ signal }); const session = await announce();`,
        },
        {
          file: 'snapshot/commit.js',
          find: `await repository.loadIndex({ signal });
        const generation`,
          replace: `const generation`,
        },
      ],
      universe: backupBeside(
        prune(false),
        past(0, 'get index'),
        past(1, 'put pending'),
        past(0, 'list trees'),
      ),
      violates: LOSS,
    },
    {
      rule: 'R2 every chunk is looked up, also under nodes of the parent',
      changes: [
        {
          file: 'backup/stored-content.js',
          find: `function* isContentStored(store, node) {`,
          replace: `function* isContentStored(store, node) { return true;`,
        },
      ],
      universe: {
        history: [
          ...first(backupDirectory(directory), backupDirectory(directory, 'b'), forget(0)),
          { programs: [prune(false)], script: [past(0, 'put pending')] },
        ],
        actors: () => [backupDirectory(directory, 'b'), inTurn(forget(0), prune(false))],
        script: [until(0, 'put snapshots'), until(1, 'remove data')],
      },
      violates: LOSS,
    },
    {
      rule: 'R3 condemned packs are no good copies',
      changes: [
        {
          file: 'index/memory-index.js',
          find: `({ rank }) => rank === 0`,
          replace: `({ rank }) => rank <= 1`,
        },
      ],
      universe: { history: partlyUsed, actors: () => [prune(false)] },
      violates: LOSS,
    },
    {
      rule: 'R4 the sessions to wait for are listed after the condemnation is durable',
      changes: [
        {
          file: 'prune/mark.js',
          find: `if (condemn.length > 0)`,
          replace: `if (condemn.length > 0) repository.early = await listSessions(repository.backend);
            if (condemn.length > 0)`,
        },
        {
          file: 'prune/mark.js',
          find: `const { alive } = await listSessions(repository.backend);`,
          replace: `const { alive } = repository.early ?? (await listSessions(repository.backend));`,
        },
      ],
      universe: backupBeside(prune(false), until(1, 'put index'), until(0, 'put snapshots')),
      violates: LOSS,
    },
    {
      rule: 'R5 a sweep lists snapshots after it found its sessions ended',
      changes: [
        {
          file: 'prune/sweep.js',
          find: `const { ready, waiting, waitingFor } = await`,
          replace: `const live = await findLiveChunks(repository, { signal, earlier });
            const { ready, waiting, waitingFor } = await`,
        },
        {
          file: 'prune/sweep.js',
          find: `const live = await findLiveChunks(repository, { earlier, signal });`,
          replace: ``,
        },
      ],
      universe: backupBeside(prune(false), until(0, 'put snapshots'), past(1, 'put pending')),
      violates: LOSS,
    },
    {
      rule: 'R6 .over is durable before the snapshots are listed',
      changes: [
        {
          file: 'prune/sweep.js',
          find: `await declareOver(repository.backend, repository, session, own);`,
          replace: `repository.late = () => declareOver(repository.backend, repository, session, own);`,
        },
        {
          file: 'prune/sweep.js',
          find: `incompleteSnapshots = live.incomplete;`,
          replace: `incompleteSnapshots = live.incomplete; await repository.late?.();`,
        },
      ],
      universe: backupBeside(prune(true), until(0, 'put snapshots'), past(1, 'put pending')),
      violates: LOSS,
    },
    {
      rule: 'R7 a backup looks for .over after its snapshot is durable',
      changes: [
        {
          file: 'snapshot/commit.js',
          find: `while (await isOver(backend, session))`,
          replace: `while (false)`,
        },
      ],
      universe: backupBeside(prune(true), until(0, 'put snapshots')),
      violates: LOSS,
    },
    {
      rule: 'R8 condemned for ever: a needed chunk is copied out, nobody un-marks',
      changes: [
        {
          file: 'prune/copy-out.js',
          find: `const copies = startCopies();`,
          replace: `for await (const file of repository.backend.list('index')) {
              const facts = await repository.getValue('index', file.name.slice(6), parseIndexFile);
              if (!facts.condemned.includes(pack.id)) continue;
              const condemned = facts.condemned.filter((id) => id !== pack.id);
              const replaces = [...facts.replaces, file.name.slice(6)];
              const value = indexFileValue({ packs: facts.packs, condemned, replaces });
              await repository.putValue('index', value, '0'.repeat(32));
              await repository.backend.remove(file.name);
            }
            return 'needed';`,
        },
        {
          file: 'prune/copy-out.js',
          find: `import { CHUNK_ROW_BYTES,`,
          replace: `import { indexFileValue, parseIndexFile, CHUNK_ROW_BYTES,`,
        },
        {
          file: 'prune/sweep.js',
          find: `chunks += (await copyOut(parts, pack)) ?? 0;`,
          replace: `const verdict = await copyOut(parts, pack);
            if (verdict === 'needed') packs.splice(packs.indexOf(pack), 1);`,
        },
      ],
      universe: {
        history: [...partlyUsed, { programs: [prune(false)], script: [past(0, 'put pending')] }],
        actors: () => [prune(false), prune(false), forget(0)],
        script: [until(0, 'put index')],
      },
      violates: UNCONDEMNED,
    },
    {
      rule: 'R9 condemned outlives the pack and every merge',
      changes: [
        {
          file: 'prune/merge.js',
          find: `for (const id of facts.condemned)
            condemned.add(id);`,
          replace: `for (const id of facts.condemned)
            if (stored.has(id)) condemned.add(id);`,
        },
      ],
      universe: {
        history: first(...['a', 'b', 'c', 'd', 'e'].map((name) => backup(name))),
        actors: () => [backup('z'), inTurn(prune(true), backup('f'), backup('g'), prune(true))],
        script: [until(0, 'put index'), toEnd(1)],
      },
      violates: UNCONDEMNED,
    },
    {
      rule: 'R10 a sweep loads the index after its own condemnation is durable',
      changes: [
        { file: 'prune/mark.js', find: `await repository.loadIndex({ signal });`, replace: `` },
        {
          file: 'prune/prune.js',
          find: `const own = await startSession(`,
          replace: `await repository.loadIndex(); const own = await startSession(`,
        },
        {
          file: 'prune/sweep.js',
          find: `incompleteSnapshots = live.incomplete;
        await repository.loadIndex({ signal });`,
          replace: `incompleteSnapshots = live.incomplete;`,
        },
      ],
      universe: {
        pages: [1, 0],
        history: [],
        actors: () => [prune(false), inTurn(read, prune(true)), backup('a'), backup('a')],
        script: [
          until(2, 'list data'),
          toEnd(3),
          until(1, 'put sessions'),
          toEnd(2),
          until(0, 'remove data'),
          until(1, 'remove data'),
        ],
      },
      violates: LOSS,
    },
    {
      rule: 'R11 a pack that is condemned otherwise is no copy either',
      changes: [
        {
          file: 'prune/copy-out.js',
          find: `if (needed.has(id, standing?.number) && !standing?.isGood &&`,
          replace: `if (needed.has(id) && repository.index.findAll(id).length === 1 &&`,
        },
      ],
      universe: { history: [...twoCopies, ...first(forget(0), forget(0))], actors: () => [prune(false)] },
      violates: LOSS,
    },
    {
      rule: 'R12 a copy is put and listed before the original is deleted',
      changes: [
        { file: 'prune/sweep.js', find: `await copies?.finish();`, replace: `repository.late = copies;` },
        {
          file: 'prune/sweep.js',
          find: `await removeAll(repository, packs, ready, options);`,
          replace: `await removeAll(repository, packs, ready, options); await repository.late?.finish();`,
        },
      ],
      universe: { history: partlyUsed, actors: () => [prune(false)] },
      violates: LOSS,
    },
    {
      rule: 'R13 snapshots whose session is over count when the needed is found',
      changes: [
        {
          file: 'prune/live.js',
          find: `const confirmedFirst = [...snapshots]`,
          replace: `const confirmedFirst = snapshots.filter((one) => one.isConfirmed)`,
        },
      ],
      universe: {
        history: [
          ...first(backup('a', 'b')),
          {
            programs: [backup('a'), giveUp],
            script: [until(0, 'put snapshots'), past(1, 'list sessions'), toEnd(0), toEnd(1)],
          },
          ...first(forget(0)),
        ],
        actors: () => [prune(false)],
      },
      violates: LOSS,
    },
    {
      rule: 'R14 .over without a snapshot is kept',
      changes: [
        {
          file: 'prune/sweep.js',
          find: `const { snapshots } = await listSnapshots(repository, signal);`,
          replace: `const { snapshots } = await listSnapshots(repository, signal);
            for (const session of (await listSessions(repository.backend)).over) {
              if (!snapshots.some((one) => one.session === session))
                await repository.backend.remove('sessions/' + session + '.over');
            }`,
        },
      ],
      universe: backupBeside(prune(true), until(0, 'put snapshots')),
      violates: LOSS,
    },
    {
      rule: 'R15 whoever writes a snapshot holds a session',
      changes: [
        {
          file: 'snapshot/commit.js',
          find: `const session = await announce();`,
          replace: `const session = await announce(); await endSession(backend, session);`,
        },
      ],
      universe: backupBeside(prune(false), until(0, 'put snapshots')),
      violates: LOSS,
    },
    {
      rule: 'R16 only forget deletes snapshots',
      changes: [
        {
          file: 'prune/live.js',
          find: `incomplete.push(snapshot.id);`,
          replace: `incomplete.push(snapshot.id); await repository.removeFile('snapshot', snapshot.id);`,
        },
      ],
      universe: {
        history: [],
        actors: () => [backup('x/a'), prune(true), backup('x/a'), prune(false)],
        script: [
          until(0, 'put snapshots'),
          toEnd(1),
          until(0, 'list sessions'),
          until(3, 'remove snapshots'),
          toEnd(2),
        ],
      },
      violates: /^S1: reported snapshot [0-9a-f]+ is gone/,
    },
    {
      rule: 'R17 index files are deleted after their union is put',
      changes: [
        {
          file: 'prune/merge.js',
          find: `await repository.putFacts(facts, own);`,
          replace: `for (const id of replaces) await repository.removeFile('index', id);
            await repository.putFacts(facts, own);`,
        },
      ],
      universe: {
        history: first(...'abcdefgh'.split('').map((name) => backup(name))),
        actors: () => [prune(false)],
      },
      violates: /^S[123]:/,
    },
    {
      rule: 'R18 a load lists again when a file is gone',
      changes: [
        {
          file: 'repository/load.js',
          find: `if (!hasCode(error, 'DAMAGED'))`,
          replace: `if (hasCode(error, 'NO_SUCH_FILE')) continue; if (!hasCode(error, 'DAMAGED'))`,
        },
      ],
      universe: {
        history: first(...'abcdefgh'.split('').map((name) => backup(name))),
        actors: () => [read, prune(false)],
        script: [past(0, 'list index')],
      },
      violates: /a load misses/,
    },
    {
      rule: 'a tree that could not be read does not count as visited',
      changes: [{ file: 'prune/live.js', find: `walked = createChunkSet(repository);`, replace: `` }],
      universe: incompleteSnapshot,
      violates: LOSS,
    },
    {
      rule: 'nor do those that lead to it',
      changes: [
        { file: 'prune/live.js', find: `walked = createChunkSet(repository);`, replace: `` },
        {
          file: 'prune/live.js',
          find: `unreadable ??= toHex(id);`,
          replace: `unreadable ??= toHex(id); (walked.lost ??= new Set()).add(toHex(id));`,
        },
        {
          file: 'prune/live.js',
          find: `walked.add(id, need(id))`,
          replace: `walked.add(id, need(id)) || walked.lost?.has(toHex(id))`,
        },
      ],
      universe: { ...incompleteBelow, script: [until(1, 'put index'), toEnd(0)] },
      violates: LOSS,
    },
    {
      rule: 'a backup given up on trusts only a load that another session guards',
      changes: [
        {
          file: 'snapshot/commit.js',
          find: `const guard = await announce();`,
          replace: `const guard = '0'.repeat(32);`,
        },
      ],
      universe: overtakenListing,
      violates: LOSS,
    },
  ]
}
