/** `secret show`: what a secret says, without what must not be seen. */
import type { Run } from '../command.ts'
import { fieldsOf, readSecretText, settingsOf } from '../doctor/subject.ts'
import { Walk } from '../doctor/walk.ts'
import { OK } from '../exit-codes.ts'
import { orExplain } from '../failing.ts'
import { labelled } from '../text.ts'
import { requiredSecretId } from './secret-id.ts'
import { shownFields } from './stored-value.ts'

const WIDTH = 18

export const runSecretShow: Run = (given, context) => {
  const { stdout, environment } = context
  const secretId = requiredSecretId(given, context)
  return orExplain(context, secretId, async () => {
    const walk = new Walk(() => undefined)
    const settings = await walk.step('settings', () => ({ value: settingsOf({ secretId }, environment), saw: '' }))
    const { text, version } = await walk.step('secret', async () => ({
      value: await readSecretText(settings),
      saw: '',
    }))
    const { fields, warnings } = await walk.step('form', () => ({ value: fieldsOf(text, settings), saw: '' }))
    const { versionId, versionStage, createdAt } = version
    const createdDate = createdAt === undefined ? undefined : new Date(createdAt).toISOString()
    const report = { secretId, versionId, versionStage, createdDate, fields: shownFields(fields), warnings }
    if (given.flag('json')) stdout.write(`${JSON.stringify(report, null, 2)}\n`)
    else {
      const lines = [
        ...Object.entries({ secret: secretId, version: versionId, stage: versionStage, created: createdDate }),
        ...Object.entries(report.fields),
        ...warnings.map((warning) => ['warning', warning]),
      ]
      stdout.write(
        `${lines.flatMap(([name = '', value]) => labelled(String(name), WIDTH, String(value ?? 'unknown'))).join('\n')}\n`,
      )
    }
    return OK
  })
}
