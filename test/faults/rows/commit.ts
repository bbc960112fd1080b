/** Rows 7 and 8: a statement or a COMMIT gets lost on its way, or its answer does. */

import { BLOCKADE_AT_COMMIT, Blockade } from '../blockade.ts'
import { type LossMode, loseMessage, type MessageToLose } from '../broken-message.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered, errorsPerInjection, every, ledgerHolds } from '../promises.ts'
import type { Stage } from '../stage.ts'

const STATEMENT: MessageToLose = { way: 'toServer', type: 'P' }
const STATEMENT_ANSWER: MessageToLose = { way: 'toClient', type: 'C', text: 'INSERT' }
const COMMIT: MessageToLose = { way: 'toServer', type: 'Q', text: 'COMMIT' }
const COMMIT_ANSWER: MessageToLose = { way: 'toClient', type: 'C', text: 'COMMIT' }

function finOrRst({ random }: Stage): LossMode {
  return random() < 0.5 ? 'fin' : 'rst'
}

/** Loses a message of one write, and writes again. */
async function writeAndLose(
  stage: Stage,
  message: MessageToLose,
  changes: NonNullable<Parameters<Stage['write']>[1]> = {},
  mode = finOrRst(stage),
): Promise<void> {
  const environment = await stage.sharedEnvironment()
  loseMessage(stage, message, mode)
  await stage.write(environment, changes)
  await stage.write(environment)
}

const IN_TRANSACTION = { inTransaction: true }
/** Has the same result when it runs twice. */
const IDEMPOTENT_WRITE = {
  idempotent: true,
  text: 'insert into ledger (id) select $1 where not exists (select from ledger where id = $1)',
}
const onlyAnswered = ledgerHolds(({ answered }) => answered)
const allCalls = ledgerHolds(({ calls }) => calls)

export const COMMIT_ROWS: readonly FaultRow[] = [
  {
    id: '7a',
    fault: 'answer lost after the statement committed',
    caller: 'ERR_CONNECTION_LOST; the next invocation is answered',
    database: 'every write once, the unanswered one too',
    inject: (stage) => writeAndLose(stage, STATEMENT_ANSWER),
    brokenPromises: every(errorsPerInjection(1, 'ERR_CONNECTION_LOST'), allCalls),
  },
  {
    id: '7b',
    fault: 'statement lost on its way to the server',
    caller: 'ERR_CONNECTION_LOST; the next invocation is answered',
    database: 'nothing of the statement, every other write once',
    inject: (stage) => writeAndLose(stage, STATEMENT),
    brokenPromises: every(errorsPerInjection(1, 'ERR_CONNECTION_LOST'), onlyAnswered),
  },
  {
    id: '7c',
    fault: 'idempotent statement lost, or its answer',
    caller: 'the answer: the statement is sent again',
    database: 'every write once',
    inject: (stage) => writeAndLose(stage, stage.random() < 0.5 ? STATEMENT : STATEMENT_ANSWER, IDEMPOTENT_WRITE),
    brokenPromises: every(allAnswered, onlyAnswered),
  },
  {
    id: '8a',
    fault: 'COMMIT lost on its way to the server',
    caller: 'ERR_COMMIT_AMBIGUOUS; the next invocation is answered',
    database: 'nothing of the transaction, every other write once',
    inject: (stage) => writeAndLose(stage, COMMIT, IN_TRANSACTION),
    brokenPromises: every(errorsPerInjection(1, 'ERR_COMMIT_AMBIGUOUS'), onlyAnswered),
  },
  {
    id: '8b',
    fault: 'answer to COMMIT lost',
    caller: 'ERR_COMMIT_AMBIGUOUS; the next invocation is answered',
    database: 'every write once, the unanswered one too',
    inject: (stage) => writeAndLose(stage, COMMIT_ANSWER, IN_TRANSACTION),
    brokenPromises: every(errorsPerInjection(1, 'ERR_COMMIT_AMBIGUOUS'), allCalls),
  },
  {
    id: '8c',
    fault: 'answer to COMMIT lost, without FIN or RST',
    caller: 'ERR_COMMIT_AMBIGUOUS in time; the next invocation is answered',
    database: 'every write once, the unanswered one too',
    isSlow: true,
    settings: { timeoutSeconds: 2 },
    inject: (stage) => writeAndLose(stage, COMMIT_ANSWER, IN_TRANSACTION, 'silence'),
    brokenPromises: every(errorsPerInjection(1, 'ERR_COMMIT_AMBIGUOUS'), allCalls),
  },
  {
    id: '8d',
    fault: 'session terminated during COMMIT',
    caller: 'ERR_COMMIT_AMBIGUOUS; the next invocation is answered',
    database: 'nothing of the transaction, every other write once',
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      const blockade = await Blockade.raise(stage)
      await stage.postgres.query(BLOCKADE_AT_COMMIT, [], stage.database)
      const call = stage.write(environment, IN_TRANSACTION)
      try {
        await blockade.met(call)
        await blockade.terminateWaiting()
      } finally {
        await blockade[Symbol.asyncDispose]()
        await call
      }
      await stage.write(environment)
    },
    brokenPromises: every(errorsPerInjection(1, 'ERR_COMMIT_AMBIGUOUS'), onlyAnswered),
  },
]
